"""Noise is told from what left the flat areas, JPEG's traces from its blocks, a pattern from what repeats itself."""

import gallery
import numpy as np
import pytest
from gallery import looked, spoilt
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from burnish.image.taken import Look, Taken

PHOTOGRAPHS = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]


def taken(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Taken:
    """What was taken away between the two."""
    return looked(before, after).taken()


def coded(original: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The image as JPEG."""
    pixels: NDArray[np.uint8] = gallery.pyvips.Image.new_from_buffer(gallery.image(original).jpegsave_buffer(Q=quality), "").numpy()
    return pixels


@pytest.mark.parametrize("sigma", [2, 5, 10, 25])
@pytest.mark.parametrize("index", range(4))
def test_noise_that_is_taken_away_is_told(index: int, sigma: int) -> None:
    original = PHOTOGRAPHS[index]
    found = taken(spoilt(f"noise:{sigma}+8bit", original), original)
    assert found.noise == pytest.approx(sigma, rel=0.1)
    assert found.sigma(0.0) == pytest.approx(sigma, rel=0.15, abs=0.8), "with what is left, which the photographs had"
    half = found.sigma(0.5) or 0
    assert (found.sigma(1.0) or 0) < half < (found.sigma(0.0) or 0)
    assert not found.shows_jpeg
    assert found.pattern < 0.1


@pytest.mark.parametrize("index", range(2))  # the others are not quite without noise
def test_what_sits_on_edges_is_no_noise(index: int) -> None:
    original = PHOTOGRAPHS[index]
    found = taken(original, spoilt("blur:0.5+8bit", original))
    assert (found.noise or 0) < 0.75


@pytest.mark.parametrize("original", PHOTOGRAPHS)
@pytest.mark.parametrize("quality", [10, 30, 50])
def test_jpegs_traces_are_found_and_seen_to_go(original: NDArray[np.uint8], quality: int) -> None:
    degraded = coded(original, quality)
    found = taken(degraded, spoilt("blur:1+8bit", degraded))
    assert found.shows_jpeg
    assert found.lessens_jpeg(1.0)
    assert not found.lessens_jpeg(0.0)
    assert not taken(degraded, degraded).lessens_jpeg(1.0)


def test_jpegs_traces_are_found_wherever_its_blocks_begin() -> None:
    degraded = np.ascontiguousarray(coded(data.astronaut(), 30)[3:, 5:])
    assert taken(degraded, degraded).shows_jpeg


@pytest.mark.parametrize("side", [2, 4, 8, 16])
def test_enlarged_pixels_and_clean_photographs_show_no_jpeg(side: int) -> None:
    small = data.astronaut()[:128, :128]
    enlarged = small.repeat(side, 0).repeat(side, 1)[:512, :512]
    assert not taken(enlarged, enlarged).shows_jpeg
    for original in (data.chelsea(), data.coffee()):
        assert not taken(original, original).shows_jpeg


def test_a_screens_dots_repeat_themselves_and_noise_does_not() -> None:
    ys, xs = np.mgrid[0:300, 0:300]
    dots = 128 + 60 * np.sin(xs / 1.1) * np.sin(ys / 1.1)
    screened = np.repeat(np.rint(dots)[..., None], 3, 2).astype(np.uint8)
    assert taken(screened, np.full_like(screened, 128)).pattern > 0.9
    noisy = spoilt("noise:20+8bit", np.full((300, 300, 3), 128, np.uint8))
    assert taken(noisy, np.full_like(noisy, 128)).pattern < 0.1


def test_constant_and_cut_off_areas_tell_nothing() -> None:
    original = spoilt("noise:10+8bit", data.astronaut())
    framed = np.full((700, 700, 3), 255, np.uint8)
    clean = framed.copy()
    framed[100:612, 100:612], clean[100:612, 100:612] = original, data.astronaut()
    assert taken(framed, clean).noise == pytest.approx(10, rel=0.15), "of the photograph alone"
    black = np.zeros((64, 64, 3), np.uint8)
    assert taken(black, black).noise is None
    assert taken(black, black).sigma(1.0) is None


@given(st.integers(1, 80), st.integers(1, 80), st.sampled_from([1, 3, 4]))
def test_an_image_of_any_size_is_looked_at(height: int, width: int, channels: int) -> None:
    rng = np.random.default_rng(height + width)
    before = rng.integers(0, 256, (height, width, channels)).astype(np.uint8)
    found = taken(before, np.full_like(before, 128))
    assert 0 <= found.flat <= 1
    assert all(value >= 0 for value in found.blocks)
    assert (found.noise is None) == (found.left is None)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (1024, 1024), (3000, 4000)])
def test_no_more_is_looked_at_however_large_the_image(height: int, width: int) -> None:
    look = Look(height * width)
    windows = sum(len(look.windows(width)) for _ in range(0, height, 64))
    assert 1 <= windows <= 48
