"""Tiles are invisible: whatever the network's reach and stride, whatever the picture's and the tiles' size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import correlate

from burnish.tiling import Planes, tiled


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


@given(
    st.sampled_from([1, 2, 4, 8]), st.integers(0, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 80), st.integers(0, 2**32 - 1)
)
def test_tiled_is_whole(stride: int, radius: int, rows: int, columns: int, tile: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    halo, run = network(stride, radius, rng)
    planes = rng.random((3, rows * stride, columns * stride), np.float32)
    np.testing.assert_allclose(tiled(run, planes, tile, halo, stride), run(planes), atol=1e-5)  # type: ignore[operator,arg-type]


def test_a_halo_too_small_is_seen() -> None:
    """The property above can fail: with a pixel less of halo the seams show."""
    rng = np.random.default_rng(0)
    halo, run = network(1, 2, rng)
    planes = rng.random((3, 40, 40), np.float32)
    assert np.abs(tiled(run, planes, 8, halo - 1, 1) - run(planes)).max() > 1e-3  # type: ignore[operator,arg-type]


def test_no_window_is_larger_than_tile_and_halo() -> None:
    seen: list[tuple[int, ...]] = []

    def run(planes: Planes) -> Planes:
        seen.append(planes.shape)
        return planes

    tiled(run, np.zeros((3, 100, 300), np.float32), 32, 5, 4)
    assert max(shape[1] for shape in seen) <= 32 + 2 * 8
    assert max(shape[2] for shape in seen) <= 32 + 2 * 8
    assert len(seen) == 4 * 10
