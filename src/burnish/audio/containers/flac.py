"""FLAC's metadata blocks (RFC 9639): tags, pictures, cue sheets, what applications keep."""

import shutil
from pathlib import Path

from burnish.errors import InputError

STREAMINFO, SEEKTABLE = 0, 3
LEFT = (STREAMINFO, SEEKTABLE)  # they tell of the stream itself


def blocks(path: Path) -> tuple[list[tuple[int, bytes]], int]:
    """The metadata blocks, type and content of each, and where the frames begin. Raises InputError for a broken file."""
    with path.open("rb") as file:
        start = file.read(4)
        if start[:3] == b"ID3":
            raise InputError(f"{path}: has an ID3 tag before its FLAC stream, which FLAC has no place for; take it out")
        if start != b"fLaC":
            raise InputError(f"{path}: is no FLAC file; copy it anew")
        found: list[tuple[int, bytes]] = []
        while True:
            head = file.read(4)
            content = file.read(int.from_bytes(head[1:], "big")) if len(head) == 4 else b""
            if len(head) < 4 or len(content) < int.from_bytes(head[1:], "big"):
                raise InputError(f"{path}: is cut short in its header; copy it anew")
            found.append((head[0] & 0x7F, content))
            if head[0] & 0x80:
                return found, file.tell()


def carry(source: Path, encoded: Path, target: Path) -> None:
    """Write to `target` the FLAC file `encoded` with all metadata blocks of `source`, but for those that tell of the stream itself."""
    ours, begins = blocks(encoded)
    kept = [block for block in ours if block[0] == STREAMINFO] + [block for block in blocks(source)[0] if block[0] not in LEFT]
    with encoded.open("rb") as stream, target.open("wb") as file:
        stream.seek(begins)
        file.write(b"fLaC")
        for number, (kind, content) in enumerate(kept):
            last = 0x80 if number == len(kept) - 1 else 0
            file.write(bytes([kind | last]) + len(content).to_bytes(3, "big") + content)
        shutil.copyfileobj(stream, file)
