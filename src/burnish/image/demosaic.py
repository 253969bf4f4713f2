"""Bayer mosaics: what a sensor sees of a colour image, and the colours guessed again from it.

A mosaic is held as its four half-size planes, so that every neighbour of a pixel is a whole shifted plane: `sites[..., a, b, :, :]` are the
pixels of the rows a, a+2 … and the columns b, b+2 … Heights and widths are even.
"""

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

RED, GREEN, BLUE = 0, 1, 2


def mosaic(planes: Planes, phase: tuple[int, int]) -> Planes:
    """The sites, 2×2×H/2×W/2, of 3×H×W colour planes; `phase` is the row and the column, 0 or 1, of the first red pixel."""
    row, column = phase
    sites = np.empty((2, 2, planes.shape[1] // 2, planes.shape[2] // 2), np.float32)
    for a in (0, 1):
        for b in (0, 1):
            sites[a, b] = planes[_colour(a ^ row, b ^ column), a::2, b::2]
    return sites


def demosaic(sites: Planes, phase: tuple[int, int], correction: float) -> Planes:
    """The colour planes, N×3×H×W, of N×2×2×H/2×W/2 sites; edges are reflected about the last pixel, so that the mosaic goes on.

    A missing colour is the mean of its nearest samples, bilinearly, plus `correction` times what the sampled colour's Laplacian tells:
    0 is bilinear, 1 is Malvar, He and Cutler (2004), "High-quality linear interpolation for demosaicing of Bayer-patterned color images".
    """
    count, _, _, half_height, half_width = sites.shape
    padded = _padded(sites)
    planes = np.empty((count, 3, 2 * half_height, 2 * half_width), np.float32)
    row, column = phase

    def at(y: int, x: int) -> Planes:
        """The pixels at row offset y and column offset x from all sites of parity 0, 0."""
        top, left = 1 + y // 2, 1 + x // 2
        near: Planes = padded[:, y % 2, x % 2, top : top + half_height, left : left + half_width]
        return near

    for a in (0, 1):
        for b in (0, 1):
            here = at(a, b)
            beside = at(a, b - 1) + at(a, b + 1)
            above = at(a - 1, b) + at(a + 1, b)
            diagonal = at(a - 1, b - 1) + at(a - 1, b + 1) + at(a + 1, b - 1) + at(a + 1, b + 1)
            far_beside = at(a, b - 2) + at(a, b + 2)
            far_above = at(a - 2, b) + at(a + 2, b)
            out = planes[:, :, a::2, b::2]
            colour = _colour(a ^ row, b ^ column)
            out[:, colour] = here
            if colour == GREEN:
                common = np.float32(0.625 * correction) * here - np.float32(0.125 * correction) * diagonal
                for other, near, along, across in (
                    (RED if a == row else BLUE, beside, far_beside, far_above),
                    (BLUE if a == row else RED, above, far_above, far_beside),
                ):
                    guess = np.float32(0.5) * near + common
                    if correction:
                        guess += np.float32(0.0625 * correction) * (across - 2 * along)
                    out[:, other] = guess
            else:
                laplacian = here - np.float32(0.25) * (far_beside + far_above)
                out[:, GREEN] = np.float32(0.25) * (beside + above) + np.float32(0.5 * correction) * laplacian
                out[:, BLUE - colour] = np.float32(0.25) * diagonal + np.float32(0.75 * correction) * laplacian
    return planes


def _colour(row: int, column: int) -> int:
    """Red at 0, 0; blue at 1, 1; green at the other two."""
    return row + column


def _padded(sites: Planes) -> Planes:
    """The sites with one more on every side, reflected in the full mosaic about its last pixel (d c b | a b c d)."""
    padded = np.empty((*sites.shape[:3], sites.shape[3] + 2, sites.shape[4] + 2), np.float32)
    padded[..., 1:-1, 1:-1] = sites
    # Full rows -2 and -1 are rows 2 and 1; rows H and H+1 are rows H-2 and H-3. Of parity 0: -2 and H, of parity 1: -1 and H+1.
    for parity in (0, 1):
        rows = padded[:, parity]
        rows[..., 0, :], rows[..., -1, :] = rows[..., 2 - parity, :], rows[..., -2 - parity, :]
    for parity in (0, 1):
        columns = padded[:, :, parity]
        columns[..., 0], columns[..., -1] = columns[..., 2 - parity], columns[..., -2 - parity]
    return padded
