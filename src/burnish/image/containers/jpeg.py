"""JPEG: marker segments before the first scan, and whatever follows the end of the picture.

Carried as they are: JFIF with its density, EXIF without its thumbnail, XMP with its extensions, ICC, IPTC and Photoshop's resources,
comments, and segments that nobody knows. Behind the picture stand further ones (a gain map, a preview, a second view), a motion photo's
video, or a maker's own data: carried too, as a stream. The index of further pictures (CIPA DC-007, "Multi-Picture Format") counts places
from itself and is corrected; XMP and the makers' own tables count from the end of the file, or lengths only, and stay right.
"""

import mmap
import os
import re
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from burnish.errors import InputError
from burnish.image.containers import exif, xmp

APP0, APP1, APP2, APP11, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xFE
SOS, EOI = 0xDA, 0xD9
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
ICC_HEADER = b"ICC_PROFILE\0"
IPTC_HEADER = b"Photoshop 3.0\0"
MPF_HEADER = b"MPF\0"
_MP_ENTRIES = 0xB002
_MARKER = re.compile(rb"\xff[\x01-\xfe]")  # a plain first byte: regular expressions look for such as fast as memory is read
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
Segment = tuple[int, bytes]


@dataclass(frozen=True)
class Parts:
    """A JPEG file's segments that say something of the picture, in their order; `end`: where its (first) picture ends; `mpf_at`: where the
    index of further pictures stands, 0 for none; `coding`: the other segments up to the first scan's, which ends at `scan_at`."""

    segments: list[Segment]
    end: int
    mpf_at: int
    coding: bytes
    scan_at: int


def is_carried(marker: int) -> bool:
    """Whether a segment says something of the picture, and not how its pixels are coded."""
    return APP0 <= marker <= 0xEF or marker == COM


def parts(data: "bytes | mmap.mmap", whole: bool = True) -> Parts:
    """A JPEG file's parts; with `whole` False, of its head alone. Raises ValueError when it has no end."""
    segments: list[Segment] = []
    coding: list[bytes] = []
    mpf_at = end = scan_at = 0
    for marker, start, length in _walk(data, whole):
        if marker == EOI:
            end = start
        elif not is_carried(marker):
            if not scan_at:
                coding.append(bytes(data[start - 4 : start + length]))
            if marker == SOS:
                scan_at = scan_at or start + length
        else:
            content = bytes(data[start : start + length])
            segments.append((marker, content))
            if marker == APP2 and content.startswith(MPF_HEADER):
                mpf_at = mpf_at or start + len(MPF_HEADER)
    if whole and not end:
        raise ValueError("no end of the picture")
    return Parts(segments, end, mpf_at, b"".join(coding), scan_at)


def _walk(data: "bytes | mmap.mmap", whole: bool) -> Iterator[tuple[int, int, int]]:
    """Each marker segment with where its content begins and its length; at last the end of the picture with the place behind it."""
    at, size = 2, len(data)
    scanning = False
    while at + 2 <= size:
        found = (_SCAN_END if scanning else _MARKER).search(data, at)
        if found is None:
            return
        marker, at = data[found.end() - 1], found.end()
        scanning = False
        if marker == EOI:
            yield EOI, at, 0
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        if at + 2 > size:
            return
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > size:
            return
        yield marker, at + 2, length - 2
        at += length
        if marker == SOS:
            if not whole:
                return
            scanning = True


def carry(source: Path, pixels: BinaryIO, target: Path) -> list[str]:
    """See the package. Raises InputError for a source whose parts cannot be told."""
    lost: list[str] = []
    with source.open("rb") as old, target.open("wb") as out:
        with mmap.mmap(old.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                original = parts(data)
            except ValueError as error:
                raise InputError(f"{source}: is a JPEG without its end; it is cut off, copy it anew") from error
        own = _head(pixels)
        segments = _adjusted(original.segments, lost)
        if any(marker == APP14 for marker, _ in own.segments):  # how CMYK is coded
            segments = [each for each in segments if each[0] != APP14] + [each for each in own.segments if each[0] == APP14]
        head = b"\xff\xd8" + b"".join(_packed(*each) for each in segments)
        if at := parts(head, whole=False).mpf_at:
            head = _repaired(head, at, original, len(head) + len(own.coding) + pixels.seek(0, os.SEEK_END) - own.scan_at)
        out.write(head + own.coding)
        pixels.seek(own.scan_at)
        shutil.copyfileobj(pixels, out, 1 << 20)
        old.seek(original.end)
        shutil.copyfileobj(old, out, 1 << 20)
    return lost


def dress(pixels: BinaryIO, target: Path, segments: list[Segment], density: tuple[float, float]) -> None:
    """Write the new pixels with these segments and this density, in pixels a millimetre, into `target`."""
    own = _head(pixels)
    kept = [each for each in own.segments if each[0] in (APP0, APP14)]
    dots = [round(each * 25.4) for each in density]
    if kept and kept[0][1].startswith(b"JFIF\0") and all(0 < each < 1 << 16 for each in dots) and density != (1.0, 1.0):
        kept[0] = (APP0, kept[0][1][:7] + struct.pack(">BHH", 1, *dots) + kept[0][1][12:])
    with target.open("wb") as out:
        out.write(b"\xff\xd8" + b"".join(_packed(*each) for each in kept + segments))
        out.write(b"".join(_packed(*each) for each in own.segments if each not in kept and each[0] not in (APP0, APP14)) + own.coding)
        pixels.seek(own.scan_at)
        shutil.copyfileobj(pixels, out, 1 << 20)


def others(source: Path) -> list[str]:
    """What a JPEG holds that has no place in other formats, in words."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = parts(data)
        except ValueError:
            return []
        more = len(data) > found.end
    lost = []
    for marker, content in found.segments:
        if marker == COM:
            lost.append("its comment")
        elif marker == APP1 and content.startswith(b"http://ns.adobe.com/xmp/extension/\0"):
            lost.append("its extended XMP")
        elif marker not in (APP0, APP14) and not content.startswith((exif.HEADER, XMP_HEADER, ICC_HEADER, IPTC_HEADER, MPF_HEADER)):
            lost.append(f"its segment APP{marker - APP0}")
    if more:
        lost.append("what follows its picture, such as a video or further pictures")
    return list(dict.fromkeys(lost))


def _head(file: BinaryIO) -> Parts:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return parts(data, whole=False)


def _packed(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _adjusted(segments: list[Segment], lost: list[str]) -> list[Segment]:
    """The segments that go along; `lost` is told of what does not."""
    void = _void_boxes(segments)
    kept = []
    for index, (marker, content) in enumerate(segments):
        if marker == APP0 and content.startswith(b"JFXX\0"):
            lost.append(exif.THUMBNAIL)
            continue
        if index in void:
            lost.append(void[index])
            continue
        if marker == APP0 and content.startswith(b"JFIF\0") and content[12:14] != b"\0\0" and len(content) > 14:
            lost.append(exif.THUMBNAIL)
            content = content[:12] + b"\0\0"
        elif marker == APP1 and content.startswith(exif.HEADER) and exif.has_thumbnail(content):
            lost.append(exif.THUMBNAIL)
            content = exif.without_thumbnail(content)
        elif marker == APP1 and content.startswith(XMP_HEADER) and xmp.C2PA in void.values():
            content = xmp.without_provenance(content)
        elif marker == APP14 and content.startswith(b"Adobe") and len(content) >= 12:
            content = content[:11] + b"\x01" + content[12:]  # the new pixels are YCbCr
        kept.append((marker, content))
    lost[:] = dict.fromkeys(lost)
    return kept


def _void_boxes(segments: list[Segment]) -> dict[int, str]:
    """The APP11 segments with boxes (ISO/IEC 18477-3, B.2) that do not hold for changed pixels, with their names.

    A box may be spread over several segments that bear its number.
    """
    kinds: dict[bytes, str] = {}
    for marker, content in segments:
        if marker == APP11 and content.startswith(b"JP") and len(content) >= 16:
            number, kind = content[2:4] + content[12:16], content[12:16]
            if kind != b"jumb":
                kinds[number] = "its JPEG XT layer, which refines the picture as it was"
            elif b"c2pa" in content[16:216]:
                kinds[number] = xmp.C2PA
    return {
        index: kinds[content[2:4] + content[12:16]]
        for index, (marker, content) in enumerate(segments)
        if marker == APP11 and content.startswith(b"JP") and content[2:4] + content[12:16] in kinds
    }


# --- Further pictures ---


def _repaired(head: bytes, at: int, original: Parts, end: int) -> bytes:
    """The head whose index of pictures, at `at`, tells where they are now: the first ends at `end`, the others follow as they did."""
    fixed = bytearray(head)
    found = _entries(head, at)
    if found is None:
        return head
    order, first, count = found
    moved = (end - at) - (original.end - original.mpf_at)
    for index in range(count):
        place = first + 16 * index
        size, offset = struct.unpack_from(order + "II", fixed, place + 4)
        if offset == 0:
            struct.pack_into(order + "I", fixed, place + 4, max(0, size + end - original.end))
        elif original.mpf_at + offset >= original.end:
            struct.pack_into(order + "I", fixed, place + 8, offset + moved)
    return bytes(fixed)


def _entries(head: bytes, at: int) -> tuple[str, int, int] | None:
    """Byte order, place and number of the 16-byte entries of an index at `at`; None when it has none."""
    order = {b"II": "<", b"MM": ">"}.get(head[at : at + 2])
    if order is None or at + 8 > len(head):
        return None
    directory = at + struct.unpack_from(order + "I", head, at + 4)[0]
    if directory + 2 > len(head):
        return None
    (tags,) = struct.unpack_from(order + "H", head, directory)
    for entry in range(directory + 2, min(directory + 2 + 12 * tags, len(head) - 11), 12):
        tag, _, count, offset = struct.unpack_from(order + "HHII", head, entry)
        if tag == _MP_ENTRIES and at + offset + count <= len(head):
            return order, at + offset, count // 16
    return None
