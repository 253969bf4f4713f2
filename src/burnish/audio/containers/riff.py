"""WAV, RF64 and AIFF: chunks, of which one holds the samples.

WAV and RF64 as EBU Tech 3285 and 3306 have them, AIFF and AIFF-C as Apple's specifications of 1989 and 1991.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from burnish.errors import InputError

UNKNOWN = (0, 0xFFFFFFFF)  # lengths that writers put down who do not know them yet: the samples go to the end of the file
MOST = 100_000  # chunks


@dataclass(frozen=True)
class Chunk:
    """A chunk: its name of four letters, where its content begins and how many bytes its header says that it has."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True)
class Samples:
    """Where the samples lie in a file, and how many bytes of them there are; `little`: the lower byte of each comes first."""

    start: int
    size: int
    little: bool


def chunks(path: Path) -> list[Chunk]:
    """The chunks of a file, in their order, as far as their headers are there. Raises InputError for one that has none."""
    with path.open("rb") as file:
        order = ">" if file.read(4) == b"FORM" else "<"
        file.seek(12)
        found: list[Chunk] = []
        long_size = None
        while len(head := file.read(8)) == 8 and len(found) < MOST:
            name, size = head[:4], struct.unpack(f"{order}I", head[4:])[0]
            start = file.tell()
            if name == b"ds64":
                long_size = struct.unpack("<Q", _exactly(file, 16, path)[8:])[0]
            elif name == b"data" and size == 0xFFFFFFFF and long_size is not None:
                size = long_size
            found.append(Chunk(name, start, size))
            file.seek(start + size + size % 2)
    return found


def _exactly(file: BinaryIO, count: int, path: Path) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise InputError(f"{path}: is cut short in its header; copy it anew")
    return data


def samples(path: Path) -> Samples:
    """Where a file's samples lie. Raises InputError when there are none, or fewer than its header promises."""
    length = path.stat().st_size
    with path.open("rb") as file:
        aiff = file.read(4) == b"FORM"
    found = chunks(path)
    wanted = b"SSND" if aiff else b"data"
    main = next((chunk for chunk in found if chunk.name == wanted), None)
    if main is None:
        raise InputError(f"{path}: is cut short, its samples are missing; copy it anew")
    start, size = main.start, main.size
    if aiff:
        start, size = start + 8, max(0, size - 8)
    if main.size in UNKNOWN and found[-1] is main:
        size = max(0, length - start)
    if start + size > length:
        raise InputError(
            f"{path}: is cut short: its header promises {size:,} bytes of samples, there are {max(0, length - start):,}; copy it anew"
        )
    return Samples(start, size, not aiff or _is_little(path, found))


def _is_little(path: Path, found: list[Chunk]) -> bool:
    """Whether an AIFF-C has its samples' lower byte first ("sowt")."""
    common = next((chunk for chunk in found if chunk.name == b"COMM"), None)
    if common is None or common.size < 22:
        return False
    with path.open("rb") as file:
        file.seek(common.start + 18)
        return file.read(4) == b"sowt"


def set_peaks(path: Path, peaks: list[tuple[float, int]]) -> None:
    """Bring a chunk PEAK, where there is one, up to date: each channel's highest level and at which sample."""
    with path.open("rb") as file:
        order = ">" if file.read(4) == b"FORM" else "<"
    for chunk in chunks(path):
        if chunk.name == b"PEAK" and chunk.size >= 8 + 8 * len(peaks):
            with path.open("r+b") as file:
                file.seek(chunk.start + 8)
                for level, place in peaks:
                    file.write(struct.pack(f"{order}fI", level, place))
