"""What the images of a set become, and from what: a region of one at a time, before and after."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from burnish.degradation import Degradation
from burnish.image.datasets import PictureSet
from burnish.image.folder import Files
from burnish.training.image.pairs import Dtype, as_it_is, stored


@dataclass(frozen=True)
class Box:
    """A rectangle in an image, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, image: NDArray[Any]) -> NDArray[Any]:
        """That part of an H×W×C image."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def grown(self, margin: int, shape: tuple[int, ...]) -> "Box":
        """The rectangle with `margin` pixels more on each side, as far as the image goes."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        bottom, right = (
            min(length, end + margin) for length, end in zip(shape, (self.top + self.height, self.left + self.width), strict=False)
        )
        return Box(top, left, bottom - top, right - left)


class View(ABC):
    """Images before and after: `dtypes` says as what the two may be kept, without loss; `seen` is that of `Pairs`."""

    dtypes: tuple[Dtype, Dtype]

    def seen(self, restored: Tensor) -> Tensor:
        """What is compared with the image after."""
        return as_it_is(restored)

    @abstractmethod
    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """A region of image `index` before and after, H×W×C. Raises InputError when the image cannot be read."""


class Degrading(View):
    """Clean images, degraded on the way. A region is degraded with what lies around it, so that it has no edges of its own.

    Images in the memory that are always degraded alike are degraded once. Noise that is the same in all channels is what a grey image
    has that was stored as colours: half the images that get such noise are made grey first.
    """

    def __init__(self, pictures: PictureSet, degradation: Degradation) -> None:
        self.pictures, self.degradation = pictures, degradation
        after = np.float32 if degradation.has_own_truth else depth(pictures)
        self.dtypes = (np.uint8 if degradation.is_eight_bit else np.float32), after
        self._margin = reach(degradation)
        self._unchanging: dict[int, NDArray[Any]] | None = None if degradation.is_random or isinstance(pictures.images, Files) else {}

    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        image = self.pictures.images[index]
        if self._unchanging is not None:
            if index not in self._unchanging:
                self._unchanging[index] = stored(self.degradation.apply(image), self.dtypes[0])
            return box.of(self._unchanging[index]), box.of(image)
        outer = box.grown(self._margin, image.shape)
        inner = Box(box.top - outer.top, box.left - outer.left, box.height, box.width)
        region = outer.of(image)
        chain = self.degradation.draw(region, seed)
        if chain.is_grey and seed % 2:
            region = _grey(region)
        degraded, truth = chain.pair(region)
        return inner.of(degraded), inner.of(truth if self.degradation.has_own_truth else region)  # whole numbers where there are some


class Paired(View):
    """Images that came in pairs: `pictures.degraded` and `pictures.images`."""

    def __init__(self, pictures: PictureSet) -> None:
        assert pictures.degraded is not None
        self.clean, self.degraded = pictures.images, pictures.degraded
        self.dtypes = depth(pictures), depth(pictures)

    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:  # noqa: ARG002 (there is no chance in it)
        return box.of(self.degraded[index]), box.of(self.clean[index])


def _grey(image: NDArray[Any]) -> NDArray[Any]:
    """An H×W×C image with its luma (ITU-R BT.601) in all three channels; one of other than three as it is."""
    if image.shape[2] != 3:
        return image
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
    luma = luma.round() if image.dtype.kind == "u" else luma
    return np.repeat(luma.astype(image.dtype)[..., None], 3, axis=2)


def depth(pictures: PictureSet) -> Dtype:
    """As what the images can be kept: bytes where all have 8 bits."""
    images = [pictures.images, *([] if pictures.degraded is None else [pictures.degraded])]
    return np.float32 if any(_is_deep(each) for each in images) else np.uint8


def _is_deep(images: Any) -> bool:
    if isinstance(images, Files):
        return any(entry.deep for entry in images.entries)
    return any(image.dtype != np.uint8 for image in images)


def reach(degradation: Degradation) -> int:
    """From how far away, in pixels, a degraded pixel may have got something."""
    blur, motion = degradation.span("blur") or (0.0, 0.0), degradation.span("motion") or (0.0, 0.0)
    # 16: a JPEG's blocks of halved colours, demosaicking's neighbours. A camera smooths its noise farther, but noise may be mirrored.
    return math.ceil(6 * blur[1] + motion[1] / 2) + 16
