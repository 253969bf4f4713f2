"""Copies are what they are said to be, and no copy crosses the split."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data
from skimage.transform import rotate as reference_rotate

from burnish.training.image.augment import copies, rotate, split, symmetric


def photographs(height: int, width: int) -> NDArray[np.uint8]:
    astronaut, chelsea = data.astronaut(), data.chelsea()
    return np.stack([astronaut[:height, :width], chelsea[:height, :width]])


@pytest.mark.parametrize(("height", "width"), [(32, 32), (48, 30)])
def test_rotation_is_thirty_degrees_counter_clockwise_with_black_corners(height: int, width: int) -> None:
    images = photographs(height, width)
    turned = rotate(images)
    for image, got in zip(images, turned, strict=True):
        wanted = reference_rotate(image, 30, order=1, mode="constant", cval=0, preserve_range=True)
        inside = reference_rotate(np.ones(image.shape), 30, order=0, mode="constant")[2:-2, 2:-2] > 0
        difference = np.abs(got.astype(float) - wanted)[2:-2, 2:-2][inside]
        assert np.percentile(difference, 95) <= 1.0  # at the corners' edge the two differ in how they fade to black
        assert not got[0, 0].any()


def test_copies_are_a_third_of_each_kind_of_distinct_originals() -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 3), dtype=np.uint8)
    made, origins = copies(images, 0.3, np.random.default_rng(1))
    assert made.shape == (30, 8, 8, 3)
    assert len(set(origins.tolist())) == 30
    assert np.array_equal(made[:10], images[origins[:10], :, ::-1])
    assert np.array_equal(made[10:20], images[origins[10:20], ::-1])
    assert np.array_equal(made[20:], rotate(images[origins[20:]]))


def test_the_seeds_split_is_the_documents() -> None:
    origins = np.random.default_rng(0).permutation(50_000)[:15_000]
    training, validation = split(50_000, origins, 0.2, np.random.default_rng(1))
    assert (len(training), len(validation)) == (52_000, 13_000)
    assert (validation < 50_000).sum() == 10_000


@settings(deadline=None)
@given(st.integers(1, 300), st.floats(0, 1), st.floats(0, 0.9), st.integers(0, 99))
def test_an_image_and_its_copy_stay_on_one_side(count: int, share: float, held: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    origins = rng.permutation(count)[: round(share * count)]
    training, validation = split(count, origins, held, rng)
    assert sorted([*training, *validation]) == list(range(count + len(origins)))
    assert (validation < count).sum() == round(held * count)
    inside = set(validation.tolist())
    for index, origin in enumerate(origins):
        assert (count + index in inside) == (int(origin) in inside)


def test_the_squares_eight_symmetries_are_eight() -> None:
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    made = [symmetric(image, which) for which in range(8)]
    assert torch.equal(made[0], image)
    assert len({tuple(each.ravel().tolist()) for each in made}) == 8
    assert all(sorted(each.ravel().tolist()) == list(range(16)) for each in made)
