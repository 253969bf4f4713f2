"""`burnish evaluate`: models, and images of one's own or of a known set, become scoreboards."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.degradation import OWN, Degradation
from burnish.errors import DegradationError, InputError, ModelError
from burnish.image import datasets, pairs
from burnish.image.components import rebuilds
from burnish.image.datasets import PictureSet
from burnish.image.score import ImageBoard, scored
from burnish.model import file as model_file

if TYPE_CHECKING:
    from burnish.image.model import Model
    from burnish.progress import Progress

HELD = 1 << 28  # bytes of decoded images held while they are scored; of a folder with more, each is decoded when its turn comes


@dataclass(frozen=True)
class Task:
    """Images to score on, the degradation that they get (or, of pairs, have), and what the baselines are set on: nothing, one set, or two
    halves of the images themselves, each for the other; `learnt` is what PCA learns from, likewise, for models that only rebuild what they
    are given. `is_apart`: the source keeps its test images apart from those to learn from."""

    pictures: PictureSet
    degradation: Degradation
    tuning: tuple[PictureSet, ...]
    notes: tuple[str, ...]
    is_apart: bool
    learnt: tuple[PictureSet, ...] = ()

    def score(self, models: Sequence[Model], seed: int = 0, progress: Progress | None = None) -> list[ImageBoard]:
        """A board a model, in the given order. Raises InputError for a seed below 0."""
        if seed < 0:
            raise InputError(f"seed = {seed} must be 0 or more")
        notes = [(*self.notes, *([] if self.is_apart else familiar(model, self.pictures))) for model in models]
        boards: dict[int, ImageBoard] = {}
        for rebuilding, tuning in ((False, self.tuning), (True, self.learnt)):
            places = [i for i, model in enumerate(models) if rebuilds(model, self.degradation) is rebuilding]
            if places:
                chosen, told = [models[i] for i in places], [notes[i] for i in places]
                given = scored(chosen, self.pictures, self.degradation, tuning=tuning, seed=seed, progress=progress, notes=told)
                boards |= dict(zip(places, given, strict=True))
        return [boards[i] for i in range(len(models))]


def evaluate(
    models: str | Path | Model | Sequence[str | Path | Model],
    data: str | Path,
    degrade: str | None = None,
    clean: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    baselines: bool = True,
    progress: Progress | None = None,
) -> list[ImageBoard]:
    """Score models (loaded, files, or shipped ones by name) beside doing nothing and the classical baselines; a board a model.

    `data` is "cifar10", "photos", an archive or a folder of images of 8 or 16 bits, and `degrade` what is done to them, in the degradation
    language (default: what the first model was trained for). With `clean`, `data` and `clean` are folders of real pairs, degraded and
    clean, found by their names. `limit` takes the first so many images or pairs, `seed` goes into the degradation's draws.

    A board's `gain` is in dB of PSNR, with the interval of Efron's percentile bootstrap (1979); SSIM is that of Wang, Bovik, Sheikh and
    Simoncelli (2004). Where baselines are set on pairs, it is on every other one for those between them.

    A model whose latent is to give back what it is given (trained on images that nothing is taken away from, and given such) is beside
    PCA with as many numbers instead: on a folder each half of the images by what PCA learnt from the other half. It helps when it leads.

    Raises InputError for data that cannot be read, a `limit` below 1 or a `seed` below 0, ModelError for a model that cannot restore such
    images, DegradationError for a degradation that cannot be made, MissingExtraError for baselines without scikit-image.

        >>> (board,) = burnish.evaluate("seed", "photos", "blur:1.0+8bit")
        >>> board.helps, board.psnr["input"], board.psnr["model"]
    """
    given = [models] if not isinstance(models, Sequence) or isinstance(models, str) else models
    loaded = [model_file.load(each) if isinstance(each, str | os.PathLike) else each for each in given]
    return prepared(loaded, data, degrade, clean, limit, baselines, progress).score(loaded, seed, progress)


def prepared(
    models: Sequence[Model],
    data: str | Path,
    degrade: str | None = None,
    clean: str | Path | None = None,
    limit: int | None = None,
    with_baselines: bool = True,
    progress: Progress | None = None,
) -> Task:
    """What `evaluate` scores on, read. Raises as it does."""
    if not models:
        raise InputError("no model to evaluate; name at least one")
    if limit is not None and limit < 1:
        raise InputError(f"limit = {limit} must be at least 1 image; leave it out to score all")
    for model in models:
        if model.card.kind != "image":
            raise ModelError(f"{model.card.name}: restores {model.card.kind}, and these are images; evaluate it on its own kind")
    card = models[0].card
    if clean is not None:
        if degrade is not None:
            raise DegradationError(f"{degrade}: pairs are degraded already; give clean images, or a degradation, not both")
        pictures, notes = pairs.load(Path(data), Path(clean), card.channels, progress, limit=limit, resident=HELD)
        halves = _halves(pictures) if len(pictures.images) > 1 else ()
        if with_baselines and not halves:
            notes.append("no baselines: a single pair leaves nothing to choose their settings on")
        return Task(pictures, Degradation.parse(OWN), halves if with_baselines else (), tuple(notes), is_apart=False)
    degradation = Degradation.parse(degrade or card.degradation)
    if degradation.is_own:
        raise DegradationError(
            f"{card.name}: learnt from pairs of images, and what degraded those cannot be made; score it on pairs (--clean DIR), or give a "
            "degradation (--degrade noise:25)"
        )
    pictures = datasets.load(data, "test", progress, card.channels, limit=limit, resident=HELD)
    is_apart = datasets.has_test_split(data)
    rebuilding = [rebuilds(model, degradation) for model in models]
    tuning: tuple[PictureSet, ...] = (
        (datasets.tuning_for(data, card.channels),) if with_baselines and (is_apart or not all(rebuilding)) else ()
    )
    remarks: tuple[str, ...] = ()
    if all(rebuilding) and card.input_size and any(list(shape[:2]) != card.input_size for shape in pictures.shapes):
        height, width = card.input_size
        pictures, tuning = datasets.brought(pictures, height, width), tuple(datasets.brought(each, height, width) for each in tuning)
        remarks = (f"the images were brought to {height}×{width} pixels, the only ones that {card.name} takes",)
    learnt = (tuning if is_apart else _halves(pictures)) if with_baselines and any(rebuilding) else ()
    return Task(pictures, degradation, tuning, remarks, is_apart, learnt)


def _halves(pictures: PictureSet) -> tuple[PictureSet, ...]:
    """For the images at even places those at odd ones, and the other way round."""
    return tuple(pictures.chosen(range(half, len(pictures.images), 2)) for half in (1, 0))


def familiar(model: Model, pictures: PictureSet) -> list[str]:
    """A line where the model has learnt from these images, as far as its card can tell."""
    data = model.card.data
    if data.get("fingerprint") == pictures.fingerprint():
        return [f"{model.card.name} learnt from these very images: what it gains on them says little about others"]
    if data.get("name") == pictures.name:
        return [f"{model.card.name} learnt from data of the same name, {pictures.name}, maybe from these images: its gain may be too kind"]
    return []
