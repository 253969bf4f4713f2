"""Learning from noisy images alone: each is degraded once more, in two ways that cancel out, and one is learnt from the other.

Recorrupted-to-recorrupted (Pang, Zheng, Quan and Ji, 2021): of a noisy image y, and z drawn like its noise, y + z/2 and y − 2z have
errors that are uncorrelated, so that a network which is shown the first and asked for the second learns the clean image that both have
in common. The noise must be known, and independent from pixel to pixel. How it compares with other ways: docs/experiments.md.

Black and white cut noise off, so that the mean of y is no longer the clean image: black looks grey. Therefore what is compared with
y − 2z is not what the network restores, but what that would look like in the mean, with noise that is cut off; the clean image fits best.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from burnish.arrays import to_unit
from burnish.image.datasets import PictureSet
from burnish.training.image.noise import Noise, in_equal_channels
from burnish.training.image.pairs import Dtype
from burnish.training.image.views import Box, View

STRENGTH = 0.5  # of the noise added to what the network is shown; what it is asked for gets one over that


class Recorrupted(View):
    """Noisy images with their measured noise, as pairs: drawn anew each time."""

    dtypes: tuple[Dtype, Dtype] = (np.float32, np.float32)

    def __init__(self, pictures: PictureSet, noise: Noise) -> None:
        self.pictures, self.noise = pictures, noise

    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        noisy = to_unit(box.of(self.pictures.images[index]))
        drawn = np.random.default_rng(seed).standard_normal(noisy.shape, np.float32)
        more = in_equal_channels(noisy, drawn) * np.sqrt(self.noise.variance(noisy))
        return noisy + STRENGTH * more, noisy - more / STRENGTH

    def seen(self, restored: Tensor) -> Tensor:
        return self.noise.seen(restored)
