"""Learning what is normal from normal images, so that the odd ones can be told: what to learn from, how to calibrate, what is missed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import evenly
from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.latent import surface
from burnish.latent.defects import spoilt
from burnish.latent.detector import HALVES, Detector, Finding, hottest
from burnish.latent.neighbours import Components, Neighbours
from burnish.latent.planes import Floats
from burnish.latent.tail import FEWEST, Tail
from burnish.progress import Progress, silent

LEAST = 2 * FEWEST  # normal images
MOST, MOST_BYTES = 400, 1 << 29  # that are learnt from, and how much memory they may take
CALIBRATED = 160  # images that the threshold is set on, at most
SUSPECTS = 0.2  # share of unsorted images that is not learnt from
DRAWN, STRENGTHS = 12, (0.5, 1.0, 2.0)  # images that defects are drawn on to see what is missed, and how strong they are
PLACES = 20_000  # of the normals' heat that are remembered
NETWORK_SHARE = 0.3  # of the time, at least


@dataclass(frozen=True)
class Verdict:
    """What became of an image: its finding, or in `error` why there is none."""

    name: str
    finding: Finding | None
    threshold: float
    error: str = ""

    @property
    def anomalous(self) -> bool:
        """Whether fewer normals than the share of false alarms that was asked for would score as high."""
        return self.finding is not None and self.finding.score >= self.threshold

    def to_json(self) -> dict[str, Any]:
        """What `burnish anomalies --json` prints of it."""
        if self.finding is None:
            return {"input": self.name, "error": self.error}
        told = {"score": round(self.finding.score, 6), "threshold": round(self.threshold, 6), "anomalous": self.anomalous}
        return {"input": self.name, **told, "pca_score": round(self.finding.rival, 6)}


@dataclass(frozen=True)
class _Normals:
    """Normal images and where they came from."""

    images: list[Floats]
    pictures: PictureSet

    def halves(self) -> list[list[Floats]]:
        return [self.images[half::HALVES] for half in range(HALVES)]


def learnt(
    pictures: PictureSet, minutes: float, *, unsorted: bool = False, seed: int = 0, progress: Progress = silent
) -> tuple[Detector, list[str]]:
    """A detector of what is odd among images like these, in about so many minutes, and lines that its user should read.

    `unsorted`: the images may hold anomalies: the oddest fifth is not learnt from, and the tail is told from the middle of the scores.
    Raises InputError for fewer than LEAST images, or images that are all the same.
    """
    began = time.monotonic()
    normals, lines = _read(pictures, progress)
    channels = normals.images[0].shape[2]
    if unsorted:
        normals = _without_suspects(normals, seed)
        lines.append(
            f"Learnt from {pictures.name} itself, without its oddest fifth: the share of false alarms is a guess; "
            "with --normal, a folder of normal images, it is counted."
        )
    halves = [Neighbours.learnt(half, seed + place) for place, half in enumerate(normals.halves())]
    rough = Tail(np.zeros(1), 0.0, 1.0, 1.0, 0.0)
    detector = Detector(
        channels, (halves[0], halves[1]), b"", Components.learnt(normals.images), np.array([[0.0, 1.0]]), rough, rough, rough
    )
    once = time.monotonic()
    detector.heats(normals.images[0], 0)
    each = time.monotonic() - once
    reserve = 1.6 * each * (min(len(normals.images), CALIBRATED) + DRAWN * len(STRENGTHS))
    seconds = max(NETWORK_SHARE * 60 * minutes, 60 * minutes - (once - began) - reserve)
    network, told = _network(normals, seconds, seed, progress)
    lines += told
    detector = _calibrated(
        replace(detector, network=network, voices=np.tile([0.0, 1.0], (2 if network else 1, 1))), normals, unsorted, progress
    )
    facts = pictures.origin() | {"images": len(normals.images), "unsorted": unsorted, "network": bool(network)}
    return replace(detector, facts=facts | {"found": _found(detector, normals, seed)}), lines


def _network(normals: _Normals, seconds: float, seed: int, progress: Progress) -> tuple[bytes, list[str]]:
    try:
        from burnish.training.image import spotting
    except ImportError:
        return b"", ["PyTorch is not installed, so that patches are compared and no network is trained: pip install 'burnish[train]'"]
    return spotting.learnt(normals.halves(), seconds, seed, progress), []


def _read(pictures: PictureSet, progress: Progress) -> tuple[_Normals, list[str]]:
    """The images to learn from, evenly chosen where there are too many, and what could not be read."""
    images: list[Floats] = []
    broken: list[str] = []
    size = 0
    wanted = evenly(len(pictures.images), MOST)
    for done, index in enumerate(wanted):
        try:
            image = surface.prepared(pictures.images[index], pictures.names[index])
        except InputError as error:
            broken.append(str(error))
            continue
        size += image.nbytes
        if size > MOST_BYTES and len(images) >= LEAST:
            break
        images.append(image)
        progress(done + 1, len(wanted), "reading")
    lost = [f"not learnt from: {why}" for why in (*broken, *(f"{name}: {why}" for name, why in pictures.skipped))]
    if len(images) < LEAST:
        why = f" ({lost[0]})" if lost else ""
        raise InputError(f"{pictures.name}: holds {len(images)} normal images that can be learnt from, at least {LEAST} are needed{why}")
    if all(image.shape == images[0].shape and np.array_equal(image, images[0]) for image in images[1:]):
        raise InputError(f"{pictures.name}: all its images are the same, which says nothing of how normal ones differ; give different ones")
    return _Normals(images, pictures), lost


def _without_suspects(normals: _Normals, seed: int) -> _Normals:
    """The images without those that are least like the others, by patches alone."""
    halves = [Neighbours.learnt(half, seed + place) for place, half in enumerate(normals.halves())]
    scores = [hottest(halves[1 - index % HALVES].distance(surface.described(image))) for index, image in enumerate(normals.images)]
    kept = max(LEAST, round((1 - SUSPECTS) * len(scores)))
    chosen = sorted(np.argsort(scores, kind="stable")[:kept])
    return replace(normals, images=[normals.images[index] for index in chosen])


def _calibrated(detector: Detector, normals: _Normals, unsorted: bool, progress: Progress) -> Detector:
    """The detector with its voices and tails set on normal images, each scored by the half that has not learnt from it."""
    chosen = evenly(len(normals.images), CALIBRATED)
    heats = []
    for done, index in enumerate(chosen):
        heats.append(detector.heats(normals.images[index], 1 - index % HALVES))
        progress(done + 1, len(chosen), "setting the threshold")
    voices = []
    for voice in zip(*heats, strict=True):
        values = np.concatenate([heat.ravel() for heat in voice])
        middle, high = np.quantile(values, [0.5, 0.99])
        voices.append((float(middle), max(float(high - middle), 1e-6)))
    detector = replace(detector, voices=np.array(voices))
    blended = [detector.blended(each) for each in heats]
    scores = np.array([hottest(heat) for heat in blended])
    places = np.concatenate([heat.ravel() for heat in blended])
    rival = np.array([hottest(detector.rival.heat(normals.images[index])) for index in chosen])
    fitted = Tail.robust if unsorted else Tail.fitted
    return replace(detector, tail=fitted(scores), places=Tail.fitted(places[evenly(len(places), PLACES)]), rival_tail=fitted(rival))


def _found(detector: Detector, normals: _Normals, seed: int) -> list[dict[str, Any]]:
    """The scores of normal images that a defect was drawn on, for each strength, and PCA's."""
    rows: list[dict[str, Any]] = []
    chosen = evenly(len(normals.images), DRAWN)
    for strength in STRENGTHS:
        scores, rivals = [], []
        for index in chosen:
            image = normals.images[index]
            other = next((each for each in normals.images[::-1] if each.shape == image.shape), image)
            drawn, _ = spoilt(image, other, np.random.default_rng([seed, index]), strength)
            heats = detector.heats(drawn, 1 - index % HALVES)
            scores.append(float(detector.tail.rarity(hottest(detector.blended(heats)))[0]))
            rivals.append(float(detector.rival_tail.rarity(hottest(detector.rival.heat(drawn)))[0]))
        rows.append({"strength": strength, "scores": scores, "pca_scores": rivals})
    return rows


def examined(detector: Detector, pictures: PictureSet, false_alarms: float, progress: Progress = silent) -> Iterator[tuple[Verdict, Any]]:
    """The verdict on each image in turn, and the image (None where it cannot be read)."""
    threshold = -float(np.log10(false_alarms))
    count = len(pictures.images)
    for index, name in enumerate(pictures.names):
        try:
            picture: NDArray[Any] = pictures.images[index]
            yield Verdict(name, detector.score(picture, name), threshold), picture
        except InputError as error:
            yield Verdict(name, None, threshold, str(error).removeprefix(f"{name}: ")), None
        progress(index + 1, count, name)
    for name, why in pictures.skipped:
        yield Verdict(name, None, threshold, why), None


def missed(found: Sequence[dict[str, Any]], threshold: float) -> list[tuple[float, float, float]]:
    """For each strength of drawn defects: the share that this threshold finds, and the share that PCA finds."""
    return [
        (row["strength"], float(np.mean(np.array(row["scores"]) >= threshold)), float(np.mean(np.array(row["pca_scores"]) >= threshold)))
        for row in found
    ]
