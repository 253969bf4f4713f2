"""TIFF: every page's tags that say something of the picture, and the directories of EXIF and GPS that they lead to.

libvips writes the pixels; behind them new directories are appended: the tags that tell how the new pixels are stored, and all others as
the source has them, private ones too. Numbers are turned where the source has the other byte order. A tag's values go along unseen,
whatever they are, so that GeoTIFF, OME-XML, ImageJ's and makers' own need no list.
"""

import io
import struct
from pathlib import Path
from typing import BinaryIO

from burnish.errors import InputError
from burnish.image.containers.tiff_tags import IFD, IFD8, NUMBERS, Appender, Entry, OutsideError, Reader, little_endian

SUBFILE, WIDTH, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION, OFFSETS, SAMPLES, LENGTHS = 254, 256, 258, 259, 262, 270, 273, 277, 279
PREDICTOR, MAX_SAMPLE, COLOUR_MAP, SUB_IFDS, EXTRA, XMP, IPTC, NODATA = 317, 281, 320, 330, 338, 700, 33723, 42113
PHOTOSHOP, EXIF, ICC, GPS, MAKER_NOTE, LAYERS, INTEROP = 34377, 34665, 34675, 34853, 37500, 37724, 40965
IMAGEJ_COUNTS, IMAGEJ, REFERENCE, TILE_LENGTHS = 50838, 50839, 532, 325
# How pixels are stored: said by the file that holds the new ones.
STRUCTURE = {
    WIDTH,
    257,
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    266,
    OFFSETS,
    SAMPLES,
    278,
    LENGTHS,
    284,
    288,
    289,
    292,
    293,
    PREDICTOR,
    322,
    323,
    324,
    325,
}
STRUCTURE |= {EXTRA, 339, 347, *range(512, 522), 529, 530, 531, REFERENCE}
OF_VALUES = {  # tags that speak of single values, by what they say
    280: "its smallest value",
    MAX_SAMPLE: "its largest value",
    291: "its curve of greys",
    301: "its transfer curve",
    340: "its smallest value",
    341: "its largest value",
}
LEADS = (EXIF, GPS, INTEROP)  # to directories that are copied
JPEG = 7
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED = 0, 1, 2, 5
READ_AS_COLOURS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, 3, SEPARATED, 6)  # 3 is a palette, 6 YCbCr
Value = tuple[int, int, bytes]  # type, number and bytes of a tag's values
DEEPEST = 4  # directories within directories
LEFTOVER = 64  # bytes at the end that nothing leads to, which writers leave there
SMALLER = "its smaller copies (sub-directories)"


def carry(source: Path, new: BinaryIO) -> list[str]:
    """Give the new pixels' file, open for reading and writing, all else of the source; returns what it lacks, in words.

    Raises InputError for a source whose directories cannot be followed.
    """
    lost: list[str] = []
    try:
        with source.open("rb") as old:
            reader, own = Reader(old), Reader(new)
            out = Appender(new, own.big)
            links = []
            places = reader.chain()
            stored = [_storage(own, at) for at in own.chain()]
            if len(stored) > 1 and reader.text(reader.entries(places[0]).get(DESCRIPTION)).startswith("ImageJ="):
                _join(new, own, stored)
            for here, storage in zip(places, stored, strict=False):
                links.append(out.directory(_page(reader, out, reader.listed(here), storage, lost)))
            behind = [own.link_at, *(link for _, link in links)]
            for link, (place, _) in zip(behind, links, strict=False):
                out.put_link(link, place)
            if len(places) > len(links) and SMALLER not in lost:
                lost.append(SMALLER)
            if _follows(old, reader):
                lost.append("what follows its picture")
            if b"GDAL_STRUCTURAL_METADATA" in _head(old):
                lost.append("its order for reading in parts from afar (cloud-optimized GeoTIFF)")
    except ValueError as error:
        raise InputError(f"{source}: its tags cannot be followed ({error}); open it in another program and save it anew") from error
    return list(dict.fromkeys(lost))


def dress(new: BinaryIO, block: BinaryIO) -> None:
    """Give the new pixels' file the tags of an EXIF block, and the directories that they lead to."""
    try:
        reader, own = Reader(block), Reader(new)
        tags = reader.entries(reader.link(reader.link_at))
    except ValueError:
        return
    out = Appender(new, own.big)
    pages = own.chain()
    entries = dict(own.entries(pages[0]))
    for tag, entry in tags.items():
        if tag not in STRUCTURE and (kept := _carried(reader, out, entry, tags, [])):
            entries[tag] = kept
    at, link = out.directory(list(entries.values()))
    out.put_link(link, own.link(own.link_behind(pages[0])))
    out.put_link(own.link_at, at)


def exif_block(file: BinaryIO) -> bytes:
    """The first page's tags, and the directories that they lead to, as an EXIF block; empty when there are none to tell.

    XMP, IPTC, Photoshop's and the profile are left out: other formats have places of their own for them. Raises ValueError.
    """
    reader = Reader(file)
    block = io.BytesIO()
    block.write(b"II*\0\0\0\0\0")
    out = Appender(block, big=False)
    tags = reader.entries(reader.chain()[0])
    apart = STRUCTURE | {SUBFILE, COLOUR_MAP, SUB_IFDS, XMP, IPTC, PHOTOSHOP, ICC, LAYERS}
    entries = [kept for tag, entry in tags.items() if tag not in apart and (kept := _carried(reader, out, entry, tags, []))]
    if not entries:
        return b""
    out.put_link(4, out.directory(entries)[0])
    return block.getvalue()


def others(source: Path) -> list[str]:
    """What a TIFF holds that is not carried into other formats, in words."""
    with source.open("rb") as file:
        try:
            reader = Reader(file)
            pages = reader.chain()
            tags = reader.entries(pages[0])
        except ValueError:
            return []
    lost = [SMALLER] if SUB_IFDS in tags else []
    lost += ["its Photoshop layers, which hold the picture as it was"] if LAYERS in tags else []
    lost += ["the tags of its further pages"] if len(pages) > 1 else []
    return lost + (["Photoshop's settings"] if PHOTOSHOP in tags else [])


def _follows(file: BinaryIO, reader: Reader) -> bool:
    """Whether something stands behind all that the directories lead to."""
    try:
        end = reader.reach()
    except ValueError:
        return False  # a directory of EXIF leads out of the file, which its tag's loss tells
    if reader.length - end <= LEFTOVER:
        return False
    file.seek(end)
    return any(part.strip(b"\0") for part in iter(lambda: file.read(1 << 20), b""))


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(64)


def _storage(own: Reader, at: int) -> dict[int, Value]:
    """How a page of the new file is stored."""
    return {tag: (entry.kind, entry.count, own.value(entry)) for tag, entry in own.entries(at).items() if tag in STRUCTURE}


def _number(storage: dict[int, Value], tag: int, default: int) -> int:
    kind, _, data = storage.get(tag, (3, 1, struct.pack("<H", default)))
    number: int = struct.unpack_from(f"<{NUMBERS[kind]}", data)[0]
    return number


def _join(new: BinaryIO, own: Reader, stored: list[dict[int, Value]]) -> None:
    """Move the pages' pixels together, in their order: of ImageJ's stacks only the first page's place is read by some."""
    if any(_number(storage, COMPRESSION, 1) != 1 or OFFSETS not in storage for storage in stored):
        return
    at = 16 if own.big else 8
    for storage in stored:
        kind, count, data = storage[OFFSETS]
        sizes_kind, _, sizes = storage[LENGTHS]
        moved = []
        for start, size in zip(
            struct.unpack(f"<{count}{NUMBERS[kind]}", data), struct.unpack(f"<{count}{NUMBERS[sizes_kind]}", sizes), strict=True
        ):
            if at > start:
                raise ValueError("pixels that are not in the order of their pages")
            moved.append(at)
            for done in range(0, size, 1 << 20):
                new.seek(start + done)
                part = new.read(min(1 << 20, size - done))
                new.seek(at + done)
                new.write(part)
            at += size
        storage[OFFSETS] = kind, count, struct.pack(f"<{count}{NUMBERS[kind]}", *moved)


def _page(reader: Reader, out: Appender, listed: list[Entry], storage: dict[int, Value], lost: list[str]) -> list[Entry]:
    """A page's entries: how it is stored now, and all else of what it was, tags that stand there twice (tifffile's) included."""
    tags = {entry.tag: entry for entry in reversed(listed)}
    entries = {tag: out.entry(tag, *value) for tag, value in storage.items()}
    was, now = _first(reader.numbers(tags.get(PHOTOMETRIC)), RGB), _number(storage, PHOTOMETRIC, RGB)
    if was in (BLACK_IS_ZERO, RGB, SEPARATED) and now != was and _number(storage, COMPRESSION, 1) != JPEG:
        entries[PHOTOMETRIC] = out.entry(PHOTOMETRIC, 3, 1, struct.pack("<H", was))
    if COLOUR_MAP in tags and now != was:
        lost.append("its palette: the result has full colours")
    if was == WHITE_IS_ZERO:
        lost.append("that its values count from white: in the result zero is black")
    if EXTRA in tags and _first(reader.numbers(tags.get(SAMPLES)), 1) == _number(storage, SAMPLES, 1):
        entries[EXTRA] = _copied(reader, out, tags[EXTRA])
    if REFERENCE in tags and was == now and now in (BLACK_IS_ZERO, RGB):
        entries[REFERENCE] = _copied(reader, out, tags[REFERENCE])
    bits = _first(reader.numbers(tags.get(BITS)), 1)
    scaled = was == WHITE_IS_ZERO or (bits < 8 and bits != _number(storage, BITS, 1))
    others = []
    for entry in listed:
        tag = entry.tag
        if tag in STRUCTURE or tag == COLOUR_MAP:
            continue
        if tag in OF_VALUES and scaled:
            lost.append(f"{OF_VALUES[tag]}: its values are others now")
        elif tag == LAYERS:
            lost.append("its Photoshop layers, which hold the picture as it was")
        elif tag == SUB_IFDS:
            lost.append(SMALLER)
        elif (kept := _carried(reader, out, entry, tags, lost)) is not None:
            others.append(kept)
    return [*entries.values(), *others]


def _carried(reader: Reader, out: Appender, entry: Entry, tags: dict[int, Entry], lost: list[str], depth: int = 0) -> Entry | None:
    """The entry with its values in the new file; None when it cannot go along, of which `lost` is told."""
    try:
        return _brought(reader, out, entry, tags, lost, depth)
    except OutsideError:
        lost.append(f"its tag {entry.tag}, whose values lie outside of the file")
        return None


def _brought(reader: Reader, out: Appender, entry: Entry, tags: dict[int, Entry], lost: list[str], depth: int) -> Entry | None:
    if entry.tag in LEADS:
        places = reader.numbers(entry)
        if len(places) == 1 and depth < DEEPEST:
            return out.pointer(entry.tag, _directory(reader, out, places[0], lost, depth + 1))
        lost.append(f"its directory {entry.tag}, which leads nowhere")
        return None
    if entry.kind in (IFD, IFD8) or not entry.length:
        if entry.count:
            lost.append(f"its tag {entry.tag}, which leads to further directories or is of an unknown type")
        return None
    if entry.kind in (16, 17) and not out.big:
        lost.append(f"its tag {entry.tag}, whose numbers have 64 bits")
        return None
    if entry.tag == MAKER_NOTE:
        lost.append("the places that its maker's note points to: the note has moved within the file")
    if entry.tag == IMAGEJ and reader.order == ">" and IMAGEJ_COUNTS in tags:
        data = _imagej_turned(reader.value(entry), reader.numbers(tags[IMAGEJ_COUNTS]))
        return out.entry(entry.tag, entry.kind, entry.count, data)
    return _copied(reader, out, entry)


def _copied(reader: Reader, out: Appender, entry: Entry) -> Entry:
    data = reader.value(entry)
    turned = data if entry.tag == IPTC else little_endian(data, entry.kind, reader.order)  # bytes, whatever their type says
    return out.entry(entry.tag, entry.kind, entry.count, turned)


def _directory(reader: Reader, out: Appender, at: int, lost: list[str], depth: int) -> int:
    """Copy the directory at `at` and those it leads to; returns where it is."""
    tags = reader.entries(at)
    kept = [_carried(reader, out, entry, tags, lost, depth) for entry in reader.listed(at)]
    return out.directory([entry for entry in kept if entry])[0]


def _first(numbers: tuple[int, ...], default: int) -> int:
    return numbers[0] if numbers else default


def _imagej_turned(data: bytes, counts: tuple[int, ...]) -> bytes:
    """ImageJ's own metadata (its class TiffDecoder reads them) from big- to little-endian: a head that lists the parts, texts in UTF-16,
    and display ranges as doubles turn; tables of colours do not, and regions of interest never do."""
    if not counts or counts[0] < 4 or sum(counts) > len(data) or counts[0] % 4:
        return data
    head = little_endian(data[: counts[0]], 4, ">")
    turned, at, part = [head], counts[0], 1
    for start in range(4, counts[0] - 7, 8):
        name, number = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "big")
        for length in counts[part : part + number]:
            value = data[at : at + length]
            if name in (b"info", b"labl", b"prop") and length % 2 == 0:
                value = little_endian(value, 3, ">")
            elif name == b"rang" and length % 8 == 0:
                value = little_endian(value, 12, ">")
            turned.append(value)
            at += length
        part += number
    return b"".join(turned) + data[at:]
