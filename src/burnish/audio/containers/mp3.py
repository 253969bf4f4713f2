"""MP3's tags: ID3v2 before the stream, APE and ID3v1 behind it."""

from pathlib import Path

ID3V1 = 128


def _head(data: bytes) -> int:
    """How many bytes the ID3v2 tag at the beginning takes (id3.org, "ID3 tag version 2.4.0", section 3.1)."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return 10 + size + (10 if data[5] & 0x10 else 0)


def _tail(data: bytes) -> int:
    """How many bytes the tags at the end take."""
    size = ID3V1 if data[-ID3V1:][:3] == b"TAG" else 0
    footer = data[len(data) - size - 32 : len(data) - size]
    if footer[:8] == b"APETAGEX":
        size += int.from_bytes(footer[12:16], "little") + (32 if footer[23] & 0x80 else 0)
    return min(size, len(data))


def carry(source: Path, encoded: Path, target: Path) -> None:
    """Write to `target` the MP3 file `encoded` with the tags of `source`."""
    theirs, ours = source.read_bytes(), encoded.read_bytes()
    tail = _tail(theirs)
    stream = ours[_head(ours) : len(ours) - _tail(ours)]
    target.write_bytes(theirs[: _head(theirs)] + stream + (theirs[-tail:] if tail else b""))
