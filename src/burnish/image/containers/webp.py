"""WebP (RFC 9649): the RIFF file's chunks. EXIF, XMP, the profile, an animation's loop, background and times, and unknown chunks."""

import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from burnish.image.containers import exif, xmp

PICTURE = {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}
FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04, b"ANIM": 0x02}
ALPHA = 0x10
FRAMES = "how its frames are disposed of and blended: each frame of the result is whole"
_READ_ALL = 1 << 28
Chunk = tuple[bytes, bytes]  # name and content
Place = tuple[bytes, int, int]  # a chunk's name, where its content begins, and its length


def chunks(file: BinaryIO) -> Iterator[Place]:
    """A WebP file's chunks up to its end as its head tells it; none for another file."""
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return
    end = 8 + struct.unpack("<I", head[4:8])[0]
    at = 12
    while at + 8 <= end and len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        yield name, at + 8, length
        at += 8 + length + length % 2
        file.seek(at)


@dataclass
class Parts:
    """A file's chunks: those before its picture and behind it, the picture's own, and where the file ends as its head tells it."""

    before: list[Chunk] = field(default_factory=list)
    picture: list[Place] = field(default_factory=list)
    after: list[Chunk] = field(default_factory=list)
    end: int = 0


def parts(file: BinaryIO) -> Parts:
    """A file's chunks, the picture's not read."""
    found = Parts()
    for name, at, length in chunks(file):
        found.end = at + length + length % 2
        if name in PICTURE:
            found.picture.append((name, at, length))
        else:
            file.seek(at)
            (found.after if found.picture else found.before).append((name, file.read(min(length, _READ_ALL))))
    return found


def carry(source: Path, pixels: BinaryIO, target: Path) -> list[str]:
    """See the package."""
    lost: list[str] = []
    with source.open("rb") as old, target.open("w+b") as out:
        was, now = parts(old), parts(pixels)
        credentials = any(name == b"C2PA" for name, _ in was.before + was.after)
        before, after = (
            [(name, kept) for name, content in part if (kept := _adjusted(name, content, credentials, lost)) is not None]
            for part in (was.before, was.after)
        )
        frames = _frames(old, was), _frames(pixels, now)
        moving = bool(frames[1])
        if not moving and frames[0]:  # one frame is all that libvips found worth writing
            lost.append("that it is an animation, of one picture")
        if not moving:
            before = [each for each in before if each[0] != b"ANIM"]
        lost += _within(old, was)
        times = _times(frames[0], frames[1], lost)
        _write(out, pixels, now, _extended(pixels, now, [*before, *after]), (before, after), times)
        old.seek(was.end)
        shutil.copyfileobj(old, out, 1 << 20)
    return list(dict.fromkeys(lost))


def dress(pixels: BinaryIO, target: Path, extras: list[Chunk]) -> None:
    """Write the new pixels, with the chunks that libvips gave them and these behind, into `target`."""
    now = parts(pixels)
    before = [each for each in now.before if each[0] != b"VP8X"]
    after = now.after + extras
    with target.open("w+b") as out:
        _write(out, pixels, now, _extended(pixels, now, before + after), (before, after), [])


def others(source: Path) -> list[str]:
    """What a WebP holds that is not carried into other formats, in words."""
    with source.open("rb") as file:
        found = parts(file)
    common = (b"VP8X", b"ICCP", b"EXIF", b"XMP ", b"ANIM")
    return [f"its chunk {name.decode('latin-1')}" for name, _ in found.before + found.after if name not in common]


def _write(
    out: BinaryIO,
    new: BinaryIO,
    now: Parts,
    extended: bytes,
    extras: tuple[list[Chunk], list[Chunk]],
    times: list[int],
) -> None:
    out.write(b"RIFF\0\0\0\0WEBP" + extended + b"".join(_packed(*each) for each in extras[0]))
    for index, (name, at, length) in enumerate(now.picture):
        new.seek(at)
        content = new.read(length)
        if name == b"ANMF" and index < len(times):
            content = content[:12] + struct.pack("<I", times[index])[:3] + content[15:]
        out.write(_packed(name, content))
    out.write(b"".join(_packed(*each) for each in extras[1]))
    end = out.tell()
    out.seek(4)
    out.write(struct.pack("<I", end - 8))
    out.seek(end)


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)


def _adjusted(name: bytes, content: bytes, credentials: bool, lost: list[str]) -> bytes | None:
    """The chunk's content as it goes along; None when it does not."""
    if name == b"VP8X":
        return None
    if name == b"C2PA":
        lost.append(xmp.C2PA)
        return None
    if name == b"EXIF" and exif.has_thumbnail(content):
        lost.append(exif.THUMBNAIL)
        return exif.without_thumbnail(content)
    return xmp.without_provenance(content) if name == b"XMP " and credentials else content


def _extended(new: BinaryIO, now: Parts, extras: list[Chunk]) -> bytes:
    """The chunk that says what else there is; empty when nothing else is."""
    own = next((content for name, content in now.before if name == b"VP8X"), b"")
    if not extras and not own:
        return b""
    flags = own[0] & ALPHA if own else 0
    for name, _ in extras:
        flags |= FLAGS.get(name, 0)
    size = own[4:10] if own else b"".join(struct.pack("<I", side - 1)[:3] for side in _size(new, now))
    if not own and _has_alpha(new, now):
        flags |= ALPHA
    return _packed(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def _size(new: BinaryIO, now: Parts) -> tuple[int, int]:
    """The width and height of a picture that has no extended head."""
    name, at, _ = now.picture[0]
    new.seek(at)
    data = new.read(10).ljust(10, b"\0")
    if name == b"VP8L":
        packed = int.from_bytes(data[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _has_alpha(new: BinaryIO, now: Parts) -> bool:
    name, at, _ = now.picture[0]
    new.seek(at)
    return name == b"VP8L" and bool(int.from_bytes(new.read(5)[1:], "little") >> 28 & 1)


def _frames(file: BinaryIO, found: Parts) -> list[bytes]:
    """The head of each frame of an animation."""
    heads = []
    for name, at, _ in found.picture:
        if name == b"ANMF":
            file.seek(at)
            heads.append(file.read(16).ljust(16, b"\0"))
    return heads


def _within(file: BinaryIO, found: Parts) -> list[str]:
    """What an animation's frames carry beside their pixels, in words."""
    lost = []
    for name, start, length in found.picture:
        at = start + 16
        while name == b"ANMF" and at + 8 <= start + length:
            file.seek(at)
            inner, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
            if inner not in PICTURE:
                lost.append(f"the chunk {inner.decode('latin-1')} in its frames")
            at += 8 + size + size % 2
    return lost


def _times(was: list[bytes], now: list[bytes], lost: list[str]) -> list[int]:
    """How long each new frame is shown, in ms, where there are as many as there were."""
    whole = now[0][6:12] if now else b""
    if any(head[:6] != bytes(6) or head[6:12] != whole or head[15] & 1 for head in was):
        lost.append(FRAMES)
    if len(was) == len(now):
        return [int.from_bytes(head[12:15], "little") for head in was]
    if now:
        lost.append(f"its division into {len(was)} frames: like ones became one, {len(now)} in all")
    return []
