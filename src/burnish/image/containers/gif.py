"""GIF (GIF89a): blocks. Comments, loops, applications' own blocks, times, and the flags of each picture."""

import mmap
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from burnish.errors import InputError

RESOLUTION = 0x70  # the head's bits that tell how fine the colours were before there were so few
CONTROL, COMMENT, TEXT, APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
FRAMES = "how its frames are disposed of and laid over each other: each frame of the result is whole"


@dataclass
class Frame:
    """A picture within the file: its control block's flags and delay, the place and size of its descriptor, and what stands before it."""

    control: bytes = b"\0\0\0"
    control_at: int = 0
    descriptor_at: int = 0
    extensions: list[bytes] = field(default_factory=list)


@dataclass
class Parts:
    """The frames, the extensions behind the last, where the blocks begin, and where the file ends."""

    frames: list[Frame]
    after: list[bytes]
    start: int
    end: int


def colours(packed: int) -> int:
    """Bytes of a table of colours, as a descriptor's flags tell it."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _behind_sub_blocks(data: "bytes | mmap.mmap", at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def blocks(data: "bytes | mmap.mmap") -> Iterator[tuple[int, int, int]]:
    """Each block's kind (0x21 extension, 0x2C picture, 0x3B end), where it begins, and where the next one does.

    Raises ValueError where something else stands, or the file ends.
    """
    try:
        at = 13 + colours(data[10])
        while True:
            kind, start = data[at], at
            if kind == 0x3B:
                yield kind, start, start + 1
                return
            if kind == 0x21:
                at = _behind_sub_blocks(data, at + 2)
            elif kind == 0x2C:
                at = _behind_sub_blocks(data, at + 11 + colours(data[at + 9]))
            else:
                raise ValueError("something that is no block")
            yield kind, start, at
    except IndexError as error:
        raise ValueError("no end") from error


def parts(data: "bytes | mmap.mmap") -> Parts:
    """The file's frames and what stands between them. Raises ValueError where its blocks do not follow one another."""
    frames: list[Frame] = []
    frame = Frame()
    end = 0
    for kind, start, behind in blocks(data):
        end = behind
        if kind == 0x2C:
            frame.descriptor_at = start
            frames.append(frame)
            frame = Frame()
        elif kind == 0x21 and data[start + 1] == CONTROL:
            frame.control, frame.control_at = bytes(data[start + 3 : start + 6]), start + 3
        elif kind == 0x21:
            frame.extensions.append(bytes(data[start:behind]))
    return Parts(frames, frame.extensions, 13 + colours(data[10]), end)


def carry(source: Path, pixels: BinaryIO, target: Path) -> list[str]:
    """See the package. Raises InputError for a source whose blocks do not follow one another."""
    lost: list[str] = []
    with source.open("rb") as old, target.open("wb") as out:
        with mmap.mmap(old.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                was = parts(data)
            except ValueError as error:
                raise InputError(f"{source}: is a GIF without its end; it is cut off, copy it anew") from error
            aspect, resolution, screen = data[12], data[10] & RESOLUTION, bytes(data[6:10])
            if data[11] and data[10] & 0x80:
                lost.append("which of its palette's colours is the background")
            boxes = [bytes(data[frame.descriptor_at + 1 : frame.descriptor_at + 9]) for frame in was.frames]
        pixels.seek(0)
        new = bytearray(pixels.read())
        now = parts(bytes(new))
        if any(box != bytes(4) + screen or frame.control[0] >> 2 & 7 > 1 for box, frame in zip(boxes, was.frames, strict=True)):
            lost.append(FRAMES)
        if any(block[1] == TEXT for frame in was.frames for block in frame.extensions):
            lost.append("its texts that are drawn over the picture")
        new[10], new[12] = new[10] & ~RESOLUTION | resolution, aspect
        if len(was.frames) != len(now.frames):
            lost.append(f"its division into {len(was.frames)} frames: the result has {len(now.frames)}")
        out.write(new[: now.start])
        _write_frames(out, bytes(new), was, now)
        old.seek(was.end)
        shutil.copyfileobj(old, out, 1 << 20)
    return lost


def others(source: Path) -> list[str]:
    """What a GIF holds that has no place in other formats, in words."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = parts(data)
        except ValueError:
            return []
        more = len(data) > found.end
    kinds = {block[1] for frame in found.frames for block in frame.extensions} | {block[1] for block in found.after}
    names = {COMMENT: "its comment", TEXT: "its texts that are drawn over the picture", APPLICATION: "its applications' own blocks"}
    return [what for kind, what in names.items() if kind in kinds] + ["what follows its picture"] * more


def _write_frames(out: BinaryIO, new: bytes, was: Parts, now: Parts) -> None:
    """The new pictures, each with the extensions and the time of the old one in its place."""
    edges = [*(frame.control_at - 3 if frame.control_at else frame.descriptor_at for frame in now.frames), now.end - 1]
    for index, frame in enumerate(now.frames):
        old = was.frames[index] if index < len(was.frames) else Frame()
        out.write(b"".join(block for block in old.extensions if block[1] != TEXT))
        block = bytearray(_picture(new, frame, edges[index + 1]))
        if frame.control_at and len(was.frames) == len(now.frames):
            block[3] = block[3] & ~2 | old.control[0] & 2  # whether it waits for the user
            block[4:6] = old.control[1:3]
        out.write(block)
    for left in was.frames[len(now.frames) :]:
        out.write(b"".join(block for block in left.extensions if block[1] != TEXT))
    out.write(b"".join(was.after) + b";")


def _picture(new: bytes, frame: Frame, edge: int) -> bytes:
    """A picture's control block and coded pixels, without the extensions around them."""
    control = new[frame.control_at - 3 : frame.control_at + 5] if frame.control_at else b""
    flags = new[frame.descriptor_at + 9]
    end = _behind_sub_blocks(new, frame.descriptor_at + 11 + colours(flags))
    return control + new[frame.descriptor_at : min(end, edge) if end > edge else end]
