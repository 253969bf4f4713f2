"""AVIF: items and their properties. EXIF, XMP, the profile, the description of colours (ITU-T H.273), turns, and whatever else describes
the picture."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.image.containers import exif, isobmff, xmp
from burnish.image.containers.isobmff import File, Item

CODING = {b"av1C", b"ispe", b"pixi", b"auxC", b"a1op", b"a1lx", b"lsel", b"hvcC"}  # properties that say how pixels are stored
TURNS = (b"irot", b"imir", b"clap")  # what a decoder does to the picture before it is seen
DESCRIBING = (b"clli", b"mdcv", b"pasp", b"cclv", b"amve")
TURNED = {2: (0, 1), 3: (2, None), 4: (0, 0), 5: (3, 1), 6: (3, None), 7: (1, 1), 8: (1, None)}  # EXIF's numbers as quarters and mirror
COLOUR_ITEMS = (b"av01", b"grid", b"iovl", b"iden", b"tmap", b"hvc1")
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
BT601 = (2, 5, 6)  # matrices that libvips' encoder writes; 2 is "unspecified"
IDENTITY = 0
# Weights of red and blue in luma by their matrix's number (H.273, table 4).
LUMA = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}


@dataclass(frozen=True)
class Colours:
    """The description of colours: numbers of primaries, transfer and matrix, and whether values go from 0 to the top."""

    primaries: int
    transfer: int
    matrix: int
    full: bool

    @property
    def coded_alike(self) -> bool:
        """Whether the encoder at hand codes colours in this way."""
        return self.full and self.matrix in BT601

    @property
    def can_be_kept(self) -> bool:
        """Whether colours can be coded in this way at all."""
        return (self.full and self.matrix == IDENTITY) or self.matrix in LUMA or self.matrix in BT601


def parsed(path: Path) -> File:
    """The file told apart. Raises ValueError where it cannot be."""
    return isobmff.parse(path.read_bytes())


def colours(file: File) -> Colours | None:
    """How the primary picture's colours are described; None where they are not."""
    for _, box in file.items[file.primary].properties:
        if box[4:12] == b"colrnclx" and len(box) >= 19:
            primaries, transfer, matrix, flags = struct.unpack(">HHHB", box[12:19])
            return Colours(primaries, transfer, matrix, bool(flags & 0x80))
    return None


def as_stored(path: Path) -> bytes | None:
    """A file whose picture is not turned, mirrored or cropped when it is decoded; None where it is not anyway, or cannot be told."""
    try:
        file = parsed(path)
        if not any(box[4:8] in TURNS for item in file.items.values() for _, box in item.properties):
            return None
        for item in file.items.values():
            item.properties = [each for each in item.properties if each[1][4:8] not in TURNS]
        return isobmff.written(File(file.brands, file.primary, file.items, file.references, [], []))
    except ValueError:
        return None


def is_premultiplied(file: File) -> bool:
    """Whether the primary picture's colours are stored multiplied by their transparency."""
    return any(kind == b"prem" and origin == file.primary for kind, origin, _ in file.references)


def orientation(file: File) -> int:
    """The turn and mirroring of the primary picture as EXIF numbers them, 1–8."""
    item = file.items[file.primary]
    turn, mirror = item.property(b"irot"), item.property(b"imir")
    angle = turn[8] & 3 if turn and len(turn) > 8 else 0  # quarters, anti-clockwise
    if not mirror or len(mirror) < 9:
        return (1, 8, 3, 6)[angle]
    return (4, 5, 2, 7)[angle] if mirror[8] & 1 == 0 else (2, 7, 4, 5)[angle]


# --- Writing ---


def carry(source: Path, pixels: BinaryIO, target: Path) -> list[str]:
    """See the package. Raises InputError for a source whose items cannot be told apart."""
    lost: list[str] = []
    try:
        pixels.seek(0)
        was, now = parsed(source), isobmff.parse(pixels.read())
    except ValueError as error:
        raise InputError(f"{source}: its items cannot be told apart ({error}); open it in another program and save it anew") from error
    credentials = _is_signed(was)
    if _is_grey(was) and not _is_grey(now):
        lost.append("that it is coded as grey alone: the result has three channels")
    _take_properties(was, now)
    if (told := colours(was)) and not told.can_be_kept:
        lost.append(f"the matrix of its colours ({told.matrix}): the result is coded with another, which it names")
        _name_matrix(now, told)
    _take_items(was, now, credentials, lost)
    now.others = _other_boxes(was, lost)
    now.unknown, now.handler, now.tail = was.unknown, was.handler, was.tail
    if any(kind == b"grpl" for kind, _ in now.unknown):
        now.unknown = [each for each in now.unknown if each[0] != b"grpl"]
        lost.append("its groups of pictures")
    now.brands = _brands(was.brands, now, dropped=any(kind == b"moov" for kind, _ in was.others))
    target.write_bytes(isobmff.written(now))
    return list(dict.fromkeys(lost))


def dress(pixels: BinaryIO, target: Path, block: bytes, turned: int) -> None:
    """Write the new pixels with this EXIF block (may be empty), turned as EXIF numbers it, into `target`."""
    pixels.seek(0)
    file = isobmff.parse(pixels.read())
    for number in [number for number, item in file.items.items() if item.kind == b"Exif"]:
        del file.items[number]
    file.references = [each for each in file.references if each[1] in file.items]
    if block:
        new = max(file.items) + 1
        file.items[new] = Item(new, b"Exif", b"\0", True, bytes(4) + block)
        file.references.append((b"cdsc", new, [file.primary]))
    angle, mirror = TURNED.get(turned, (0, None))
    for picture in _pictures(file):
        properties = [each for each in file.items[picture].properties if each[1][4:8] not in TURNS]
        properties += [(True, isobmff.box(b"irot", bytes([angle])))] if angle else []
        properties += [(True, isobmff.box(b"imir", bytes([mirror])))] if mirror is not None else []
        file.items[picture].properties = properties
    target.write_bytes(isobmff.written(file))


def others(source: Path) -> list[str]:
    """What an AVIF holds that is not carried into other formats, in words."""
    try:
        file = parsed(source)
    except ValueError:
        return []
    lost: list[str] = []
    told = colours(file)
    if told and (told.primaries, told.transfer) not in ((1, 13), (2, 2)):
        lost.append(f"its description of colours (primaries {told.primaries}, transfer {told.transfer})")
    cells = {to for kind, _, every in file.references if kind == b"dimg" for to in every}
    for number, item in file.items.items():
        if number not in (file.primary, _alpha(file), *cells) and item.kind in COLOUR_ITEMS:
            lost.append(_name(item, b""))
        elif item.kind not in (*COLOUR_ITEMS, b"Exif", b"mime"):
            lost.append(f"its item {item.kind.decode('latin-1')}")
    lost += [f"its property {box[4:8].decode('latin-1')}" for _, box in file.items[file.primary].properties if box[4:8] in DESCRIBING]
    lost += ["what follows its picture"] if file.tail else []
    lost += ["its crop: the result has all that is stored"] if file.items[file.primary].property(b"clap") else []
    lost += [f"its box {kind.decode('latin-1')}" for kind, _ in file.others]
    return list(dict.fromkeys(lost))


def _is_signed(file: File) -> bool:
    return any(kind == b"uuid" and C2PA_BOX in data[:40] for kind, data in file.others)


def _is_grey(file: File) -> bool:
    """Whether the primary picture, or the first of the cells that make it, is coded without colours (av1C's monochrome)."""
    cells = [to[0] for kind, origin, to in file.references if kind == b"dimg" and origin == file.primary and to and to[0] in file.items]
    config = file.items[(cells or [file.primary])[0]].property(b"av1C")
    return bool(config and len(config) > 10 and config[10] & 0x10)


def _take_properties(was: File, now: File) -> None:
    """Give the new pictures, and the alpha of the first, the old ones' properties, but for those that say how they are stored."""
    pairs = _pairs(was, now)
    now.primary = pairs[was.primary]
    alpha_then, alpha_now = _alpha(was), _alpha(now)
    if alpha_then and alpha_now:
        pairs[alpha_then] = alpha_now
        if is_premultiplied(was):
            now.references.append((b"prem", now.primary, [alpha_now]))
    for old, new in pairs.items():
        kept = [each for each in now.items[new].properties if each[1][4:8] in CODING]
        now.items[new].properties = kept + [each for each in was.items[old].properties if each[1][4:8] not in CODING]


def _pairs(was: File, now: File) -> dict[int, int]:
    """The old pictures' numbers and the new ones': of all that are shown where there are as many, else of the first."""
    shown = _shown(was), _shown(now)
    if len(shown[0]) == len(shown[1]) and was.primary in shown[0]:
        return dict(zip(*shown, strict=True))
    return {was.primary: now.primary}


def _shown(file: File) -> list[int]:
    """The pictures that are no part, copy or companion of another."""
    parts = {to for kind, _, every in file.references if kind == b"dimg" for to in every}
    parts |= {origin for kind, origin, _ in file.references if kind in (b"thmb", b"auxl")}
    return [number for number, item in file.items.items() if item.kind in COLOUR_ITEMS and number not in parts and not item.hidden]


def _name_matrix(now: File, told: Colours) -> None:
    """Say of the new picture that it is coded as libvips' encoder codes, with the primaries and the transfer that are told."""
    box = isobmff.box(b"colr", b"nclx" + struct.pack(">HHHB", told.primaries, told.transfer, 6, 0x80))
    item = now.items[now.primary]
    item.properties = [(essential, box if each[4:12] == b"colrnclx" else each) for essential, each in item.properties]


def _pictures(file: File) -> list[int]:
    """The primary picture's number, and its alpha's."""
    alpha = _alpha(file)
    return [file.primary, alpha] if alpha else [file.primary]


def _alpha(file: File) -> int | None:
    for kind, origin, to in file.references:
        if (
            kind == b"auxl"
            and file.primary in to
            and b"alpha" in (file.items[origin].property(b"auxC") or b"" if origin in file.items else b"")
        ):
            return origin
    return None


def _take_items(was: File, now: File, credentials: bool, lost: list[str]) -> None:
    """Give the new file the old one's items that describe the picture; `lost` is told of the others."""
    for number in [number for number, item in now.items.items() if item.kind not in COLOUR_ITEMS]:
        del now.items[number]
    now.references = [each for each in now.references if each[1] in now.items]
    cells = {to for kind, _, every in was.references if kind == b"dimg" for to in every}
    alpha = _alpha(was)
    kept = {was.primary, *([alpha] if alpha else []), *_pairs(was, now)}
    described = {origin: kind for kind, origin, to in was.references if was.primary in to and kind in (b"cdsc", b"auxl", b"thmb", b"prem")}
    for number, item in was.items.items():
        if number in kept or (number in cells and item.kind == b"av01"):
            continue
        if item.kind in COLOUR_ITEMS:
            lost.append(_name(item, described.get(number, b"")))
        elif b"c2pa" in item.more.lower():
            lost.append(xmp.C2PA)
        else:
            new = max(now.items, default=0) + 1
            now.items[new] = Item(new, item.kind, item.more, item.hidden, _content(item, credentials, lost))
            if number in described:
                now.references.append((described[number], new, [now.primary]))


def _name(item: Item, role: bytes) -> str:
    if role == b"thmb":
        return exif.THUMBNAIL
    if item.kind == b"tmap":
        return "its gain map"
    auxiliary = (item.property(b"auxC") or b"")[12:].strip(b"\0").decode("latin-1")
    return f"its auxiliary picture {auxiliary}" if auxiliary else "its further pictures"


def _content(item: Item, credentials: bool, lost: list[str]) -> bytes:
    if item.kind == b"Exif" and len(item.data) > 4:
        start = 4 + int.from_bytes(item.data[:4], "big")
        if exif.has_thumbnail(item.data[start:]):
            lost.append(exif.THUMBNAIL)
            return item.data[:start] + exif.without_thumbnail(item.data[start:])
    return xmp.without_provenance(item.data) if credentials and item.kind == b"mime" else item.data


def _other_boxes(was: File, lost: list[str]) -> list[isobmff.Box]:
    kept = []
    for kind, data in was.others:
        if kind == b"moov":
            lost.append("its image sequence")
        elif kind == b"uuid" and C2PA_BOX in data[:40]:
            lost.append(xmp.C2PA)
        else:
            kept.append((kind, data))
    return kept


def _brands(was: bytes, now: File, dropped: bool) -> bytes:
    """The old brands, without those of a sequence that is gone, or of a profile that the new coding does not keep to."""
    config = now.items[now.primary].property(b"av1C")
    profile = config[9] >> 5 if config and len(config) > 9 else 0
    gone = {b"avis", b"msf1", b"iso8"} if dropped else set()
    gone |= {b"MA1B"} if profile > 0 else set()
    gone |= {b"MA1A"} if profile > 1 else set()
    gone |= {b"tmap", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}  # the pixels are AV1's now
    major = b"avif" if was[:4] in gone else was[:4]
    return major + was[4:8] + b"".join(was[at : at + 4] for at in range(8, len(was), 4) if was[at : at + 4] not in gone)


def coded(picture: NDArray[Any], told: Colours, bits: int) -> NDArray[Any]:
    """H×W×B colours (red, green, blue first) as the luma and differences of a matrix, by the equations of H.273, 8.3.

    They stand where a coder without a matrix looks for them: the difference to red in the place of red, luma in that of green, the
    difference to blue in that of blue. Values of more than 8 bits have their `bits` at the top of 16, as libvips reads and writes them.
    """
    red_weight, blue_weight = LUMA.get(told.matrix, LUMA[6])
    shift = 16 - bits if picture.dtype.itemsize > 1 else 0
    most, half = (1 << bits) - 1, 1 << bits - 1
    red, green, blue = ((picture[..., channel] >> shift) / most for channel in range(3))
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    to_blue, to_red = (blue - luma) / (2 * (1 - blue_weight)), (red - luma) / (2 * (1 - red_weight))
    low, span, chroma = (0.0, most, most) if told.full else ((16 << bits - 8), (219 << bits - 8), (224 << bits - 8))
    result = picture.copy()
    for channel, plane in enumerate((chroma * to_red + half, span * luma + low, chroma * to_blue + half)):
        result[..., channel] = np.clip(np.rint(plane), 0, most).astype(picture.dtype) << shift
    return result
