"""An EXIF block (CIPA DC-008), which is a small TIFF file: carried as it is, but for the thumbnail, which shows the picture as it was."""

import struct

HEADER = b"Exif\0\0"
THUMBNAIL = "its thumbnail, which shows the picture as it was"
_JPEG_AT, _JPEG_LENGTH, _ORIENTATION = 0x201, 0x202, 0x112


def without_thumbnail(block: bytes) -> bytes:
    """The block whose first directory leads to no second one, which is the thumbnail's (4.5.5 there); all else stays where it is.

    With or without `Exif\\0\\0` before it. A thumbnail that ends the block is cut off; one in its middle only loses what leads to it,
    since a maker's note may count its places from the block's start. What is no EXIF comes back as it is.
    """
    start = len(HEADER) if block.startswith(HEADER) else 0
    order, link = _first_link(block, start)
    if not order:
        return block
    (second,) = struct.unpack_from(order + "I", block, link)
    if second == 0:
        return block
    cut = block[:link] + bytes(4) + block[link + 4 :]
    tags = _whole_numbers(block, start + second, order)
    first, length = tags.get(_JPEG_AT, 0), tags.get(_JPEG_LENGTH, 0)
    ends = first and length and start + first + length >= len(block) - 1
    return cut[: start + first] if ends and start + first > link + 4 else cut


def has_thumbnail(block: bytes) -> bool:
    """Whether a second directory follows the first."""
    order, link = _first_link(block, len(HEADER) if block.startswith(HEADER) else 0)
    return bool(order) and block[link : link + 4] != bytes(4)


def orientation(block: bytes) -> int:
    """How the picture is to be turned, 1–8; 1 where the block does not say."""
    start = len(HEADER) if block.startswith(HEADER) else 0
    order, _ = _first_link(block, start)
    if not order:
        return 1
    (first,) = struct.unpack_from(order + "I", block, start + 4)
    value = _whole_numbers(block, start + first, order).get(_ORIENTATION, 1)
    return value if 1 <= value <= 8 else 1


def with_orientation(block: bytes, turned: int) -> bytes:
    """The block with another orientation, where it has one."""
    start = len(HEADER) if block.startswith(HEADER) else 0
    order, link = _first_link(block, start)
    if not order:
        return block
    for at in range(start + struct.unpack_from(order + "I", block, start + 4)[0] + 2, link, 12):
        if struct.unpack_from(order + "HHI", block, at) == (_ORIENTATION, 3, 1):
            return block[: at + 8] + struct.pack(order + "H", turned) + block[at + 10 :]
    return block


def _first_link(block: bytes, start: int) -> tuple[str, int]:
    """The byte order ("" for what is no EXIF), and where the first directory says where the second is."""
    order = {b"II": "<", b"MM": ">"}.get(block[start : start + 2], "")
    if not order or len(block) < start + 10:
        return "", 0
    directory = start + struct.unpack_from(order + "I", block, start + 4)[0]
    if directory + 2 > len(block):
        return "", 0
    link = directory + 2 + 12 * struct.unpack_from(order + "H", block, directory)[0]
    return (order, link) if link + 4 <= len(block) else ("", 0)


def _whole_numbers(block: bytes, directory: int, order: str) -> dict[int, int]:
    """The tags of a directory that hold one whole number."""
    if directory + 2 > len(block):
        return {}
    (count,) = struct.unpack_from(order + "H", block, directory)
    tags = {}
    for at in range(directory + 2, min(directory + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", block, at)
        if values == 1 and kind in (3, 4):
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), block, at + 8)
    return tags
