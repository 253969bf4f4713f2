"""Tiles are invisible: whatever the network's reach and stride, whatever the image's and the tiles' size."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import correlate

from burnish.image.tiling import Planes, Tile, best_tile, padded, streamed, tiled


def network(stride: int, radius: int, rng: np.random.Generator) -> tuple[int, "object"]:
    """A network of two layers that knows where it stands: means over stride×stride cells, then a filter that pads with zeros.

    Returns its reach in pixels and itself.
    """
    kernel = rng.normal(size=(1, 2 * radius + 1, 2 * radius + 1))

    def run(planes: Planes) -> Planes:
        assert planes.shape[1] % stride == planes.shape[2] % stride == 0
        channels, height, width = planes.shape
        cells = planes.reshape(channels, height // stride, stride, width // stride, stride).mean((2, 4))
        filtered = correlate(cells.astype(np.float64), kernel, mode="constant")
        return (planes + filtered.repeat(stride, 1).repeat(stride, 2)).astype(np.float32)

    return stride * (radius + 1) - 1, run


SIDE = st.integers(1, 80)


@given(st.sampled_from([1, 2, 4, 8]), st.integers(0, 3), SIDE, SIDE, st.tuples(SIDE, SIDE), st.integers(0, 2**32 - 1))
def test_tiled_and_streamed_are_whole(stride: int, radius: int, height: int, width: int, tile: Tile, seed: int) -> None:
    rng = np.random.default_rng(seed)
    halo, run = network(stride, radius, rng)
    planes = rng.random((3, height, width), np.float32)
    whole = run(padded(planes, stride))[:, :height, :width]  # type: ignore[operator]
    np.testing.assert_allclose(tiled(run, planes, tile, halo, stride), whole, atol=1e-5)  # type: ignore[arg-type]
    cuts = sorted(rng.integers(1, height, rng.integers(5)).tolist()) if height > 1 else []
    bands = (band for band in np.split(planes, cuts, axis=1))
    results = list(streamed(run, bands, height, tile, halo, stride))  # type: ignore[arg-type]
    np.testing.assert_allclose(np.concatenate(results, 1), whole, atol=1e-5)


def test_a_stream_holds_few_rows_however_high_the_picture() -> None:
    pulled = given_back = most = 0

    def bands() -> Iterator[Planes]:
        nonlocal pulled
        for _ in range(100):
            pulled += 16
            yield np.zeros((3, 16, 24), np.float32)

    for band in streamed(lambda planes: planes, bands(), 1600, (32, 16), 20, 8):
        most = max(most, pulled - given_back)
        given_back += band.shape[1]
    assert given_back == 1600
    assert most <= 32 + 24 + 16


def test_a_halo_too_small_is_seen() -> None:
    """The property above can fail: with a pixel less of halo the seams show."""
    rng = np.random.default_rng(0)
    halo, run = network(1, 2, rng)
    planes = rng.random((3, 40, 40), np.float32)
    assert np.abs(tiled(run, planes, (8, 8), halo - 1, 1) - run(planes)).max() > 1e-3  # type: ignore[operator,arg-type]


def test_no_window_is_larger_than_tile_and_halo() -> None:
    seen: list[tuple[int, ...]] = []

    def run(planes: Planes) -> Planes:
        seen.append(planes.shape)
        return planes

    tiled(run, np.zeros((3, 100, 300), np.float32), (32, 48), 5, 4)
    assert max(shape[1] for shape in seen) <= 32 + 2 * 8
    assert max(shape[2] for shape in seen) <= 48 + 2 * 8
    assert len(seen) == 4 * 7


@given(st.integers(1, 5000), st.integers(1, 50_000), st.integers(0, 80), st.sampled_from([1, 2, 8]), st.integers(1, 4000))
def test_the_best_tile_keeps_its_limits(height: int, width: int, halo: int, multiple_of: int, rows: int) -> None:
    high, wide = best_tile(height, width, halo, multiple_of, 1 << 20, rows)
    assert high % multiple_of == wide % multiple_of == 0
    margin = -(-halo // multiple_of) * multiple_of
    window = min(high + 2 * margin, height), min(wide + 2 * margin, width)
    assert window[0] * window[1] <= 1 << 20
    assert window[0] <= max(rows, 4 * margin, 3 * multiple_of)
    if height <= rows and height * width <= 1 << 20:
        assert high >= height
        assert wide >= width


def test_the_best_tile_computes_little_twice() -> None:
    """A photo of 12 megapixels, through a network that sees 75 pixels far: a third more than its own pixels, no longer two thirds."""
    high, wide = best_tile(3000, 4000, 75, 8, 1 << 20, 3000)
    sizes = []
    tiled(lambda planes: sizes.append(planes.size) or planes, np.zeros((1, 3000, 4000), np.uint8), (high, wide), 75, 8)  # type: ignore[func-returns-value]
    assert sum(sizes) < 1.34 * 12e6


def computed(height: int, width: int, halo: int, pixels: int, rows: int) -> tuple[float, int]:
    """How many pixels the best tiles compute for each of the image's, and how many the largest window has."""
    tile = best_tile(height, width, halo, 8, pixels, rows)
    windows: list[int] = []
    tiled(lambda planes: windows.append(planes.size) or planes, np.zeros((1, height, width), np.uint8), tile, halo, 8)  # type: ignore[func-returns-value]
    return sum(windows) / (height * width), max(windows)


@pytest.mark.parametrize("halo", [120, 200, 400, 640, 1000])
@pytest.mark.parametrize("rows", [16, 3000])
def test_a_network_that_sees_far_computes_at_most_four_times_the_picture(halo: int, rows: int) -> None:
    """12 megapixels, windows of 0.65 by themselves: 2.6 at a halo of 400."""
    times, largest = computed(3000, 4000, halo, 5 << 17, rows)
    assert times <= 4
    assert largest <= max(5 << 17, 16 * halo**2)


def test_far_seeing_tiles_are_as_the_whole() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(1, 1, 121)) / 121

    def run(planes: Planes) -> Planes:
        return correlate(planes.astype(np.float64), kernel, mode="constant").astype(np.float32)

    planes = rng.random((1, 200, 700), np.float32)
    tile = best_tile(200, 700, 60, 4, 1 << 10, 8)
    assert tile[1] < 700
    np.testing.assert_allclose(tiled(run, planes, tile, 60, 4), run(planes), atol=1e-6)
