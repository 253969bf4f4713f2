"""Field by field: what a file says of its picture is in the copy with new pixels, or its loss is named."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import fields
import gallery
import numpy as np
import pytest
import tagged
import tifffile
from fields import needs_exiftool
from PIL import Image

from burnish.errors import InputError
from burnish.files import atomic
from burnish.image import files as image_files
from burnish.image.containers import isobmff

# Where pixels are and how they are coded. These differ, and say nothing of the picture.
CODED = {
    ".jpg": r"MPImage\d:(Copy\d:)?MPImage(Start|Length)|Adobe:ColorTransform",
    ".png": r"",
    ".webp": r"",
    ".gif": r"GIF:(Copy\d:)?TransparentColor",
    ".avif": r"QuickTime:(Copy\d:)?(MediaData(Size|Offset)?|ChromaSamplePosition)",
    ".tif": r"File:ExifByteOrder|\w+:(Copy\d:)?(Strip(Offsets|ByteCounts)|RowsPerStrip|SampleFormat|PlanarConfiguration)",
}
THUMBNAIL = r"IFD1:.*|JFXX:ThumbnailTIFF"
# What is named when it is lost: a word of the note, and the fields that may go with it.
NAMED = {
    "camera.jpg": [("thumbnail", THUMBNAIL)],
    "motorola.jpg": [("thumbnail", THUMBNAIL)],
    "preview.jpg": [("thumbnail", THUMBNAIL)],
    "described.png": [("thumbnail", THUMBNAIL)],
    "still.webp": [("thumbnail", THUMBNAIL)],
    "signed.jpg": [("C2PA", r"JUMBF:.*|XMP-dcterms:Provenance")],
    "palette.png": [("palette", r"PNG:(ColorType|Palette|BackgroundColor)"), ("hIST", r"PNG:PaletteHistogram")],
    "unsafe.png": [("prVT", r"PNG:prVT"), ("sBIT", r"PNG:SignificantBits")],
    "moving.gif": [("256", r"")],
    "data-beside-colours.tif": [("beside", r"")],
    "two-beside.tif": [("beside", r"")],
    "palette.tif": [("palette", r"IFD0:(BitsPerSample|PhotometricInterpretation|SamplesPerPixel|ColorMap)")],
}
TIFFS: dict[str, Callable[[Path], None]] = {
    "geo.tif": lambda path: tagged.geo(path, "<", False),
    "geo-turned.tif": lambda path: tagged.geo(path, ">", False),
    "geo-big.tif": lambda path: tagged.geo(path, "<", True),
    "photographed.tif": tagged.photographed,
    "photographed-turned.tif": lambda path: tagged.photographed(path, ">"),
    "pages.tif": tagged.pages,
    "ome.tif": tagged.ome,
    "no-unit.tif": lambda path: tagged.tiff(path, resolution=(1, 2), resolutionunit=1),
    "palette.tif": lambda path: tagged.tiff(
        path, data=gallery.spoilt()[..., 0], photometric="palette", colormap=np.arange(768, dtype=np.uint16).reshape(3, 256) * 80
    ),
    "no-resolution.tif": lambda path: tagged.tiff(path),
    "data-beside-colours.tif": lambda path: tagged.tiff(path, data=gallery.transparent(), extrasamples=["unspecified"]),
    "two-beside.tif": lambda path: tagged.tiff(
        path, data=np.dstack([gallery.transparent(), gallery.spoilt()[..., :1]]), extrasamples=["unassalpha", "unspecified"]
    ),
}


def written(source: Path, target: Path) -> list[str]:
    """The file with its own pixels, written anew; returns what is said to be lost."""
    photo = image_files.open_photo(source)
    with atomic(target) as temporary:
        return image_files.save(photo, temporary, image_files.format_for(photo, target), photo.rows())


def made(name: str, folder: Path) -> Path:
    """One of the files."""
    path = folder / name
    if name in TIFFS:
        TIFFS[name](path)
    else:
        path.write_bytes(tagged.FILES[name]())
    return path


@needs_exiftool
@pytest.mark.parametrize("name", [*tagged.FILES, *TIFFS])
def test_every_field_is_there_or_its_loss_is_named(name: str, tmp_path: Path) -> None:
    source, target = made(name, tmp_path), tmp_path / f"out-{name}"
    lost = written(source, target)
    named = NAMED.get(name, [])
    for word, _ in named:
        assert any(word in line for line in lost), f"{word} is not said"
    assert all(any(word in line for word, _ in named) for line in lost), f"too much is said to be lost: {lost}"
    allowed = "|".join(f"(?:{pattern})" for pattern in [CODED[source.suffix], *(pattern for _, pattern in named)])
    assert not fields.differing(source, target, allowed)


CASES = Path(__file__).parents[3] / "shared" / "cases"
CASE_NAMES = {"07-png-text/png_text.png": ["sBIT"]}


@needs_exiftool
@pytest.mark.skipif(not CASES.exists(), reason="needs the folder of cases beside the checkout")
@pytest.mark.parametrize("number", ["01", "03", "04", "06", "07", "09", "11", "13"])
def test_small_files_that_went_wrong(number: str, tmp_path: Path) -> None:
    found = [path for path in CASES.glob(f"{number}-*/*") if path.suffix in CODED]
    assert found
    for source in found:
        lost = written(source, tmp_path / source.name)
        words = CASE_NAMES.get(f"{source.parent.name}/{source.name}", [])
        assert [word for word in words if any(word in line for line in lost)] == words
        allowed = CODED[source.suffix] + ("|PNG:SignificantBits" if words else "")
        assert not fields.differing(source, tmp_path / source.name, allowed), source.name


# --- What exiftool does not show ---


@pytest.mark.parametrize("name", ["p3.avif", "pq.avif", "hlg.avif", "hd.avif", "television.avif"])
def test_colours_of_an_avif_look_the_same_to_another_decoder(name: str, tmp_path: Path) -> None:
    source = made(name, tmp_path)
    assert not written(source, tmp_path / "out.avif")
    before, after = (np.asarray(Image.open(path).convert("RGB")).astype(float) for path in (source, tmp_path / "out.avif"))
    assert np.abs(before - after).mean() < 0.02 * 255
    means = [pixels.mean(axis=(0, 1)) for pixels in (before, after)]
    np.testing.assert_allclose(*means, atol=1, err_msg="no cast of colour")


def test_an_avif_stays_premultiplied(tmp_path: Path) -> None:
    source = made("premultiplied.avif", tmp_path)
    written(source, tmp_path / "out.avif")
    file = isobmff.parse((tmp_path / "out.avif").read_bytes())
    (premultiplied,) = [each for each in file.references if each[0] == b"prem"]
    assert premultiplied[1] == file.primary
    assert b"alpha" in (file.items[premultiplied[2][0]].property(b"auxC") or b"")
    seen = [np.asarray(Image.open(path).convert("RGBA")).astype(int) for path in (source, tmp_path / "out.avif")]
    solid = seen[0][..., 3] == 255
    assert np.abs(seen[0] - seen[1])[solid].mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_stays_turned_as_it_is_stored(orientation: int, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x112] = orientation
    source = tmp_path / "in.avif"
    source.write_bytes(tagged.avif(exif=turned.tobytes()))
    written(source, tmp_path / "out.avif")
    photo = image_files.open_photo(source)
    assert (photo.height, photo.width) == gallery.SIDE, "stored as it was: not turned"
    seen = [np.asarray(Image.open(path).convert("RGB")).astype(float) for path in (source, tmp_path / "out.avif")]
    assert np.abs(seen[0] - seen[1]).mean() < 6
    for ending in (".jpg", ".png", ".webp", ".tif"):
        written(source, tmp_path / f"out{ending}")
        told = gallery.opened(tmp_path / f"out{ending}")
        assert (told.get("orientation") if told.get_typeof("orientation") else 1) == orientation, ending
        assert (told.height, told.width) == gallery.SIDE


def test_boxes_that_describe_an_avif_go_along_and_others_are_named(tmp_path: Path) -> None:
    file = isobmff.parse(tagged.avif(exif=tagged.exif(), xmp=tagged.RATED))
    described = [isobmff.box(b"clli", bytes([1, 2, 3, 4])), isobmff.box(b"mdcv", bytes(24)), isobmff.box(b"pasp", bytes([0, 0, 0, 1] * 2))]
    file.items[1].properties += [(False, each) for each in described]
    small = isobmff.Item(8, b"av01", b"\0", True, file.items[1].data, file.items[1].properties[:3])
    depth = isobmff.box(b"auxC", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0")
    file.items[8] = small
    file.items[9] = isobmff.Item(9, b"av01", b"\0", True, small.data, [*small.properties, (True, depth)])
    file.items[10] = isobmff.Item(10, b"mime", b"\0text/plain\0", False, b"a note")
    file.references += [(b"thmb", 8, [1]), (b"auxl", 9, [1]), (b"cdsc", 10, [1])]
    file.others.append((b"mpvd", isobmff.box(b"mpvd", tagged.VIDEO)))
    source = tmp_path / "in.avif"
    source.write_bytes(isobmff.written(file))
    lost = written(source, tmp_path / "out.avif")
    assert [word for word in ("thumbnail", "depth") if not any(word in line for line in lost)] == []
    out = isobmff.parse((tmp_path / "out.avif").read_bytes())
    boxes = [box for _, box in out.items[out.primary].properties]
    assert [box for box in described if box not in boxes] == []
    assert b"a note" in [item.data for item in out.items.values()]
    assert tagged.RATED in [item.data for item in out.items.values()]
    assert out.others == file.others


@pytest.mark.parametrize("name", ["gain.jpg", "two.jpg"])
def test_further_pictures_are_found_again(name: str, tmp_path: Path) -> None:
    source = made(name, tmp_path)
    assert written(source, tmp_path / "out.jpg") == []
    with Image.open(source) as before, Image.open(tmp_path / "out.jpg") as after:
        assert before.n_frames == after.n_frames == 2
        for picture in (before, after):
            picture.seek(1)
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize(("name", "tail"), [("motion.jpg", tagged.VIDEO), ("samsung.jpg", b"SEFT")])
def test_what_follows_a_jpeg_ends_it_again(name: str, tail: bytes, tmp_path: Path) -> None:
    source = made(name, tmp_path)
    written(source, tmp_path / "out.jpg")
    before, after = source.read_bytes(), (tmp_path / "out.jpg").read_bytes()
    start = before.index(b"\xff\xd9") + 2 if name == "samsung.jpg" else len(before) - len(tail)
    assert after.endswith(before[start:])
    assert after.endswith(tail)


def test_a_jpeg_of_plain_colours_keeps_them(tmp_path: Path) -> None:
    source = made("rgb.jpg", tmp_path)
    written(source, tmp_path / "out.jpg")
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (source, tmp_path / "out.jpg"))
    assert np.abs(before - after).mean() < 4


def test_credentials_that_are_void_take_their_place_in_xmp_along(tmp_path: Path) -> None:
    source = made("signed.jpg", tmp_path)
    lost = written(source, tmp_path / "out.jpg")
    data = (tmp_path / "out.jpg").read_bytes()
    assert any("C2PA" in line for line in lost)
    assert b"c2pa" not in data
    assert b"provenance" not in data
    assert b"kept" in data


def test_texts_of_a_png_are_the_same_bytes(tmp_path: Path) -> None:
    source = made("texts.png", tmp_path)
    assert written(source, tmp_path / "out.png") == []
    before, after = source.read_bytes(), (tmp_path / "out.png").read_bytes()
    pattern = re.compile(rb"(?:tEXt|zTXt|iTXt|tIME)[^\x00].{0,60}?\x00", re.S)
    assert pattern.findall(before) == pattern.findall(after)
    assert len(pattern.findall(before)) >= 5
    assert after.index(b"behind the pixels") > after.index(b"IDAT")


@pytest.mark.parametrize("order", ["<", ">"])
def test_imagej_reads_its_stack_as_before(order: str, tmp_path: Path) -> None:
    stack = np.stack([gallery.spoilt()[..., channel] for channel in range(3)]).astype(np.uint16) * 200
    told = {"axes": "ZYX", "Labels": ["one", "two", "drei"], "Info": "all of it: ä", "ROI": b"Iout\0\1\2\3", "Ranges": (0.0, 65535.0)}
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    tifffile.imwrite(source, stack, imagej=True, metadata=told, byteorder=order)
    assert written(source, target) == []
    with tifffile.TiffFile(source) as before, tifffile.TiffFile(target) as after:
        assert after.imagej_metadata == before.imagej_metadata
        np.testing.assert_array_equal(after.asarray(), stack)
        np.testing.assert_array_equal(np.stack([page.asarray() for page in after.pages]), stack)


def test_pictures_that_only_imagej_finds_are_not_dropped(tmp_path: Path) -> None:
    stack = np.zeros((5, 40, 40), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", stack, imagej=True, metadata={"axes": "ZYX"}, truncate=True)
    with pytest.raises(InputError, match="4 more pictures"):
        image_files.open_photo(tmp_path / "in.tif")


def test_smaller_copies_of_a_tiff_are_named(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        writer.write(gallery.spoilt(), photometric="rgb", metadata=None)
        writer.write(gallery.spoilt()[::2, ::2], photometric="rgb", metadata=None, subfiletype=1)
    assert written(tmp_path / "in.tif", tmp_path / "out.tif") == ["its smaller copies (sub-directories)"]
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        writer.write(gallery.spoilt(), photometric="rgb", metadata=None, subifds=1)
        writer.write(gallery.spoilt()[::2, ::2], photometric="rgb", metadata=None, subfiletype=1)
    assert written(tmp_path / "in.tif", tmp_path / "out.tif") == ["its smaller copies (sub-directories)"]


@pytest.mark.parametrize("extra", ["unspecified", "assocalpha", "unassalpha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_fourth_channel_is_what_it_was(extra: str, dtype: type, tmp_path: Path) -> None:
    pixels = gallery.transparent().astype(dtype) * (257 if dtype is np.uint16 else 1)
    if extra == "assocalpha":
        pixels[..., :3] = pixels[..., :3].astype(float) * pixels[..., 3:] / np.iinfo(dtype).max
    tagged.tiff(tmp_path / "in.tif", data=pixels, extrasamples=[extra])
    photo = image_files.open_photo(tmp_path / "in.tif")
    assert (photo.alpha, photo.extra) == ((False, 1) if extra == "unspecified" else (True, 0))
    written(tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert [sample.name for sample in file.pages[0].extrasamples] == [extra.upper()]
        assert np.abs(file.asarray().astype(int) - pixels).max() <= (1 if extra == "assocalpha" else 0)


def test_an_animation_keeps_its_times(tmp_path: Path) -> None:
    for name in ("moving.webp", "moving.gif"):
        source = made(name, tmp_path)
        written(source, tmp_path / f"out-{name}")
        for path in (source, tmp_path / f"out-{name}"):
            image = gallery.opened(path)
            assert image.get("delay") == [40, 250, 1000]
            with Image.open(path) as opened:
                assert opened.info["loop"] == 3


def test_a_frame_that_lies_over_another_becomes_whole_and_that_is_said(tmp_path: Path) -> None:
    frames = [Image.fromarray(gallery.spoilt()) for _ in range(2)]
    frames[1].paste((255, 0, 0), (10, 10, 40, 40))
    for kind in ("gif", "webp"):
        frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], duration=100, lossless=True, disposal=2)
        lost = written(tmp_path / f"a.{kind}", tmp_path / f"out.{kind}")
        assert any("each frame" in line for line in lost), kind


# --- Into other formats ---


@needs_exiftool
@pytest.mark.parametrize("name", ["camera.jpg", "motorola.jpg", "described.png", "still.webp", "tagged.avif", "photographed.tif"])
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_exif_xmp_and_the_profile_go_into_every_format(name: str, ending: str, tmp_path: Path) -> None:
    source, target = made(name, tmp_path), tmp_path / f"out{ending}"
    if name == "still.webp" and ending == ".jpg":
        pytest.skip("has transparency")
    lost = written(source, target)
    was, now = ({key.split(":")[-1]: value for key, value in fields.fields(path).items()} for path in (source, target))
    common = ["Make", "ExposureTime", "GPSLatitude", "Rating", "ProfileDescription", "MakerNoteUnknownText", "UserComment", "CreatorTool"]
    missing = [key for key in common if was.get(key) != now.get(key)]
    assert not missing
    if name == "camera.jpg" and ending != ".jpg":
        assert [word for word in ("comment", "APP5", "APP12") if not any(word in line for line in lost)] == []
        assert ending == ".tif" or any("IPTC" in line for line in lost)


def test_a_broken_tag_is_named(tmp_path: Path) -> None:
    tagged.tiff(tmp_path / "in.tif", extratags=[(65000, 7, 100, bytes(100), True)])
    data = bytearray((tmp_path / "in.tif").read_bytes())
    at = data.index(struct.pack("<HHI", 65000, 7, 100)) + 8
    data[at : at + 4] = struct.pack("<I", len(data) - 10)
    (tmp_path / "in.tif").write_bytes(data)
    assert written(tmp_path / "in.tif", tmp_path / "out.tif") == ["its tag 65000, whose values lie outside of the file"]


def test_a_matrix_that_cannot_be_coded_is_named_and_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "in.avif").write_bytes(tagged.coloured_avif(9, 16, 8))
    lost = written(tmp_path / "in.avif", tmp_path / "out.avif")
    assert any("matrix of its colours (8)" in line for line in lost)
    data = (tmp_path / "out.avif").read_bytes()
    at = data.index(b"colrnclx") + 8
    assert struct.unpack(">3H", data[at : at + 6]) == (9, 16, 6)


def test_every_picture_of_an_avif_keeps_its_own(tmp_path: Path) -> None:
    gallery.pages(2).heifsave(str(tmp_path / "in.avif"), compression="av1", keep="none")
    file = isobmff.parse((tmp_path / "in.avif").read_bytes())
    shown = [item for item in file.items.values() if item.kind == b"av01"]
    for index, item in enumerate(shown):
        item.properties.append((False, isobmff.box(b"clli", bytes([0, index, 0, 9]))))
    (tmp_path / "in.avif").write_bytes(isobmff.written(file))
    assert written(tmp_path / "in.avif", tmp_path / "out.avif") == []
    after = isobmff.parse((tmp_path / "out.avif").read_bytes())
    lights = [item.property(b"clli") for item in after.items.values() if item.kind == b"av01"]
    assert lights == [item.property(b"clli") for item in shown]
    assert image_files.open_photo(tmp_path / "out.avif").pages == 2


@pytest.mark.parametrize("name", ["motion.jpg", "extended.jpg"])
def test_xmp_promises_no_more_what_another_format_has_no_place_for(name: str, tmp_path: Path) -> None:
    lost = written(made(name, tmp_path), tmp_path / "out.png")
    assert any(word in line for word in ("follows", "extended") for line in lost)
    left = gallery.opened(tmp_path / "out.png").get("xmp-data")
    assert b"rdf:Description" in left
    for promise in (b":MicroVideo", b"HasExtendedXMP"):
        assert promise not in left
