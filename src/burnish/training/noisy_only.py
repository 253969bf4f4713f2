"""Learning from noisy pictures alone: each is spoiled once more, in two ways that cancel out, and one is learnt from the other.

Recorrupted-to-recorrupted (Pang, Zheng, Quan and Ji, 2021): of a noisy picture y, and z drawn like its noise, y + z/2 and y − 2z have
errors that are uncorrelated, so that a network which is shown the first and asked for the second learns the clean picture that both have
in common. The noise must be known, and independent from pixel to pixel. How it compares with other ways: docs/experiments.md.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.baselines import to_unit
from burnish.data import PictureSet
from burnish.training.noise import Noise
from burnish.training.pairs import Dtype
from burnish.training.views import Box

STRENGTH = 0.5  # of the noise added to what the network is shown; what it is asked for gets one over that


class Recorrupted:
    """Noisy pictures with their measured noise, as pairs: drawn anew each time."""

    dtypes: tuple[Dtype, Dtype] = (np.float32, np.float32)

    def __init__(self, pictures: PictureSet, noise: Noise) -> None:
        self.pictures, self.noise = pictures, noise

    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        noisy = to_unit(box.of(self.pictures.images[index]))
        more = np.random.default_rng(seed).standard_normal(noisy.shape, np.float32) * np.sqrt(self.noise.variance(noisy))
        return noisy + STRENGTH * more, noisy - more / STRENGTH
