"""Crops of images of any size and any number, cut in the background while the network trains on those before.

An epoch is cut from regions: all of a small image, a random part of a large one. Each region gives as many crops as would cover it, so
that an image of many megapixels is not decoded and degraded for one crop of 64 pixels, and nothing but crops stays in the memory.

Most files that were JPEG still have its blocks where they began, at multiples of 8 pixels, and a network that halves the scale three times
can know where it stands among them. So most crops begin at such multiples; the others show blocks that have been moved, by a crop say.
"""

import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training.image import likeness
from burnish.training.image.pairs import Pairs, Source, stored
from burnish.training.image.views import Box, View
from burnish.training.recipe import Recipe

REGION = 512  # pixels a side, at most
BLOCK, ALIGNED = 8, 0.75  # JPEG's blocks, in pixels; in that share of the regions crops begin where blocks do


class Crops(Source):
    """Crops at random places of the view's images, those too small for one left out.

    Held out are whole files, with those that look like them. Raises InputError when less than two files are left.
    """

    def __init__(self, pictures: PictureSet, recipe: Recipe, view: View) -> None:
        self.recipe, self.pictures, self.view = recipe, pictures, view
        usable = [index for index, shape in enumerate(pictures.shapes) if min(shape[:2]) >= recipe.crop]
        if len(usable) < 2:
            raise InputError(f"training on crops of {recipe.crop} needs two images at least that large; add images or lower crop")
        rng = np.random.default_rng([recipe.seed, 1])
        training, held_out = likeness.split(pictures.chosen(usable), recipe.validation, rng)
        self._training, self._held_out = [usable[i] for i in training], [usable[i] for i in held_out]
        self.training, self.held_out = pictures.chosen(self._training), pictures.chosen(self._held_out)
        self._lost: set[int] = set()
        self._closed = threading.Event()
        self.validation = self._cut(self._held_out, max(1, recipe.crops // 8), rng)
        self._pool = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[Pairs]] = {}

    def epoch(self, epoch: int) -> Pairs:
        began = time.monotonic()
        ready = self._ahead.pop(epoch, None)
        pairs = ready.result() if ready else self._epoch(epoch)
        if epoch < self.recipe.epochs and epoch + 1 not in self._ahead:
            self._ahead[epoch + 1] = self._pool.submit(self._epoch, epoch + 1)
        self.waited += time.monotonic() - began
        return pairs

    def close(self) -> None:
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)

    def _epoch(self, epoch: int) -> Pairs:
        return self._cut(self._training, self.recipe.crops, np.random.default_rng([self.recipe.seed, 2, epoch]))

    def _cut(self, indices: Sequence[int], count: int, rng: np.random.Generator) -> Pairs:
        """`count` crops of the images at `indices`, drawn by their area. Raises InputError when most of them cannot be read."""
        side, shapes = self.recipe.crop, self.pictures.shapes
        before, after = (np.empty((count, side, side, self.pictures.channels), dtype) for dtype in self.view.dtypes)
        filled = 0
        for index in _drawn(indices, [shapes[i] for i in indices], rng):
            box, seed = _region(shapes[index], rng), int(rng.integers(2**31))
            if index in self._lost:
                continue
            try:
                region = self.view.cut(index, box, seed)
            except InputError as error:
                self._lose(index, error, indices)
                continue
            degraded, clean = (stored(each, dtype) for each, dtype in zip(region, self.view.dtypes, strict=True))
            step = BLOCK if rng.random() < ALIGNED else 1
            for place in range(filled, min(count, filled + max(1, clean.shape[0] * clean.shape[1] // side**2))):
                y, x = (step * int(rng.integers((length - side) // step + 1)) for length in clean.shape[:2])
                before[place], after[place] = degraded[y : y + side, x : x + side], clean[y : y + side, x : x + side]
                filled = place + 1
            if filled == count:
                break
            if self._closed.is_set():
                raise InputError("the run is over")  # nobody waits for this
        return Pairs(torch.from_numpy(before), torch.from_numpy(after), self.view.seen)

    def _lose(self, index: int, error: InputError, indices: Sequence[int]) -> None:
        """Go on without an image, unless most of them are gone."""
        self._lost.add(index)
        lost = len(self._lost.intersection(indices))
        if 2 * lost > len(indices):
            raise InputError(f"{lost} of {len(indices)} images could not be read, the last: {error}") from error
        warnings.warn(f"{error}; going on without it", stacklevel=2)


def _drawn(indices: Sequence[int], shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> Iterator[int]:
    """Indices without end, drawn by the images' areas."""
    areas = np.array([height * width for height, width, _ in shapes], dtype=float)
    while True:
        yield from rng.choice(indices, 256, p=areas / areas.sum()).tolist()


def _region(shape: tuple[int, ...], rng: np.random.Generator) -> Box:
    height, width = (min(REGION, length) for length in shape[:2])
    return Box(int(rng.integers(shape[0] - height + 1)), int(rng.integers(shape[1] - width + 1)), height, width)
