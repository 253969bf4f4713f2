"""What an image file carries comes out again; what is no image, or cannot be kept whole, is refused in one line."""

import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
import pyvips
from PIL import Image

from burnish.errors import InputError
from burnish.files import atomic
from burnish.image import files as image_files

STRUCTURAL = {"filename", "vips-loader", "exif-data", "background", "palette", "xres", "yres"}


def copied(source: Path, target: Path) -> tuple[Any, Any]:
    """The photo written again as it is, both files opened."""
    written(source, target)
    return gallery.opened(source), gallery.opened(target)


def written(source: Path, target: Path) -> list[str]:
    """The photo written again as it is; returns what it lacks."""
    photo = image_files.open_photo(source)
    with atomic(target) as temporary:
        return image_files.save(photo, temporary, image_files.format_for(photo, target), photo.rows())


def carried(image: Any) -> dict[str, Any]:
    """What a file carries besides its pixels, but for a thumbnail."""
    names = [name for name in image.get_fields() if name not in STRUCTURAL and not name.startswith(("jpeg-thumbnail", "exif-ifd1"))]
    return {name: image.get(name) for name in names}


@pytest.mark.parametrize("name", gallery.KINDS)
def test_every_kind_of_file_comes_out_as_it_went_in(name: str, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", name)
    before, after = copied(source, tmp_path / "out" / name)
    assert carried(after) == carried(before)
    assert (after.xres, after.yres) == pytest.approx((before.xres, before.yres), rel=1e-6)
    if name.endswith(("png", "tif")) or name in ("lossless.webp", "moving.webp"):
        np.testing.assert_array_equal(after.numpy(), before.numpy())
    else:
        assert np.abs(after.numpy().astype(float) - before.numpy()).mean() < 0.02 * np.iinfo(before.numpy().dtype).max


@pytest.mark.parametrize("name", ["camera.jpg", "deep.png", "plain.webp", "strips.tif"])
def test_the_profile_is_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", name)
    _, after = copied(source, tmp_path / name)
    assert after.get("icc-profile-data") == gallery.profile()


@pytest.mark.parametrize("name", ["camera.jpg", "deep.png", "plain.webp"])
def test_exif_is_whole_but_for_the_stale_thumbnail(name: str, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", name)
    before, after = copied(source, tmp_path / name)
    assert before.get("jpeg-thumbnail-data")
    assert not after.get_typeof("jpeg-thumbnail-data")
    assert b"THE MAKER'S OWN NOTE" + bytes(range(60)) in after.get("exif-data")
    assert after.get("orientation") == 6
    assert (after.width, after.height) == gallery.SIDE[::-1], "stored as it was: not turned"


def test_no_exif_is_made_up(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", "halved.jpg")
    assert b"Exif" in source.read_bytes(), "libvips made some up"
    Image.open(source).save(source, quality=80)
    assert b"Exif" not in source.read_bytes()
    copied(source, tmp_path / "a.jpg")
    assert b"Exif" not in (tmp_path / "a.jpg").read_bytes()


@pytest.mark.parametrize(("saved", "least"), [(96, 96), (60, 90)])
@pytest.mark.parametrize("halved", [True, False])
def test_a_jpeg_loses_neither_quality_nor_colour(saved: int, least: int, halved: bool, tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    gallery.image(gallery.spoilt()).jpegsave(str(source), Q=saved, subsample_mode="on" if halved else "off")
    _, after = copied(source, tmp_path / "out.jpg")
    assert image_files.headers.jpeg_quality(tmp_path / "out.jpg") == least
    assert after.get("jpeg-chroma-subsample") == ("4:2:0" if halved else "4:4:4")


def test_a_tiff_keeps_its_packing(tmp_path: Path) -> None:
    for name in ("strips.tif", "tiles.tif", "stack.tif"):
        (source,) = gallery.write(tmp_path / "in", name)
        _, after = copied(source, tmp_path / name)
        assert image_files.headers.tiff_packing(tmp_path / name) == image_files.headers.tiff_packing(source)
        if name == "tiles.tif":
            assert (after.get("tile-width"), after.get("tile-height")) == (64, 32)


def test_another_ending_is_another_format_if_it_can_hold_the_photo(tmp_path: Path) -> None:
    (source, deep, inks, window, stack) = gallery.write(tmp_path, "plain.png", "deep.png", "inks.tif", "transparent.png", "stack.tif")
    before, after = copied(source, tmp_path / "a.tif")
    np.testing.assert_array_equal(after.numpy(), before.numpy())
    for photo, target, what in [
        (deep, "a.jpg", "16 bits"),
        (inks, "a.png", "CMYK"),
        (window, "a.jpg", "transparency"),
        (stack, "a.png", "4 pages"),
        (source, "a.xyz", "no known ending"),
    ]:
        with pytest.raises(InputError, match=what):
            image_files.format_for(image_files.open_photo(photo), tmp_path / target)


def test_a_wrong_ending_is_no_matter(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", "camera.jpg")
    wrong = tmp_path / "camera.png"
    shutil.copy(source, wrong)
    copied(wrong, tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\xff\xd8"), "what is a JPEG stays one"


def test_losses_are_told(tmp_path: Path) -> None:
    for name, word in [("palette.png", "palette"), ("moving.gif", "256"), ("plain.png", None)]:
        (source,) = gallery.write(tmp_path, name)
        lost = written(source, tmp_path / f"out-{name}")
        assert (word is None and not lost) or any(word in line for line in lost if word)
    gallery.image(gallery.spoilt()[..., 0], "b-w").pngsave(str(tmp_path / "two.png"), bitdepth=2)
    assert any("2 bits" in line for line in written(tmp_path / "two.png", tmp_path / "out.png"))


# --- What is refused ---


def refused(path: Path, *words: str, max_pixels: int = image_files.MAX_PIXELS) -> None:
    """Opening or reading the file raises one line that names it and says this."""
    with pytest.raises(InputError) as caught:
        for _ in image_files.open_photo(path, max_pixels).rows():
            pass
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message


def test_what_is_no_picture(tmp_path: Path) -> None:
    refused(tmp_path / "none.jpg", "No such file")
    for name, content, word in [
        ("zero.jpg", b"", "empty"),
        ("text.png", b"hello", "cannot be read"),
        ("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
    ]:
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, word)
    refused(tmp_path, "")


SMALL = ["plain.webp", "lossless.webp", "moving.webp", "plain.avif", "moving.gif"]


@pytest.mark.parametrize(
    "name", ["camera.jpg", "halved.jpg", "plain.png", "interlaced.png", "strips.tif", "tiles.tif", "stack.tif", *SMALL]
)
@pytest.mark.parametrize("sixteenths", range(16))
def test_truncated_files(name: str, sixteenths: int, tmp_path: Path) -> None:
    (path,) = gallery.write(tmp_path, name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * sixteenths // 16])
    refused(path)


def test_decompression_bombs(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(3_000_000))) + chunk(b"IEND", b""))
    assert bomb.stat().st_size < 5000
    refused(bomb, "100,000×100,000", "no real image")
    (small,) = gallery.write(tmp_path, "plain.png")
    refused(small, "more than the limit of 19,499", "--max-pixels", max_pixels=19_499)
    assert image_files.open_photo(small, 19_500)


def test_what_libvips_reads_and_we_do_not_keep(tmp_path: Path) -> None:
    lab = pyvips.Image.new_from_array(gallery.spoilt(), interpretation="srgb").colourspace("lab")
    lab.tiffsave(str(tmp_path / "lab.tif"))
    refused(tmp_path / "lab.tif", "convert it")
    lab.cast("int").copy(interpretation="multiband").tiffsave(str(tmp_path / "int.tif"))
    refused(tmp_path / "int.tif", "convert it")
    frames = [Image.fromarray(gallery.spoilt(f"noise:{8 + n}")) for n in range(2)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    refused(tmp_path / "moving.png", "animated")
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=[frames[1].resize((20, 20))])
    refused(tmp_path / "two.tif", "pages")
    pyvips.Image.new_from_array(np.random.default_rng(0).random((5, 6, 3))).tiffsave(str(tmp_path / "double.tif"))
    refused(tmp_path / "double.tif", "64-bit")


def test_heic_is_named(tmp_path: Path) -> None:
    (avif,) = gallery.write(tmp_path, "plain.avif")
    heic = tmp_path / "a.heic"
    heic.write_bytes(avif.read_bytes().replace(b"ftypavif", b"ftypheic").replace(b"av01", b"hvc1"))
    refused(heic, "HEIC")


@pytest.mark.parametrize("name", ["a b.png", "-dash.png", "[n=1].png", "ünïcødé.png", "a\nb.png", "a'\"$(x).png"])
def test_odd_names(name: str, tmp_path: Path) -> None:
    (plain,) = gallery.write(tmp_path, "plain.png")
    before, after = copied(plain.rename(tmp_path / name), tmp_path / "out" / name)
    np.testing.assert_array_equal(after.numpy(), before.numpy())


def test_a_photo_that_changes_while_it_is_read_leaves_nothing(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    photo = image_files.open_photo(source)
    os.utime(source, ns=(0, 0))
    with pytest.raises(InputError, match="changed while"), atomic(tmp_path / "out.png") as temporary:
        image_files.save(photo, temporary, "png", photo.rows())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.png"]


def test_an_orientation_without_exif_goes_along_into_other_formats(tmp_path: Path) -> None:
    turned = gallery.image(gallery.spoilt()).copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    turned.tiffsave(str(tmp_path / "turned.tif"), compression="lzw")
    assert not gallery.opened(tmp_path / "turned.tif").get_typeof("exif-data")
    for ending in (".tif", ".jpg", ".png", ".webp"):
        before, after = copied(tmp_path / "turned.tif", tmp_path / f"out{ending}")
        assert after.get("orientation") == 6, ending
    _, after = copied(tmp_path / "turned.tif", tmp_path / "out.avif")
    assert (after.width, after.height) == (before.height, before.width), "readers of AVIF turn it"


def test_sixteen_bits_become_the_twelve_that_avif_has_and_that_is_said(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "deep.png")
    _, after = copied(source, tmp_path / "out.avif")
    assert after.get("bits-per-sample") == 12
    assert any("has 12" in lost for lost in written(source, tmp_path / "out.avif"))


def test_hidden_colours_stay_in_webp_without_loss(tmp_path: Path) -> None:
    pixels = gallery.transparent()
    pixels[..., :3][pixels[..., 3] == 0] = (200, 10, 90)
    gallery.image(pixels).webpsave(str(tmp_path / "a.webp"), lossless=True, exact=True)
    _, after = copied(tmp_path / "a.webp", tmp_path / "out.webp")
    np.testing.assert_array_equal(after.numpy(), pixels)
