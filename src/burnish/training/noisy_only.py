"""Learning from noisy pictures alone: each is spoiled once more, in two ways that cancel out, and one is learnt from the other.

Recorrupted-to-recorrupted (Pang, Zheng, Quan and Ji, 2021): of a noisy picture y, and z drawn like its noise, y + z/2 and y − 2z have
errors that are uncorrelated, so that a network which is shown the first and asked for the second learns the clean picture that both have
in common. The noise must be known, and independent from pixel to pixel. How it compares with other ways: docs/experiments.md.

Pictures in 8 bits have their noise cut off at black and white, so that the mean of y is no longer the clean picture: black looks grey.
Therefore what is compared with y − 2z is not what the network restores, but the mean that such a picture would have once noise was added
and cut off. What makes the two alike is the clean picture.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from burnish.baselines import to_unit
from burnish.data import PictureSet
from burnish.degrade import blurred
from burnish.training.noise import AROUND, Noise
from burnish.training.pairs import Dtype
from burnish.training.views import Box, View

STRENGTH = 0.5  # of the noise added to what the network is shown; what it is asked for gets one over that
LEVELS = 1024  # of brightness, for which the mean and variance of noise cut off are tabled


class Recorrupted(View):
    """Noisy pictures with their measured noise, as pairs: drawn anew each time."""

    dtypes: tuple[Dtype, Dtype] = (np.float32, np.float32)

    def __init__(self, pictures: PictureSet, noise: Noise) -> None:
        self.pictures, self.noise = pictures, noise
        mean, variance = cut_off(torch.linspace(0, 1, LEVELS, dtype=torch.double), noise)
        self._table = mean.numpy(), variance.numpy()

    def cut(self, index: int, box: Box, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        noisy = to_unit(box.of(self.pictures.images[index]))
        more = np.random.default_rng(seed).standard_normal(noisy.shape, np.float32) * np.sqrt(self._variance(noisy))
        return noisy + STRENGTH * more, noisy - more / STRENGTH

    def seen(self, restored: Tensor) -> Tensor:
        return cut_off(restored, self.noise)[0] if self.noise.is_cut else restored

    def _variance(self, noisy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of the noise at each pixel: less near black and white, where it is cut off."""
        if not self.noise.is_cut:
            return self.noise.variance(noisy)
        variance: NDArray[np.float32] = np.interp(blurred(noisy, AROUND), *self._table).astype(np.float32)
        return variance


def cut_off(clean: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
    """Mean and variance of clean values (about 0–1) once normal noise has been added and what is under 0 or over 1 cut off."""
    sigma = (noise.floor + noise.slope * clean.clamp(0, 1)).clamp(min=1e-10).sqrt()
    low, high = -clean / sigma, (1 - clean) / sigma
    density_low, density_high = (torch.exp(-0.5 * z**2) / (2 * torch.pi) ** 0.5 for z in (low, high))
    over = torch.special.ndtr(-high)
    inside = torch.special.ndtr(high) - torch.special.ndtr(low)
    mean = clean * inside + sigma * (density_low - density_high) + over
    square = (clean**2 + sigma**2) * inside + 2 * clean * sigma * (density_low - density_high)
    square = square + sigma**2 * (low * density_low - high * density_high) + over
    return mean, square - mean**2
