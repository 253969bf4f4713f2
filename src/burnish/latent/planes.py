"""Small filters on planes of floats, in NumPy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # of float32: what NumPy returns from most functions is not typed more closely


def smoothed(plane: Floats, sigma: float) -> Floats:
    """An H×W (or H×W×C) array under a Gaussian of `sigma` pixels, edges mirrored; as it is for a sigma of 0."""
    if sigma <= 0:
        return plane
    reach = max(1, int(np.ceil(3 * sigma)))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    taps /= taps.sum()
    for axis in (0, 1):
        length = plane.shape[axis]
        padded = np.take(plane, mirrored(np.arange(-reach, length + reach), length), axis=axis)
        total = np.zeros_like(plane)
        for place, tap in enumerate(taps):
            total += tap * (padded[place : place + length] if axis == 0 else padded[:, place : place + length])
        plane = total
    return plane


def mirrored(places: NDArray[Any], length: int) -> NDArray[np.int64]:
    """Places along an axis, those beyond its ends folded back as d c b a | a b c d."""
    folded = np.mod(places, 2 * length)
    result: NDArray[np.int64] = np.where(folded < length, folded, 2 * length - 1 - folded).astype(np.int64)
    return result


def sampled(image: Floats, y: Floats, x: Floats) -> Floats:
    """The values of an H×W×C image at the places `y`, `x` (two arrays of one shape, in pixels), bilinear, mirrored beyond its edges."""
    top, left = np.floor(y), np.floor(x)
    down, right = (y - top)[..., None], (x - left)[..., None]
    rows = [mirrored(top + step, image.shape[0]) for step in (0, 1)]
    columns = [mirrored(left + step, image.shape[1]) for step in (0, 1)]
    above = image[rows[0], columns[0]] * (1 - right) + image[rows[0], columns[1]] * right
    below = image[rows[1], columns[0]] * (1 - right) + image[rows[1], columns[1]] * right
    result: Floats = (above * (1 - down) + below * down).astype(np.float32)
    return result


def halved(plane: Floats) -> Floats:
    """An H×W plane at half its size, each value the mean of four; an odd last row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    quarter = plane[:height, :width].reshape(height // 2, 2, width // 2, 2)
    return np.asarray(quarter.mean((1, 3), dtype=np.float32))


def enlarged(plane: Floats, height: int, width: int) -> Floats:
    """An H×W plane stretched to another size, bilinear."""
    y = (np.arange(height, dtype=np.float32) + 0.5) * plane.shape[0] / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) * plane.shape[1] / width - 0.5
    y, x = np.clip(y, 0, plane.shape[0] - 1), np.clip(x, 0, plane.shape[1] - 1)
    top, left = np.minimum(y.astype(int), max(0, plane.shape[0] - 2)), np.minimum(x.astype(int), max(0, plane.shape[1] - 2))
    below, right = np.minimum(top + 1, plane.shape[0] - 1), np.minimum(left + 1, plane.shape[1] - 1)
    down = (y - top)[:, None]
    rows = plane[top] * (1 - down) + plane[below] * down
    across = x - left
    result: Floats = (rows[:, left] * (1 - across) + rows[:, right] * across).astype(np.float32)
    return result
