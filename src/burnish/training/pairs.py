"""What a network is shown: degraded and clean pictures side by side, held as bytes, drawn anew each epoch where chance is in it."""

from dataclasses import dataclass, replace

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


class Source:
    """The training and validation pairs of a recipe over a set of pictures.

    `epoch(k)` gives epoch k's training pairs: the same every time it is asked, whatever was asked before, so that a resumed run sees what the
    unbroken one would have. `dims` is the shape of all images, copies included, where they are of one size.
    """

    def __init__(self, pictures: PictureSet, recipe: Recipe) -> None:
        self.recipe = recipe
        self.degradation = Degradation.parse(recipe.degradation)
        images = [_eight_bit(image) for image in pictures.images] if not isinstance(pictures.images, np.ndarray) else pictures.images
        rng = np.random.default_rng([recipe.seed, 1])
        if recipe.crop:
            training, validation = self._split_pictures(images, rng)
            self.validation = self._crops(validation, self._degraded(validation, 0), max(1, recipe.crops // 8), rng)
        else:
            training, validation = self._split_images(_stacked(images, pictures.name), rng)
            self.validation = self._pairs(validation, self._degraded(validation, 0))
        self.training = training
        self.kept_out = validation
        self._cached: Pairs | list[NDArray[np.float32]] | None = None

    @property
    def dims(self) -> tuple[int, ...]:
        """Training and validation images together, N×H×W×C."""
        return (len(self.training) + len(self.kept_out), *self.training[0].shape)

    def held_out(self, pictures: PictureSet) -> PictureSet:
        """The pictures kept for validation, as a set to score on where there is no test set: `pictures` less what was trained on."""
        names = tuple(f"{pictures.name}/held-out-{i}" for i in range(len(self.kept_out)))
        return replace(pictures, images=self.kept_out, names=names, skipped=())

    def epoch(self, epoch: int) -> Pairs:
        """The training pairs of epoch `epoch`, counted from 1."""
        if self._cached is not None and not self.degradation.is_random:
            degraded = self._cached
        else:
            seed = self.recipe.seed + epoch if self.degradation.is_random else 0
            degraded = self._degraded(self.training, seed)
            if not self.recipe.crop:
                degraded = self._pairs(self.training, degraded)
            self._cached = degraded
        if isinstance(degraded, Pairs):
            return degraded
        return self._crops(self.training, degraded, self.recipe.crops, np.random.default_rng([self.recipe.seed, 2, epoch]))

    def _split_pictures(self, images: list[Array] | Array, rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
        """Whole pictures to one side or the other, at least one on each."""
        usable = [image for image in images if min(image.shape[:2]) >= self.recipe.crop]
        if len(usable) < 2:
            raise InputError(f"training on crops of {self.recipe.crop} needs two pictures at least that large; add pictures or lower crop")
        order = rng.permutation(len(usable))
        kept_out = min(max(1, round(self.recipe.validation * len(usable))), len(usable) - 1)
        return [usable[i] for i in order[kept_out:]], [usable[i] for i in order[:kept_out]]

    def _split_images(self, images: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Images of one size, with their augmented copies, split so that an image and its copy stay together."""
        copies, origins = augment.copies(images, self.recipe.copies, rng)
        training, validation = augment.split(len(images), origins, self.recipe.validation, rng)
        if not len(training) or not len(validation):
            raise InputError(f"{len(images)} images leave nothing for training or validation; add pictures or change validation")
        everything = np.concatenate([images, copies])
        return everything[training], everything[validation]

    def _degraded(self, images: list[Array] | Array, seed: int) -> list[NDArray[np.float32]] | NDArray[np.float32]:
        if isinstance(images, np.ndarray):
            return self.degradation.apply_all(images, seed)
        return [self.degradation.apply(image, seed) for image in images]

    def _pairs(self, clean: Array, degraded: NDArray[np.float32]) -> Pairs:
        if all(chain.strip().endswith("8bit") for chain in self.recipe.degradation.split("|")):
            degraded = np.rint(degraded * 255).astype(np.uint8)  # exact, at a quarter of the memory
        return Pairs(torch.from_numpy(degraded), torch.from_numpy(np.ascontiguousarray(clean)))

    def _crops(self, clean: list[Array], degraded: list[NDArray[np.float32]], count: int, rng: np.random.Generator) -> Pairs:
        """`count` crops at random places, pictures drawn by their area. Pictures are degraded whole, so that no crop has an edge of its own."""
        side = self.recipe.crop
        areas = np.array([image.shape[0] * image.shape[1] for image in clean], dtype=float)
        which = rng.choice(len(clean), count, p=areas / areas.sum())
        before, after = [], []
        for index in which:
            height, width = clean[index].shape[:2]
            y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
            before.append(degraded[index][y : y + side, x : x + side])
            after.append(clean[index][y : y + side, x : x + side])
        return self._pairs(np.stack(after), np.stack(before))


def _eight_bit(image: NDArray[np.uint8 | np.uint16]) -> Array:
    return (image // 257).astype(np.uint8) if image.dtype == np.uint16 else image.astype(np.uint8, copy=False)


def _stacked(images: list[Array] | Array, name: str) -> Array:
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise InputError(
            f"{name}: the pictures are of {len(shapes)} different sizes; train on crops of them (--set crop=64 --set crops=4096)"
        )
    return images if isinstance(images, np.ndarray) else np.stack(images)
