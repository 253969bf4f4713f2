"""TIFF's directories of tags, read and appended: classic TIFF (Adobe, TIFF 6.0) and BigTIFF, in both byte orders."""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

ASCII, SHORT, LONG, IFD, IFD8 = 2, 3, 4, 13, 18
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # bytes of a value, by type
NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
DIRECTORIES = (330, 34665, 34853, 40965)  # tags that lead to further directories: smaller copies, EXIF, GPS, interoperability
PIXELS = ((273, 279), (324, 325), (513, 514))  # tags with places and lengths: of strips, of tiles, of a JPEG
_RATIONALS = (5, 10)  # two numbers of four bytes


@dataclass(frozen=True)
class Entry:
    """A directory's entry: tag, type and number of values as the standard numbers them; `field`: its last 4 or 8 bytes, which hold the
    values or say where they are."""

    tag: int
    kind: int
    count: int
    field: bytes

    @property
    def length(self) -> int:
        """Bytes of all values; 0 for a type that is not known."""
        return self.count * SIZES.get(self.kind, 0)


class OutsideError(ValueError):
    """A place that lies outside of the file."""


class Reader:
    """A TIFF file's directories. Raises ValueError for what is no TIFF, and for whatever leads out of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, os.SEEK_END)
        head = self._bytes(0, 8)
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = struct.unpack(f"{self.order or '<'}H", head[2:4])[0]
        if not self.order or version not in (42, 43):
            raise ValueError("no TIFF")
        self.big = version == 43
        self.link_at = 8 if self.big else 4  # where the first directory's place stands

    @property
    def place(self) -> str:
        """How places in the file are written."""
        return self.order + ("Q" if self.big else "I")

    def link(self, at: int) -> int:
        """The place that stands at `at`."""
        number: int = struct.unpack(self.place, self._bytes(at, struct.calcsize(self.place)))[0]
        return number

    def chain(self) -> list[int]:
        """Where the pages' directories are."""
        found: list[int] = []
        seen: set[int] = set()
        at = self.link(self.link_at)
        while at:
            if at in seen:
                raise ValueError("directories in a circle")
            seen.add(at)
            found.append(at)
            at = self.link(self.link_behind(at))
        return found

    def link_behind(self, at: int) -> int:
        """Where the directory at `at` says where the next one is."""
        size, entries = self._head(at)
        return at + size + entries * (20 if self.big else 12)

    def entries(self, at: int) -> dict[int, Entry]:
        """The entries of the directory at `at` by their tags; of several with the same tag the first, which is the one that counts."""
        found: dict[int, Entry] = {}
        for entry in self.listed(at):
            found.setdefault(entry.tag, entry)
        return found

    def listed(self, at: int) -> list[Entry]:
        """The entries of the directory at `at` as they stand."""
        size, count = self._head(at)
        width = 20 if self.big else 12
        data = self._bytes(at + size, count * width)
        found: list[Entry] = []
        for start in range(0, len(data), width):
            tag, kind, number = struct.unpack_from(self.order + ("HHQ" if self.big else "HHI"), data, start)
            found.append(Entry(tag, kind, number, data[start + width - (8 if self.big else 4) : start + width]))
        return found

    def reach(self) -> int:
        """Where that ends which the directories lead to: they themselves, their values, and the pixels. What lies behind is no TIFF's."""
        end, waiting, seen = 0, self.chain(), set[int]()
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            end = max(end, self.link_behind(at) + struct.calcsize(self.place))
            tags = self.entries(at)
            for entry in tags.values():
                if entry.length > len(entry.field):
                    end = max(end, struct.unpack(self.place, entry.field)[0] + entry.length)
                if entry.tag in DIRECTORIES:
                    waiting += self.numbers(entry)
            for places, lengths in PIXELS:
                end = max([end, *map(sum, zip(self.numbers(tags.get(places)), self.numbers(tags.get(lengths)), strict=False))])
        return end

    def value(self, entry: Entry) -> bytes:
        """An entry's values as they stand in the file."""
        if entry.length <= len(entry.field):
            return entry.field[: entry.length]
        return self._bytes(struct.unpack(self.place, entry.field)[0], entry.length)

    def numbers(self, entry: Entry | None) -> tuple[int, ...]:
        """An entry's values as whole numbers; empty for other types, and for none."""
        code = NUMBERS.get(entry.kind, "") if entry else ""
        if entry is None or not code or code in "fd":
            return ()
        return struct.unpack(f"{self.order}{entry.count}{code}", self.value(entry))

    def text(self, entry: Entry | None) -> str:
        """An ASCII entry's text up to its first NUL; empty for other types, and for none."""
        return self.value(entry).partition(b"\0")[0].decode("latin-1") if entry and entry.kind == ASCII else ""

    def _head(self, at: int) -> tuple[int, int]:
        """Bytes of a directory's number of entries, and that number."""
        code = self.order + ("Q" if self.big else "H")
        size = struct.calcsize(code)
        count: int = struct.unpack(code, self._bytes(at, size))[0]
        return size, count

    def _bytes(self, at: int, count: int) -> bytes:
        if at + count > self.length:
            raise OutsideError("a place outside of the file")
        self._file.seek(at)
        data = self._file.read(count)
        if len(data) < count:
            raise OutsideError("the file ends early")
        return data


class Appender:
    """Directories written behind all else that a little-endian TIFF holds; what they take the place of stays there, and leads nowhere."""

    def __init__(self, file: BinaryIO, big: bool) -> None:
        self._file = file
        self._place = "<Q" if big else "<I"
        self.big = big

    def data(self, content: bytes) -> int:
        """Append the bytes; returns where they are. Raises ValueError beyond what a classic TIFF reaches."""
        at = self._file.seek(0, os.SEEK_END)
        pad = -at % 8
        if not self.big and at + pad + len(content) >= 1 << 32:
            raise ValueError("the file grows beyond four gigabytes")
        self._file.write(bytes(pad) + content)
        return at + pad

    def entry(self, tag: int, kind: int, count: int, content: bytes) -> Entry:
        """An entry with its values, in little-endian order, appended where they do not fit in."""
        width = 8 if self.big else 4
        field = content.ljust(width, b"\0") if len(content) <= width else struct.pack(self._place, self.data(content))
        return Entry(tag, kind, count, field)

    def pointer(self, tag: int, at: int) -> Entry:
        """An entry that leads to a directory."""
        return Entry(tag, IFD8 if self.big else LONG, 1, struct.pack(self._place, at))

    def directory(self, entries: list[Entry]) -> tuple[int, int]:
        """Append a directory; returns where it is, and where the next one's place is to be written."""
        packed = b"".join(
            struct.pack("<HHQ" if self.big else "<HHI", each.tag, each.kind, each.count) + each.field
            for each in sorted(entries, key=lambda each: each.tag)
        )
        head = struct.pack("<Q" if self.big else "<H", len(entries))
        at = self.data(head + packed + bytes(8 if self.big else 4))
        return at, at + len(head) + len(packed)

    def put_link(self, at: int, place: int) -> None:
        """Write a directory's place where it is looked for."""
        self._file.seek(at)
        self._file.write(struct.pack(self._place, place))


def little_endian(data: bytes, kind: int, order: str) -> bytes:
    """Values of a type, in a file's byte order, in little-endian order."""
    size = 4 if kind in _RATIONALS else SIZES.get(kind, 1)
    if order == "<" or size == 1:
        return data
    return np.frombuffer(data, f">u{size}").astype(f"<u{size}").tobytes()
