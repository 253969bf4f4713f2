"""Channels go through a model in the groups they should, and come back where they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.image import channels


@pytest.mark.parametrize(
    ("bands", "taken", "alpha", "inks", "groups"),
    [
        (3, 3, False, False, ((0, 1, 2),)),
        (4, 3, True, False, ((0, 1, 2),)),
        (1, 3, False, False, ((0, 0, 0),)),
        (2, 3, True, False, ((0, 0, 0),)),
        (3, 1, False, False, ((0,), (1,), (2,))),
        (4, 3, False, True, ((0, 1, 2), (3, 3, 3))),
        (5, 3, True, True, ((0, 1, 2), (3, 3, 3))),
        (4, 4, False, False, ((0, 1, 2, 3),)),
        (4, 3, False, False, None),
        (5, 3, False, False, None),
    ],
)
def test_groups(bands: int, taken: int, alpha: bool, inks: bool, groups: tuple[tuple[int, ...], ...] | None) -> None:
    layout = channels.layout(bands, taken, alpha=alpha, inks=inks)
    assert (layout.groups if layout else None) == groups
    if layout:
        picture = np.random.default_rng(0).integers(0, 255, (5, 4, bands), np.uint8)
        planes = layout.planes(picture)
        assert planes.shape == (len(layout.groups) * taken + alpha, 5, 4)
        np.testing.assert_array_equal(layout.picture(planes, picture), picture)


def test_a_channel_that_went_in_three_times_comes_out_as_the_mean() -> None:
    layout = channels.layout(1, 3, alpha=False)
    assert layout
    before = np.zeros((1, 1, 1), np.uint8)
    assert layout.picture(np.array([10, 20, 33], np.uint8).reshape(3, 1, 1), before)[0, 0, 0] == 21


@given(st.sampled_from([255.0, 1023.0, 4095.0, 65535.0]), st.integers(0, 2**32 - 1))
def test_whole_numbers_come_back_exactly(high: float, seed: int) -> None:
    dtype = np.dtype(np.uint8 if high < 256 else np.uint16)
    values = np.random.default_rng(seed).integers(0, int(high) + 1, (7, 5)).astype(dtype)
    np.testing.assert_array_equal(channels.stored(channels.unit(values, 0, high), 0, high, dtype), values)


@given(st.floats(-1e4, 1e4), st.floats(0.1, 1e4), st.integers(0, 2**32 - 1))
def test_floats_beyond_the_unit_come_back(low: float, width: float, seed: int) -> None:
    values = (np.random.default_rng(seed).random((7, 5)) * width + low).astype(np.float32)
    back = channels.stored(channels.unit(values, low, low + width), low, low + width, values.dtype)
    np.testing.assert_allclose(back, values, atol=width * 1e-6 + abs(low) * 1e-6)


def test_hidden_colours_are_taken_from_what_is_seen_near_by() -> None:
    colours = np.full((3, 40, 60), 0.7, np.float32)
    alpha = np.ones((40, 60), np.float32)
    alpha[:, 30:] = 0
    colours[:, :, 30:] = 0
    result = channels.filled(colours, alpha <= 0)
    np.testing.assert_allclose(result[:, :, : 30 + channels.FILL_REACH], 0.7, atol=1e-6)
    assert (result[:, :, 30 + channels.FILL_REACH :] == 0).all()
    assert (colours[:, :, 30:] == 0).all(), "the input must stay as it was"


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_all_hidden_or_all_seen_is_left_alone(alpha: float) -> None:
    colours = np.random.default_rng(0).random((3, 8, 9), np.float32)
    np.testing.assert_array_equal(channels.filled(colours, np.full((8, 9), alpha <= 0)), colours)
