"""How every image file is opened: told by its content, its header read, and refused when it is no image or is made to do harm.

Only six formats are opened, each by its own libvips loader. libvips knows more of them, and leaves those that run foreign libraries
(SVG, PDF, Matlab, ImageMagick's) open to everyone; none is reached from here, whatever a file calls itself.
"""

import os
import stat
from pathlib import Path
from typing import Any

from burnish.errors import InputError
from burnish.image import headers, libvips
from burnish.image.containers import avif

MAX_PIXELS = 10_000_000_000
BOMB_RATIO, BOMB_PIXELS = 1100, 100_000_000  # deflate, the strongest packer among them, gets to 1032
WHOLE_PIXELS = 500_000_000  # of a file that can only be decoded as a whole
LOADERS = {"jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "avif": "heif", "gif": "gif"}  # format and libvips' name for it
PAGED = ("tiff", "webp", "avif", "gif")  # what may hold several images
HEIF_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4, "double": 8}

Stamp = tuple[int, int]


def stamp(path: Path) -> Stamp:
    """A file's length in bytes and the time of its last change in nanoseconds. Raises InputError for what is no file, or an empty one."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is no file; give an image or a folder of them")
        path.open("rb").close()
    except FileNotFoundError as error:
        raise InputError(f"{path}: {error.strerror}; check the path") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); check the path") from error
    if status.st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes); copy it anew")
    return status.st_size, status.st_mtime_ns


def format_of(path: Path) -> str | None:
    """The format of a file by its first bytes, a key of LOADERS ("avif" for HEIF's kinds); None for what is no such image.

    Raises InputError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webp"
    return "avif" if head[4:8] == b"ftyp" and head[8:] in HEIF_BRANDS else None


def opened(
    path: Path,
    *,
    page: int = 0,
    pages: int = 1,
    fail_on: str = "error",
    access: str = "sequential",
    max_pixels: int = MAX_PIXELS,
    as_stored: bool = False,
) -> Any:
    """The pyvips image of a file, its header read and nothing decoded: page `page`, or with `pages` -1 all, one below the other.

    Pixels that are missing or broken raise pyvips.Error when they are asked for (`unreadable` makes an InputError of it); with `fail_on`
    "truncated" only missing ones do, and a TIFF's good pages open whatever comes after them. `as_stored`: an AVIF's turning, mirroring and
    cropping are left out, as other formats' are anyway. Raises InputError for what is no image of the six formats, and for one that holds
    more than `max_pixels` or far more than its bytes can.
    """
    libvips.load()
    import pyvips

    length, _ = stamp(path)
    kind = format_of(path)
    if kind is None:
        raise InputError(f"{path}: cannot be read as an image: it is no JPEG, PNG, WebP, TIFF, AVIF or GIF; convert it to one of them")
    paging = {name: value for name, value, plain in (("page", page, 0), ("n", pages, 1)) if value != plain and kind in PAGED}
    try:
        # By its own name, never by libvips' choice, which takes other loaders for some JPEGs.
        load = getattr(pyvips.Image, f"{LOADERS[kind]}load_source")
        source = _source(path, as_stored and kind == "avif")
        image = load(source, access=access, fail_on=fail_on, **paging)
    except pyvips.Error as error:
        raise unreadable(path, error, stacked=pages != 1) from error
    image._references.append(source)  # as pyvips does where it chooses the loader: the memory that it reads from must last
    _check_size(path, image, kind, length, max_pixels)
    return image


def strictness(kind: str) -> str:
    """The `fail_on` with which pixels that are missing or cannot be unpacked fail: those of a TIFF would else come as black."""
    return "error" if kind == "tiff" else "truncated"


def _source(path: Path, as_stored: bool) -> Any:
    """The file as a libvips source: no options in brackets, nothing remembered of a file that had that name before."""
    import pyvips

    if as_stored and (data := avif.as_stored(path)):
        return pyvips.Source.new_from_memory(data)
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:  # a name that is no UTF-8, which libvips cannot be told
        with path.open("rb") as file:
            return pyvips.Source.new_from_descriptor(file.fileno())
    return pyvips.Source.new_from_file(os.fspath(path))


def _check_size(path: Path, image: Any, kind: str, length: int, max_pixels: int) -> None:
    count = image.width * image.height
    pages = image.height // image.get("page-height") if image.get_typeof("page-height") else 1
    size = f"{path}: holds {image.width:,}×{image.height // pages:,} pixels" + (f" on {pages:,} pages" if pages > 1 else "")
    if count > max_pixels:
        raise InputError(f"{size}, more than the limit of {max_pixels:,}; raise it with --max-pixels if you trust the file")
    if count > BOMB_PIXELS and count * image.bands * SAMPLE_BYTES.get(image.format, 8) > BOMB_RATIO * length:
        raise InputError(f"{size} in {length:,} bytes, which no real image does; it is broken or made to fill your memory")
    whole = kind in ("webp", "avif") or (image.get_typeof("interlaced") and image.get("interlaced"))
    if whole and count > WHOLE_PIXELS:
        raise InputError(f"{size}, packed so that they can only be unpacked all at once; save it without interlacing, or as TIFF")


def unreadable(path: Path, error: Exception, *, stacked: bool = False) -> InputError:
    """What libvips says of a file, as one line with what to do; `stacked`: all its pages were asked for at once."""
    why = (str(error).strip().splitlines() or ["no reason given"])[-1].strip()
    if path.is_file() and headers.is_heic(path):
        return InputError(f"{path}: is HEIC, which the libvips installed here cannot decode ({why}); convert it to JPEG or AVIF")
    if "is not configured" in why:
        packing = why.removeprefix("tiff2vips: ").split()[0]
        return InputError(f"{path}: is packed with {packing}, which the libvips installed here cannot unpack; save it with Deflate or LZW")
    if "bad labq format" in why:
        why = "Lab colours of 8 bits with the signs that libvips does not read"
    if "samples out of range" in why:
        why = "samples of a kind libvips does not read, such as 64-bit floats"
    if stacked and ("not have same" in why or "page" in why):
        return InputError(f"{path}: its pages cannot be read as one stack ({why}); save each page as a file of its own")
    return InputError(f"{path}: cannot be read as an image ({why}); open it in another program to see if it is whole")
