"""Pixels that hold no data, and channels that are no colours, come out as they went in, and leave no trace in what is beside them."""

from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
import tagged
import tifffile
from numpy.typing import NDArray

import burnish
from burnish.image import channels
from burnish.image import files as image_files
from burnish.image.channels import Layout

TINY = burnish.load("tiny-blind", 1)
HOLE = np.zeros(gallery.SIDE, bool)
HOLE[20:70, 30:90] = True


def restored(pixels: NDArray[Any], folder: Path, **options: Any) -> NDArray[Any]:
    """What becomes of the pixels as a TIFF."""
    folder.mkdir(exist_ok=True)
    tagged.tiff(folder / "in.tif", data=pixels, **{"photometric": "minisblack", **options})
    result = burnish.restore_file(folder / "in.tif", folder / "out.tif", TINY)
    assert result.status == "restored"
    return np.asarray(tifffile.imread(folder / "out.tif"))


def told(value: str) -> list[tuple[int, int, int, str, bool]]:
    """GDAL's tag."""
    return [(42113, 2, 0, value, True)]


@pytest.mark.parametrize(
    ("value", "stands"), [("-9999", -9999), ("nan", np.nan), ("-3.4028234663852886e+38", np.finfo(np.float32).min), ("1e400", np.inf)]
)
@pytest.mark.filterwarnings("ignore:.*GDAL_NODATA")
def test_floats_without_data_are_exact_and_their_neighbours_do_not_know_them(value: str, stands: float, tmp_path: Path) -> None:
    pixels = gallery.spoilt()[..., 1].astype(np.float32) * 4 + 100
    pixels[HOLE] = stands
    result = restored(pixels, tmp_path / "a", extratags=told(value))
    np.testing.assert_array_equal(result[HOLE], pixels[HOLE])
    assert np.isfinite(result[~HOLE]).all()
    assert np.abs(result[~HOLE] - pixels[~HOLE]).max() > 5, "something was restored"
    pixels[HOLE] = -777
    other = restored(pixels, tmp_path / "b", extratags=told("-777"))
    np.testing.assert_allclose(result[~HOLE], other[~HOLE], atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_without_data_are_exact(dtype: type, tmp_path: Path) -> None:
    top = np.iinfo(dtype).max
    pixels = (gallery.spoilt()[..., 1] / 255 * (top - 10) + 5).astype(dtype)
    results = []
    for value in (0, top):
        pixels[HOLE] = value
        results.append(restored(pixels, tmp_path / str(value), extratags=told(str(value))))
        assert (results[-1][HOLE] == value).all()
    np.testing.assert_array_equal(results[0][~HOLE], results[1][~HOLE])


def test_a_value_that_no_pixel_can_have_hides_nothing(tmp_path: Path) -> None:
    tagged.tiff(tmp_path / "in.tif", extratags=told("-9999"))
    assert image_files.open_photo(tmp_path / "in.tif").nodata is None


def test_an_image_without_any_data_is_left_as_it_is(tmp_path: Path) -> None:
    pixels = np.full((40, 50), np.nan, np.float32)
    np.testing.assert_array_equal(restored(pixels, tmp_path / "a", extratags=told("nan")), pixels)


def test_colours_and_data_beside_them(tmp_path: Path) -> None:
    pixels = gallery.transparent()
    pixels[..., 3] = np.arange(130, dtype=np.uint8)
    result = restored(pixels, tmp_path / "a", photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(result[..., 3], pixels[..., 3])
    assert np.abs(result[..., :3].astype(int) - TINY.restore(pixels[..., :3])).max() <= 1


def test_a_layout_knows_what_hides() -> None:
    planes = np.array([[[1.0, -9.0, 3.0]], [[1.0, 2.0, 3.0]], [[1.0, 1.0, 0.0]]], np.float32)
    assert Layout(((0,), (1,)), alpha=True, nodata=-9.0).hidden(planes).tolist() == [[False, True, True]]
    assert Layout(((0,), (1,)), alpha=True).hidden(planes).tolist() == [[False, False, True]]
    assert Layout(((0, 1, 2),)).hidden(planes).tolist() == [[False] * 3]
    assert Layout(((0,), (1,)), alpha=True, nodata=-9.0).cleared(planes, 5.0)[0].tolist() == [[1.0, 5.0, 3.0]]


def test_channels_beside_the_colours_are_in_no_group() -> None:
    assert channels.layout(5, 3, alpha=False, extra=2) == Layout(((0, 1, 2),))
    assert channels.layout(3, 3, alpha=False, extra=2) == Layout(((0, 0, 0),))
