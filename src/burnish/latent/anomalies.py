"""Learning what is normal from normal images, so that the odd ones can be told: what to learn from, how to calibrate, what is missed."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import evenly
from burnish.cpus import available_cpus
from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.latent import denoiser, detector, surface
from burnish.latent.defects import spoilt
from burnish.latent.detector import HALVES, Detector, Eye, Finding, Half, hottest
from burnish.latent.neighbours import Components, Neighbours
from burnish.latent.outliner import Outliner, Samples
from burnish.latent.planes import Floats
from burnish.latent.posing import Frame
from burnish.latent.tail import FEWEST, Tail
from burnish.latent.zones import Sums
from burnish.progress import Progress, silent

LEAST = 2 * FEWEST  # normal images
MOST, MOST_BYTES = 400, 1 << 29  # that are learnt from, and how much memory they may take
POSED = 40  # images that tell whether objects are to be turned
CALIBRATED = 160  # images that the threshold is set on, at most
SUSPECTS = 0.2  # share of unsorted images that is not learnt from
SHOWN, STRENGTHS = 12, (0.5, 1.0, 2.0)  # images that defects are drawn on to see what is missed, and how strong they are
PLACES = 20_000  # of the normals' heat that are remembered
CROP = 256  # pixels on a side, of what defects are drawn on
FEWEST_DRAWN, EACH_MINUTE, MOST_DRAWN = 8, 12, 800  # crops that each half learns defects from; at least so many in each minute given
STEPS, STEPS_A_SECOND = 3000, 10  # that each half learns for at most, and of the time given
STEP_SECONDS = 0.015  # how long one takes at most, by and large
SPACING = 105  # pixels: in each square of that side about one defect is drawn
Item = TypeVar("Item")
Result = TypeVar("Result")


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

    def without_heat(self) -> "Verdict":
        """The same without the heat, which is what takes memory when there are many."""
        if self.finding is None:
            return self
        return replace(self, finding=replace(self.finding, heat=np.empty((0, 0), np.float32)))

    def to_json(self) -> dict[str, Any]:
        """What `burnish anomalies --json` prints of it."""
        if self.finding is None:
            return {"input": self.name, "error": self.error}
        told = {"score": round(self.finding.score, 6), "threshold": round(self.threshold, 6), "anomalous": self.anomalous}
        return {"input": self.name, **told, "pca_score": round(self.finding.rival, 6)}


@dataclass(frozen=True)
class _Normals:
    """Normal images as they are looked at, and where they came from."""

    images: list[Floats]
    pictures: PictureSet
    frame: Frame | None

    def half(self, place: int) -> list[Floats]:
        return self.images[place::HALVES]


@dataclass(frozen=True)
class _Clock:
    """When learning began, and the seconds that it may take."""

    began: float
    seconds: float

    def left(self) -> float:
        return self.began + self.seconds - time.monotonic()


def learnt(
    pictures: PictureSet, minutes: float, *, unsorted: bool = False, seed: int = 0, threads: int | None = None, progress: Progress = silent
) -> tuple[Detector, list[str]]:
    """A detector of what is odd among images like these, in at most about so many minutes, and lines that its user should read.

    `unsorted`: the images may hold anomalies: the oddest fifth is not learnt from, and the tail is told from the middle of the scores.
    Raises InputError for fewer than LEAST images, or images that are all the same.
    """
    clock = _Clock(time.monotonic(), 60 * minutes)
    normals, lines = _read(pictures, progress)
    if unsorted:
        normals = _without_suspects(normals, seed)
        lines.append(
            f"Learnt from {pictures.name} itself, without its oddest fifth: the share of false alarms is a guess; "
            "with --normal, a folder of normal images, it is counted."
        )
    middle = float(np.mean([image.mean() for image in normals.images]))
    spread = max(0.02, float(np.sqrt(np.mean([np.square(image - middle).mean() for image in normals.images]))))
    eye = Eye(normals.images[0].shape[2], normals.frame, denoiser.Denoiser(denoiser.network(), middle, spread, threads))
    halves = _halves(eye, normals, clock, seed, progress)
    found = _calibrated(eye, halves, normals, unsorted, progress)
    facts = pictures.origin() | {"images": len(normals.images), "unsorted": unsorted, "posed": normals.frame is not None}
    return replace(found, facts=facts | {"found": _found(found, normals, seed)}), lines


def _read(pictures: PictureSet, progress: Progress) -> tuple[_Normals, list[str]]:
    """The images to learn from, evenly chosen where there are too many, and what could not be read."""
    images: list[Floats] = []
    broken: list[str] = []
    size = 0
    wanted = evenly(len(pictures.images), MOST)
    frame, channels = _frame(pictures, wanted)
    for done, index in enumerate(wanted):
        try:
            image = detector.viewed(pictures.images[index], pictures.names[index], channels, frame).image
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
    return _Normals(images, pictures, frame), lost


def _frame(pictures: PictureSet, wanted: Sequence[int]) -> tuple[Frame | None, int]:
    """The frame that objects are looked at in, if they are to be turned, and how many channels the images have."""
    some = []
    for place in evenly(len(wanted), POSED):
        index = wanted[place]
        try:
            some.append(surface.prepared(pictures.images[index], pictures.names[index]))
        except InputError:  # told when all are read
            continue
    return (Frame.learnt(some), some[0].shape[2]) if some else (None, 1)


def _without_suspects(normals: _Normals, seed: int) -> _Normals:
    """The images without those that are least like the others, by patches alone."""
    halves = [Neighbours.learnt(normals.half(place), seed + place) for place in range(HALVES)]
    heats = [halves[1 - index % HALVES].distance(surface.described(image)) for index, image in enumerate(normals.images)]
    sums = Sums(heats)
    scores = [hottest(sums.zones(index).measured(heat)) for index, heat in enumerate(heats)]
    kept = max(LEAST, round((1 - SUSPECTS) * len(scores)))
    chosen = sorted(np.argsort(scores, kind="stable")[:kept])
    return replace(normals, images=[normals.images[index] for index in chosen])


def _halves(eye: Eye, normals: _Normals, clock: _Clock, seed: int, progress: Progress) -> tuple[Half, Half]:
    """What each half of the normals teaches: drawing defects goes on until there are enough, or no more time than the rest will need."""
    neighbours = [Neighbours.learnt(normals.half(place), seed + place) for place in range(HALVES)]
    once = time.monotonic()
    eye.denoiser.seen(normals.images[0])
    neighbours[0].distance(surface.described(normals.images[0]))
    each = 1.5 * (time.monotonic() - once) * (min(len(normals.images), CALIBRATED) + SHOWN * len(STRENGTHS)) / max(1, available_cpus())
    steps = int(np.clip(STEPS_A_SECOND * clock.seconds, 100, STEPS))
    fewest = int(np.clip(EACH_MINUTE * clock.seconds / 60, FEWEST_DRAWN, 60))
    reserve = each + steps * HALVES * STEP_SECONDS
    samples = [Samples() for _ in range(HALVES)]
    jobs = ((place, number) for number in range(MOST_DRAWN) for place in range(HALVES))
    began = max(1.0, clock.left() - reserve)
    for place, number, numbers, cover in _in_turn(partial(_drawn, eye, normals, seed), jobs):
        samples[place].add(numbers, cover, np.random.default_rng([seed, place, number]))
        done = max(number / MOST_DRAWN, 1 - (clock.left() - reserve) / began)
        progress(min(999, round(1000 * done)), 1000, "drawing defects")
        if clock.left() < reserve and number + 1 >= fewest:
            break
    first = Outliner.learnt(samples.pop(0), steps, seed)
    second = Outliner.learnt(samples.pop(), steps, seed + 1, (first.middle, first.spread))
    return Half(neighbours[0], first), Half(neighbours[1], second)


def _drawn(eye: Eye, normals: _Normals, seed: int, job: tuple[int, int]) -> tuple[int, int, Floats, Floats]:
    """A crop of a normal of that half with defects drawn on it: the half, the number, what the denoiser sees, and what share of each place
    was drawn on."""
    place, number = job
    rng = np.random.default_rng([seed, place, number, 1])
    images = normals.half(place)
    image = _crop(images[number % len(images)], rng)
    other = _crop(images[int(rng.integers(len(images)))], rng)
    short = [max(0, have - got) for have, got in zip(image.shape[:2], other.shape[:2], strict=True)]
    other = np.pad(other, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")[: image.shape[0], : image.shape[1]]
    image = np.clip(image * (1 + rng.uniform(-0.1, 0.1)), 0, 1).astype(np.float32)
    where = np.zeros(image.shape[:2], bool)
    for _ in range(max(1, round(image.shape[0] * image.shape[1] / SPACING**2 / 1.7))):  # of 1.7 defects, on the average
        image, mask = spoilt(image, other, rng)
        where |= mask
    numbers = eye.denoiser.seen(image)
    height, width = numbers.shape[:2]
    step = surface.STEP
    cover = where[: height * step, : width * step].reshape(height, step, width, step).mean((1, 3))
    return place, number, numbers, cover


def _crop(image: Floats, rng: np.random.Generator) -> Floats:
    y, x = (int(rng.integers(max(0, length - CROP) + 1)) for length in image.shape[:2])
    return image[y : y + CROP, x : x + CROP][:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]


def _in_turn(function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None) -> Iterator[Result]:
    """The function's results for the items, in their order, computed a few ahead on all CPUs; what is not asked for is not computed."""
    workers = workers or available_cpus()
    waiting: list[Future[Result]] = []
    source = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        try:
            waiting += [pool.submit(function, item) for item in islice(source, 2 * workers)]
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(function, item) for item in islice(source, 1)]
        finally:
            for each in waiting:
                each.cancel()


def _calibrated(eye: Eye, halves: tuple[Half, Half], normals: _Normals, unsorted: bool, progress: Progress) -> Detector:
    """The detector, its zones and tails set on normal images, each scored by the half that has not learnt from it, by the others' zones."""
    chosen = evenly(len(normals.images), CALIBRATED)
    voices: list[list[Floats]] = []
    for found in _in_turn(lambda index: detector.heats(eye, halves[1 - index % HALVES :][:1], normals.images[index]), chosen):
        voices.append(found)
        progress(len(voices), len(chosen), "setting the threshold")
    sums = [Sums([voice[place] for voice in voices]) for place in range(len(voices[0]))]
    heats = [detector.blended(found, [each.zones(place) for each in sums]) for place, found in enumerate(voices)]
    scores = np.array([hottest(heat) for heat in heats])
    places = np.concatenate([heat.ravel() for heat in heats])
    rival = Components.learnt(normals.images)
    rivals = np.array([hottest(rival.heat(normals.images[index])) for index in chosen])
    fitted = Tail.robust if unsorted else Tail.fitted
    tails = fitted(scores), Tail.fitted(places[evenly(len(places), PLACES)]), fitted(rivals)
    return Detector(eye, halves, rival, (sums[0].zones(), sums[1].zones()), *tails)


def _found(detector_: Detector, normals: _Normals, seed: int) -> list[dict[str, Any]]:
    """The scores of normal images that a defect was drawn on, for each strength, and PCA's."""
    chosen = evenly(len(normals.images), SHOWN)

    def scored(job: tuple[float, int]) -> tuple[float, float]:
        strength, index = job
        image = normals.images[index]
        other = next((each for each in normals.images[::-1] if each.shape == image.shape), image)
        drawn, _ = spoilt(image, other, np.random.default_rng([seed, index]), strength)
        heats = detector.heats(detector_.eye, detector_.halves[1 - index % HALVES :][:1], drawn)
        own = detector_.tail.rarity(hottest(detector.blended(heats, detector_.zones)))
        return float(own[0]), float(detector_.rival_tail.rarity(hottest(detector_.rival.heat(drawn)))[0])

    rows: list[dict[str, Any]] = []
    for strength in STRENGTHS:
        pairs = list(_in_turn(scored, ((strength, int(index)) for index in chosen)))
        rows.append({"strength": strength, "scores": [own for own, _ in pairs], "pca_scores": [rival for _, rival in pairs]})
    return rows


def examined(detector_: Detector, pictures: PictureSet, false_alarms: float, progress: Progress = silent) -> Iterator[tuple[Verdict, Any]]:
    """The verdict on each image in turn, and the image (None where it cannot be read)."""
    threshold = -float(np.log10(false_alarms))
    count = len(pictures.images)

    def one(index: int) -> tuple[Verdict, Any]:
        name = pictures.names[index]
        try:
            picture: NDArray[Any] = pictures.images[index]
            return Verdict(name, detector_.score(picture, name), threshold), picture
        except InputError as error:
            return Verdict(name, None, threshold, str(error).removeprefix(f"{name}: ")), None

    for done, (verdict, picture) in enumerate(_in_turn(one, range(count), detector_.eye.denoiser.threads)):
        yield verdict, picture
        progress(done + 1, count, verdict.name)
    for name, why in pictures.skipped:
        yield Verdict(name, None, threshold, why), None


def missed(found: Sequence[dict[str, Any]], threshold: float) -> list[tuple[float, float, float]]:
    """For each strength of drawn defects: the share that this threshold finds, and the share that PCA finds."""
    return [
        (row["strength"], float(np.mean(np.array(row["scores"]) >= threshold)), float(np.mean(np.array(row["pca_scores"]) >= threshold)))
        for row in found
    ]
