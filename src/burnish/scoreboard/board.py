"""The scoreboard: models beside the untouched input and the classical filters, on the same degraded pictures.

What is fed to a model or filter is the degradation's exact output, unclipped floats where noise makes them so. What is scored is
clipped to range and rounded to 8 bit (16 bit where the original has 16), for the untouched input too: per picture, then averaged.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.degradation import Chain
from burnish.errors import InputError, ModelError
from burnish.image import baselines, metrics
from burnish.image.baselines import THREADS, Batch, batch_size, to_unit

if TYPE_CHECKING:
    from burnish.degradation import Degradation
    from burnish.image.datasets import PictureSet
    from burnish.image.model import Model
    from burnish.progress import Progress

RESAMPLES = 10_000  # of the bootstrap
SAMPLES = 4  # pictures shown of each kind

ESTIMATED = "There are no clean originals: PSNR is an estimate from the measured noise (SURE), right if that is independent between pixels."

Method = Callable[[Batch, Sequence[Chain]], Batch]
Scores = NDArray[np.float64]  # N×3: PSNR in dB, SSIM, channel accuracy


@dataclass(frozen=True)
class Sample:
    """A picture to show: H×W×3 uint8 as it was, as it was degraded and as the model restored it; no original where there is none."""

    name: str
    kind: Literal["worst", "middle", "best"]
    original: NDArray[np.uint8] | None
    degraded: NDArray[np.uint8]
    restored: NDArray[np.uint8]
    psnr_input: float
    psnr_model: float


@dataclass(frozen=True)
class Scoreboard:
    """What one model did to one set of pictures, beside what doing nothing and the classical filters did.

    `gain_db` is the mean of PSNR(model) − PSNR(untouched input), `gain_db_ci95` its 95 % bootstrap interval over pictures (one picture:
    twice the gain). `helps` is true when the gain and the interval's lower end are both above zero. `estimated`: there are no originals,
    PSNR is estimated from the noise, and there is neither SSIM nor channel accuracy.
    """

    model: str
    images: int
    degradation: str
    data: str
    parameters: int
    helps: bool
    gain_db: float
    gain_db_ci95: tuple[float, float]
    psnr: dict[str, float]
    ssim: dict[str, float]
    channel_accuracy: dict[str, float]
    not_applicable: dict[str, str]
    settings: dict[str, str]
    skipped: tuple[tuple[str, str], ...]
    samples: tuple[Sample, ...]
    estimated: bool = False

    def to_json(self) -> dict[str, Any]:
        """The scoreboard in JSON's own types, without the sample pictures."""
        return {
            "model": self.model,
            "images": self.images,
            "data": self.data,
            "degradation": self.degradation,
            "parameters": self.parameters,
            "helps": self.helps,
            "gain_db": self.gain_db,
            "gain_db_ci95": list(self.gain_db_ci95),
            "psnr": dict(self.psnr),
            "ssim": dict(self.ssim),
            "channel_accuracy": dict(self.channel_accuracy),
            "not_applicable": dict(self.not_applicable),
            "settings": dict(self.settings),
            "skipped": [{"name": name, "why": why} for name, why in self.skipped],
            **({"estimated": True} if self.estimated else {}),
        }


def evaluate(
    models: Sequence[Model],
    pictures: PictureSet,
    degradation: Degradation,
    *,
    tuning: PictureSet | None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Scoreboard]:
    """Score each model on the pictures (H×W×C, uint8 or uint16) under the degradation; a scoreboard a model, in the given order.

    Pictures that came in pairs are taken as they came; the degradation only says what is known of them.

    `tuning` holds other pictures, on which each baseline's setting is chosen (those that are also among `pictures` are left out);
    None means no baselines. Raises InputError for an empty set, ModelError for a model that cannot restore these pictures or gives values
    that are not numbers, MissingExtraError for baselines without scikit-image.
    """
    if not models:
        raise InputError("no model to evaluate; name at least one")
    if len(pictures.images) == 0:
        raise InputError(f"{pictures.name}: no picture to evaluate on; give a set with at least one that can be read")
    names = _distinct_names(models)
    filters: list[baselines.Baseline] = []
    not_applicable: dict[str, str] = {}
    if tuning is not None:
        filters, not_applicable = baselines.tune(_others(tuning, pictures), degradation, seed, progress)

    rivals: dict[str, Method] = {"input": lambda batch, _chains: batch, **{baseline.name: baseline.restore for baseline in filters}}
    runners = [_runner(model, name) for model, name in zip(models, names, strict=True)]
    methods = [*rivals.items(), *zip(names, runners, strict=True)]
    scores = _score(methods, pictures, degradation, seed, progress)
    of_rivals, of_models = dict(zip(rivals, scores, strict=False)), scores[len(rivals) :]

    boards = []
    for model, name, run, own in zip(models, names, runners, of_models, strict=True):
        columns = {"input": of_rivals["input"], "model": own, **{key: each for key, each in of_rivals.items() if key != "input"}}
        means = {key: each.mean(axis=0).tolist() for key, each in columns.items()}
        gains = own[:, 0] - of_rivals["input"][:, 0]
        low, high = bootstrap_interval(gains, seed)
        boards.append(
            Scoreboard(
                model=name,
                images=len(gains),
                degradation=degradation.spec,
                data=pictures.name,
                parameters=model.card.parameters,
                helps=bool(gains.mean() > 0 and low > 0),
                gain_db=float(gains.mean()),
                gain_db_ci95=(low, high),
                psnr={key: mean[0] for key, mean in means.items()},
                ssim={key: mean[1] for key, mean in means.items()},
                channel_accuracy={key: means[key][2] for key in ("input", "model")},
                not_applicable=not_applicable,
                settings={baseline.name: baseline.setting for baseline in filters},
                skipped=pictures.skipped,
                samples=_samples(run, gains, pictures, degradation, seed),
            )
        )
    return boards


# --- Scoring ---


def _score(
    methods: Sequence[tuple[str, Method]], pictures: PictureSet, degradation: Degradation, seed: int, progress: Progress | None
) -> list[Scores]:
    """Every named method on every picture: PSNR, SSIM and channel accuracy. Raises ModelError where one gives no numbers."""
    count = len(pictures.images)
    scores = [np.empty((count, 3)) for _ in methods]
    # Pictures in one array have one size and go in batches; others one by one.
    step = batch_size(pictures.images[0]) if isinstance(pictures.images, np.ndarray) else 1

    def score(start: int) -> int:
        originals = [pictures.images[i] for i in range(start, min(start + step, count))]
        degraded, truths, chains = _degraded(pictures, range(start, start + len(originals)), degradation, seed)
        levels = [_levels(original) for original in originals]
        clean = [metrics.quantise(truth, level) for truth, level in zip(truths, levels, strict=True)]
        for (name, method), rows in zip(methods, scores, strict=True):
            for offset, restored in enumerate(method(degraded, chains)):
                if not np.isfinite(restored).all():  # a capped PSNR could make a perfect score of it
                    raise ModelError(
                        f"{name}: gives values that are not numbers on {pictures.names[start + offset]}; train it again or leave it out"
                    )
                rows[start + offset] = _marks(metrics.quantise(restored, levels[offset]), clean[offset])
        return len(originals)

    done = 0
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for scored in pool.map(score, range(0, count, step)):
            done += scored
            if progress:
                progress(done, count, "scoring")
    return scores


def _marks(restored: NDArray[Any], clean: NDArray[Any]) -> tuple[float, float, float]:
    return metrics.psnr(restored, clean), metrics.ssim(restored, clean), metrics.channel_accuracy(restored, clean)


def _degraded(pictures: PictureSet, indices: Sequence[int], degradation: Degradation, seed: int) -> tuple[Batch, Batch, list[Chain]]:
    """The pictures' exact degraded values, their truth, and the chain drawn for each (an empty one where they came in pairs)."""
    originals = [pictures.images[i] for i in indices]
    if pictures.degraded is not None:
        given = np.stack([to_unit(pictures.degraded[i]) for i in indices])
        return given, np.stack([to_unit(original) for original in originals]), [Chain(())] * len(indices)
    chains = [degradation.draw(original, seed) for original in originals]
    pairs = [chain.pair(original) for chain, original in zip(chains, originals, strict=True)]
    return np.stack([degraded for degraded, _ in pairs]), np.stack([truth for _, truth in pairs]), chains


def _levels(image: NDArray[Any]) -> int:
    return 65535 if image.dtype == np.uint16 else 255


def bootstrap_interval(gains: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of the mean (Efron 1979); the point itself, twice, for one picture."""
    rng = np.random.default_rng(seed)
    rows = max(1, 4_000_000 // len(gains))  # at a time, so that many pictures do not fill the memory
    means = [
        gains[rng.integers(0, len(gains), (min(rows, RESAMPLES - start), len(gains)))].mean(axis=1) for start in range(0, RESAMPLES, rows)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def _others(tuning: PictureSet, pictures: PictureSet) -> PictureSet:
    """The tuning pictures that are not among those scored: a setting chosen on a test picture would be no fair rival."""

    def key(image: NDArray[Any]) -> bytes:
        return hashlib.sha256(f"{image.dtype}{image.shape}".encode() + np.ascontiguousarray(image).tobytes()).digest()

    scored = {key(image) for image in pictures.images}
    kept = [i for i, image in enumerate(tuning.images) if key(image) not in scored]
    if not kept:
        raise InputError(
            f"{tuning.name}: every picture to choose the baselines' settings on is also scored; give other pictures, or evaluate without "
            "baselines (--no-baselines)"
        )
    if len(kept) == len(tuning.images):
        return tuning
    return tuning.chosen(kept)


# --- Running a model ---


def _runner(model: Model, name: str) -> Method:
    """The model as a method: N×H×W×C in, the same out. Raises ModelError where it cannot take a picture."""
    card = model.card

    def run(batch: Batch, _chains: Sequence[Chain]) -> Batch:
        height, width, channels = batch.shape[1:]
        if card.channels != channels:
            raise ModelError(f"{name}: takes pictures of {card.channels} channel(s), these have {channels}; evaluate it on such pictures")
        if card.input_size and list(card.input_size[-2:]) != [height, width]:
            size = "×".join(str(length) for length in card.input_size[-2:])
            raise ModelError(
                f"{name}: takes only pictures of {size} (height × width), here is one of {height}×{width}; give pictures of its size"
            )
        if len(batch) > 1 and height % card.multiple_of == 0 and width % card.multiple_of == 0:
            restored = model.run(np.ascontiguousarray(batch.transpose(0, 3, 1, 2))).transpose(0, 2, 3, 1)
        else:  # padding and tiles are the model's own business
            restored = np.stack([model.restore(picture) for picture in batch])
        if restored.shape != batch.shape:
            raise ModelError(f"{name}: a batch of shape {batch.shape} came back as {restored.shape}; export the model anew")
        return restored

    return run


def _distinct_names(models: Sequence[Model]) -> list[str]:
    """Each card's name, with the file's path where two models carry the same name."""
    names = [model.card.name for model in models]
    return [f"{name} ({model.path})" if names.count(name) > 1 else name for name, model in zip(names, models, strict=True)]


# --- Samples ---


def _samples(run: Method, gains: NDArray[np.float64], pictures: PictureSet, degradation: Degradation, seed: int) -> tuple[Sample, ...]:
    """Up to four pictures each with the least, the middling and the most gain; fewer, and none twice, when there are few pictures."""
    order = np.argsort(gains, kind="stable").tolist()
    each = min(SAMPLES, (len(order) + 2) // 3)
    worst, rest = order[:each], order[each:]
    best, rest = rest[max(0, len(rest) - each) :], rest[: max(0, len(rest) - each)]
    start = (len(rest) - each + 1) // 2 if len(rest) > each else 0
    kinds: Mapping[Literal["worst", "middle", "best"], list[int]] = {"worst": worst, "middle": rest[start : start + each], "best": best}

    def sample(kind: Literal["worst", "middle", "best"], index: int) -> Sample:
        original = pictures.images[index]
        degraded, truth, chains = _degraded(pictures, [index], degradation, seed)
        shown = [metrics.quantise(image, _levels(original)) for image in (truth[0], degraded[0], run(degraded, chains)[0])]
        eight_bit = [np.rint(metrics.quantise(image) * 255).astype(np.uint8) for image in shown]
        psnr_input, psnr_model = (metrics.psnr(image, shown[0]) for image in shown[1:])
        return Sample(pictures.names[index], kind, eight_bit[0], eight_bit[1], eight_bit[2], psnr_input, psnr_model)

    return tuple(sample(kind, index) for kind, indices in kinds.items() for index in indices)


# --- Words ---


def table(boards: Sequence[Scoreboard]) -> str:
    """The scoreboards as plain text: the untouched input, the baselines, the models, and a verdict in words on each model."""
    groups = itertools.groupby(boards, key=lambda board: (board.data, board.images, board.degradation, board.psnr["input"], board.settings))
    return "\n\n".join("\n".join(_lines(list(group))) for _, group in groups)


def _lines(boards: list[Scoreboard]) -> Iterator[str]:
    first = boards[0]
    methods = [("untouched input", first.psnr["input"], first.ssim.get("input"))]
    methods += [(f"{_words(name)} ({setting})", first.psnr[name], first.ssim.get(name)) for name, setting in first.settings.items()]
    methods += [(board.model, board.psnr["model"], board.ssim.get("model")) for board in boards]
    width = max(len(label) for label, _, _ in methods)

    yield f"{first.data}, {_count(first.images)}, degraded by {first.degradation}"
    if first.estimated:
        yield ESTIMATED
    yield f"{'method':<{width}}  PSNR dB    SSIM  gain dB"
    for label, psnr, ssim in methods:
        gain = psnr - first.psnr["input"]
        similarity = "" if ssim is None else f"{ssim:.4f}"
        yield f"{label:<{width}}  {psnr:7.2f}  {similarity:>6}  {_signed(gain) if label != 'untouched input' else '':>7}"
    for name, why in first.not_applicable.items():
        yield f"{_words(name)}: not applicable, {why}"
    accuracies = [
        ("untouched input", first.channel_accuracy.get("input", 1.0)),
        *((board.model, board.channel_accuracy.get("model", 1.0)) for board in boards),
    ]
    if any(accuracy < 1 for _, accuracy in accuracies):  # grey pictures have no brightest channel
        yield "channel accuracy: " + ", ".join(f"{label} {accuracy:.4f}" for label, accuracy in accuracies)
    if first.skipped:
        yield f"{_count(len(first.skipped))} skipped:"
        yield from (f"  {name}: {why}" for name, why in first.skipped)
    yield from (_verdict(board) for board in boards)


def _verdict(board: Scoreboard) -> str:
    low, high = board.gain_db_ci95
    sure = f"(95 % interval {_signed(low)} to {_signed(high)}, {_count(board.images)})" if board.images > 1 else "(1 image: no interval)"
    if board.helps:
        return f"{board.model} helps: {board.gain_db:.2f} dB closer to the originals than the untouched input {sure}."
    if board.gain_db > 0:
        return f"{board.model} does not help beyond doubt: {board.gain_db:.2f} dB closer to the originals, but perhaps by chance {sure}."
    if board.gain_db == 0:
        return f"{board.model} does not help: exactly as far from the originals as the untouched input {sure}."
    return f"{board.model} does not help: {-board.gain_db:.2f} dB further from the originals than the untouched input {sure}."


def _words(baseline: str) -> str:
    return baseline.replace("_", " ")


def _signed(decibels: float) -> str:
    return f"{decibels:+.2f}".replace("-", "−")


def _count(images: int) -> str:
    return f"{images:,} image{'s' if images != 1 else ''}"
