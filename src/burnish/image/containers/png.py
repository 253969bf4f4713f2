"""PNG: chunks (PNG Specification, third edition). Texts, times, colour descriptions and unknown chunks go along byte for byte."""

import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from burnish.image.containers import exif, xmp

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that hold for the new pixels too, although the last letter of some says that not every change of pixels leaves them right.
LASTING = {b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"sPLT", b"pCAL", b"sCAL", b"oFFs", b"sTER"}
LASTING |= {b"pHYs", b"tIME", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"bKGD"}
CODING = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"}
GREY, PALETTE, TRUE_COLOUR = (0, 4), 3, (2, 6)
XMP_KEY = b"XML:com.adobe.xmp\0"
_READ_ALL = 1 << 27  # bytes of a chunk that are read at once; none is larger but of the pixels


Chunk = tuple[bytes, bytes]  # name and content


@dataclass(frozen=True)
class Header:
    """What IHDR says."""

    bits: int
    colour: int

    @property
    def samples(self) -> int:
        """Channels of a pixel, of a palette's colours too."""
        return {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(self.colour, 3)


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, where its content begins, and its length; none for what is no PNG."""
    file.seek(0)
    if file.read(8) != SIGNATURE:
        return
    at = 8
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        yield name, at + 8, length
        at += 12 + length
        if name == b"IEND":
            return
        file.seek(at)


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(min(length, _READ_ALL))


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def carry(source: Path, pixels: BinaryIO, target: Path) -> list[str]:
    """See the package."""
    lost: list[str] = []
    with source.open("rb") as old, target.open("wb") as out:
        before, after, header, palette, end = _extras(old)
        ihdr, first, last = _coded(pixels)
        now = Header(ihdr[8], ihdr[9])
        credentials = any(name == b"caBX" for name, _ in before + after)
        kept = [
            [chunk for each in part if (chunk := _adjusted(*each, header, now, palette, credentials, lost))] for part in (before, after)
        ]
        out.write(SIGNATURE + _packed(b"IHDR", ihdr) + b"".join(kept[0]))
        pixels.seek(first)
        _copy(pixels, out, last - first)
        out.write(b"".join(kept[1]) + _packed(b"IEND", b""))
        old.seek(end)
        shutil.copyfileobj(old, out, 1 << 20)
    return list(dict.fromkeys(lost))


def dress(pixels: BinaryIO, target: Path, extras: list[Chunk]) -> None:
    """Write the new pixels, with the chunks that libvips gave them and these, into `target`."""
    before, _, _, _, _ = _extras(pixels)
    ihdr, first, last = _coded(pixels)
    with target.open("wb") as out:
        out.write(SIGNATURE + _packed(b"IHDR", ihdr) + b"".join(_packed(*each) for each in before + extras))
        pixels.seek(first)
        _copy(pixels, out, last - first)
        out.write(_packed(b"IEND", b""))


def others(source: Path) -> list[str]:
    """What a PNG holds that is not carried into other formats, in words."""
    with source.open("rb") as file:
        before, after, _, _, _ = _extras(file)
    common = {b"iCCP", b"eXIf", b"pHYs", b"tRNS"}
    names = [name for name, content in before + after if name not in common and not content.startswith(XMP_KEY)]
    return [f"its chunk {name.decode('latin-1')}" for name in dict.fromkeys(names)]


def _extras(file: BinaryIO) -> tuple[list[Chunk], list[Chunk], Header, bytes, int]:
    """The chunks before and behind the pixels that are not the pixels' own, the header, the palette, and where the picture ends."""
    before: list[Chunk] = []
    after: list[Chunk] = []
    header, palette, end, seen = Header(8, 2), b"", 0, False
    for name, at, length in chunks(file):
        end = at + length + 4
        if name == b"IHDR":
            header = Header(*_read(file, at + 8, 2).ljust(2, b"\0"))
        elif name == b"PLTE":
            palette = _read(file, at, length)
            if header.colour != PALETTE:  # a suggestion to those who show the picture with few colours
                before.append((name, palette))
        elif name == b"IDAT":
            seen = True
        elif name == b"tRNS" or name not in CODING:
            (after if seen else before).append((name, _read(file, at, length)))
    return before, after, header, palette, end


def _coded(file: BinaryIO) -> tuple[bytes, int, int]:
    """The header's content, and where the pixels' chunks begin and end, of a file that libvips wrote."""
    ihdr, first, last = b"", 0, 0
    for name, at, length in chunks(file):
        if name == b"IHDR":
            ihdr = _read(file, at, length)
        elif name == b"IDAT":
            first = first or at - 8
            last = at + length + 4
    return ihdr, first, last


def _copy(file: BinaryIO, out: BinaryIO, count: int) -> None:
    while count > 0 and (data := file.read(min(count, 1 << 20))):
        out.write(data)
        count -= len(data)


def _adjusted(name: bytes, content: bytes, was: Header, now: Header, palette: bytes, credentials: bool, lost: list[str]) -> bytes:
    """The chunk as it goes along, empty when it does not; `lost` is told why."""
    if name == b"tRNS":
        if was.colour != PALETTE:
            lost.append("the colour that stood for transparency: the result has an alpha channel")
        return b""
    if name == b"PLTE":
        if now.colour in TRUE_COLOUR:
            return _packed(name, content)
        lost.append("its suggested palette")
        return b""
    if name == b"caBX":
        lost.append(xmp.C2PA)
        return b""
    if name == b"sBIT":
        if all(value == (8 if was.colour == PALETTE else was.bits) for value in content) and len(content) == now.samples:
            return _packed(name, content)
        lost.append("how many bits of its values counted (sBIT): now all do")
        return b""
    if name == b"eXIf" and exif.has_thumbnail(content):
        lost.append(exif.THUMBNAIL)
        content = exif.without_thumbnail(content)
    if name == b"iTXt" and credentials and content.startswith(XMP_KEY):
        content = xmp.without_provenance(content)
    if name == b"bKGD" and not (content := _background(content, was, now, palette)):
        lost.append("its background colour")
        return b""
    if name in LASTING or name[3] & 0x20:
        return _packed(name, content)
    lost.append(f"its chunk {name.decode('latin-1')}, which may hold for the pixels as they were only")
    return b""


def _background(content: bytes, was: Header, now: Header, palette: bytes) -> bytes:
    """The background as the new pixels are stored: 16 bits a channel; empty when it cannot be told."""
    if was.colour == PALETTE:
        colour = palette[3 * content[0] : 3 * content[0] + 3] if content else b""
        values = list(colour)
    else:
        scale = (1 << now.bits) - 1, (1 << was.bits) - 1
        values = [value * scale[0] // scale[1] for value in struct.unpack(f">{len(content) // 2}H", content[: len(content) // 2 * 2])]
    if now.colour in GREY and len(values) == 3 and len(set(values)) == 1:
        values = values[:1]
    return struct.pack(f">{len(values)}H", *values) if len(values) == (1 if now.colour in GREY else 3) else b""
