"""Arithmetic on arrays that every medium shares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_unit(array: NDArray[Any]) -> NDArray[np.float32]:
    """Unsigned whole numbers (uint8, uint16) on their type's whole range, or floats that are there already, as float32 on the 0–1 scale."""
    if array.dtype.kind == "u":
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    return array.astype(np.float32, copy=False)


def evenly(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` places, evenly spread from the first to the last: sets are often sorted, and their head is no sample."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).astype(int)).tolist() if count else []


def centre(image: NDArray[Any], side: int) -> NDArray[Any]:
    """The middle of an H×W or H×W×C image, at most `side` pixels square."""
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    return image[top : top + side, left : left + side]
