"""Rare members of the formats: what they carry is in the copy or named, and what cannot be unpacked is refused."""

import struct
import zlib
from pathlib import Path

import gallery
import numpy as np
import pytest
import pyvips
import tagged
import tifffile
from PIL import Image

from burnish.errors import InputError
from burnish.files import atomic
from burnish.image import files as image_files
from burnish.image.containers import avif, isobmff

ZSTD = 50000


def written(source: Path, target: Path) -> list[str]:
    """The file with its own pixels, written anew; returns what is said to be lost."""
    photo = image_files.open_photo(source)
    with atomic(target) as temporary:
        return image_files.save(photo, temporary, image_files.format_for(photo, target), photo.rows())


def tag_at(path: Path, tag: int) -> int:
    """Where the value of a tag of the first page stands."""
    with tifffile.TiffFile(path) as file:
        return int(file.pages[0].tags[tag].valueoffset)


def test_a_tiff_that_cannot_be_unpacked_is_no_black_picture(tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    tifffile.imwrite(path, gallery.spoilt(), photometric="rgb")
    at, data = tag_at(path, 259), bytearray(path.read_bytes())
    data[at : at + 2] = struct.pack("<H", ZSTD)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"ZSTD|cannot be read"):
        written(path, tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists()


def test_a_tiff_with_a_broken_strip_is_no_partly_black_picture(tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    pyvips.Image.new_from_array(gallery.spoilt()).tiffsave(str(path), compression="lzw")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        written(path, tmp_path / "out.tif")


@pytest.mark.parametrize("flag", [0, 1])
def test_a_preview_is_not_taken_for_the_picture_that_a_raw_file_holds(flag: int, tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(gallery.spoilt()[::4, ::4], photometric="rgb", metadata=None, subfiletype=flag, subifds=1)
        writer.write(gallery.spoilt()[..., 1], photometric="cfa", metadata=None)
    with pytest.raises(InputError, match="preview"):
        image_files.open_photo(path)


@pytest.mark.parametrize("photometric", ["cfa", "linear_raw", "icclab"])
def test_values_that_are_no_colours_are_not_taken_for_such(photometric: str, tmp_path: Path) -> None:
    pixels = gallery.spoilt()[..., 1] if photometric == "cfa" else gallery.spoilt()
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric=photometric)
    with pytest.raises(InputError, match="photometric interpretation"):
        image_files.open_photo(tmp_path / "in.tif")


def test_no_data_that_counts_from_white_is_refused(tmp_path: Path) -> None:
    nodata = (42113, 2, 0, "0", False)
    tifffile.imwrite(tmp_path / "in.tif", gallery.spoilt()[..., 1], photometric="miniswhite", extratags=[nodata])
    with pytest.raises(InputError, match="counts from white"):
        image_files.open_photo(tmp_path / "in.tif")


def test_a_resolution_beyond_reason_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tifffile.imwrite(tmp_path / "in.tif", gallery.spoilt(), photometric="rgb", resolution=(4e9, 4e9), resolutionunit=3)
    written(tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "in.tif") as before, tifffile.TiffFile(tmp_path / "out.tif") as after:
        assert before.pages[0].tags[282].value == after.pages[0].tags[282].value
    assert capfd.readouterr().err == ""


def test_a_tag_that_stands_twice_does_so_again(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "in.tif", gallery.spoilt(), photometric="rgb", description="a cat", metadata={"axes": "YXS"})
    assert written(tmp_path / "in.tif", tmp_path / "out.tif") == []
    for name in ("in.tif", "out.tif"):
        with tifffile.TiffFile(tmp_path / name) as file:
            texts = file.pages[0].tags.getall(270)
            assert texts is not None
            assert next(tag.value for tag in texts) == "a cat"
            assert len(texts) == 2


def test_tags_of_single_values_stay_where_values_do(tmp_path: Path) -> None:
    tags = [(280, 3, 1, 3, False), (281, 3, 1, 250, False), (301, 3, 256, tuple(range(256)), False)]
    reference = (532, 5, 2, (0, 1, 200, 1), False)
    for photometric in ("minisblack", "miniswhite"):
        tifffile.imwrite(tmp_path / "in.tif", gallery.spoilt()[..., 1], photometric=photometric, extratags=[*tags, reference])
        lost = written(tmp_path / "in.tif", tmp_path / "out.tif")
        with tifffile.TiffFile(tmp_path / "out.tif") as file:
            kept = {tag.code for tag in file.pages[0].tags}
        if photometric == "minisblack":
            assert (lost, kept & {280, 281, 301, 532}) == ([], {280, 281, 301, 532})
        else:
            assert not kept & {280, 281, 301}
            assert sum("its values are others now" in line for line in lost) == 3


def test_a_suggested_palette_stays(tmp_path: Path) -> None:
    Image.fromarray(gallery.spoilt()).save(tmp_path / "in.png")
    data = (tmp_path / "in.png").read_bytes()
    content = b"PLTE" + bytes(range(30))
    chunk = struct.pack(">I", 30) + content + struct.pack(">I", zlib.crc32(content))
    (tmp_path / "in.png").write_bytes(data[:33] + chunk + data[33:])
    assert written(tmp_path / "in.png", tmp_path / "out.png") == []
    assert chunk in (tmp_path / "out.png").read_bytes()


def test_a_gif_says_how_fine_its_colours_were(tmp_path: Path) -> None:
    Image.fromarray(gallery.spoilt()).quantize(16).save(tmp_path / "in.gif")
    data = bytearray((tmp_path / "in.gif").read_bytes())
    data[10] = data[10] & ~0x70 | 0x50
    (tmp_path / "in.gif").write_bytes(data)
    written(tmp_path / "in.gif", tmp_path / "out.gif")
    assert (tmp_path / "out.gif").read_bytes()[10] & 0x70 == 0x50


def test_what_a_frame_carries_is_named(tmp_path: Path) -> None:
    frames = [Image.fromarray(gallery.spoilt(f"noise:{8 + index}+8bit")) for index in range(2)]
    frames[0].save(tmp_path / "in.webp", save_all=True, append_images=frames[1:], lossless=True)
    data = (tmp_path / "in.webp").read_bytes()
    at = data.index(b"ANMF")
    length = struct.unpack("<I", data[at + 4 : at + 8])[0]
    end = at + 8 + length + length % 2
    more = b"UNKN" + struct.pack("<I", 4) + b"abcd"
    data = data[: at + 4] + struct.pack("<I", length + length % 2 + len(more)) + data[at + 8 : end] + more + data[end:]
    (tmp_path / "in.webp").write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    assert "the chunk UNKN in its frames" in written(tmp_path / "in.webp", tmp_path / "out.webp")


def test_that_an_avif_was_grey_is_named(tmp_path: Path) -> None:
    Image.fromarray(gallery.spoilt()).save(tmp_path / "in.avif", subsampling="4:0:0")
    assert [line for line in written(tmp_path / "in.avif", tmp_path / "out.avif") if "grey" in line]
    Image.fromarray(gallery.spoilt()).save(tmp_path / "in.avif", subsampling="4:2:0")
    assert written(tmp_path / "in.avif", tmp_path / "out.avif") == []


def test_values_are_the_same_in_both_byte_orders(tmp_path: Path) -> None:
    values = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
    for order in "<>":
        tifffile.imwrite(tmp_path / "in.tif", values, photometric="minisblack", byteorder=order)
        written(tmp_path / "in.tif", tmp_path / "out.tif")
        assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), values)


@pytest.mark.parametrize(("name", "ending"), [("in.jpg", ".tif"), ("in.tif", ".jpg")])
def test_iptc_that_another_format_wraps_in_another_way_is_named(name: str, ending: str, tmp_path: Path) -> None:
    image = pyvips.Image.new_from_array(gallery.spoilt()).copy()
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x0a" + tagged.IPTC[:10]
    image.set_type(pyvips.GValue.blob_type, "iptc-data", block if name == "in.jpg" else tagged.IPTC)
    image.write_to_file(str(tmp_path / name))
    assert "its IPTC" in written(tmp_path / name, tmp_path / f"out{ending}")
    assert b"Photoshop 3.0" not in (tmp_path / f"out{ending}").read_bytes()


def test_times_that_another_format_has_not_are_named(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "moving.gif")
    assert any("frames are shown" in line for line in written(source, tmp_path / "out.tif"))
    assert not any("frames are shown" in line for line in written(source, tmp_path / "out.webp"))


def test_a_crop_is_named_where_it_cannot_be_kept(tmp_path: Path) -> None:
    Image.fromarray(gallery.spoilt()).save(tmp_path / "in.avif")
    file = avif.parsed(tmp_path / "in.avif")
    crop = isobmff.box(b"clap", struct.pack(">8I", 101, 1, 81, 1, 0, 1, 0, 1))
    file.items[file.primary].properties.append((True, crop))
    (tmp_path / "in.avif").write_bytes(isobmff.written(file))
    assert any("crop" in line for line in written(tmp_path / "in.avif", tmp_path / "out.png"))
    assert not any("crop" in line for line in written(tmp_path / "in.avif", tmp_path / "out.avif"))


def test_premultiplied_colours_do_not_become_dark(tmp_path: Path) -> None:
    Image.fromarray(gallery.transparent()).save(tmp_path / "in.avif")
    written(tmp_path / "in.avif", tmp_path / "out.png")
    Image.fromarray(gallery.transparent()).save(tmp_path / "in.avif", alpha_premultiplied=True)
    with pytest.raises(InputError, match="multiplied"):
        written(tmp_path / "in.avif", tmp_path / "out.png")
    written(tmp_path / "in.avif", tmp_path / "out.avif")


@pytest.mark.parametrize("bigtiff", [False, True])
def test_what_follows_a_tiff_is_named(bigtiff: bool, tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    tifffile.imwrite(path, gallery.spoilt(), photometric="rgb", bigtiff=bigtiff, tile=(32, 48))
    assert written(path, tmp_path / "out.tif") == []
    path.write_bytes(path.read_bytes() + bytes(40))
    assert written(path, tmp_path / "out.tif") == []
    path.write_bytes(path.read_bytes() + b"a tail" * 20)
    assert written(path, tmp_path / "out.tif") == ["what follows its picture"]


@pytest.mark.parametrize("tail", [b"end", b"SEFT, as some cameras write"])
def test_what_follows_an_avif_follows_it_again(tail: bytes, tmp_path: Path) -> None:
    Image.fromarray(gallery.spoilt()).save(tmp_path / "in.avif")
    (tmp_path / "in.avif").write_bytes((tmp_path / "in.avif").read_bytes() + tail)
    assert written(tmp_path / "in.avif", tmp_path / "out.avif") == []
    assert (tmp_path / "out.avif").read_bytes().endswith(tail)
    assert "what follows its picture" in written(tmp_path / "in.avif", tmp_path / "out.png")


@pytest.mark.parametrize("nodata", ["-9999", "0"])
def test_parts_without_data_that_are_left_out_do_not_become_values(nodata: str, tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    values = np.random.default_rng(0).uniform(1, 9, (64, 64)).astype(np.float32)
    tifffile.imwrite(path, values, photometric="minisblack", tile=(32, 32), extratags=[(42113, 2, 0, nodata, False)])
    data = bytearray(path.read_bytes())
    for tag in (324, 325):
        with tifffile.TiffFile(path) as file:
            wide = 2 if file.pages[0].tags[tag].dtype.name == "SHORT" else 4
        at = tag_at(path, tag)
        data[at : at + wide] = bytes(wide)
    path.write_bytes(data)
    if nodata == "0":
        written(path, tmp_path / "out.tif")
        assert not tifffile.imread(tmp_path / "out.tif")[:32, :32].any()
    else:
        with pytest.raises(InputError, match="without data"):
            image_files.open_photo(path)
