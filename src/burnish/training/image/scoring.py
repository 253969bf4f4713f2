"""The end of a run: its model scored on images it never saw."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from burnish.arrays import centre, evenly
from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image import score
from burnish.image.datasets import PictureSet
from burnish.image.model import Model
from burnish.image.score import ImageBoard
from burnish.progress import Progress
from burnish.training.image import estimate, noise
from burnish.training.image.pairs import Source
from burnish.training.recipe import Recipe

SCORED = 1000  # test images at most; `burnish evaluate` scores them all
SCORED_SIDE, SCORED_PIXELS = 512, 6 << 20  # of images held out: their middles, and as many as can be scored in a minute or so
TUNING_SIDE, TUNING_PIXELS = 1024, 32 << 20  # of those trained on, to choose the classical filters' settings on


def scored(plan: Recipe, models: Sequence[Model], source: Source, test: PictureSet | None, progress: Progress) -> list[ImageBoard]:
    """The models' scoreboards on the test images or, where there are none, on those held out; of noisy images alone, estimates."""
    unseen = (test or gathered(source.held_out, SCORED_SIDE, SCORED_PIXELS)).first(SCORED)
    if plan.noisy_only:
        return estimate.scored(models, unseen, noise.measured(source.training), plan.seed, progress)
    tuning = gathered(source.training, TUNING_SIDE, TUNING_PIXELS)
    return score.scored(models, unseen, Degradation.parse(plan.degradation), tuning=[tuning], seed=plan.seed, progress=progress)


def gathered(pictures: PictureSet, side: int, pixels: int) -> PictureSet:
    """The middles, at most `side` pixels square, of images evenly spread over a set: as many as make up `pixels`, lost ones left out.

    Images of one small size in one array are few bytes: they are all taken.
    """
    if isinstance(pictures.images, np.ndarray):
        return pictures
    sizes = [min(side, height) * min(side, width) for height, width, *_ in pictures.shapes]
    count = max(1, min(len(sizes), int(pixels / np.mean(sizes))))
    kept: list[int] = []
    images, degraded = [], []
    for index in evenly(len(sizes), count):
        try:
            pair = [centre(each[index], side) for each in (pictures.images, pictures.degraded) if each is not None]
        except InputError:  # it was named when its turn came
            continue
        kept.append(index)
        images.append(pair[0])
        degraded += pair[1:]
    if not kept:
        raise InputError(f"{pictures.name}: none of the images held out can be read any more, so that the model cannot be scored")
    return replace(
        pictures,
        images=images,
        names=[pictures.names[index] for index in kept],
        skipped=(),
        degraded=None if pictures.degraded is None else degraded,
    )
