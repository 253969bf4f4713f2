"""What a photo carries beside its pixels, brought into the new file: byte for byte within a format, into another as far as may be."""

import io
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from burnish.errors import InputError
from burnish.image.containers import avif, exif, gif, jpeg, png, tiff, webp

CARRY: dict[str, Callable[[Path, BinaryIO, Path], list[str]]] = {
    "jpeg": jpeg.carry,
    "png": png.carry,
    "webp": webp.carry,
    "avif": avif.carry,
    "gif": gif.carry,
}
OTHERS: dict[str, Callable[[Path], list[str]]] = {
    "jpeg": jpeg.others,
    "png": png.others,
    "webp": webp.others,
    "tiff": tiff.others,
    "avif": avif.others,
    "gif": gif.others,
}
NOT_IN = (  # what some formats have no place for, or libvips does not write there: its name there, ours, and which
    ("iptc-data", "its IPTC", ("jpeg", "png", "webp", "tiff", "avif", "gif")),  # wrapped in each of those that have it in another way
    ("xmp-data", "its XMP", ("gif",)),
    ("icc-profile-data", "its colour profile", ("gif",)),
)
LONGEST_EXIF = 65535 - 2 - len(exif.HEADER)  # in a JPEG's segment


def carried(source: Path, header: Any, was: str, kind: str, pixels: BinaryIO, target: Path) -> list[str]:
    """Make `target` of `pixels` (a file of format `kind` that libvips wrote) and of what `source` (of format `was`) carries.

    A TIFF's `pixels` are `target` itself, open for reading and writing. Returns what the target lacks, in words. Raises InputError for a
    source whose parts cannot be told apart.
    """
    if was == kind:
        return tiff.carry(source, pixels) if kind == "tiff" else CARRY[kind](source, pixels, target)
    lost = OTHERS[was](source)
    lost += [what for field, what, kinds in NOT_IN if header.get_typeof(field) and kind in kinds]
    block, turned = _exif(source, header, was)
    if exif.has_thumbnail(block):
        lost.append(exif.THUMBNAIL)
        block = exif.without_thumbnail(block)
    if kind == "gif" or (kind == "jpeg" and len(block) > LONGEST_EXIF):
        lost += ["its EXIF"] if block else []
        block = b""
    if kind not in ("webp", "gif") and header.get_typeof("delay") and header.get_typeof("n-pages") and header.get("n-pages") > 1:
        lost.append("how long its frames are shown, how often, and on what background")
    if kind in ("webp", "gif", "avif") and header.xres != 1.0:
        lost.append("its resolution")
    if kind == "jpeg":
        jpeg.dress(pixels, target, [(jpeg.APP1, exif.HEADER + block)] if block else [], (header.xres, header.yres))
    elif kind == "png":
        png.dress(pixels, target, [(b"eXIf", block)] if block else [])
    elif kind == "webp":
        webp.dress(pixels, target, [(b"EXIF", block)] if block else [])
    elif kind == "avif":
        avif.dress(pixels, target, block, turned)
    elif kind == "tiff" and block:
        tiff.dress(pixels, io.BytesIO(block))
    elif kind == "gif":
        pixels.seek(0)
        with target.open("wb") as out:
            shutil.copyfileobj(pixels, out)
    return list(dict.fromkeys(lost))


def _exif(source: Path, header: Any, was: str) -> tuple[bytes, int]:
    """The photo's EXIF without the head that only some formats have, and its turn as EXIF numbers it."""
    if was == "tiff":
        with source.open("rb") as file:
            try:
                block = tiff.exif_block(file)
            except ValueError as error:
                raise InputError(f"{source}: its tags cannot be followed ({error}); save it anew in another program") from error
        return block, exif.orientation(block)
    block = bytes(header.get("exif-data")).removeprefix(exif.HEADER) if header.get_typeof("exif-data") else b""
    if was != "avif":
        return block, exif.orientation(block)
    turned = avif.orientation(avif.parsed(source))  # what EXIF says of it does not count there
    if not block and turned > 1:
        block = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x112, 3, 1, turned, 0)
    return exif.with_orientation(block, turned), turned
