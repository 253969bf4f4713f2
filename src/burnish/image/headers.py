"""What picture files say in their headers and libvips does not pass on: a JPEG's quality, a TIFF's or WebP's packing, pictures behind the
first."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# The tables of the JPEG standard, annex K (ITU-T T.81), in the file's zigzag order: luminance, chrominance.
_LUMINANCE = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMINANCE = bytes.fromhex("1112121815182f1a1a2f634238426363") + b"\x63" * 48
_COMPRESSION, _MAX_SAMPLE_VALUE, _PREDICTOR, _EXIF = 259, 281, 317, 34665
# Tags that say how pixels are stored, and those that libvips passes on: description, orientation, resolution, XMP, IPTC, Photoshop's, ICC.
_TOLD_OTHERWISE = {254, 255, *range(256, 260), 262, 263, 266, *range(277, 282), 284, *range(288, 293), 297, 317, *range(320, 326), 330, 332}
_TOLD_OTHERWISE |= {*range(338, 342), 347, *range(512, 522), *range(529, 533), _EXIF} | {
    270,
    273,
    274,
    282,
    283,
    296,
    700,
    33723,
    34377,
    34675,
}
_NAMES = {269: "DocumentName", 271: "Make", 272: "Model", 285: "PageName", 305: "Software", 306: "DateTime", 315: "Artist"} | {
    33432: "Copyright",
    33550: "ModelPixelScale",
    33922: "ModelTiepoint",
    34735: "GeoKeyDirectory",
    34853: "GPS",
}


def jpeg_quality(path: Path) -> int | None:
    """The lowest quality of libjpeg's scale, 1–100, whose quantisation is nowhere coarser than the file's; None for no JPEG."""
    with path.open("rb") as file:
        tables = _quantisation_tables(file)
    if not tables:
        return None
    wanted = [(table, _LUMINANCE if index == 0 else _CHROMINANCE) for index, table in sorted(tables.items())]
    return next((q for q in range(1, 100) if all(_no_coarser(q, standard, table) for table, standard in wanted)), 100)


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


def jpeg_has_more_pictures(path: Path) -> bool:
    """Whether a JPEG file carries further pictures behind the first (CIPA DC-007, "Multi-Picture Format")."""
    with path.open("rb") as file:
        return any(marker == 0xE2 and segment.startswith(b"MPF\0") for marker, segment in _segments(file))


def jpeg_has_comment(path: Path) -> bool:
    """Whether a JPEG file has a comment segment."""
    with path.open("rb") as file:
        return any(marker == 0xFE for marker, _ in _segments(file))


def exif_without_thumbnail(exif: bytes) -> bytes:
    """An EXIF block whose first directory leads to no second one, which is the thumbnail's (CIPA DC-008, 4.5.5)."""
    start = 6 if exif.startswith(b"Exif\0\0") else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None or len(exif) < start + 10:
        return exif
    directory = start + struct.unpack_from(order + "I", exif, start + 4)[0]
    if directory + 2 > len(exif):
        return exif
    following = directory + 2 + 12 * struct.unpack_from(order + "H", exif, directory)[0]
    return exif if following + 4 > len(exif) else exif[:following] + bytes(4) + exif[following + 4 :]


def png_is_animated(path: Path) -> bool:
    """Whether a PNG file holds an animation, which most readers show the first picture of."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            if head[4:] == b"acTL":
                return True
            file.seek(struct.unpack(">I", head[:4])[0] + 4, 1)
    return False


def gif_is_whole(path: Path) -> bool:
    """Whether a GIF's blocks follow one another up to its trailer (GIF89a, section 13)."""
    data = path.read_bytes()

    def colours(packed: int) -> int:
        return 3 << ((packed & 7) + 1) if packed & 0x80 else 0

    def behind_sub_blocks(at: int) -> int:
        while data[at]:
            at += data[at] + 1
        return at + 1

    try:
        at = 13 + colours(data[10])
        while data[at] != 0x3B:
            if data[at] == 0x21:
                at = behind_sub_blocks(at + 2)
            elif data[at] == 0x2C:
                at = behind_sub_blocks(at + 11 + colours(data[at + 9]))
            else:
                return False
    except IndexError:
        return False
    return True


def is_heic(path: Path) -> bool:
    """Whether a file calls itself HEIC, the HEVC kind of HEIF."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def webp_is_lossless(path: Path) -> bool:
    """Whether a WebP file's (first) picture is coded without loss."""
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
    """How a TIFF's first picture is stored, as the standard numbers it; `top`: the largest value that its tags allow, if they say;
    `other`: its tags that say nothing of how it is stored and that libvips does not pass on, by name or number."""

    compression: int = 1
    predictor: int = 1
    exif: bool = False
    top: int | None = None
    other: tuple[str, ...] = ()


def tiff_packing(path: Path) -> TiffPacking:
    """How a TIFF file is packed, and whether its first directory leads to EXIF; the defaults for no TIFF."""
    with path.open("rb") as file:
        tags = _tiff_tags(file)
    other = tuple(_NAMES.get(tag, str(tag)) for tag in sorted(tags.keys() - _TOLD_OTHERWISE))
    return TiffPacking(tags.get(_COMPRESSION, 1), tags.get(_PREDICTOR, 1), _EXIF in tags, tags.get(_MAX_SAMPLE_VALUE), other)


def tiff_pages(path: Path) -> int | None:
    """How many pages a TIFF's directories tell of; None when they lead out of the file, or in a circle, or it is no TIFF."""
    with path.open("rb") as file:
        length = path.stat().st_size
        order, big, start = _tiff_start(file)
        entry, count, link = (20, "Q", "Q") if big else (12, "H", "I")
        seen: set[int] = set()
        while start and order:
            file.seek(min(start, length))
            data = file.read(struct.calcsize(count))
            if start in seen or len(data) < struct.calcsize(count):
                return None
            seen.add(start)
            file.seek(min(entry * struct.unpack(order + count, data)[0], length), 1)
            data = file.read(struct.calcsize(link))
            if len(data) < struct.calcsize(link):
                return None
            (start,) = struct.unpack(order + link, data)
    return len(seen) or None


def _tiff_start(file: BinaryIO) -> tuple[str | None, bool, int]:
    """Byte order (None for no TIFF), whether it is BigTIFF, and where the first directory is."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return None, False, 0
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    return order, big, struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]


def _tiff_tags(file: BinaryIO) -> dict[int, int]:
    """The first directory's tags with the first value of each, where it is a whole number; empty for no TIFF."""
    order, big, start = _tiff_start(file)
    if order is None:
        return {}
    entry, count = (20, "Q") if big else (12, "H")
    file.seek(min(start, 2**40))
    (entries,) = struct.unpack(order + count, file.read(struct.calcsize(count)).ljust(struct.calcsize(count), b"\0"))
    tags = {}
    for _ in range(min(entries, 4096)):
        data = file.read(entry)
        if len(data) < entry:
            break
        tag, kind = struct.unpack(order + "HH", data[:4])
        value = data[entry // 2 + 2 :] if big else data[8:]
        tags[tag] = struct.unpack(order + {3: "H", 4: "I"}.get(kind, "B"), value[: {3: 2, 4: 4}.get(kind, 1)])[0]
    return tags
