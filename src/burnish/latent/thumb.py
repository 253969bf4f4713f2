"""Placeholders of 24 to 400 bytes: a picture of 32×32 pixels and the shape that it is shown in.

The picture is split into brightness and two colour differences (JFIF's YCbCr), each under one cosine transform of 32×32. The coefficients
are rounded to a step that the bytes allow, each time the one of three values that costs least for what it brings, and written by a range
coder. Its probabilities, learnt from photographs, follow from where a coefficient stands, how fine the step is, and which of its
neighbours are zero. All that decides how bytes are read is whole numbers. docs/latent.md gives the format, web/thumb.js reads it too.
"""

import base64
import functools
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.latent.rangecoder import Decoder, Encoder

SIDE = 32
STEPS = 32  # how fine the coefficients may be rounded, each a quarter of an octave finer than the one before
COARSEST = 4.0
SMALLEST, LARGEST = 12, 1000  # bytes
SHAPES = (  # width by height
    *((1, 1), (9, 8), (6, 5), (5, 4), (4, 3), (7, 5), (3, 2), (8, 5), (5, 3), (16, 9), (2, 1), (9, 4), (5, 2), (3, 1), (4, 1), (6, 1)),
    *((8, 9), (5, 6), (4, 5), (3, 4), (5, 7), (2, 3), (5, 8), (3, 5), (9, 16), (1, 2), (4, 9), (2, 5), (1, 3), (1, 4), (1, 6), (1, 8)),
)
NEIGHBOURS = 3  # how many of them are not zero: none, some, more
NOTICE, REACH = 0.3, 0.2  # how the smoother is told the step, and how far it goes beside it
PRICES = (0.05, 0.07, 0.1, 0.14, 0.2)  # of a bit, in squared steps
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
FROM_YCC = np.linalg.inv(TO_YCC)
WEIGHTS = np.sqrt(np.square(FROM_YCC).sum(0))  # how far a change of each plane moves red, green and blue
TABLES = Path(__file__).parent / "thumb.json"
_n = np.arange(SIDE)
COSINES = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * _n + 1) * _n[:, None] / (2 * SIDE))
COSINES[0] /= np.sqrt(2)


@dataclass(frozen=True)
class Tables:
    """What was learnt: `scales` (3 × 44 × 2), how large coefficients are, in quarter octaves, by plane, distance from the corner and
    whether they lie on its axes; `zero`, `one` and `more`: probabilities that a coefficient ends at 0, 1 or a greater value, by how large
    it is beside the step, and by its neighbours; `lowest`: below that, a coefficient is always 0; `short`: by how much values of
    magnitude 1 and more are drawn towards zero, in 16ths of a step; `smoother`: the layers of a small network that takes rings away."""

    scales: list[list[list[int]]]
    zero: list[list[int]]
    one: list[list[int]]
    more: list[list[int]]
    lowest: int
    short: list[int]
    smoother: list[dict[str, Any]] = field(default_factory=list)

    @staticmethod
    @functools.cache
    def shipped() -> "Tables":
        """The tables that come with Burnish."""
        return Tables(**json.loads(TABLES.read_text("utf-8")))

    @functools.cached_property
    def order(self) -> list[tuple[int, int, int, int]]:
        """The coefficients as (scale, plane, row, column), those that are largest first."""
        every = [
            (self.scales[plane][math.isqrt(v * v + u * u)][int(u == 0 or v == 0)], plane, v, u)
            for plane in range(3)
            for v in range(SIDE)
            for u in range(SIDE)
        ]
        return sorted(every, key=lambda each: (-each[0], *each[1:]))

    @functools.cached_property
    def costs(self) -> list[list[tuple[float, float, float, float]]]:
        """For each level and number of neighbours: the bits of 0, of 1, of 2, and of each one more."""
        bits = [0.0] + [-math.log2(count / 256) for count in range(1, 257)]
        return [
            [
                (bits[z], bits[256 - z] + bits[o] + 1, bits[256 - z] + bits[256 - o] + bits[m] + 1, bits[256 - m])
                for z, o, m in zip(*row, strict=True)
            ]
            for row in zip(self.zero, self.one, self.more, strict=True)
        ]

    @functools.cached_property
    def layers(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64], int]]:
        """The smoother's layers: weights (outputs × inputs × 3 × 3), biases and dilation of each."""
        found = []
        for layer in self.smoother:
            weights = np.frombuffer(base64.b64decode(layer["weights"]), np.int8) * layer["scale"]
            found.append((weights.reshape(len(layer["biases"]), -1, 3, 3), np.array(layer["biases"]), int(layer["dilation"])))
        return found

    def coded(self, step: int) -> list[tuple[int, int]]:
        """The coefficients that are not always 0 at a step: (place in the flat 3×32×32, level)."""
        top = len(self.zero) - 1
        return [
            ((plane * SIDE + v) * SIDE + u, min(top, scale + step - self.lowest))
            for scale, plane, v, u in self.order
            if scale + step >= self.lowest
        ]


def encoded(picture: NDArray[np.uint8], size: int, tables: Tables | None = None, shape: tuple[int, int] | None = None) -> bytes:
    """An H×W×3 picture in at most `size` bytes; `shape` is its height and width where `picture` itself has been squeezed.

    Raises InputError for a size beyond SMALLEST to LARGEST.
    """
    check_size(size)
    tables = tables or Tables.shipped()
    height, width = shape or picture.shape[:2]
    small = picture if picture.shape[:2] == (SIDE, SIDE) else squeezed(picture)
    values = transformed(small)
    best: tuple[float, bytes] | None = None
    for price in PRICES:
        low, high = 0, STEPS - 1
        while low <= high:  # the finest step that fits
            step = (low + high) // 2
            levels, error = rounded(values, step, price, tables, 8 * size + 16)
            data = _written(levels, step, nearest_shape(height, width), tables) if levels is not None else None
            if data is None or len(data) > size:
                high = step - 1
                continue
            if best is None or error < best[0]:
                best = error, data
            low = step + 1
    if best is None:
        best = 0.0, _written({}, 0, nearest_shape(height, width), tables)
    return best[1]


def decoded(data: bytes, tables: Tables | None = None) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The 32×32×3 picture in `data`, and the width and height that it is shown in, as a ratio of small whole numbers.

    Any bytes decode to some picture. Raises InputError for none at all.
    """
    if not data:
        raise InputError("a placeholder has at least one byte; this one is empty")
    tables = tables or Tables.shipped()
    decoder = Decoder(data)
    step, shape = decoder.get_number(5), decoder.get_number(5)
    levels: dict[int, int] = {}
    for place, level in tables.coded(step):
        near = neighbours(levels, place)
        if not decoder.get(tables.zero[level][near]):
            continue
        size = 1
        if decoder.get(tables.one[level][near]):
            size = 2
            while size < 1 << 12 and decoder.get(tables.more[level][near]):
                size += 1
        levels[place] = -size if decoder.get(128) else size
    return picture_of(levels, step, tables), SHAPES[shape]


def check_size(size: int) -> None:
    """Raises InputError for a number of bytes that no placeholder can have."""
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"{size} bytes: a placeholder has {SMALLEST} to {LARGEST}; 24 is what web pages use")


def nearest_shape(height: int, width: int) -> int:
    """Which of SHAPES is nearest to an image's."""
    return min(range(len(SHAPES)), key=lambda place: abs(math.log(SHAPES[place][0] * height / (SHAPES[place][1] * width))))


def squeezed(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """An H×W×3 picture of 8 bits at 32×32."""
    import pyvips

    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture), interpretation="srgb")
    small = image.resize(SIDE / image.width, vscale=SIDE / image.height, kernel="lanczos3").numpy()
    result: NDArray[np.uint8] = small[:SIDE, :SIDE]
    return result


def transformed(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The 3×32×32 coefficients of a 32×32×3 picture, each plane weighed by how far it moves the colours."""
    planes = (picture / 255.0) @ TO_YCC.T
    planes[..., 0] -= 0.5
    result: NDArray[np.float64] = COSINES @ (planes * WEIGHTS).transpose(2, 0, 1) @ COSINES.T
    return result


def picture_of(levels: dict[int, int], step: int, tables: Tables) -> NDArray[np.uint8]:
    """The 32×32×3 picture of rounded coefficients."""
    colours = smoothed(colours_of(levels, step, tables), step, tables).transpose(1, 2, 0)
    return np.floor(np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)


def colours_of(levels: dict[int, int], step: int, tables: Tables) -> NDArray[np.float64]:
    """Red, green and blue of rounded coefficients, 3×32×32, before the smoother and not clipped."""
    values = np.zeros(3 * SIDE * SIDE)
    for place, level in levels.items():
        size = abs(level)
        values[place] = math.copysign((size - tables.short[min(size, 2) - 1] / 16) * step_size(step), level)
    planes = COSINES.T @ values.reshape(3, SIDE, SIDE) @ COSINES / WEIGHTS[:, None, None]
    planes[0] += 0.5
    colours: NDArray[np.float64] = np.tensordot(FROM_YCC, planes, 1)
    return colours


def smoothed(colours: NDArray[np.float64], step: int, tables: Tables) -> NDArray[np.float64]:
    """A decoded 3×32×32 picture with the rings taken away that rounding leaves: what the small network says, times the step."""
    if not tables.layers:
        return colours
    x = np.concatenate([colours - 0.5, np.full((1, SIDE, SIDE), NOTICE * math.log(step_size(step)))])
    for place, (weights, biases, dilation) in enumerate(tables.layers):
        padded = np.pad(x, ((0, 0), (dilation, dilation), (dilation, dilation)))
        total = np.repeat(biases, SIDE * SIDE).reshape(len(biases), SIDE, SIDE)
        for row in range(3):
            for column in range(3):
                part = padded[:, row * dilation : row * dilation + SIDE, column * dilation : column * dilation + SIDE]
                total += np.tensordot(weights[:, :, row, column], part, 1)
        x = np.maximum(total, 0) if place < len(tables.layers) - 1 else total
    return colours + x * (REACH * step_size(step))


def step_size(step: int) -> float:
    """What a step is on the coefficients' scale."""
    return float(COARSEST * 2 ** (-step / 4))


def neighbours(levels: dict[int, int], place: int) -> int:
    """0, 1 or 2 for how many of the coefficients above and to the left of a place, and of the one in the plane before, are not zero, where
    values of 2 and more count twice."""
    column, row = place % SIDE, place // SIDE % SIDE
    found = 0
    if column:
        found += min(2, abs(levels.get(place - 1, 0)))
    if row:
        found += min(2, abs(levels.get(place - SIDE, 0)))
    if place >= SIDE * SIDE:
        found += min(2, abs(levels.get(place - SIDE * SIDE, 0)))
    return min(2, found)


def rounded(values: NDArray[np.float64], step: int, price: float, tables: Tables, most: float) -> tuple[dict[int, int] | None, float]:
    """The coefficients in steps, each rounded to what costs least, and the squared error; None where more than `most` bits are needed."""
    flat, width = np.abs(values).ravel() / step_size(step), step_size(step)
    negative = values.ravel() < 0
    levels: dict[int, int] = {}
    bits, saved = 0.0, 0.0
    for place, level in tables.coded(step):
        value = float(flat[place])
        near = neighbours(levels, place)
        zero, one, two, each = tables.costs[level][near]
        if value < 0.45:  # nothing but 0 pays
            bits += zero
            continue
        below = int(value)
        best, chosen, spent = value * value + price * zero, 0, zero
        for size in (below, below + 1):
            if size == 0:
                continue
            cost = one if size == 1 else two + (size - 2) * each
            error = (value - size + tables.short[min(size, 2) - 1] / 16) ** 2 + price * cost
            if error < best:
                best, chosen, spent = error, size, cost
        bits += spent
        if chosen:
            levels[place] = -chosen if negative[place] else chosen
            saved += value * value - (value - chosen + tables.short[min(chosen, 2) - 1] / 16) ** 2
        if bits > most:
            return None, 0.0
    return levels, float(np.square(flat).sum() - saved) * width**2


def _written(levels: dict[int, int], step: int, shape: int, tables: Tables) -> bytes:
    encoder = Encoder()
    encoder.put_number(step, 5)
    encoder.put_number(shape, 5)
    known: dict[int, int] = {}
    for place, level in tables.coded(step):
        value, near = levels.get(place, 0), neighbours(known, place)
        encoder.put(int(value != 0), tables.zero[level][near])
        if not value:
            continue
        size = abs(value)
        encoder.put(int(size > 1), tables.one[level][near])
        for count in range(2, size + 1) if size > 1 else ():
            encoder.put(int(count < size), tables.more[level][near])
        encoder.put(int(value < 0), 128)
        known[place] = value
    return encoder.finish()
