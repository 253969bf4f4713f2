"""How near a restored image is to the truth: PSNR, SSIM, channel accuracy. Images are H×W×C floats on the 0–1 scale."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIP = 1 << 20  # values of an image that are worked on at a time: SSIM takes ten times their memory
CAP = 100.0  # dB; equal images would have an infinite PSNR, and one of them an infinite mean


def quantise(image: NDArray[Any], levels: int = 255) -> NDArray[np.float64]:
    """`image` clipped to 0–1 and rounded to that many steps (255: 8 bit, 65535: 16 bit), still on 0–1."""
    rounded: NDArray[np.float64] = np.rint(np.clip(image.astype(np.float64), 0, 1) * levels) / levels
    return rounded


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio in dB of two images of one shape, peak 1, capped at 100. The values are taken as they are."""
    rows = max(1, STRIP // a[:1].size)
    squares = sum(float(np.sum((a[top : top + rows].astype(np.float64) - b[top : top + rows]) ** 2)) for top in range(0, len(a), rows))
    error = squares / a.size
    return CAP if error <= 10 ** (-CAP / 10) else -10 * float(np.log10(error))


def ssim(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Structural similarity of two H×W×C images of one shape: 1 for equal ones, mean over pixels and channels.

    After Wang, Bovik, Sheikh and Simoncelli (2004): 11×11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, population covariance, the
    half window at the borders left out. For an image under 11 pixels the window shrinks to the largest odd size that fits.
    """
    side = min(11, *a.shape[:2])
    side -= 1 - side % 2
    offsets = np.arange(side) - side // 2
    window = np.exp(-0.5 * (offsets / 1.5) ** 2)
    window /= window.sum()

    height = a.shape[0] - side + 1  # of the windows' places
    rows = max(1, STRIP // (a.shape[1] * a.shape[2]))
    total = 0.0
    for top in range(0, height, rows):
        strip = slice(top, min(top + rows, height) + side - 1)
        total += _similarity(a[strip].astype(np.float64), b[strip].astype(np.float64), window).sum()
    return float(total / (height * (a.shape[1] - side + 1) * a.shape[2]))


def _similarity(x: NDArray[np.float64], y: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """SSIM at every place where the window lies inside."""
    mean_x, mean_y, xx, yy, xy = (_filtered(plane, window) for plane in (x, y, x * x, y * y, x * y))
    c1, c2 = 0.01**2, 0.03**2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    similarity: NDArray[np.float64] = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    )
    return similarity


def channel_accuracy(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Share of pixels whose brightest channel, the first on ties, is the same in both: what Keras calls "accuracy" for such a network."""
    return float(np.mean(a.argmax(axis=-1) == b.argmax(axis=-1)))


def _filtered(plane: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The H×W×C planes under a separable window, where the window lies inside them."""
    height, width = (length - len(window) + 1 for length in plane.shape[:2])
    rows: NDArray[np.float64] = sum(weight * plane[start : start + height] for start, weight in enumerate(window))
    columns: NDArray[np.float64] = sum(weight * rows[:, start : start + width] for start, weight in enumerate(window))
    return columns
