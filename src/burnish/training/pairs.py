"""What a network is shown: degraded and clean pictures side by side, held as bytes, drawn anew each epoch where chance is in it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from burnish.data import PictureSet
from burnish.degrade import Degradation
from burnish.errors import InputError
from burnish.training import augment
from burnish.training.recipe import Recipe

Array = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """Degraded and clean images of one size, N×H×W×C: uint8 on the 0–255 scale, or float32 on 0–1."""

    degraded: Tensor
    clean: Tensor

    def __len__(self) -> int:
        return len(self.clean)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The pairs at `indices` as two float32 batches N×C×H×W in 0–1 (channels last in memory, which torch's CPU kernels like best)."""
        return _floats(self.degraded[indices]), _floats(self.clean[indices])


def _floats(images: Tensor) -> Tensor:
    values = images.float().div_(255) if images.dtype == torch.uint8 else images
    return values.permute(0, 3, 1, 2)


class Source(ABC):
    """The training and validation pairs of a recipe over a set of pictures.

    `epoch(k)` gives epoch k's training pairs: the same every time it is asked, whatever was asked before, so that a resumed run sees what
    the unbroken one would have.
    """

    validation: Pairs
    training: Sequence[Array] | Array
    kept_out: Sequence[Array] | Array

    @abstractmethod
    def epoch(self, epoch: int) -> Pairs:
        """The training pairs of epoch `epoch`, counted from 1."""

    @property
    def dims(self) -> tuple[int, ...]:
        """Training and validation images together, copies included, N×H×W×C where they are of one size."""
        return (len(self.training) + len(self.kept_out), *self.training[0].shape)

    def held_out(self, pictures: PictureSet) -> PictureSet:
        """The pictures kept for validation, as a set to score on where there is no test set: `pictures` less what was trained on."""
        names = tuple(f"{pictures.name}/held-out-{i}" for i in range(len(self.kept_out)))
        return replace(pictures, images=self.kept_out, names=names, skipped=())


def source(pictures: PictureSet, recipe: Recipe) -> Source:
    """The pairs that `recipe` makes of `pictures`. Raises InputError when they are too few, too small or, with no crop, of many sizes."""
    return Crops(pictures, recipe) if recipe.crop else Whole(pictures, recipe)


class Whole(Source):
    """Images of one size, shown whole, with augmented copies."""

    training: Array
    kept_out: Array

    def __init__(self, pictures: PictureSet, recipe: Recipe) -> None:
        self.recipe, self.degradation = recipe, Degradation.parse(recipe.degradation)
        images = _stacked(pictures)
        rng = np.random.default_rng([recipe.seed, 1])
        copies, origins = augment.copies(images, recipe.copies, rng)
        training, validation = augment.split(len(images), origins, recipe.validation, rng)
        if not len(training) or not len(validation):
            raise InputError(f"{len(images)} images leave nothing for training or validation; add pictures or change validation")
        everything = np.concatenate([images, copies])
        self.training, self.kept_out = everything[training], everything[validation]
        self.validation = self._degraded(self.kept_out, 0)
        self._unchanging: Pairs | None = None

    def epoch(self, epoch: int) -> Pairs:
        if self.degradation.is_random:
            return self._degraded(self.training, self.recipe.seed + epoch)
        self._unchanging = self._unchanging or self._degraded(self.training, 0)
        return self._unchanging

    def _degraded(self, images: Array, seed: int) -> Pairs:
        return _pairs(images, self.degradation.apply_all(images, seed), self.degradation)


class Crops(Source):
    """Crops at random places of pictures of any size. Pictures are degraded whole, so that no crop has an edge of its own."""

    training: list[Array]
    kept_out: list[Array]

    def __init__(self, pictures: PictureSet, recipe: Recipe) -> None:
        self.recipe, self.degradation = recipe, Degradation.parse(recipe.degradation)
        usable = [image for image in map(_eight_bit, pictures.images) if min(image.shape[:2]) >= recipe.crop]
        if len(usable) < 2:
            raise InputError(f"training on crops of {recipe.crop} needs two pictures at least that large; add pictures or lower crop")
        rng = np.random.default_rng([recipe.seed, 1])
        order = rng.permutation(len(usable))
        kept_out = min(max(1, round(recipe.validation * len(usable))), len(usable) - 1)
        self.training, self.kept_out = [usable[i] for i in order[kept_out:]], [usable[i] for i in order[:kept_out]]
        self.validation = self._cut(self.kept_out, self._degraded(self.kept_out, 0), max(1, recipe.crops // 8), rng)
        self._unchanging: list[Floats] | None = None

    def epoch(self, epoch: int) -> Pairs:
        degraded = self._unchanging
        if degraded is None:
            degraded = self._degraded(self.training, self.recipe.seed + epoch if self.degradation.is_random else 0)
            self._unchanging = None if self.degradation.is_random else degraded
        return self._cut(self.training, degraded, self.recipe.crops, np.random.default_rng([self.recipe.seed, 2, epoch]))

    def _degraded(self, images: Sequence[Array], seed: int) -> list[Floats]:
        return [self.degradation.apply(image, seed) for image in images]

    def _cut(self, clean: Sequence[Array], degraded: list[Floats], count: int, rng: np.random.Generator) -> Pairs:
        """`count` crops, pictures drawn by their area."""
        side = self.recipe.crop
        areas = np.array([image.shape[0] * image.shape[1] for image in clean], dtype=float)
        before, after = [], []
        for index in rng.choice(len(clean), count, p=areas / areas.sum()):
            height, width = clean[index].shape[:2]
            y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
            before.append(degraded[index][y : y + side, x : x + side])
            after.append(clean[index][y : y + side, x : x + side])
        return _pairs(np.stack(after), np.stack(before), self.degradation)


def _pairs(clean: Array, degraded: Floats, degradation: Degradation) -> Pairs:
    if degradation.is_eight_bit:
        degraded = np.rint(degraded * 255).astype(np.uint8)  # exact, at a quarter of the memory
    return Pairs(torch.from_numpy(degraded), torch.from_numpy(np.ascontiguousarray(clean)))


def _eight_bit(image: NDArray[Any]) -> Array:
    return (image // 257).astype(np.uint8) if image.dtype == np.uint16 else image.astype(np.uint8, copy=False)


def _stacked(pictures: PictureSet) -> Array:
    shapes = {image.shape for image in pictures.images}
    if len(shapes) > 1:
        raise InputError(
            f"{pictures.name}: the pictures are of {len(shapes)} different sizes; train on crops of them (--set crop=64 --set crops=4096)"
        )
    if isinstance(pictures.images, np.ndarray):
        return _eight_bit(pictures.images)
    return np.stack([_eight_bit(image) for image in pictures.images])
