"""Recordings of a folder as models learn from them and are scored on them: one channel, 16 kHz, in memory."""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.audio import files
from burnish.audio.frames import RATE
from burnish.errors import InputError
from burnish.files import atomic

Samples = NDArray[np.float32]

MINUTES = 600  # of sound in memory at most
TERMS = ("LICENSE.txt", "LICENSE", "LICENCE")


@dataclass(frozen=True)
class Recordings:
    """Recordings with their names; those that could not be read, and why, in `skipped`."""

    name: str
    items: tuple[Samples, ...]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def fingerprint(self) -> str:
        """What tells this set from another, of the samples themselves."""
        digest = hashlib.sha256()
        for item in self.items:
            digest.update(item.tobytes())
        return f"sha256:{digest.hexdigest()[:16]}"

    @property
    def minutes(self) -> float:
        """How long they are together."""
        return sum(map(len, self.items)) / RATE / 60


def paths(folder: Path) -> list[Path]:
    """The recordings in a folder and all under it, sorted; or the one file given. Raises InputError when there are none."""
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of recordings; check the path")
    found = [Path(place) / name for place, _, names in os.walk(folder) for name in names if files.is_sound(name)]
    if not found:
        raise InputError(f"{folder}: holds no recordings ({files.FORMATS}); give another folder")
    return sorted(found)


def load(folder: Path, limit: int | None = None, seconds: float | None = None) -> Recordings:
    """The recordings of a folder, at most `limit` of them and `seconds` of each. Raises InputError when none can be read."""
    items, names, skipped = [], [], []
    for path in paths(folder)[:limit]:
        try:
            items.append(read(path, seconds))
            names.append(path.name)
        except InputError as error:
            skipped.append((path.name, str(error)))
        if sum(map(len, items)) > MINUTES * 60 * RATE:
            raise InputError(f"{folder}: holds more than {MINUTES} minutes of sound; give fewer")
    if not items:
        raise InputError(f"{folder}: none of its recordings can be read; the first: {skipped[0][1]}")
    return Recordings(folder.name, tuple(items), tuple(names), tuple(skipped))


def read(path: Path, seconds: float | None = None) -> Samples:
    """A recording as one channel at 16 kHz. Raises InputError as its file does."""
    sound = files.open_sound(path)
    count = None if seconds is None else int(seconds * sound.rate)
    mix = np.concatenate([block.mean(1) for block in sound.blocks(0, count)])
    return resampled(mix, sound.rate, RATE)


def readable(sources: Sequence[Path]) -> tuple[Samples, ...]:
    """Those of the files that can be read, as `read` has them."""
    found = []
    for path in sources:
        with contextlib.suppress(InputError):
            found.append(read(path))
    return tuple(found)


def write(path: Path, samples: Samples) -> None:
    """Write a recording of one channel at 16 kHz as a WAV of floats, which cannot clip, or nothing. Raises InputError."""
    import soundfile

    with atomic(path) as temporary:
        soundfile.write(temporary, samples, RATE, subtype="FLOAT", format="WAV")


def pairs(degraded: Recordings, clean: Recordings) -> list[tuple[Samples, Samples]]:
    """The degraded recordings and their clean partners, found by their names without endings, cut to the shorter one's length.

    Raises InputError for one without a partner.
    """
    partners = {Path(name).stem: item for name, item in zip(clean.names, clean.items, strict=True)}
    result = []
    for name, item in zip(degraded.names, degraded.items, strict=True):
        if Path(name).stem not in partners:
            raise InputError(f"{name}: has no partner of that name among the clean recordings; add it, or take this one out")
        partner = partners[Path(name).stem]
        length = min(len(item), len(partner))
        result.append((item[:length], partner[:length]))
    return result


def terms(folder: Path) -> str:
    """On what terms a folder's recordings may be used: what stands in the first line of a licence file in it; empty where none is."""
    for name in TERMS:
        if (folder / name).is_file():
            lines = (folder / name).read_text("utf-8", "replace").strip().splitlines()
            return lines[0][:200] if lines else ""
    return ""


def resampled(samples: Samples, before: int, after: int) -> Samples:
    """The recording at another rate, by the Fourier transform of pieces that overlap by a tenth of a second."""
    if before == after or not len(samples):
        return samples
    reach = before // 10
    piece = 30 * before
    parts = []
    for start in range(0, len(samples), piece):
        first = max(0, start - reach)
        part = stretched(samples[first : start + piece + reach], before, after)
        skip = round((start - first) * after / before)
        parts.append(part[skip : skip + round(min(start + piece, len(samples)) * after / before) - round(start * after / before)])
    return np.concatenate(parts)


def stretched(samples: Samples, before: int, after: int) -> Samples:
    """So many samples more or fewer that what was `before` of them is `after`, at the same loudness, in one transform."""
    period = before // int(np.gcd(before, after))
    size = -(-len(samples) // period) * period
    new = size * after // before
    spectrum = np.fft.rfft(samples, size)
    kept = spectrum[: new // 2 + 1] if new < size else np.pad(spectrum, (0, new // 2 + 1 - len(spectrum)))
    return (np.fft.irfft(kept, new) * (new / size)).astype(np.float32)[: round(len(samples) * after / before)]
