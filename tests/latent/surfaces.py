"""Surfaces to look for defects on: brushed, grainy, each a little different."""

import numpy as np
from numpy.typing import NDArray


def surface(seed: int, side: int = 80) -> NDArray[np.uint8]:
    """A grey brushed surface, side×side×1."""
    rng = np.random.default_rng(seed)
    streaks = 8 * rng.standard_normal((1, side)) + 3 * rng.standard_normal((side, side))
    light = np.linspace(-rng.uniform(5, 15), rng.uniform(5, 15), side)[:, None]
    return np.clip(120 + streaks + light, 0, 255).astype(np.uint8)[..., None]


def holed(seed: int, side: int = 80) -> NDArray[np.uint8]:
    """The same with a dark hole of 8 pixels across in the middle."""
    image = surface(seed, side).copy()
    y, x = np.mgrid[:side, :side] - side // 2
    image[y**2 + x**2 <= 16] = 40
    return image
