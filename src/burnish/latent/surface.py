"""What a surface looks like around each place, in numbers: the energies of its frequencies at four scales."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from burnish.arrays import to_unit
from burnish.errors import InputError
from burnish.latent.planes import Floats, halved

STEP = 4  # pixels between two places
SIDE = 8  # of the window whose frequencies are looked at
LEVELS = 4
AREA = 1 << 18  # pixels that are looked at; larger images are shrunk
SMALLEST = 48  # pixels on each side
BANDS = ((0, 1), (1, 2), (2, 4), (4, 8))  # of frequencies, each twice the one before
FLAT, FAINT = 0.01, 0.003  # on the 0–1 scale: below them a slope or an energy is as good as none
COLOUR = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)  # Y, Cb, Cr (ITU-R BT.601)
_PLACES = np.arange(SIDE)
_COSINES = np.cos(np.pi * (2 * _PLACES + 1) * _PLACES[:, None] / (2 * SIDE)).astype(np.float32)
_COSINES *= np.asarray(np.where(_PLACES == 0, np.sqrt(1 / SIDE), np.sqrt(2 / SIDE)), np.float32)[:, None]


def prepared(picture: NDArray[np.generic], name: str, area: float = AREA) -> Floats:
    """An H×W×C picture (C of 1 or 3, uint8 or uint16) as floats on 0–1, shrunk to at most `area` pixels, but to no side below SMALLEST.

    Raises InputError for one of less than SMALLEST pixels on a side; `name` stands in the error.
    """
    height, width = picture.shape[:2]
    if min(height, width) < SMALLEST:
        raise InputError(f"{name}: has {width}×{height} pixels, too few to look for defects in; give at least {SMALLEST}×{SMALLEST}")
    values = to_unit(picture)
    scale = (area / (height * width)) ** 0.5
    if scale >= 1:
        return values
    import pyvips

    shrunk = pyvips.Image.new_from_array(np.ascontiguousarray(values), interpretation="srgb" if values.shape[2] == 3 else "b-w")
    small: Floats = shrunk.resize(max(scale, SMALLEST / min(height, width)), kernel="linear").numpy()
    return np.clip(small.reshape(*small.shape[:2], -1), 0, 1)


def described(image: Floats) -> Floats:
    """The numbers of each place, h×w×F with h and w a STEP-th of the image's; F is 61 for grey images, 121 for colour.

    `image` is H×W×C on 0–1. At each scale the window's cosine transform is summed up in bands, the way JPEG's quantisation groups it: of
    a single frequency its value, of a band the logarithm of its energy, at the coarsest scale the brightness as well.
    """
    if image.shape[2] == 1:
        return _plane(image[..., 0], 0)
    planes = image @ COLOUR.T
    return np.concatenate([_plane(planes[..., 0], 0), _plane(planes[..., 1], 2), _plane(planes[..., 2], 2)], axis=-1)


def _plane(plane: Floats, first: int) -> Floats:
    """The numbers of one plane, at the scales from `first` on."""
    height, width = plane.shape[0] // STEP, plane.shape[1] // STEP
    parts: list[Floats] = []
    for level in range(LEVELS):
        plane = halved(plane) if level else plane
        if level < first:
            continue
        stride = max(1, STEP >> level)
        windows = sliding_window_view(np.pad(plane, SIDE // 2, mode="symmetric"), (SIDE, SIDE))
        windows = windows[: plane.shape[0] : stride, : plane.shape[1] : stride]
        energies = _bands(_COSINES @ windows @ _COSINES.T, brightness=level == LEVELS - 1)
        scale = stride << level
        rows = np.minimum(np.arange(height) * STEP // scale, energies.shape[0] - 1)
        columns = np.minimum(np.arange(width) * STEP // scale, energies.shape[1] - 1)
        parts.append(energies[rows][:, columns])
    return np.concatenate(parts, axis=-1)


def _bands(transformed: Floats, *, brightness: bool) -> Floats:
    numbers = []
    for top, bottom in BANDS:
        for left, right in BANDS:
            band = transformed[..., top:bottom, left:right]
            if (top, left) == (0, 0):
                continue
            if band.shape[-2:] == (1, 1):
                value = band[..., 0, 0]
                numbers.append(np.sign(value) * np.log1p(np.abs(value) / FLAT))
            else:
                numbers.append(np.log(np.sqrt(np.square(band).mean((-2, -1))) + FAINT))
    if brightness:
        numbers.append(SIDE * np.log(0.05 + np.abs(transformed[..., 0, 0]) / SIDE))
    return np.stack(numbers, axis=-1).astype(np.float32)
