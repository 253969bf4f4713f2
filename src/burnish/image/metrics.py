"""How near a restored picture is to its original: PSNR, SSIM, channel accuracy. Pictures are H×W×C floats on the 0–1 scale."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CAP = 100.0  # dB; equal pictures would have an infinite PSNR, and one of them an infinite mean


def quantise(image: NDArray[Any], levels: int = 255) -> NDArray[np.float64]:
    """`image` clipped to 0–1 and rounded to that many steps (255: 8 bit, 65535: 16 bit), still on 0–1."""
    rounded: NDArray[np.float64] = np.rint(np.clip(image.astype(np.float64), 0, 1) * levels) / levels
    return rounded


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape, peak 1, capped at 100. The values are taken as they are."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return CAP if error <= 10 ** (-CAP / 10) else -10 * float(np.log10(error))


def ssim(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Structural similarity of two H×W×C pictures of one shape: 1 for equal ones, mean over pixels and channels.

    After Wang, Bovik, Sheikh and Simoncelli (2004): 11×11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, population covariance, the
    half window at the borders left out. For a picture under 11 pixels the window shrinks to the largest odd size that fits.
    """
    side = min(11, *a.shape[:2])
    side -= 1 - side % 2
    offsets = np.arange(side) - side // 2
    window = np.exp(-0.5 * (offsets / 1.5) ** 2)
    window /= window.sum()

    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y, xx, yy, xy = (_filtered(plane, window) for plane in (x, y, x * x, y * y, x * y))
    c1, c2 = 0.01**2, 0.03**2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))
    return float(similarity.mean())


def channel_accuracy(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Share of pixels whose brightest channel, the first on ties, is the same in both: what Keras calls "accuracy" for such a network."""
    return float(np.mean(a.argmax(axis=-1) == b.argmax(axis=-1)))


def _filtered(plane: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plane under a separable window, where the window lies inside it."""
    for axis in (0, 1):
        length = plane.shape[axis] - len(window) + 1
        plane = sum(weight * plane.take(range(start, start + length), axis) for start, weight in enumerate(window))
    return plane
