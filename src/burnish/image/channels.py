"""An image's channels as the planes a model takes, and back: grey through a colour model, colour through a grey one, alpha past it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FILL_REACH = 16  # pixels


@dataclass(frozen=True)
class Layout:
    """Which channels go together into the model, one group for each time it runs; channels in no group pass by untouched.

    `inverted`: the channels are inks, which a model of light sees the other way round. `alpha`: the last channel, in no group, is
    transparency, which goes along as the last plane, so that hidden colours can be kept out of what is seen. `nodata`: the value that
    stands where nothing was measured, NaN too; pixels with it in a channel are kept out likewise.
    """

    groups: tuple[tuple[int, ...], ...]
    inverted: bool = False
    alpha: bool = False
    nodata: float | None = None

    @property
    def hides(self) -> bool:
        """Whether some pixels may have values that do not show."""
        return self.alpha or self.nodata is not None

    @property
    def colours(self) -> list[int]:
        """The channels that are in groups."""
        return sorted({channel for group in self.groups for channel in group})

    def hidden(self, planes: NDArray[Any]) -> NDArray[np.bool_]:
        """H×W: where the values of C×H×W planes, as `planes` gives them, do not show."""
        mask: NDArray[np.bool_] = planes[-1] <= 0 if self.alpha else np.zeros(planes.shape[1:], bool)
        return mask if self.nodata is None else mask | self._empty(planes[:-1] if self.alpha else planes).any(axis=0)

    def cleared(self, planes: NDArray[Any], value: float) -> NDArray[Any]:
        """The planes, or an image's rows, with `value` where they hold none."""
        return planes if self.nodata is None else np.where(self._empty(planes), planes.dtype.type(value), planes)

    def _empty(self, planes: NDArray[Any]) -> NDArray[np.bool_]:
        empty: NDArray[np.bool_] = np.isnan(planes) if np.isnan(self.nodata or 0.0) else planes == planes.dtype.type(self.nodata)
        return empty

    def planes(self, picture: NDArray[Any]) -> NDArray[Any]:
        """H×W×B as (G·C)×H×W, and one more for alpha; values as they are. Of a batch, N×H×W×B, N×(G·C)×H×W."""
        chosen = [channel for group in self.groups for channel in group] + [picture.shape[-1] - 1] * self.alpha
        values = picture if chosen == list(range(picture.shape[-1])) else picture[..., chosen]
        return np.ascontiguousarray(np.moveaxis(values, -1, -3))

    def picture(self, planes: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
        """The planes as the H×W×B image that was `before`; a channel that went in several times comes out as the mean."""
        result = before.copy()
        sources = [channel for group in self.groups for channel in group]
        for channel in set(sources):
            own = [plane for plane, source in zip(planes[: len(sources)], sources, strict=True) if source == channel]
            result[..., channel] = own[0] if len(own) == 1 else _mean(own, before.dtype)
        return result


def _mean(planes: list[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    mean = np.mean(planes, axis=0, dtype=np.float64)
    return (np.rint(mean) if dtype.kind == "u" else mean).astype(dtype)


def layout(bands: int, taken: int, *, alpha: bool, inks: bool = False, extra: int = 0) -> Layout | None:
    """How `bands` channels, the last one `alpha` or not, go through a model that takes `taken`; None when they cannot.

    `extra` channels behind the colours are neither colours nor transparency, and pass by.
    """
    colours = bands - alpha - extra
    if colours == taken:
        return Layout((tuple(range(colours)),), inks, alpha)
    if colours == 1:
        return Layout(((0,) * taken,), False, alpha)
    if taken == 1:
        return Layout(tuple((channel,) for channel in range(colours)), inks, alpha)
    if taken == 3 and colours == 4 and inks:
        return Layout(((0, 1, 2), (3, 3, 3)), True, alpha)
    return None


def filled(colours: Floats, hidden: NDArray[np.bool_]) -> Floats:
    """C×H×W colours on 0–1, where H×W `hidden` replaced by those of the visible pixels near by, of up to `FILL_REACH` pixels away.

    What is hidden is often black, or rubbish, and a network would draw it into the edges of what is seen. Farther from them it is only
    brought onto 0–1.
    """
    if not hidden.any():
        return colours
    result = colours.copy()
    result[:, hidden] = np.clip(colours[:, hidden], 0, 1)
    if hidden.all():
        return result
    taps = np.exp(-0.5 * (np.arange(-FILL_REACH, FILL_REACH + 1) / (FILL_REACH / 5)) ** 2).astype(np.float32)
    seen = np.concatenate([np.where(hidden, 0, colours), ~hidden[None]]).astype(np.float32)
    for axis in (1, 2):
        seen = _spread(seen, taps, axis)
    known = hidden & (seen[-1] > 0)
    result[:, known] = seen[:-1, known] / seen[-1, known]
    return result


def _spread(planes: Floats, taps: Floats, axis: int) -> Floats:
    """The planes under a kernel along one axis, nothing coming in from outside."""
    result = np.zeros_like(planes)
    length = planes.shape[axis]
    moved, out = np.moveaxis(planes, axis, 0), np.moveaxis(result, axis, 0)
    for offset, weight in zip(range(-FILL_REACH, FILL_REACH + 1), taps, strict=True):
        low, high = max(0, offset), min(length, length + offset)
        if low < high:
            out[low - offset : high - offset] += weight * moved[low:high]
    return result


def unit(array: NDArray[Any], low: float, high: float) -> Floats:
    """Values on `low` to `high` as float32 on 0–1."""
    if array.dtype.kind == "u" and low == 0:
        scaled: Floats = np.divide(array, np.float32(high), dtype=np.float32)
        return scaled
    return ((array.astype(np.float64) - low) / (high - low)).astype(np.float32)


def stored(values: Floats, low: float, high: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The inverse of `unit`: whole numbers are rounded and kept within their type, floats are what they are."""
    if dtype.kind == "u":
        whole: NDArray[Any] = values * np.float32(high - low)
        whole += np.float32(low)
        np.rint(whole, out=whole)
        return np.clip(whole, 0, np.iinfo(dtype).max, out=whole).astype(dtype)
    scaled: NDArray[Any] = values.astype(np.float64) * (high - low) + low
    return scaled.astype(dtype)
