"""A large picture in tiles, equal to the whole picture at once; and as a stream of rows, in memory that its height does not change."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[Any]


def padded(planes: Planes, multiple_of: int) -> Planes:
    """C×H×W planes, mirrored at the right and lower edge to multiples of `multiple_of`: no graph pads itself."""
    low, right = (-length % multiple_of for length in planes.shape[1:])
    return np.pad(planes, ((0, 0), (0, low), (0, right)), mode="symmetric") if low or right else planes


def tiled(run: Callable[[Planes], Planes], planes: Planes, tile: int, halo: int, multiple_of: int) -> Planes:
    """What `run` gives for C×H×W `planes`, padded to `multiple_of` and cropped again, computed in tiles of about `tile` pixels a side."""
    return np.concatenate(list(streamed(run, [planes], planes.shape[1], tile, halo, multiple_of)), axis=1)


def streamed(
    run: Callable[[Planes], Planes], bands: Iterable[Planes], height: int, tile: int, halo: int, multiple_of: int
) -> Iterator[Planes]:
    """The same as `tiled` from one band of rows to the next: `bands` are C×h×W, of any h, `height` rows in all, and so are the results.

    Each tile is run with `halo` pixels around it and cropped. Tiles and halos stand on the grid of `multiple_of`, so that strides fall
    where they do in the whole, and windows end at the picture's edges, where the network pads as it does for the whole: the result is
    the same.
    """
    side = max(multiple_of, tile // multiple_of * multiple_of)
    margin = -(-halo // multiple_of) * multiple_of
    source = iter(bands)
    held = next(source)
    first = 0  # the row of the picture that `held` begins with
    for top in range(0, height, side):
        needed = min(top + side + margin, height)
        parts = [held]
        rows = first + held.shape[1]
        while rows < needed:
            parts.append(next(source))
            rows += parts[-1].shape[1]
        start = max(0, top - margin)
        # A period more is kept than the network needs: it is what the last rows are mirrored from.
        kept = max(first, start - multiple_of)
        held = np.concatenate(parts, axis=1)[:, kept - first :]
        first = kept
        window = padded(held[:, : needed - first], multiple_of)[:, start - first :]
        yield _restored(run, window, top - start, min(side, height - top), side, margin)[..., : held.shape[2]]


def _restored(run: Callable[[Planes], Planes], window: Planes, skipped: int, rows: int, side: int, margin: int) -> Planes:
    """The `rows` rows of the window that come after `skipped` ones, restored tile by tile from left to right."""
    width = window.shape[2]
    result = np.empty((window.shape[0], rows, width), window.dtype)
    for left in range(0, width, side):
        x0, right = max(0, left - margin), min(left + side, width)
        restored = run(np.ascontiguousarray(window[..., x0 : min(right + margin, width)]))
        result[..., left:right] = restored[:, skipped : skipped + rows, left - x0 : right - x0]
    return result
