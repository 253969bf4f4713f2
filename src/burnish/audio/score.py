"""How sound is scored: SI-SDR, PESQ-WB and STOI of models beside doing nothing and the classical baselines, at 16 kHz, one channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.audio import baselines, folder, metrics, noises
from burnish.audio.frames import RATE
from burnish.audio.model import Model
from burnish.audio.samples import Sample
from burnish.degradation import OWN, Degradation
from burnish.errors import DegradationError, InputError, ModelError
from burnish.progress import Progress, silent
from burnish.scoreboard.board import Metric, Scoreboard, gained

Samples = NDArray[np.float32]
Pair = tuple[Samples, Samples]

METRICS = (Metric("si_sdr", "SI-SDR", "dB", 2), Metric("pesq", "PESQ-WB", "", 2), Metric("stoi", "STOI", "", 4))
MEASURES: dict[str, Callable[[Samples, Samples], float]] = {"si_sdr": metrics.si_sdr, "pesq": metrics.pesq, "stoi": metrics.stoi}
SECONDS = 30.0  # of each recording at most
SHOWN = 3
MEASURED = (
    "Recordings are mixed to one channel at 16 kHz, and at most 30 seconds of each are scored. SI-SDR is that of Le Roux et al. (2019), "
    "PESQ-WB that of ITU-T P.862.2, STOI that of Taal et al. (2011), each per recording, then averaged. The interval is a bootstrap over "
    "recordings."
)


@dataclass(frozen=True)
class Task:
    """Pairs to score on, degraded and clean, with their names, and what is told of them."""

    pairs: Sequence[Pair]
    names: Sequence[str]
    data: str
    degradation: str
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    with_baselines: bool = True

    def score(self, models: Sequence[Model], progress: Progress = silent, seed: int = 0) -> list[Scoreboard]:
        """A board a model, in the given order."""
        measured = [metric for metric in METRICS if metric.name == "si_sdr" or metrics.installed()]
        methods: dict[str, Callable[[Samples], Samples]] = {"input": lambda samples: samples}
        methods |= baselines.METHODS if self.with_baselines else {}
        total, done = len(self.pairs) * (len(methods) + len(models)), 0
        tables: list[dict[str, dict[str, list[float]]]] = [{} for _ in models]
        samples: list[list[Sample]] = [[] for _ in models]

        def note(method: str, restored: Samples, clean: Samples, into: Sequence[dict[str, dict[str, list[float]]]]) -> None:
            nonlocal done
            for metric in measured:
                value = MEASURES[metric.name](restored, clean)
                for table in into:
                    table.setdefault(metric.name, {}).setdefault(method, []).append(value)
            done += 1
            progress(done, total)

        for index, (degraded, clean) in enumerate(self.pairs):
            for method, run in methods.items():
                note(method, run(degraded), clean, tables)
            for model, table, shown in zip(models, tables, samples, strict=True):
                restored = model.restore(degraded, RATE)
                note("model", restored, clean, [table])
                if index < SHOWN:
                    shown.append(Sample(self.names[index], degraded, restored, clean))
        return [self._board(*each, measured, seed) for each in zip(models, tables, samples, strict=True)]

    def _board(
        self, model: Model, table: dict[str, dict[str, list[float]]], samples: list[Sample], measured: Sequence[Metric], seed: int
    ) -> Scoreboard:
        gains = np.array(table["si_sdr"]["model"]) - np.array(table["si_sdr"]["input"])
        return Scoreboard(
            model=model.card.name,
            kind="audio",
            items=len(self.pairs),
            degradation=self.degradation,
            data=self.data,
            parameters=model.card.parameters,
            metrics=tuple(measured),
            scores={metric: {method: float(np.nanmean(values)) for method, values in each.items()} for metric, each in table.items()},
            gained=gained(gains, seed),
            settings=baselines.SETTINGS if self.with_baselines else {},
            skipped=self.skipped,
            samples=tuple(samples),
            notes=self.notes,
            measured=MEASURED,
        )


def prepared(
    models: Sequence[Model],
    data: str | Path,
    degrade: str | None = None,
    clean: str | Path | None = None,
    limit: int | None = None,
    *,
    noise: Path | None = None,
    seed: int = 0,
    with_baselines: bool = True,
) -> Task:
    """What models are scored on: the recordings in `data`, degraded as `degrade` says (default: what the first model was trained for).

    With `clean`, those in `data` are degraded already, and their partners are there. `noise`: a folder that noise is drawn from. Raises
    InputError for what cannot be read, ModelError for a model of another medium, DegradationError for a degradation that cannot be made.
    """
    for model in models:
        if model.card.kind != "audio":
            raise ModelError(f"{model.card.name}: restores {model.card.kind}s, and these are recordings; evaluate it on its own kind")
    if limit is not None and limit < 1:
        raise InputError(f"limit = {limit} must be at least 1 recording; leave it out to score all")
    notes = () if metrics.installed() else ("PESQ and STOI are left out: pip install 'burnish[audio]' brings what they need",)
    found = folder.load(Path(data), limit, SECONDS)
    if clean is not None:
        if degrade is not None:
            raise DegradationError(f"{degrade}: pairs are degraded already; give clean recordings, or a degradation, not both")
        made: list[Pair] = folder.pairs(found, folder.load(Path(clean), None, SECONDS))
        told = OWN
    else:
        degradation = Degradation.parse(degrade or models[0].card.degradation, "audio")
        told = str(degradation)
        before = noises.bank()
        noises.use(noises.Bank(folder.load(noise).items if noise else (), found.items))
        try:
            made = [degradation.pair(item, seed) for item in found.items]
        finally:
            noises.use(before)
    return Task(made, found.names, found.name, told, found.skipped, notes, with_baselines)
