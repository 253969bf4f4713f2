"""How images are scored: PSNR, SSIM and channel accuracy of models beside doing nothing and the classical baselines.

What is fed to a model or baseline is the degradation's exact output, unclipped floats where noise makes them so. What is scored is clipped
to range and rounded to 8 bit (16 bit where the source has 16), for the untouched input too: per image, then averaged. The truth is the
original; for a stage that develops, as `camera` does, the same development without noise; for pairs, the clean partner.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import centre, to_unit
from burnish.cpus import available_cpus
from burnish.degradation import Chain, Degradation
from burnish.errors import InputError, ModelError
from burnish.image import baselines, components, metrics
from burnish.image.baselines import THREADS, Batch, batch_size
from burnish.image.samples import Kind, Sample
from burnish.scoreboard.board import Metric, Scoreboard, gained

if TYPE_CHECKING:
    from burnish.image.datasets import PictureSet
    from burnish.image.model import Model
    from burnish.progress import Progress

METRICS = (
    Metric("psnr", "PSNR", "dB", 2),
    Metric("ssim", "SSIM", "", 4),
    Metric("channel_accuracy", "channel accuracy", "", 4, of_baselines=False),
)
MEASURED = (
    "PSNR and SSIM are computed on values clipped to range and rounded to 8 bit (16 bit for 16-bit sources), for the untouched input too, "
    "image by image, then averaged. The interval is a bootstrap over images. The classical baselines run at their best setting chosen on "
    "other images; the Wiener oracle is told the true blur and noise. Channel accuracy is the share of pixels whose brightest channel is "
    "the original's: what Keras calls accuracy here."
)
REBUILT = (
    "PSNR and SSIM are computed on values clipped to range and rounded to 8 bit (16 bit for 16-bit sources), image by image, then "
    "averaged. What the model is given is the original itself, so that it is compared with principal components, as many as it has "
    "numbers, which have learnt from other images. The interval is a bootstrap over images."
)
SAMPLES, SHOWN = 4, 512  # images shown of each kind, and how much of a large one's middle is kept for that
IN_FLIGHT = 8 << 20  # pixels of images that are scored at the same time: each takes some hundred bytes a pixel meanwhile

Method = Callable[[Batch, Sequence[Chain]], Batch]
Scores = NDArray[np.float64]  # N×3, as METRICS


@dataclass(frozen=True)
class ImageBoard(Scoreboard):
    """A scoreboard of images, with the names that its figures had before there were other media."""

    @property
    def images(self) -> int:
        """How many images were scored."""
        return self.items

    @property
    def gain_db(self) -> float:
        """The mean of PSNR(model) − PSNR(untouched input), in dB."""
        return self.gain

    @property
    def gain_db_ci95(self) -> tuple[float, float]:
        """The gain's 95 % interval, in dB."""
        return self.gain_ci95

    @property
    def psnr(self) -> Mapping[str, float]:
        """By method, in dB, capped at 100 an image."""
        return self.scores["psnr"]

    @property
    def ssim(self) -> Mapping[str, float]:
        """By method, up to 1; empty where there is no truth."""
        return self.scores.get("ssim", {})

    @property
    def channel_accuracy(self) -> Mapping[str, float]:
        """Of the input and the model, 0–1; empty where there is no truth."""
        return self.scores.get("channel_accuracy", {})

    def to_json(self) -> dict[str, Any]:
        """The board in JSON's own types, without the samples."""
        return {
            **super().to_json(),
            "images": self.images,
            "gain_db": self.gain_db,
            "gain_db_ci95": list(self.gain_db_ci95),
            "psnr": dict(self.psnr),
            "ssim": dict(self.ssim),
            "channel_accuracy": dict(self.channel_accuracy),
        }


def scored(
    models: Sequence[Model],
    pictures: PictureSet,
    degradation: Degradation,
    *,
    tuning: Sequence[PictureSet] = (),
    seed: int = 0,
    progress: Progress | None = None,
    notes: Sequence[tuple[str, ...]] = (),
) -> list[ImageBoard]:
    """Score each model on the images (H×W×C, uint8 or uint16) under the degradation; a board a model, in the given order.

    Images that came in pairs are taken as they came; the degradation only says what is known of them. Those that cannot be read are
    named in the boards' `skipped`.

    `tuning` holds other images, on which each baseline's setting is chosen (those that are also among `pictures` are left out). Of two
    sets, the first is for the images at even places and the second for the others; of none, there are no baselines. Raises InputError for
    an empty set, ModelError for a model that cannot restore these images or gives values that are not numbers, MissingExtraError for
    baselines without scikit-image.

    A model that only rebuilds what it is given (components.rebuilds) stands beside PCA, which learns from `tuning`, instead.
    """
    if not models:
        raise InputError("no model to evaluate; name at least one")
    if len(pictures.images) == 0:
        raise InputError(f"{pictures.name}: no image to evaluate on; give a set with at least one that can be read")
    names = _distinct_names(models)
    sets = [_others(each, pictures) for each in tuning] if len(tuning) == 1 else tuning
    rivals = _rivals(models, sets, degradation, seed, progress)
    shared = list({id(each): each for each in rivals}.values())
    own = [(name, _runner(model, name)) for name, model in zip(names, models, strict=True)]
    beside = [[(each.name, each.restore) for found in shared for each in found.halves[half]] for half in range(len(sets))] or [[]]
    scores = _score([[("input", _nothing), *own, *each] for each in beside], pictures, degradation, seed, progress)
    nothing, of_models, of_rivals = scores.values[0], scores.values[1 : len(own) + 1], iter(scores.values[len(own) + 1 :])
    columns_of = {id(found): {each.name: next(of_rivals) for each in (found.halves or [[]])[0]} for found in shared}
    boards = []
    for index, (model, (name, run), found) in enumerate(zip(models, own, rivals, strict=True)):
        columns = {"input": nothing, "model": of_models[index], **columns_of[id(found)]}
        gains = columns["model"][:, 0] - columns["input"][:, 0]
        leads = columns["model"][:, 0] - columns[found.to_beat or "input"][:, 0]
        boards.append(
            ImageBoard(
                model=name,
                kind="image",
                items=len(gains),
                degradation=degradation.spec,
                data=pictures.name,
                parameters=model.card.parameters,
                metrics=METRICS,
                scores=_means(columns),
                gained=gained(gains, seed),
                rival=found.to_beat,
                led=gained(leads, seed) if found.to_beat not in ("", "input") else None,
                not_applicable=found.missing,
                settings=_settings([each for half in found.halves for each in half]),
                skipped=tuple(sorted((*pictures.skipped, *scores.broken))),
                samples=_samples(run, leads, pictures.chosen(scores.kept), degradation, seed, found.rebuilt),
                notes=notes[index] if notes else (),
                measured=REBUILT if found.rebuilt else MEASURED,
            )
        )
    return boards


@dataclass(frozen=True)
class _Rivals:
    """What a model stands beside: the baselines, for each half of the images; why others are missing; the method that it has to beat ("":
    none); and whether it only rebuilds what it is given."""

    halves: list[list[baselines.Baseline]]
    missing: dict[str, str]
    to_beat: str
    rebuilt: bool


def _rivals(
    models: Sequence[Model], sets: Sequence[PictureSet], degradation: Degradation, seed: int, progress: Progress | None
) -> list[_Rivals]:
    """Each model's: its own PCA where it only rebuilds; the classical filters, the same for all, where it restores."""
    rebuilt = [components.rebuilds(model, degradation) for model in models]
    tuned = [baselines.tune(each, degradation, seed, progress) for each in sets] if not all(rebuilt) else []
    classical = _Rivals([found for found, _ in tuned], tuned[0][1] if tuned else {}, "input", rebuilt=False)
    return [_components(model, sets) if is_one else classical for model, is_one in zip(models, rebuilt, strict=True)]


def _components(model: Model, sets: Sequence[PictureSet]) -> _Rivals:
    """PCA learnt from each of the sets; none, and why, where one of them is too small, and none where there are no sets."""
    found = [components.fitted(model, each) for each in sets]
    told = [each for each in found if isinstance(each, str)]
    halves = [[] if told or isinstance(each, str) else [each] for each in found]
    return _Rivals(halves, {"pca": told[0]} if told else {}, halves[0][0].name if halves and halves[0] else "", rebuilt=True)


def _means(columns: Mapping[str, Scores]) -> dict[str, dict[str, float]]:
    """By metric, then by method, the mean over the images."""
    means = {key: each.mean(axis=0).tolist() for key, each in columns.items()}
    return {
        metric.name: {key: mean[place] for key, mean in means.items() if metric.of_baselines or key in ("input", "model")}
        for place, metric in enumerate(METRICS)
    }


def _settings(tuned: Sequence[baselines.Baseline]) -> dict[str, str]:
    """By baseline, the setting that it ran at; both, where two halves of the images each chose one."""
    settings: dict[str, dict[str, None]] = {}
    for each in tuned:
        settings.setdefault(each.name, {})[each.setting] = None
    return {key: " or ".join(each) for key, each in settings.items()}


# --- Scoring ---


@dataclass
class _Scores:
    """For each method, of the images that could be read (`kept`, by their places); and the names of the others, with why."""

    values: list[Scores]
    kept: list[int] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)


def _score(
    methods: Sequence[Sequence[tuple[str, Method]]], pictures: PictureSet, degradation: Degradation, seed: int, progress: Progress | None
) -> _Scores:
    """Every named method on every image, each of which is decoded once; of several sets of methods, one after the other takes its turn.

    Raises InputError when no image can be read, ModelError where a method gives no numbers.
    """
    count = len(pictures.images)
    values = [np.empty((count, len(METRICS))) for _ in methods[0]]
    # Images in one array have one size and go in batches; others one by one.
    step = batch_size(pictures.images[0]) if isinstance(pictures.images, np.ndarray) and len(methods) == 1 else 1

    def score(start: int) -> list[tuple[str, str]]:
        indices = range(start, min(start + step, count))
        try:
            degraded, truths, chains, levels = _degraded(pictures, indices, degradation, seed)
        except InputError as error:
            return [(pictures.names[start], str(error))]
        clean = [metrics.quantise(truth, level) for truth, level in zip(truths, levels, strict=True)]
        for (name, method), rows in zip(methods[start % len(methods)], values, strict=True):
            for offset, restored in enumerate(method(degraded, chains)):
                if not np.isfinite(restored).all():  # a capped PSNR could make a perfect score of it
                    raise ModelError(
                        f"{name}: gives values that are not numbers on {pictures.names[start + offset]}; train it again or leave it out"
                    )
                rows[start + offset] = _marks(metrics.quantise(restored, levels[offset]), clean[offset])
        return []

    result = _Scores([])
    largest = max(shape[0] * shape[1] for shape in pictures.shapes) * step
    with ThreadPoolExecutor(max(1, min(THREADS, available_cpus(), IN_FLIGHT // largest))) as pool:
        for start, broken in zip(range(0, count, step), pool.map(score, range(0, count, step)), strict=True):
            result.broken += broken
            result.kept += [] if broken else range(start, min(start + step, count))
            if progress:
                progress(min(start + step, count), count, "scoring")
    if not result.kept:
        raise InputError(f"{pictures.name}: none of its images can be read; the first, {': '.join(result.broken[0])}")
    result.values = [each[result.kept] for each in values]
    return result


def _marks(restored: NDArray[Any], clean: NDArray[Any]) -> tuple[float, float, float]:
    return metrics.psnr(restored, clean), metrics.ssim(restored, clean), metrics.channel_accuracy(restored, clean)


def _degraded(
    pictures: PictureSet, indices: Sequence[int], degradation: Degradation, seed: int
) -> tuple[Batch, Batch, list[Chain], list[int]]:
    """The images' exact degraded values, their truth, the chain drawn for each (of pairs: an empty one), and the steps of their scale."""
    originals = [pictures.images[i] for i in indices]
    levels = [65535 if image.dtype == np.uint16 else 255 for image in originals]
    if pictures.degraded is not None:
        given = np.stack([to_unit(pictures.degraded[i]) for i in indices])
        return given, np.stack([to_unit(original) for original in originals]), [Chain(())] * len(originals), levels
    chains = [degradation.draw(original, seed) for original in originals]
    both = [chain.pair(original) for chain, original in zip(chains, originals, strict=True)]
    return np.stack([degraded for degraded, _ in both]), np.stack([truth for _, truth in both]), chains, levels


def _others(tuning: PictureSet, pictures: PictureSet) -> PictureSet:
    """The tuning images that are not among those scored: a setting chosen on a test image would be no fair rival.

    Only images of one size can be the same, so that no other is decoded for it.
    """

    def key(image: NDArray[Any]) -> bytes:
        return hashlib.sha256(f"{image.dtype}{image.shape}".encode() + np.ascontiguousarray(image).tobytes()).digest()

    shapes = set(tuning.shapes)
    places = [i for i, shape in enumerate(pictures.shapes) if (*shape[:2], pictures.channels) in shapes]
    scored = set()
    for place in places:
        with contextlib.suppress(InputError):  # it is named when its turn comes
            scored.add(key(pictures.images[place]))
    kept = [i for i, image in enumerate(tuning.images) if key(image) not in scored] if scored else list(range(len(tuning.images)))
    if not kept:
        raise InputError(
            f"{tuning.name}: every image to choose the baselines' settings on is also scored; give other images, or evaluate without "
            "baselines (--no-baselines)"
        )
    return tuning if len(kept) == len(tuning.images) else tuning.chosen(kept)


# --- Running a model ---


def _nothing(batch: Batch, _chains: Sequence[Chain]) -> Batch:
    return batch


def _runner(model: Model, name: str) -> Method:
    """The model as a method: N×H×W×C in, the same out. Raises ModelError where it cannot take an image."""
    card = model.card

    def run(batch: Batch, _chains: Sequence[Chain]) -> Batch:
        height, width, channels = batch.shape[1:]
        if card.channels != channels:
            raise ModelError(f"{name}: takes images of {card.channels} channel(s), these have {channels}; evaluate it on such images")
        if card.input_size and list(card.input_size[-2:]) != [height, width]:
            size = "×".join(str(length) for length in card.input_size[-2:])
            raise ModelError(
                f"{name}: takes only images of {size} (height × width), here is one of {height}×{width}; give images of its size"
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


def _samples(
    run: Method, gains: NDArray[np.float64], pictures: PictureSet, degradation: Degradation, seed: int, rebuilt: bool
) -> tuple[Sample, ...]:
    """Up to four images each with the least, the middling and the most gain; fewer, and none twice, when there are few images."""
    order = np.argsort(gains, kind="stable").tolist()
    each = min(SAMPLES, (len(order) + 2) // 3)
    worst, rest = order[:each], order[each:]
    best, rest = rest[max(0, len(rest) - each) :], rest[: max(0, len(rest) - each)]
    start = (len(rest) - each + 1) // 2 if len(rest) > each else 0
    kinds: Mapping[Kind, list[int]] = {"worst": worst, "middle": rest[start : start + each], "best": best}

    def sample(kind: Kind, index: int) -> Sample:
        degraded, truth, chains, (level,) = _degraded(pictures, [index], degradation, seed)
        shown = [metrics.quantise(image, level) for image in (truth[0], degraded[0], run(degraded, chains)[0])]
        psnr_input, psnr_model = (metrics.psnr(image, shown[0]) for image in shown[1:])
        original, before, after = (np.rint(metrics.quantise(centre(image, SHOWN)) * 255).astype(np.uint8) for image in shown)
        return Sample(pictures.names[index], kind, original, before, after, psnr_input, psnr_model, shown[0].shape[:2], rebuilt)

    return tuple(sample(kind, index) for kind, indices in kinds.items() for index in indices)
