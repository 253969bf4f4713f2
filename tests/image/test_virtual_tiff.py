"""Rows handed over one portion after another are the image that libvips sees."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from burnish.image import virtual_tiff
from burnish.image.virtual_tiff import RowSource


@pytest.fixture(params=[0, virtual_tiff.SMALL], ids=["streamed", "held"])
def small(request: pytest.FixtureRequest) -> Iterator[None]:
    """Images as streams, and as those that are held."""
    usual, virtual_tiff.SMALL = virtual_tiff.SMALL, request.param
    yield
    virtual_tiff.SMALL = usual


@pytest.mark.usefixtures("small")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([np.uint8, np.uint16, np.float32]), st.integers(1, 90), st.integers(1, 90), st.integers(1, 5), st.integers(1, 100))
def test_what_goes_in_comes_out(dtype: type, height: int, width: int, bands: int, step: int) -> None:
    pixels = (np.random.default_rng(height).random((height, width, bands)) * 250).astype(dtype)
    source = RowSource((pixels[top : top + step] for top in range(0, height, step)), height, width, bands, pixels.dtype)
    image = source.image()
    gc.collect(1)  # of the young objects: nothing of the source may be lost while the image lives
    read = image.numpy().reshape(pixels.shape)
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_among_the_rows_ends_the_picture_and_is_kept(error: BaseException, tmp_path: Path) -> None:
    def rows() -> Iterator[NDArray[Any]]:
        yield np.zeros((1, 2000, 3), np.uint8)
        raise error

    source = RowSource(rows(), 300, 2000, 3, np.dtype(np.uint8))
    with pytest.raises(pyvips.Error):
        source.image().tiffsave(str(tmp_path / "a.tif"))
    assert source.error is error


def test_an_error_among_the_rows_of_a_small_picture_comes_at_once() -> None:
    def rows() -> Iterator[NDArray[Any]]:
        yield np.zeros((1, 20, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RowSource(rows(), 30, 20, 3, np.dtype(np.uint8)).image()
