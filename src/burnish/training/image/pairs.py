"""What a network is shown: degraded and clean images side by side, held as bytes where they can be."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from burnish.arrays import to_unit
from burnish.image.datasets import PictureSet

Dtype = type[np.uint8] | type[np.float32]


def as_it_is(restored: Tensor) -> Tensor:
    """The batch itself."""
    return restored


@dataclass(frozen=True)
class Pairs:
    """Degraded and clean images of one size, N×H×W×C: uint8 on the 0–255 scale, or float32 on 0–1.

    What a network makes of the degraded ones is compared with the clean ones after `seen`, which maps N×C×H×W to the same.
    """

    degraded: Tensor
    clean: Tensor
    seen: Callable[[Tensor], Tensor] = as_it_is

    def __len__(self) -> int:
        return len(self.clean)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The pairs at `indices` as two float32 batches N×C×H×W in 0–1 (channels last in memory, which torch's CPU kernels like best)."""
        return _floats(self.degraded[indices]), _floats(self.clean[indices])


def _floats(images: Tensor) -> Tensor:
    values = images.float().div_(255) if images.dtype == torch.uint8 else images
    return values.permute(0, 3, 1, 2)


def stored(images: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
    """Images of any type as `Pairs` holds them: uint8 (floats on 0–1 are rounded) or float32."""
    if dtype is np.uint8:
        return images if images.dtype == np.uint8 else np.rint(images * 255).astype(np.uint8)
    return to_unit(images)


class Source(ABC):
    """The training and validation pairs of a recipe over a set of images.

    `epoch(k)` gives epoch k's training pairs: the same every time it is asked, whatever was asked before, so that a resumed run sees what
    the unbroken one would have.
    """

    validation: Pairs
    training: PictureSet
    held_out: PictureSet  # kept out of training: to score on where there is no test set
    waited = 0.0  # seconds in which `epoch` had to be waited for

    @abstractmethod
    def epoch(self, epoch: int) -> Pairs:
        """The training pairs of epoch `epoch`, counted from 1."""

    def close(self) -> None:  # noqa: B027 (most have nothing to let go)
        """Let go of what works in the background."""
