"""What picture files say in their headers and libvips does not pass on: how strongly a JPEG was compressed, how a TIFF or WebP was packed."""

import struct
from pathlib import Path
from typing import BinaryIO

# The tables of the JPEG standard, annex K (ITU-T T.81), in the file's zigzag order: luminance, chrominance.
_LUMINANCE = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933"
    "383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMINANCE = bytes.fromhex("1112121815182f1a1a2f634238426363") + b"\x63" * 48
_TIFF_COMPRESSION, _TIFF_PREDICTOR, _TIFF_EXIF = 259, 317, 34665


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
    if file.read(2) != b"\xff\xd8":
        return tables
    while (marker := file.read(2)) and marker[0] == 0xFF and marker[1] not in (0xDA, 0xD9):
        size = file.read(2)
        if len(size) < 2:
            break
        segment = file.read(struct.unpack(">H", size)[0] - 2)
        while marker[1] == 0xDB and segment:
            wide, number = segment[0] >> 4, segment[0] & 15
            length = 128 if wide else 64
            if len(segment) <= length:
                break
            tables[number] = list(struct.unpack(">64H" if wide else "64B", segment[1 : 1 + length]))
            segment = segment[1 + length :]
    return tables


def webp_is_lossless(path: Path) -> bool:
    """Whether a WebP file's (first) picture is coded without loss."""
    with path.open("rb") as file:
        head = file.read(4096)
    return b"VP8L" in head and b"VP8 " not in head


def tiff_packing(path: Path) -> tuple[int, int, bool]:
    """A TIFF's compression and predictor, as the standard numbers them, and whether its first directory leads to EXIF."""
    with path.open("rb") as file:
        tags = _tiff_tags(file)
    return tags.get(_TIFF_COMPRESSION, 1), tags.get(_TIFF_PREDICTOR, 1), _TIFF_EXIF in tags


def _tiff_tags(file: BinaryIO) -> dict[int, int]:
    """The first directory's tags with the first value of each, where it is a whole number; empty for no TIFF."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return {}
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    start = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
    entry, count = (20, "Q") if big else (12, "H")
    file.seek(min(start, 2**62))
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
