"""What files say of themselves, checked against the program that wrote them."""

import struct
import tempfile
from pathlib import Path

import gallery
import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from burnish.image import headers


@pytest.mark.parametrize("quality", [1, 10, 37, 49, 50, 51, 75, 90, 95, 99, 100])
def test_jpeg_quality_is_what_it_was_saved_with(quality: int, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    gallery.image(gallery.spoilt()).jpegsave(str(path), Q=quality)
    assert headers.jpeg_quality(path) == quality
    Image.fromarray(gallery.spoilt()).save(path, quality=quality)
    assert headers.jpeg_quality(path) == quality


def test_a_picture_of_another_kind_has_no_jpeg_quality(tmp_path: Path) -> None:
    (path,) = gallery.write(tmp_path, "plain.png")
    assert headers.jpeg_quality(path) is None


@pytest.mark.parametrize(("compression", "number"), [("none", 1), ("lzw", 5), ("jpeg", 7), ("deflate", 8)])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tiff_packing(compression: str, number: int, bigtiff: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    predictor = "horizontal" if compression in ("lzw", "deflate") else "none"
    gallery.image(gallery.spoilt()).tiffsave(str(path), compression=compression, predictor=predictor, bigtiff=bigtiff)
    packing = headers.tiff_packing(path)
    assert packing.compression == number
    assert compression not in ("lzw", "deflate") or packing.predictor == 2
    assert packing.big == bigtiff
    assert packing.top is None


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_a_tiff_may_say_its_largest_value(byteorder: str, bigtiff: bool, tmp_path: Path) -> None:
    for pixels, values in ((gallery.spoilt(), (200, 201, 202)), (gallery.spoilt()[..., 0], (200,))):
        told = [(281, 3, len(values), values, True)]
        tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=told, byteorder=byteorder, bigtiff=bigtiff, metadata=None)
        assert headers.tiff_packing(tmp_path / "a.tif").top == values[-1]


def test_what_a_tiff_says_of_channels_and_of_pixels_without_data(tmp_path: Path) -> None:
    told = [(42113, 2, 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "a.tif", gallery.transparent(), photometric="rgb", extrasamples=["unspecified"], extratags=told)
    packing = headers.tiff_packing(tmp_path / "a.tif")
    assert (packing.extra, packing.nodata) == ((0,), -9999)
    tifffile.imwrite(tmp_path / "b.tif", gallery.spoilt(), photometric="rgb", extratags=[(42113, 2, 0, "none", True)])
    assert headers.tiff_packing(tmp_path / "b.tif").nodata is None


def test_smaller_copies_are_no_pages(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for side, kind in ((64, 0), (64, 0), (32, 1), (16, 1)):
            writer.write(np.zeros((side, side, 3), np.uint8), photometric="rgb", subfiletype=kind)
    assert headers.tiff_stack(tmp_path / "a.tif") == headers.TiffStack(4, 2, 0)


def test_tiff_pages(tmp_path: Path) -> None:
    one, four, png = gallery.write(tmp_path, "strips.tif", "stack.tif", "plain.png")
    assert [headers.tiff_pages(path) for path in (one, four, png)] == [1, 4, None]
    four.write_bytes(four.read_bytes()[:-100])
    assert headers.tiff_pages(four) is None
    circle = b"II*\0" + struct.pack("<IHI", 8, 0, 8)
    one.write_bytes(circle)
    assert headers.tiff_pages(one) is None


def test_webp_with_and_without_loss(tmp_path: Path) -> None:
    lossy, lossless, moving = gallery.write(tmp_path, "plain.webp", "lossless.webp", "moving.webp")
    assert not headers.webp_is_lossless(lossy)
    assert headers.webp_is_lossless(lossless)
    assert headers.webp_is_lossless(moving)
    profiled = gallery.image(gallery.transparent()).copy()
    profiled.set_type(pyvips.GValue.blob_type, "icc-profile-data", gallery.profile() + bytes(9001))
    profiled.webpsave(str(tmp_path / "profiled.webp"), lossless=True)
    assert headers.webp_is_lossless(tmp_path / "profiled.webp"), "its pixels stand far behind its profile"


def test_an_animated_png_is_known(tmp_path: Path) -> None:
    frames = [Image.fromarray(gallery.spoilt(f"noise:{8 + n}")) for n in range(3)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    assert headers.png_is_animated(tmp_path / "moving.png")
    (still,) = gallery.write(tmp_path, "plain.png")
    assert not headers.png_is_animated(still)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff\xdb", b"II*\0", b"MM\0*", b"II+\0", b"\x89PNG\r\n\x1a\n", b"RIFF"]),
)
def test_no_bytes_break_the_readers(tail: bytes, start: bytes) -> None:
    data = start + tail
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        read_all(Path(file.name))


def read_all(path: Path) -> None:
    """Every reader on the file."""
    for reader in (
        headers.jpeg_quality,
        headers.gif_is_whole,
        headers.tiff_packing,
        headers.tiff_pages,
        headers.tiff_stack,
        headers.webp_is_lossless,
        headers.png_is_animated,
        headers.is_heic,
    ):
        reader(path)


def test_the_standard_tables_are_those_of_the_standard() -> None:
    """T.81, tables K.1 and K.2, are what libjpeg writes at quality 50."""
    buffer = pyvips.Image.new_from_array(np.zeros((8, 8, 3), np.uint8)).jpegsave_buffer(Q=50)
    at = buffer.index(b"\xff\xdb")
    assert struct.unpack_from("64B", buffer, at + 5)[:4] == (16, 11, 12, 14)
