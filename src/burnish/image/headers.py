"""What image files say in their headers and libvips does not pass on: a JPEG's quality, a TIFF's or WebP's packing, pages."""

import re
import struct
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from burnish.image.containers import gif, tiff
from burnish.image.containers.tiff_tags import Entry, Reader

# The tables of the JPEG standard, annex K (ITU-T T.81), in the file's zigzag order: luminance, chrominance.
_LUMINANCE = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMINANCE = bytes.fromhex("1112121815182f1a1a2f634238426363") + b"\x63" * 48


SMALLER, MASK = 1, 4  # bits of a TIFF's NewSubfileType
_IMAGES = re.compile(r"ImageJ=[^\n]*\n(?:.*\n)*?images=(\d{1,9})\b")


def jpeg_quality(path: Path) -> int | None:
    """The lowest quality of libjpeg's scale, 1–100, whose quantisation is nowhere coarser than the file's; None for no JPEG."""
    with path.open("rb") as file:
        tables = _quantisation_tables(file)
    if not tables:
        return None
    wanted = [(table, _LUMINANCE if index == 0 else _CHROMINANCE) for index, table in sorted(tables.items())]
    # Each step on the scale makes no value coarser.
    return 1 + bisect_left(range(1, 100), True, key=lambda q: all(_no_coarser(q, standard, table) for table, standard in wanted))


def _no_coarser(quality: int, standard: bytes, table: list[int]) -> bool:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality  # libjpeg's
    return all(min(255, max(1, (value * scale + 50) // 100)) <= own for value, own in zip(standard, table, strict=True))


def _quantisation_tables(file: BinaryIO) -> dict[int, list[int]]:
    """The tables of a JPEG stream by their number, up to the first scan."""
    tables: dict[int, list[int]] = {}
    for marker, segment in _segments(file):
        while marker == 0xDB and segment:
            wide, number = segment[0] >> 4, segment[0] & 15
            length = 128 if wide else 64
            if len(segment) <= length:
                break
            tables[number] = list(struct.unpack(">64H" if wide else "64B", segment[1 : 1 + length]))
            segment = segment[1 + length :]
    return tables


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """A JPEG stream's marker segments before the first scan; none for what is no JPEG."""
    if file.read(2) != b"\xff\xd8":
        return
    while len(marker := file.read(2)) == 2 and marker[0] == 0xFF and marker[1] not in (0xDA, 0xD9):
        size = file.read(2)
        if len(size) < 2:
            return
        yield marker[1], file.read(max(0, struct.unpack(">H", size)[0] - 2))


def png_is_animated(path: Path) -> bool:
    """Whether a PNG file holds an animation, which most readers show the first image of."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            if head[4:] == b"acTL":
                return True
            file.seek(struct.unpack(">I", head[:4])[0] + 4, 1)
    return False


def gif_is_whole(path: Path) -> bool:
    """Whether a GIF's blocks follow one another up to its trailer (GIF89a, section 13)."""
    try:
        return all(True for _ in gif.blocks(path.read_bytes()))
    except ValueError:
        return False


def is_heic(path: Path) -> bool:
    """Whether a file calls itself HEIC, the HEVC kind of HEIF."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def webp_is_lossless(path: Path) -> bool:
    """Whether a WebP file's (first) image is coded without loss."""
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name in (b"VP8L", b"VP8 "):
                return bool(name == b"VP8L")
            file.seek(16 if name == b"ANMF" else size + size % 2, 1)  # a frame's chunks stand behind 16 bytes of its own
    return False


@dataclass(frozen=True)
class TiffPacking:
    """How a TIFF's first image is stored, as the standard numbers it.

    `photometric`: what its values mean, such as 2 for red, green and blue;
    `top`: the largest value that its tags allow, if they say; `extra`: what its channels beyond the colours are (0 unspecified data, 1
    transparency that the colours are multiplied by, 2 plain transparency); `nodata`: the value of pixels that hold nothing, which GDAL
    writes; `big`: BigTIFF; `sparse`: parts without data are left out.
    """

    compression: int = 1
    photometric: int = 1
    predictor: int = 1
    top: int | None = None
    extra: tuple[int, ...] = ()
    nodata: float | None = None
    big: bool = False
    sparse: bool = False


def tiff_packing(path: Path) -> TiffPacking:
    """How a TIFF file is packed; the defaults for no TIFF."""
    with path.open("rb") as file:
        try:
            reader = Reader(file)
            tags = reader.entries(reader.link(reader.link_at))

            def number(tag: int) -> int:
                return next(iter(reader.numbers(tags.get(tag))), 1)

            return TiffPacking(
                number(tiff.COMPRESSION),
                number(tiff.PHOTOMETRIC),
                number(tiff.PREDICTOR),
                max(reader.numbers(tags.get(tiff.MAX_SAMPLE)), default=None),
                reader.numbers(tags.get(tiff.EXTRA)),
                _nodata(reader.text(tags.get(tiff.NODATA))),
                reader.big,
                any(0 in reader.numbers(tags.get(tag)) for tag in (tiff.LENGTHS, tiff.TILE_LENGTHS)),
            )
        except ValueError:
            return TiffPacking()


def _nodata(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def tiff_pages(path: Path) -> int | None:
    """How many pages a TIFF's directories tell of; None when they lead out of the file, or in a circle, or it is no TIFF."""
    with path.open("rb") as file:
        try:
            return len(Reader(file).chain()) or None
        except ValueError:
            return None


@dataclass(frozen=True)
class TiffStack:
    """The pages of a TIFF: `all` of them; `full`, those before the first that is a smaller copy or a mask of another; `hidden`, further
    images that only ImageJ's description tells of; `preview`: the first page is a smaller copy of what a sub-directory holds, as in raw
    files (DNG)."""

    all: int
    full: int
    hidden: int
    preview: bool = False


def tiff_stack(path: Path) -> TiffStack | None:
    """What pages a TIFF has; None when they cannot be followed."""
    with path.open("rb") as file:
        try:
            reader = Reader(file)
            places = reader.chain()
            pages = [reader.entries(at) for at in places]
            parts = [next(iter(reader.numbers(tags.get(tiff.SUBFILE))), 0) & (SMALLER | MASK) for tags in pages]
            full = next((index for index, part in enumerate(parts) if part and index), len(pages))
            full = full if all(parts[full:]) else len(pages)
            preview = bool(pages) and _has_larger(reader, pages[0])
            told = _IMAGES.match(reader.text(pages[0].get(tiff.DESCRIPTION))) if pages else None
        except ValueError:
            return None
    return TiffStack(len(pages), full, max(0, int(told[1]) - 1) if told and len(pages) == 1 else 0, preview)


def _has_larger(reader: Reader, tags: dict[int, Entry]) -> bool:
    """Whether a page's sub-directories hold a picture of more columns."""
    width = next(iter(reader.numbers(tags.get(tiff.WIDTH))), 0)
    inner = [reader.entries(at) for at in reader.numbers(tags.get(tiff.SUB_IFDS))]
    return any(next(iter(reader.numbers(each.get(tiff.WIDTH))), 0) > width for each in inner)
