"""A large image in tiles, equal to the whole image at once; and as a stream of rows, in memory that its height does not change."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[Any]
Tile = tuple[int, int]  # rows and columns
NARROW = 256  # columns that no window need have fewer of


def padded(planes: Planes, multiple_of: int) -> Planes:
    """C×H×W planes, or N×C×H×W, mirrored at the right and lower edge to multiples of `multiple_of`: no graph pads itself."""
    low, right = (-length % multiple_of for length in planes.shape[-2:])
    return np.pad(planes, (*[(0, 0)] * (planes.ndim - 2), (0, low), (0, right)), mode="symmetric") if low or right else planes


def best_tile(height: int, width: int, halo: int, multiple_of: int, pixels: int, rows: int) -> Tile:
    """The tile with which the fewest pixels of an image are computed twice.

    A tile with its halo has at most `pixels` pixels and `rows` rows, but may have four halos a side, so 16·halo² pixels: then a tile is as
    wide as its halo adds, and what is computed is at most four times the image, however far the network sees.
    """
    margin = -(-halo // multiple_of) * multiple_of
    rows = max(rows, 4 * margin)
    pixels = max(pixels, 16 * margin**2)

    def cut(length: int, most: int) -> int:
        """The length of equal parts of at most `most`, as a multiple."""
        parts = -(-length // max(most // multiple_of * multiple_of, multiple_of))
        return -(-length // (parts * multiple_of)) * multiple_of

    def with_columns(count: int) -> Tile:
        wide = cut(width, -(-width // count) + multiple_of - 1)
        window = min(pixels // min(wide + 2 * margin, width), rows)
        return -(-height // multiple_of) * multiple_of if window >= height else cut(height, window - 2 * margin), wide

    def cost(tile: Tile) -> tuple[bool, int]:
        strips, columns = -(-height // tile[0]), -(-width // tile[1])
        window = min(tile[0] + 2 * margin, height) * min(tile[1] + 2 * margin, width)
        return window > pixels, (height + 2 * margin * (strips - 1)) * (width + 2 * margin * (columns - 1))

    return min((with_columns(count) for count in range(1, 2 + width // NARROW)), key=cost)


def tiled(run: Callable[[Planes], Planes], planes: Planes, tile: Tile, halo: int, multiple_of: int) -> Planes:
    """What `run` gives for C×H×W `planes`, padded to `multiple_of` and cropped again, computed in tiles of at most `tile`."""
    return np.concatenate(list(streamed(run, [planes], planes.shape[1], tile, halo, multiple_of)), axis=1)


def streamed(
    run: Callable[[Planes], Planes], bands: Iterable[Planes], height: int, tile: Tile, halo: int, multiple_of: int
) -> Iterator[Planes]:
    """The same as `tiled` from one band of rows to the next: `bands` are C×h×W, of any h, `height` rows in all, and so are the results.

    Each tile is run with `halo` pixels around it and cropped. Tiles and halos stand on the grid of `multiple_of`, so that strides fall
    where they do in the whole, and windows end at the image's edges, where the network pads as it does for the whole: the result is
    the same.
    """
    high, wide = (max(multiple_of, side // multiple_of * multiple_of) for side in tile)
    margin = -(-halo // multiple_of) * multiple_of
    source = iter(bands)
    held = next(source)
    first = 0  # the row of the image that `held` begins with
    for top in range(0, height, high):
        needed = min(top + high + margin, height)
        parts = [held]
        rows = first + held.shape[1]
        while rows < needed:
            parts.append(next(source))
            rows += parts[-1].shape[1]
        start = max(0, top - margin)
        # A period more is kept than the network needs: it is what the last rows are mirrored from.
        kept = max(first, start - multiple_of)
        held = np.concatenate(parts, axis=1)[:, kept - first :]
        parts.clear()
        first = kept
        window = padded(held[:, : needed - first], multiple_of)[:, start - first :]
        yield _restored(run, window, top - start, min(high, height - top), wide, margin)[..., : held.shape[2]]


def _restored(run: Callable[[Planes], Planes], window: Planes, skipped: int, rows: int, wide: int, margin: int) -> Planes:
    """The `rows` rows of the window that come after `skipped` ones, restored tile by tile from left to right."""
    width = window.shape[2]
    result = np.empty((window.shape[0], rows, width), window.dtype)
    for left in range(0, width, wide):
        x0, right = max(0, left - margin), min(left + wide, width)
        restored = run(np.ascontiguousarray(window[..., x0 : min(right + margin, width)]))
        result[..., left:right] = restored[:, skipped : skipped + rows, left - x0 : right - x0]
    return result
