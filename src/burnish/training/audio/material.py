"""What a run for sound learns from, and what it is judged by: clean voices, which are degraded here, or pairs of somebody's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from burnish.audio import folder as recordings
from burnish.audio import noises
from burnish.audio.folder import Recordings
from burnish.audio.frames import RATE
from burnish.audio.noises import Bank, Samples
from burnish.audio.score import Task
from burnish.degradation import OWN, Degradation
from burnish.errors import InputError, RecipeError
from burnish.training.audio.mixing import LEVEL, Mixer, Pairs, whole_frames
from burnish.training.recipe import Recipe

HELD_SECONDS = 4.0  # of each recording held out, whose loss is told every epoch
SCORED_SECONDS = 10.0

Pair = tuple[Samples, Samples]


@dataclass(frozen=True)
class Material:
    """What makes batches, which pairs are held out, with their names, and what is said of all of it on the card."""

    learnt: Mixer | Pairs
    minutes: float  # to learn from
    held: Sequence[Pair]
    task: Task
    origin: dict[str, Any]

    def judged(self) -> list[Pair]:
        """The beginnings of what is held out, at the level that networks hear."""
        length = whole_frames(HELD_SECONDS)
        return [_levelled(degraded[:length], clean[:length]) for degraded, clean in self.held if len(degraded) >= length]


@contextmanager
def gathered(plan: Recipe) -> Iterator[Material]:
    """What a recipe learns from; noises and voices are in use while it lasts. Raises InputError and RecipeError."""
    before = noises.bank()
    try:
        yield _pairs(plan) if plan.clean else _voices(plan)
    finally:
        noises.use(before)


def _voices(plan: Recipe) -> Material:
    degradation = Degradation.parse(plan.degradation, "audio")
    if degradation.is_own:
        raise RecipeError(f"recipe {plan.name!r}: {OWN} stands for pairs; give their clean partners with --clean")
    voices, noise = recordings.load(Path(plan.data)), recordings.load(Path(plan.noises)) if plan.noises else None
    out = _held_out(len(voices.items), plan.validation, voices.name)
    learnt, held = _some(voices, out, False), _some(voices, out, True)
    noises.use(Bank(noise.items if noise else (), held.items))
    unheard = [degradation.pair(item[: int(SCORED_SECONDS * RATE)], plan.seed) for item in held.items]
    noises.use(Bank(noise.items if noise else (), learnt.items))
    mixer = Mixer.of(noises.bank(), degradation, whole_frames(plan.seconds))
    name = f"{voices.name} and {noise.name}" if noise else voices.name
    task = Task(unheard, held.names, f"{voices.name}, held out", plan.degradation, voices.skipped)
    return Material(mixer, learnt.minutes, unheard, task, _origin(name, voices, plan))


def _pairs(plan: Recipe) -> Material:
    if plan.noises:
        raise RecipeError(f"recipe {plan.name!r}: pairs have their noise already; leave out noises")
    degraded, clean = recordings.load(Path(plan.data)), recordings.load(Path(plan.clean))
    pairs = recordings.pairs(degraded, clean)
    out = _held_out(len(pairs), plan.validation, degraded.name)
    learnt = [pair for index, pair in enumerate(pairs) if index not in out]
    held = [tuple(each[: int(SCORED_SECONDS * RATE)] for each in pairs[index]) for index in sorted(out)]
    source = Pairs.of(learnt, whole_frames(plan.seconds))
    names = [degraded.names[index] for index in sorted(out)]
    task = Task(held, names, f"{degraded.name}, held out", OWN, degraded.skipped)  # type: ignore[arg-type]
    minutes = sum(len(each) for each, _ in learnt) / RATE / 60
    return Material(source, minutes, held, task, _origin(degraded.name, degraded, plan))  # type: ignore[arg-type]


def _held_out(count: int, share: float, name: str) -> set[int]:
    """Which recordings are held out: every so manieth."""
    if count < 2:
        raise InputError(f"{name}: holds a single recording, and one has to be held out; cut it in two")
    every = max(2, round(1 / share)) if share else count
    return set(range(every - 1, count, every)) or {count - 1}


def _some(voices: Recordings, out: set[int], held: bool) -> Recordings:
    places = [index for index in range(len(voices.items)) if (index in out) == held]
    return replace(voices, items=tuple(voices.items[i] for i in places), names=tuple(voices.names[i] for i in places), skipped=())


def _levelled(degraded: Samples, clean: Samples) -> Pair:
    gain = np.float32(LEVEL / max(1e-6, float(np.sqrt(np.mean(np.square(degraded, dtype=np.float64))))))
    return degraded * gain, clean * gain


def _origin(name: str, found: Recordings, plan: Recipe) -> dict[str, Any]:
    return {"name": name, "fingerprint": found.fingerprint(), "terms": recordings.terms(Path(plan.data))}
