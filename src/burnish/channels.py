"""A picture's channels as the planes a model takes, and back: grey through a colour model, colour through a grey one, alpha past it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """Which channels go together into the model, one group for each time it runs; channels in no group pass by untouched.

    `inverted`: the channels are inks, which a model of light sees the other way round.
    """

    groups: tuple[tuple[int, ...], ...]
    inverted: bool = False

    def planes(self, picture: Floats) -> Floats:
        """H×W×B on 0–1 as (G·C)×H×W."""
        chosen = picture[..., [channel for group in self.groups for channel in group]]
        planes = np.ascontiguousarray(chosen.transpose(2, 0, 1), np.float32)
        return 1 - planes if self.inverted else planes

    def picture(self, planes: Floats, before: Floats) -> Floats:
        """(G·C)×H×W planes as the H×W×B picture that was `before`; a channel that went in several times comes out as the mean."""
        result = before.copy()
        sources = [channel for group in self.groups for channel in group]
        for channel in set(sources):
            own = [plane for plane, source in zip(planes, sources, strict=True) if source == channel]
            result[..., channel] = np.mean(own, axis=0) if len(own) > 1 else own[0]
            if self.inverted:
                result[..., channel] = 1 - result[..., channel]
        return result


def layout(bands: int, taken: int, *, alpha: bool, inks: bool = False) -> Layout | None:
    """How `bands` channels, the last one `alpha` or not, go through a model that takes `taken`; None when they cannot."""
    colours = bands - alpha
    if colours == taken:
        return Layout((tuple(range(colours)),), inks)
    if colours == 1:
        return Layout(((0,) * taken,))
    if taken == 1:
        return Layout(tuple((channel,) for channel in range(colours)), inks)
    if taken == 3 and colours == 4 and inks:
        return Layout(((0, 1, 2), (3, 3, 3)), True)
    return None


def unit(array: NDArray[Any], low: float, high: float) -> Floats:
    """Values on `low` to `high` as float32 on 0–1."""
    if array.dtype.kind == "u" and low == 0:
        return array.astype(np.float32) / np.float32(high)
    return ((array.astype(np.float64) - low) / (high - low)).astype(np.float32)


def stored(values: Floats, low: float, high: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The inverse of `unit`: whole numbers are rounded and kept within their type, floats are what they are."""
    if dtype.kind == "u":
        whole: NDArray[Any] = np.clip(np.rint(values * np.float32(high - low) + np.float32(low)), 0, np.iinfo(dtype).max)
        return whole.astype(dtype)
    scaled: NDArray[Any] = values.astype(np.float64) * (high - low) + low
    return scaled.astype(dtype)
