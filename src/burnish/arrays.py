"""Arithmetic on arrays that every medium shares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_unit(array: NDArray[Any]) -> NDArray[np.float32]:
    """Unsigned whole numbers (uint8, uint16) on their type's whole range, or floats that are there already, as float32 on the 0–1 scale."""
    if array.dtype.kind == "u":
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    return array.astype(np.float32)
