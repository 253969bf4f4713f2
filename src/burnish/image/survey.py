"""The first reading of a photo: is it whole, what are its black and white, and what do parts of it look like."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import evenly
from burnish.errors import InputError
from burnish.image import channels, headers
from burnish.image.channels import Layout
from burnish.image.files import Photo

Range = tuple[float, float]
Rows = NDArray[Any]  # h×w×B, as stored

SAMPLES, SAMPLE_SIDE = 24, 256  # what is looked at of a large image to tell its noise and blur
HELD = 1 << 22  # bytes of pixels up to which a photo is held in memory from its first reading on
DEPTHS = (10, 12, 14, 16)  # bits that cameras and microscopes put into 16


@dataclass(frozen=True)
class Survey:
    """A photo, how its channels go through the model, and what the first reading told: `span`, its black and white; `samples`, parts of it
    as stored, spread evenly; `pixels`, all of it where that is little."""

    photo: Photo
    layout: Layout
    span: Range
    samples: list[Rows]
    pixels: Rows | None

    def rows(self) -> Iterator[Rows]:
        """All rows, from memory or once more from the file."""
        return self.photo.rows() if self.pixels is None else iter([self.pixels])

    def unit(self, rows: Rows) -> channels.Floats:
        """The colours of some rows, or part of them, on 0–1; 0 where there is no data."""
        return channels.unit(self.layout.cleared(rows, self.span[0])[..., self.layout.colours], *self.span)

    def visible(self, *parts: Rows) -> list[channels.Floats]:
        """The same part of several images as `unit` has it; 0 also where the first one's transparency hides it."""
        values = [self.unit(each) for each in parts]
        if self.layout.hides:
            hidden = self.layout.hidden(self.layout.planes(parts[0]))
            for each in values:
                each[hidden] = 0
        return values

    def shown(self) -> list[channels.Floats]:
        """The samples as they are seen, h×w×C on 0–1: inks as light, NaN where transparency hides them
        or there is no data."""
        seen = []
        for sample in self.samples:
            values = self.unit(sample)
            if self.layout.hides:
                values[self.layout.hidden(self.layout.planes(sample))] = np.nan
            seen.append(1 - values if self.layout.inverted else values)
        return seen


def surveyed(photo: Photo, layout: Layout, value_range: Range | None, alive: Callable[[], None]) -> Survey:
    """The survey of a photo. Reads the file to its end, so that a broken one fails here; `alive` is called as it goes on.

    `value_range` is what counts as black and white, told from the data when None; 8 bits always have 0 and 255. Raises InputError for a
    file that breaks off, or that holds floats which are no numbers.
    """
    told = (0.0, 255.0) if photo.dtype == np.uint8 else value_range
    kept: dict[tuple[int, int], list[Rows]] = {place: [] for place in _places(photo)}
    held: list[Rows] | None = [] if photo.pixels * photo.bands * photo.dtype.itemsize <= HELD else None
    low, high, top = np.inf, -np.inf, 0
    for rows in photo.rows():
        alive()
        values = rows[..., layout.colours]
        if layout.nodata is not None:
            values = values[~layout.hidden(layout.planes(rows))]
        if told is None and values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
        if photo.dtype.kind == "f" and not np.isfinite(values).all():
            raise InputError(f"{photo.path}: holds values that are no numbers (NaN or infinite); replace them first")
        if held is not None:
            held.append(rows)
        for (y, x), parts in kept.items() if held is None else ():
            first, last = max(y, top), min(y + SAMPLE_SIDE, _page_end(y, photo), top + len(rows))
            if first < last:
                parts.append(rows[first - top : last - top, x : x + SAMPLE_SIDE].copy())
        top += len(rows)
    span = told or (_range(photo, low, high) if low <= high else (0.0, 1.0))  # the second where no pixel holds data
    if held is None:
        return Survey(photo, layout, span, [np.concatenate(parts) for parts in kept.values()], None)
    pixels = held[0] if len(held) == 1 else np.concatenate(held)
    ends = [(y, x, min(y + SAMPLE_SIDE, _page_end(y, photo)), x + SAMPLE_SIDE) for y, x in kept]
    return Survey(photo, layout, span, [pixels[y:bottom, x:right] for y, x, bottom, right in ends], pixels)


def _places(photo: Photo) -> list[tuple[int, int]]:
    """Where samples are taken: evenly, each within a page, on the grid of JPEG's blocks where the pages are."""
    every = [
        (page * photo.height + y, x)
        for page in range(photo.pages)
        for y in range(0, max(1, photo.height - SAMPLE_SIDE // 2), SAMPLE_SIDE)
        for x in range(0, max(1, photo.width - SAMPLE_SIDE // 2), SAMPLE_SIDE)
    ]
    return [every[place] for place in evenly(len(every), SAMPLES)]


def _page_end(y: int, photo: Photo) -> int:
    return (y // photo.height + 1) * photo.height


def _range(photo: Photo, low: float, high: float) -> Range:
    """Black and white in a photo of more than 8 bits, told from the type, the tags and the data."""
    if photo.dtype.kind == "f":
        return (low, high) if low < high and not (low >= 0 and high <= 1) else (min(0.0, low), max(1.0, high))
    tagged = headers.tiff_packing(photo.path).top if photo.format == "tiff" else None
    if tagged and high <= tagged:
        return 0.0, float(tagged)
    if photo.format != "tiff":  # PNG and AVIF say in the file what they hold, and are scaled to 16 bits
        return 0.0, 65535.0
    return 0.0, next(2.0**bits - 1 for bits in DEPTHS if high < 2**bits)
