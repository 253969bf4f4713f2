"""Images of one size, shown whole, with augmented copies: the classic exercise."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training.image import augment
from burnish.training.image.pairs import Pairs, Source, stored
from burnish.training.recipe import Recipe
from burnish.wording import counted

Array = NDArray[np.uint8]


class Whole(Source):
    """Images of one size, of 8 bits (16 are cut to them), degraded anew each epoch where chance is in the degradation.

    Raises InputError for images of several sizes, or too few.
    """

    def __init__(self, pictures: PictureSet, recipe: Recipe) -> None:
        self.recipe, self.degradation = recipe, Degradation.parse(recipe.degradation)
        images = _stacked(pictures)
        rng = np.random.default_rng([recipe.seed, 1])
        copies, origins = augment.copies(images, recipe.copies, rng)
        training, validation = augment.split(len(images), origins, recipe.validation, rng)
        if not len(training) or not len(validation):
            raise InputError(f"{counted(len(images), 'image')}: too few to leave some for training and some for validation; add images")
        names = [*pictures.names, *(f"{pictures.names[i]} (copy)" for i in origins)]
        everything = replace(pictures, images=np.concatenate([images, copies]), names=names, skipped=())
        self.training, self.held_out = everything.chosen(training.tolist()), everything.chosen(validation.tolist())
        self.validation = self._degraded(self.held_out, 0)
        self._unchanging: Pairs | None = None

    def epoch(self, epoch: int) -> Pairs:
        if self.degradation.is_random:
            return self._degraded(self.training, self.recipe.seed + epoch)
        self._unchanging = self._unchanging or self._degraded(self.training, 0)
        return self._unchanging

    def _degraded(self, pictures: PictureSet, seed: int) -> Pairs:
        clean = np.ascontiguousarray(pictures.images)
        if self.degradation.has_own_truth:
            degraded, truth = (np.stack(each) for each in zip(*(self.degradation.pair(image, seed) for image in clean), strict=True))
            return Pairs(torch.from_numpy(degraded), torch.from_numpy(truth))
        degraded = self.degradation.apply_all(clean, seed)
        dtype = np.uint8 if self.degradation.is_eight_bit else np.float32  # exact, at a quarter of the memory
        return Pairs(torch.from_numpy(stored(degraded, dtype)), torch.from_numpy(clean))


def _stacked(pictures: PictureSet) -> Array:
    shapes = set(pictures.shapes)
    if len(shapes) > 1:
        raise InputError(
            f"{pictures.name}: the images are of {len(shapes)} different sizes; train on crops of them (--set crop=64 --set crops=4096)"
        )
    if isinstance(pictures.images, np.ndarray):
        return _eight_bits(pictures.images)
    return np.stack([_eight_bits(image) for image in pictures.images])


def _eight_bits(image: NDArray[Any]) -> Array:
    return (image // 257).astype(np.uint8) if image.dtype == np.uint16 else image
