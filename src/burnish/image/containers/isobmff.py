"""ISO base media files that hold pictures as items (ISO/IEC 14496-12 and 23008-12): read into items, and written from them.

A file is held whole, as its decoder does too.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

Box = tuple[bytes, bytes]  # its type and all of its bytes


TOP = (b"ftyp", b"meta", b"mdat", b"moov", b"moof", b"free", b"skip", b"uuid")  # boxes of the file itself
HANDLER = struct.pack(">I4s", 33, b"hdlr") + bytes(8) + b"pict" + bytes(13)


@dataclass
class Item:
    """Something within the file: `kind` is its type, `more` the rest of what its entry says (name, content type), `data` its bytes,
    `properties` its boxes of properties, each with whether it is essential."""

    number: int
    kind: bytes
    more: bytes
    hidden: bool = False
    data: bytes = b""
    properties: list[tuple[bool, bytes]] = field(default_factory=list)

    def property(self, kind: bytes) -> bytes | None:
        """The first property of that type, its head included."""
        return next((box for _, box in self.properties if box[4:8] == kind), None)


@dataclass
class File:
    """`brands`: the content of the file's first box; `references`: type, from which item, to which; `others`: boxes of the file that no
    picture needs; `unknown`: boxes within `meta` that are not told apart here; `handler`: the box that says who wrote it;
    `tail`: what follows the last box and is none."""

    brands: bytes
    primary: int
    items: dict[int, Item]
    references: list[tuple[bytes, int, list[int]]]
    others: list[Box]
    unknown: list[Box]
    handler: bytes = HANDLER
    tail: bytes = b""


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Type, beginning, beginning of content, and end of each box. Raises ValueError where a size leads out."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            if at + 16 > end:
                raise ValueError("a box without its size")
            (size,) = struct.unpack_from(">Q", data, at + 8)
            start = at + 16
        elif size == 0:
            size = end - at
        if size < start - at or at + size > end:
            raise ValueError("a box that leads out of the file")
        yield kind, at, start, at + size
        at += size


def box(kind: bytes, content: bytes) -> bytes:
    """A box with its head."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind: bytes, version: int, flags: int, content: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


class _Bytes:
    """Numbers read one after another. Raises ValueError at the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self, size: int) -> int:
        """The next number of `size` bytes; 0 bytes are 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if self.at + count > len(self.data):
            raise ValueError("a box ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self.data) - self.at)


def parse(data: bytes) -> File:
    """The file told apart. Raises ValueError for what is no such file."""
    found = File(b"", 0, {}, [], [], [])
    whole = _end_of_boxes(data)
    found.tail = data[whole:]
    for kind, at, start, end in boxes(data, 0, whole):
        if kind == b"ftyp":
            found.brands = data[start:end]
        elif kind == b"meta" and not found.items:
            _meta(data, start + 4, end, found)
        elif kind not in (b"mdat", b"free", b"skip"):
            found.others.append((kind, data[at:end]))
    if not found.brands or found.primary not in found.items:
        raise ValueError("no picture")
    return found


def _end_of_boxes(data: bytes) -> int:
    """Where the boxes end; behind them may stand what is none. Raises ValueError where a box that is known for one is cut off."""
    at = 0
    try:
        for _, _, _, end in boxes(data, 0, len(data)):
            at = end
    except ValueError:
        if data[at + 4 : at + 8] in TOP:
            raise
    return at


def _meta(data: bytes, start: int, end: int, found: File) -> None:
    parts = {kind: data[first:last] for kind, _, first, last in boxes(data, start, end)}
    found.unknown = [
        (kind, data[at:last])
        for kind, at, _, last in boxes(data, start, end)
        if kind not in (b"hdlr", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"free", b"skip")
    ]
    found.handler = next((data[at:last] for kind, at, _, last in boxes(data, start, end) if kind == b"hdlr"), HANDLER)
    found.items = {item.number: item for item in _items(parts.get(b"iinf", b""))}
    _locate(parts.get(b"iloc", b""), parts.get(b"idat", b""), data, found.items)
    _properties(parts.get(b"iprp", b""), found.items)
    found.references = list(_references(parts.get(b"iref", b"")))
    primary = _Bytes(parts.get(b"pitm", b""))
    found.primary = primary.number(4 if primary.number(4) >> 24 else 2)


def _items(content: bytes) -> Iterator[Item]:
    if len(content) < 6:
        return
    start = 6 if content[0] == 0 else 8
    for kind, _, first, last in boxes(content, start, len(content)):
        if kind != b"infe":
            continue
        entry = _Bytes(content[first:last])
        version, flags = entry.number(1), entry.number(3)
        if version not in (2, 3):
            raise ValueError("an item of an old kind")
        number = entry.number(2 if version == 2 else 4)
        entry.take(2)  # protection
        yield Item(number, entry.take(4), entry.rest(), bool(flags & 1))


def _locate(content: bytes, idat: bytes, data: bytes, items: dict[int, Item]) -> None:
    """Give the items their bytes."""
    if not content:
        return
    table = _Bytes(content)
    version = table.number(4) >> 24
    sizes, more = table.number(1), table.number(1)
    offset_size, length_size, base_size, index_size = sizes >> 4, sizes & 15, more >> 4, more & 15 if version else 0
    for _ in range(table.number(4 if version == 2 else 2)):
        number = table.number(4 if version == 2 else 2)
        method = table.number(2) & 15 if version else 0
        table.take(2)
        base = table.number(base_size)
        pieces = []
        source = idat if method == 1 else data
        for _ in range(table.number(2)):
            table.number(index_size)
            start, length = base + table.number(offset_size), table.number(length_size)
            if method > 1 or start + length > len(source):
                raise ValueError("an item that is elsewhere")
            pieces.append(source[start : start + length] if length else source[start:])
        if number in items:
            items[number].data = b"".join(pieces)


def _properties(content: bytes, items: dict[int, Item]) -> None:
    parts = [(kind, content[first:last]) for kind, _, first, last in boxes(content, 0, len(content))]
    container = next((inner for kind, inner in parts if kind == b"ipco"), b"")
    known = [container[at:last] for _, at, _, last in boxes(container, 0, len(container))]
    for kind, inner in parts:
        if kind != b"ipma":
            continue
        table = _Bytes(inner)
        head = table.number(4)
        wide = head & 1
        for _ in range(table.number(4)):
            number = table.number(2 if head >> 24 < 1 else 4)
            for _ in range(table.number(1)):
                value = table.number(2 if wide else 1)
                essential, index = bool(value >> (15 if wide else 7)), value & (0x7FFF if wide else 0x7F)
                if number in items and 0 < index <= len(known):
                    items[number].properties.append((essential, known[index - 1]))


def _references(content: bytes) -> Iterator[tuple[bytes, int, list[int]]]:
    if len(content) < 4:
        return
    size = 4 if content[0] else 2
    for kind, _, first, last in boxes(content, 4, len(content)):
        table = _Bytes(content[first:last])
        origin = table.number(size)
        yield kind, origin, [table.number(size) for _ in range(table.number(2))]


# --- Writing ---


def written(file: File) -> bytes:
    """The file's bytes: its brands, what it holds, the items' data, and the other boxes. Raises ValueError for too large numbers."""
    known = list(dict.fromkeys(each for item in file.items.values() for _, each in item.properties))
    start = len(box(b"ftyp", file.brands))
    try:
        meta = _packed_meta(file, known, start + len(_packed_meta(file, known, 0)) + 8)
    except struct.error as error:
        raise ValueError("a number that is too large") from error
    data = b"".join(item.data for item in file.items.values())
    return box(b"ftyp", file.brands) + meta + box(b"mdat", data) + b"".join(each for _, each in file.others) + file.tail


def _packed_meta(file: File, known: list[bytes], start: int) -> bytes:
    entries, places, links = [], [], []
    for item in file.items.values():
        head = struct.pack(">IHH4s", 2 << 24 | item.hidden, item.number, 0, item.kind)
        entries.append(box(b"infe", head + item.more))
        places.append(struct.pack(">HHHII", item.number, 0, 1, start, len(item.data)))
        start += len(item.data)
        if item.properties:
            values = [essential << 15 | known.index(each) + 1 for essential, each in item.properties]
            links.append(struct.pack(f">HB{len(values)}H", item.number, len(values), *values))
    references = b"".join(box(kind, struct.pack(f">HH{len(to)}H", origin, len(to), *to)) for kind, origin, to in file.references)
    return full(
        b"meta",
        0,
        0,
        file.handler
        + full(b"pitm", 0, 0, struct.pack(">H", file.primary))
        + full(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(places)) + b"".join(places))
        + full(b"iinf", 0, 0, struct.pack(">H", len(entries)) + b"".join(entries))
        + (full(b"iref", 0, 0, references) if references else b"")
        + box(b"iprp", box(b"ipco", b"".join(known)) + full(b"ipma", 0, 1, struct.pack(">I", len(links)) + b"".join(links)))
        + b"".join(each for _, each in file.unknown),
    )
