"""Somebody's own images in pairs, degraded and clean, found by their names and looked over before anything is learnt from or scored."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import centre, evenly, to_unit
from burnish.errors import InputError
from burnish.image import datasets, folder, gate
from burnish.image.datasets import PictureSet
from burnish.image.folder import Entry, Picture
from burnish.progress import Progress
from burnish.wording import counted

NAMED = 5  # of those with one fault
LOOKED_AT, SIDE = 24, 512  # pairs that are looked over, and how much of their middles
FARTHEST, SHIFTED = 16, 1.3  # pixels that a shift may have; how much better another place must fit than the one where they lie
SWAPPED_BY, SWAPPED_TIMES = 2.0, 2.0  # noise of a clean image, as sigma of 255 and against the degraded one's, that tells of a swap


def load(
    degraded: Path,
    clean: Path,
    channels: int | None = None,
    progress: Progress | None = None,
    *,
    limit: int | None = None,
    resident: int | None = None,
) -> tuple[PictureSet, list[str]]:
    """The pairs whose names agree but for the ending, and what a person must know of them: those left out, shifted ones, swapped folders.

    `channels` is 3, 1, or None for 1 where all are grey; `limit` takes the first so many pairs; more than `resident` bytes (default:
    datasets.RESIDENT) are decoded as they are used. The set's `skipped` names the files that could not be read. Raises InputError when no
    pair is left.
    """
    for place in (degraded, clean):
        if not place.is_dir():
            raise InputError(f"{place}: is no folder; pairs are two folders of images with the same names")
    before, skipped = folder.survey(degraded, progress)
    after, skipped_after = folder.survey(clean, progress)
    skipped += skipped_after
    before, doubles_before = _distinct(before)
    after, doubles_after = _distinct(after)
    doubles = doubles_before + doubles_after
    notes = _named("image is left out, which has", "images are left out, which have", "the name of another but for the ending", doubles)
    partners = {_key(entry): entry for entry in after}
    both = [(entry, partners.pop(_key(entry))) for entry in before if _key(entry) in partners]
    found = {_key(entry) for entry, _ in both}
    notes += _named("image has", "images have", f"no partner in {clean}", [entry.name for entry in before if _key(entry) not in found])
    notes += _named("image has", "images have", f"no partner in {degraded}", [entry.name for entry in partners.values()])
    fitting = [(one, other) for one, other in both if one.shape[:2] == other.shape[:2]]
    sizes = [f"{one.name}: {_size(one)} against {_size(other)}" for one, other in both if one.shape[:2] != other.shape[:2]]
    notes += _named("pair is left out, whose", "pairs are left out, whose", "two images are of different sizes", sizes)
    if not fitting:
        notes += _named("image", "images", "could not be read", [f"{name}: {why}" for name, why in skipped])
        raise InputError(f"{degraded} and {clean}: no two images go together. " + "; ".join(notes))
    read, broken = _read(degraded, fitting, channels, limit, datasets.RESIDENT if resident is None else resident)
    read = replace(read, skipped=tuple(sorted((*skipped, *broken))))
    return read, notes + findings(read)


def _key(entry: Entry) -> str:
    """What two partners have in common: folders and name without the ending, and the page."""
    return f"{Path(entry.name.removesuffix(f'#{entry.page + 1}')).with_suffix('')}#{entry.page}"


def _distinct(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """The first entry of each key, and the names of the others."""
    first: dict[str, Entry] = {}
    others = [entry.name for entry in entries if first.setdefault(_key(entry), entry) is not entry]
    return list(first.values()), others


def _size(entry: Entry) -> str:
    return f"{entry.shape[1]}×{entry.shape[0]}"


def _named(one: str, several: str, fault: str, names: Sequence[str]) -> list[str]:
    """One line for all that have one fault, which begins with `one` or `several`; none for none."""
    if not names:
        return []
    more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{counted(len(names), one, several)} {fault}: {'; '.join(names[:NAMED])}{more}"]


def _read(
    place: Path, fitting: Sequence[tuple[Entry, Entry]], channels: int | None, limit: int | None, resident: int
) -> tuple[PictureSet, list[tuple[str, str]]]:
    """The pairs as images, in the memory where they fit, and those that cannot be decoded, with why."""
    channels = channels or max(entry.shape[2] for pair in fitting for entry in pair)
    before, after = (folder.opened([pair[side] for pair in fitting], channels) for side in (0, 1))
    before.white = after.white = max(before.white, after.white)  # one scale for both
    taken = range(len(fitting) if limit is None else min(limit, len(fitting)))
    before, after = before.chosen(taken), after.chosen(taken)
    names = [entry.name for entry in before.entries]
    name, terms = place.resolve().name, datasets.terms(place)
    if before.bytes + after.bytes > resident:
        return PictureSet(name, after, names, terms, degraded=before), []
    pairs: list[tuple[str, Picture, Picture]] = []
    broken = []
    for index, each in enumerate(names):
        try:
            pairs.append((each, before[index], after[index]))
        except InputError as error:
            broken.append((each, str(error)))
    if not pairs:
        raise InputError(f"{place}: none of its pairs can be read; the first, {broken[0][0]}: {broken[0][1]}")
    names, degraded, clean = (list(each) for each in zip(*pairs, strict=True))
    return PictureSet(name, clean, names, terms, degraded=degraded), broken


# --- Looking them over ---


def findings(pairs: PictureSet) -> list[str]:
    """What is wrong with pairs that can be learnt from all the same, a line each: shifted against each other, the folders swapped."""
    assert pairs.degraded is not None
    shifts: list[tuple[str, int, int]] = []
    swapped = 0
    looked_at = evenly(len(pairs.images), LOOKED_AT)
    for index in looked_at:
        try:
            before, after = (to_unit(centre(images[index], SIDE)) for images in (pairs.degraded, pairs.images))
        except InputError:
            continue  # it will be named when its turn comes
        down, right = shift(before.mean(axis=2), after.mean(axis=2))
        if down or right:
            shifts.append((pairs.names[index], down, right))
        noise_before, noise_after = (gate.examine([each]).noise or 0.0 for each in (before, after))
        swapped += noise_after > max(SWAPPED_BY, SWAPPED_TIMES * noise_before)
    lines = []
    if 2 * swapped > len(looked_at):
        lines.append("The clean images are noisier than the degraded ones: are the two folders swapped?")
    if shifts:
        told = "; ".join(f"{name}: {_places(down, right)}" for name, down, right in shifts[:NAMED])
        lines.append(
            f"{len(shifts)} of {counted(len(looked_at), 'pair')} looked at {'is' if len(shifts) == 1 else 'are'} shifted against each "
            f"other ({told}): "
            "a model that learns from them blurs, and no score of them is right; align them first"
        )
    return lines


def shift(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[int, int]:
    """By how many pixels `after` (H×W) lies further down and right than `before`, up to 16: phase correlation (Kuglin and Hines, 1975)."""
    window = np.outer(*(np.hanning(length) for length in before.shape))
    one, other = (np.fft.rfft2((image - image.mean()) * window) for image in (before, after))
    cross = np.conj(one) * other
    frequencies = np.hypot(np.fft.fftfreq(before.shape[0])[:, None], np.fft.rfftfreq(before.shape[1]))
    # Noise lies in the high frequencies, and what two images share in the low ones.
    weighted = cross / (np.abs(cross) + 1e-12) * np.exp(-((frequencies / 0.2) ** 2))
    fit = np.fft.irfft2(weighted, before.shape)
    reach = [min(FARTHEST, length // 4) for length in before.shape]
    near = np.roll(fit, reach, (0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1]
    down, right = (int(place) - far for place, far in zip(np.unravel_index(near.argmax(), near.shape), reach, strict=True))
    return (down, right) if near.max() > SHIFTED * fit[0, 0] else (0, 0)


def _places(down: int, right: int) -> str:
    """A shift in words."""
    words = [(abs(down), "down" if down > 0 else "up"), (abs(right), "right" if right > 0 else "left")]
    return ", ".join(f"{pixels} {where}" for pixels, where in words if pixels)
