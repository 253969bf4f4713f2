"""The containers' readers: no bytes break them, and what they take apart they put together again."""

import contextlib
import io
import struct
import tempfile
from pathlib import Path

import gallery
import pytest
import tagged
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from burnish.image.containers import avif, exif, gif, isobmff, jpeg, png, tiff, webp, xmp
from burnish.image.containers.tiff_tags import Reader, little_endian

STARTS = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP", b"GIF89a", b"II*\0\x08\0\0\0", b"MM\0+\0\x08\0\0"]
STARTS += [b"\0\0\0\x10ftypavif\0\0\0\0", b"Exif\0\0MM\0*\0\0\0\x08"]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_no_bytes_break_the_readers(start: bytes, tail: bytes) -> None:
    data = start + tail
    for reader in (jpeg.parts, gif.parts, isobmff.parse):
        with contextlib.suppress(ValueError):
            reader(data)
    list(png.chunks(io.BytesIO(data)))
    webp.parts(io.BytesIO(data))
    with contextlib.suppress(ValueError):
        tags = Reader(io.BytesIO(data))
        for place in tags.chain():
            for entry in tags.entries(place).values():
                tags.value(entry)
    block = exif.without_thumbnail(data)
    assert len(block) <= len(data)
    exif.has_thumbnail(data)
    assert 1 <= exif.orientation(data) <= 8
    exif.with_orientation(data, 3)


@given(st.sampled_from(sorted(tagged.FILES)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_nor_do_damaged_files(name: str, damage: list[tuple[float, int]]) -> None:
    data = bytearray(FILES.setdefault(name, tagged.FILES[name]()))
    for place, value in damage:
        data[int(place * (min(len(data), 4000) - 1))] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        for module in (jpeg, png, webp, gif, avif, tiff):
            module.others(path)
        avif.as_stored(path)


FILES: dict[str, bytes] = {}


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_thumbnail_is_cut_off_and_nothing_else(order: str) -> None:
    block = tagged.exif(order)
    cut = exif.without_thumbnail(block)
    assert exif.has_thumbnail(block)
    assert not exif.has_thumbnail(cut)
    assert b"\xff\xd8\xff" not in cut
    before, after = Image.Exif(), Image.Exif()
    before.load(b"Exif\0\0" + block)
    after.load(b"Exif\0\0" + cut)
    assert dict(after) == dict(before)
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        assert after.get_ifd(directory) == before.get_ifd(directory)
        assert after.get_ifd(directory)
    assert exif.without_thumbnail(cut) == cut
    assert (exif.orientation(block), exif.orientation(exif.with_orientation(block, 3))) == (6, 3)
    assert not exif.has_thumbnail(exif.without_thumbnail(gallery.exif()))


def test_a_thumbnail_in_the_middle_leaves_all_where_it_is() -> None:
    block = tagged.exif() + b"something behind it that is long enough"
    cut = exif.without_thumbnail(block)
    assert len(cut) == len(block)
    assert not exif.has_thumbnail(cut)


def test_provenance_is_taken_out_of_xmp_in_both_its_forms() -> None:
    for told in (b"<a dcterms:provenance='self#x' b='c'/>", b'<a b="c"><dcterms:provenance>x</dcterms:provenance></a>'):
        left = xmp.without_provenance(told)
        assert b"provenance" not in left
        assert b"c" in left
    assert xmp.without_provenance(tagged.RATED) == tagged.RATED


def test_promises_are_taken_out_of_xmp_and_nothing_else() -> None:
    told = (
        b"<rdf:Description c:MicroVideo='1' G:MotionPhotoVersion=\"1\" hdrgm:Version='1.0' xmp:Rating='4'><Con:Directory><rdf:Seq>"
        b"<rdf:li/></rdf:Seq></Con:Directory><c:MicroVideoOffset>5</c:MicroVideoOffset><dc:title>a</dc:title></rdf:Description>"
    )
    assert xmp.without_promises(told) == b"<rdf:Description xmp:Rating='4'><dc:title>a</dc:title></rdf:Description>"
    assert xmp.without_promises(tagged.RATED) == tagged.RATED


def test_a_jpegs_end_is_found_behind_its_thumbnail_and_restart_markers() -> None:
    data = tagged.jpeg(tagged.segment(0xE1, b"Exif\0\0" + tagged.exif()), behind=b"video\xff\xd9", quality=30)
    found = jpeg.parts(data)
    assert data[found.end - 2 : found.end] == b"\xff\xd9"
    assert data[found.end :] == b"video\xff\xd9"


def test_items_put_together_are_the_same_items() -> None:
    data = tagged.avif(exif=tagged.exif(), xmp=tagged.RATED, icc_profile=gallery.profile())
    file = isobmff.parse(data)
    again = isobmff.parse(isobmff.written(file))
    assert again == file
    assert isobmff.written(again) == isobmff.written(file)
    Image.open(io.BytesIO(isobmff.written(file))).load()


@pytest.mark.parametrize(("kind", "values"), [(3, "H"), (4, "I"), (5, "2I"), (12, "d"), (16, "Q")])
def test_numbers_turn(kind: int, values: str) -> None:
    count = 4 if values == "2I" else 2
    code = f"{count}{values[-1]}"
    numbers = [1, 2, 3, 500][:count]
    assert little_endian(struct.pack(f">{code}", *numbers), kind, ">") == struct.pack(f"<{code}", *numbers)
    assert little_endian(b"abc", 2, ">") == b"abc"


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tags_are_read_as_another_reader_reads_them(byteorder: str, bigtiff: bool, tmp_path: Path) -> None:
    tagged.tiff(tmp_path / "a.tif", extratags=tagged.GEO, byteorder=byteorder, bigtiff=bigtiff)
    with (tmp_path / "a.tif").open("rb") as file, tifffile.TiffFile(tmp_path / "a.tif") as known:
        reader = Reader(file)
        (place,) = reader.chain()
        entries = reader.entries(place)
        assert sorted(entries) == sorted(tag.code for tag in known.pages[0].tags)
        assert reader.numbers(entries[34735]) == known.pages[0].tags[34735].value
        assert reader.text(entries[42113]) == "-9999"


def test_a_circle_of_directories_is_no_endless_work() -> None:
    with pytest.raises(ValueError, match="circle"):
        Reader(io.BytesIO(b"II*\0" + struct.pack("<IHI", 8, 0, 8))).chain()
