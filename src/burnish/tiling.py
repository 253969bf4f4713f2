"""A large picture in tiles, equal to the whole picture at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]


def tiled(run: Callable[[Planes], Planes], planes: Planes, tile: int, halo: int, multiple_of: int) -> Planes:
    """What `run` gives for C×H×W `planes` (H and W multiples of `multiple_of`), computed in tiles of about `tile` pixels a side.

    Each tile is run with `halo` pixels around it and cropped. Tiles and halos stand on the grid of `multiple_of`, so that strides fall
    where they do in the whole, and windows end at the picture's edges, where the network pads as it does for the whole: the result is
    the same.
    """
    height, width = planes.shape[1:]
    side = max(multiple_of, tile // multiple_of * multiple_of)
    margin = -(-halo // multiple_of) * multiple_of
    result = np.empty_like(planes)
    for top in range(0, height, side):
        for left in range(0, width, side):
            bottom, right = min(top + side, height), min(left + side, width)
            y0, x0 = max(0, top - margin), max(0, left - margin)
            window = planes[:, y0 : min(bottom + margin, height), x0 : min(right + margin, width)]
            restored = run(np.ascontiguousarray(window))
            result[:, top:bottom, left:right] = restored[:, top - y0 : bottom - y0, left - x0 : right - x0]
    return result
