"""What small blocks of an image show: their means, and the noise in them."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Float = TypeVar("Float", bound=np.floating[Any])


def block_means(image: NDArray[np.floating[Any]], side: int) -> NDArray[np.float64]:
    """The mean of each block of `side`×`side` pixels of an H×W or H×W×C image, in each channel.

    What is left at an end is a block of its own if it is more than half of one, and else part of the last.
    """
    sums = image.astype(np.float64)
    counts = []
    for axis in (0, 1):
        length = image.shape[axis]
        starts = np.arange(0, max(1, length - side // 2), side)
        sums = np.add.reduceat(sums, starts, axis=axis)
        counts.append(np.full(len(starts), side))
        counts[-1][-1] = length - starts[-1]
    means: NDArray[np.float64] = sums / np.multiply.outer(*counts).reshape(sums.shape[:2] + (1,) * (image.ndim - 2))
    return means


def noise_response(image: NDArray[Float], step: int = 1) -> NDArray[Float]:
    """The image under the operator of Immerkær ("Fast noise variance estimation", 1996), H×W to (H − 2·step)×(W − 2·step), channels alike.

    The difference of two Laplacians, `step` pixels apart, over 6: of a plane it leaves nothing, of noise that is independent between the
    pixels that it compares, noise of the same variance.
    """
    rows = image[: -2 * step] - 2 * image[step:-step] + image[2 * step :]
    response: NDArray[Float] = (rows[:, : -2 * step] - 2 * rows[:, step:-step] + rows[:, 2 * step :]) / 6
    return response
