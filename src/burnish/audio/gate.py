"""Whether a recording is one that a model should touch: it holds speech, and there is something beside it.

What is looked at is what the model itself makes of the recording: where it finds speech, and how much it would take away. A long recording
is judged by stretches spread over it, each begun a little early so that the model has found its feet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.audio.files import Sound
from burnish.audio.survey import Survey

if TYPE_CHECKING:
    from burnish.audio.model import Model

WHOLE = 90.0  # seconds up to which all of a recording is looked at
STRETCHES, STRETCH, BEFORE = 9, 8.0, 2.0  # of a longer one: how many, how many seconds each, and seconds before it that do not count
SPEAKS, SILENT, SURE = 0.5, 0.3, 0.9  # how likely speech is where somebody speaks, where nobody does, and where there is no doubt
DEEP = 0.3  # share of what is left below 1 kHz that voiced speech has: in birdsong, which models take for speech, there is next to none
LEAST = 0.25  # seconds of speech without doubt below which there is none
SHARE = 0.04  # and of what is active in the recording, at least
PAUSES = 5  # frames without speech from which they tell how clean a recording is
CLEAN, CLEAN_ALL = 23.0, 20.0  # decibels that what is taken away lies below the speech, in pauses; where there are none, everywhere


@dataclass(frozen=True)
class Verdict:
    """Whether to restore, and if not, why not, in words. `speech`: seconds of it that were found; `beside`: what would be taken away from
    the recording, in dB below what is left of it (None: nothing was looked at)."""

    restore: bool
    why: str = ""
    speech: float = 0.0
    beside: float | None = None


@dataclass(frozen=True)
class Frames:
    """Of each frame of a recording: how likely speech is, which share of what the model leaves lies below 1 kHz, the power of the
    recording, and that of what the model takes from it."""

    speech: NDArray[np.float32]
    deep: NDArray[np.float32]
    power: NDArray[np.float64]
    residual: NDArray[np.float64]


def surveyed(sound: Sound, tick: Callable[[], None] = lambda: None) -> Survey:
    """The whole recording looked at; `tick` is called block by block. Raises InputError as its blocks do."""
    survey = Survey(sound.rate, sound.channels)
    for block in sound.blocks():
        survey.add(block)
        tick()
    return survey


def judged(sound: Sound, survey: Survey, model: "Model") -> Verdict:
    """What is to be done with a recording."""
    if survey.is_silent:
        return Verdict(False, "it is silent")
    parts = []
    for start, skipped, count in _stretches(sound, survey):
        tried = _tried(sound, survey, model, start, count)
        parts.append([each[skipped:] for each in (tried.speech, tried.deep, tried.power, tried.residual)])
    speech, deep, power, residual = (np.concatenate(each) for each in zip(*parts, strict=True))
    return verdict(Frames(speech, deep, power, residual), survey.step / survey.rate)


def verdict(frames: Frames, step: float) -> Verdict:
    """The verdict on frames `step` seconds apart."""
    speech, power, residual = frames.speech, frames.power, frames.residual
    active = power > 1e-3 * np.percentile(power, 98)
    sure = (speech > SURE) & (frames.deep > DEEP) & active
    seconds = float(sure.sum() * step)
    if seconds < LEAST or sure.sum() < SHARE * active.sum():
        return Verdict(False, "no speech was found in it", seconds)
    pauses = speech < SILENT
    heard = residual[pauses] if pauses.sum() >= PAUSES else residual
    beside = -10 * float(np.log10(max(heard.mean(), 1e-20) / power[(speech > SPEAKS) & active].mean()))
    if beside > (CLEAN if pauses.sum() >= PAUSES else CLEAN_ALL):
        return Verdict(False, f"it is clean: what would be taken away lies {beside:.0f} dB below the speech", seconds, beside)
    return Verdict(True, "", seconds, beside)


def _stretches(sound: Sound, survey: Survey) -> list[tuple[int, int, int]]:
    """Where to look: first sample, how many frames of it do not count, and how many samples."""
    if sound.seconds <= WHOLE:
        return [(0, 0, sound.samples)]
    active = np.flatnonzero(survey.active())
    places = active[np.linspace(0, len(active) - 1, STRETCHES).astype(int)] * survey.step
    length, early = int(STRETCH * sound.rate), int(BEFORE * sound.rate)
    result = []
    for place in np.unique(places):
        start = int(np.clip(place - length // 2, 0, sound.samples - length))
        begin = max(0, start - early)
        result.append((begin, (start - begin) // survey.step, start - begin + length))
    return result


def _tried(sound: Sound, survey: Survey, model: "Model", start: int, count: int) -> Frames:
    """What the model makes of a stretch."""
    stream = model.stream(survey)
    before = list(sound.blocks(start, count))
    after = np.concatenate([*(stream.push(block) for block in before), stream.finish()])
    samples = np.concatenate(before)
    frames = max(1, len(samples) // survey.step)

    def powers(values: NDArray[np.float32]) -> NDArray[np.float64]:
        whole = values[: frames * survey.step].reshape(frames, -1)
        result: NDArray[np.float64] = np.square(whole).mean(1, dtype=np.float64)
        return result

    def told(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        found = np.concatenate(parts)[2 : 2 + frames]  # frame 2 is the first whose restored samples are the recording's
        return np.pad(found, (0, frames - len(found)))

    return Frames(told(stream.speech), told(stream.deep), powers(samples), powers(samples - after))
