"""Ogg's pages (RFC 3533) and the comments of Vorbis and Opus, which stand in the second packet."""

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from burnish.errors import InputError

CONTINUED, LAST = 1, 4  # flags of a page
MOST_SEGMENTS = 255


@dataclass(frozen=True)
class Page:
    """A page: its flags, the position it ends at, the stream it belongs to, its number there, and its segments."""

    flags: int
    position: int
    stream: int
    number: int
    segments: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return 27 + len(self.segments) + sum(map(len, self.segments))

    def to_bytes(self) -> bytes:
        """The page as it stands in a file, with its checksum."""
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, self.flags, self.position, self.stream, self.number, 0, len(self.segments))
        data = bytearray(head + bytes(len(each) for each in self.segments) + b"".join(self.segments))
        data[22:26] = struct.pack("<I", _checksum(data))
        return bytes(data)


def pages(data: bytes, where: Path) -> Iterator[Page]:
    """The pages of a file's bytes. Raises InputError where one is broken or cut short."""
    place = 0
    while place < len(data):
        if data[place : place + 4] != b"OggS" or place + 27 > len(data):
            raise InputError(f"{where}: is cut short or broken within; copy it anew")
        _, _, flags, position, stream, number, _, count = struct.unpack("<4sBBqIIIB", data[place : place + 27])
        sizes = data[place + 27 : place + 27 + count]
        place += 27 + count
        segments = []
        for size in sizes:
            segments.append(data[place : place + size])
            place += size
        if len(sizes) < count or place > len(data):
            raise InputError(f"{where}: is cut short; copy it anew")
        yield Page(flags, position, stream, number, tuple(segments))


def check_whole(path: Path) -> None:
    """Raises InputError for a file whose last page does not say that it is the last, as one that was cut short has it."""
    (last,) = deque(pages(path.read_bytes(), path), maxlen=1)
    if not last.flags & LAST:
        raise InputError(f"{path}: is cut short: the page that ends it is missing; copy it anew")


def carry(source: Path, encoded: Path, target: Path) -> None:
    """Write to `target` the Ogg file `encoded` with the comments of `source`, another of the same codec."""
    theirs = _headers(list(pages(source.read_bytes(), source)))
    data = encoded.read_bytes()
    ours = list(pages(data, encoded))
    headers = _headers(ours)
    headers[1] = theirs[1]
    until = _pages_of(ours, len(headers))
    new = [ours[0], *_laid_out(headers[1:], ours[0].stream)]
    if len(new) == until:  # the pages behind keep their numbers, and so their checksums
        rest = data[sum(page.size for page in ours[:until]) :]
    else:
        rest = b"".join(replace(page, number=len(new) + index).to_bytes() for index, page in enumerate(ours[until:]))
    target.write_bytes(b"".join(page.to_bytes() for page in new) + rest)


def _headers(found: list[Page]) -> list[bytes]:
    """The header packets: two of Opus, three of Vorbis."""
    wanted = 2 if found[0].segments and found[0].segments[0].startswith(b"OpusHead") else 3
    packets: list[bytes] = []
    packet = b""
    for page in found:
        for segment in page.segments:
            packet += segment
            if len(segment) < MOST_SEGMENTS:
                packets.append(packet)
                packet = b""
                if len(packets) == wanted:
                    return packets
    return packets


def _pages_of(found: list[Page], packets: int) -> int:
    """How many pages the first so many packets take; the codecs begin a new page after their headers."""
    seen = 0
    for number, page in enumerate(found):
        seen += sum(len(segment) < MOST_SEGMENTS for segment in page.segments)
        if seen >= packets:
            return number + 1
    return len(found)


def _laid_out(packets: list[bytes], stream: int) -> list[Page]:
    """Packets as pages, from the stream's second on, at position 0."""
    segments: list[bytes] = []
    ends: list[bool] = []  # whether a packet ends with that segment
    for packet in packets:
        pieces = [packet[place : place + 255] for place in range(0, len(packet) + 1, 255)]
        segments += pieces
        ends += [False] * (len(pieces) - 1) + [True]
    result: list[Page] = []
    for place in range(0, len(segments), MOST_SEGMENTS):
        flags = CONTINUED if place and not ends[place - 1] else 0
        finished = any(ends[place : place + MOST_SEGMENTS])
        result.append(Page(flags, 0 if finished else -1, stream, 1 + len(result), tuple(segments[place : place + MOST_SEGMENTS])))
    return result


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_CRC = _table()


def _checksum(data: bytes | bytearray) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[(value >> 24) ^ byte]
    return value
