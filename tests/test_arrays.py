"""Arithmetic that every medium shares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from burnish.arrays import centre, evenly


@given(count=st.integers(0, 300), wanted=st.integers(1, 300))
def test_even_places_cover_the_whole_range_once(count: int, wanted: int) -> None:
    places = evenly(count, wanted)
    assert len(places) == min(count, wanted) == len(set(places))
    assert all(0 <= place < count for place in places)


@given(height=st.integers(1, 40), width=st.integers(1, 40), side=st.integers(1, 50))
def test_the_centre_is_as_far_from_both_edges(height: int, width: int, side: int) -> None:
    rows, columns = (plane[..., 0] for plane in np.split(centre(np.indices((height, width)).transpose(1, 2, 0), side), 2, axis=2))
    assert rows.shape == (min(height, side), min(width, side))
    assert abs(rows[0, 0] - (height - 1 - rows[-1, -1])) <= 1
    assert abs(columns[0, 0] - (width - 1 - columns[-1, -1])) <= 1
