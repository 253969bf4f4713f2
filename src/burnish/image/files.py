"""A picture file in, with all it carries; a picture file out, of the same kind, with all of that but the pixels, which come as a stream."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.image import headers
from burnish.image.virtual_tiff import RowSource

MAX_PIXELS = 10_000_000_000
BOMB_RATIO, BOMB_PIXELS = 1100, 100_000_000  # deflate, the strongest packer among them, gets to 1032
WHOLE_PIXELS = 500_000_000  # of a file that can only be decoded as a whole
CHUNK = 1 << 21  # bytes read at a time
LOADERS = {"jpegload": "jpeg", "pngload": "png", "webpload": "webp", "tiffload": "tiff", "heifload": "avif", "gifload": "gif"}
FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff", ".avif": "avif", ".gif": "gif"}
DTYPES: dict[str, np.dtype[Any]] = {"uchar": np.dtype(np.uint8), "ushort": np.dtype(np.uint16), "float": np.dtype(np.float32)}
COLOURS = ("b-w", "srgb", "rgb", "rgb16", "grey16", "scrgb", "cmyk", "multiband")
STRUCTURE = {"width", "height", "bands", "format", "coding", "interpretation", "xoffset", "yoffset", "xres", "yres", "filename"} | {
    "vips-loader",
    "n-pages",
}
THUMBNAIL = ("jpeg-thumbnail-data", "exif-ifd1-")  # shows the picture as it was; viewers make their own
AVIF_BITS = 12  # a channel, at most
HOLDS = {  # what a format can store: bytes a channel, alpha, inks, several pages
    "jpeg": (1, False, True, False),
    "png": (2, True, False, False),
    "webp": (1, True, False, True),
    "tiff": (4, True, True, True),
    "avif": (2, True, False, True),
    "gif": (1, True, False, True),
}
NOT_IN = (  # what libvips does not write into some formats: its name there, ours, and which
    ("iptc-data", "IPTC", ("png", "webp", "avif", "gif")),
    ("xmp-data", "XMP", ("gif",)),
    ("icc-profile-data", "colour profile", ("gif",)),
)


@dataclass(frozen=True)
class Photo:
    """A picture file as its header tells it. `height` is one page's; `dtype` is uint8, uint16 or float32; `inks`: CMYK."""

    path: Path
    format: str
    pages: int
    height: int
    width: int
    bands: int
    dtype: np.dtype[Any]
    alpha: bool
    inks: bool
    header: Any
    stamp: tuple[int, int]

    @property
    def pixels(self) -> int:
        """Pixels on all pages."""
        return self.pages * self.height * self.width

    def rows(self) -> Iterator[NDArray[Any]]:
        """The stored values from top to bottom, page after page, h×W×B at a time. Raises InputError for a file that breaks off."""
        import pyvips

        image = _image(self.path, self.pages)
        region = pyvips.Region.new(image)
        step = max(1, min(512, CHUNK // (self.width * self.bands * self.dtype.itemsize)))
        for top in range(0, self.pages * self.height, step):
            rows = min(step, self.pages * self.height - top)
            try:
                data = region.fetch(0, top, self.width, rows)
            except pyvips.Error as error:
                raise _unreadable(self.path, error) from error
            yield np.frombuffer(data, self.dtype).reshape(rows, self.width, self.bands)

    def check_unchanged(self) -> None:
        """Raises InputError when the file is not the one that was opened any more."""
        if _stamp(self.path) != self.stamp:
            raise InputError(f"{self.path}: changed while it was read; restore it again when it is finished")


def open_photo(path: Path, max_pixels: int = MAX_PIXELS) -> Photo:
    """The photo in a file, its header read and nothing else. Raises InputError for what is no picture, or none that can be kept whole."""
    import pyvips

    stamp = _stamp(path)
    pyvips.block_untrusted_set(True)
    try:
        image = _image(path, 1)
        pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
        if pages > 1:
            image = _image(path, pages)
    except pyvips.Error as error:
        raise _unreadable(path, error) from error
    kind = LOADERS.get(str(image.get("vips-loader")).removesuffix("_source"))
    if kind is None:
        raise InputError(f"{path}: {image.get('vips-loader')} pictures are not restored; convert it to JPEG, PNG, WebP, TIFF, AVIF or GIF")
    dtype = DTYPES.get(image.format)
    if dtype is None or image.interpretation not in COLOURS or image.coding != "none":
        raise InputError(
            f"{path}: holds {image.interpretation} values of type {image.format}, which are not restored; "
            "convert it to 8 or 16 bits, RGB or grey"
        )
    if kind == "tiff" and headers.tiff_pages(path) != pages:
        raise InputError(f"{path}: only {pages} of its pages can be read; it is cut off or broken, copy it anew")
    if kind == "gif" and not headers.gif_is_whole(path):
        raise InputError(f"{path}: is a GIF without its end; it is cut off, copy it anew")
    if kind == "png" and headers.png_is_animated(path):
        raise InputError(f"{path}: is an animated PNG, of which only the first picture could be read; convert it to GIF or WebP")
    photo = Photo(
        path,
        kind,
        pages,
        image.height // pages,
        image.width,
        image.bands,
        dtype,
        bool(image.hasalpha()),
        image.interpretation == "cmyk",
        image,
        stamp,
    )
    _check_size(photo, max_pixels)
    return photo


def _image(path: Path, pages: int) -> Any:
    import pyvips

    # Through a source, since a plain file name may hold options in brackets; truncated files must fail, not pass as grey.
    source = pyvips.Source.new_from_file(os.fsencode(path))
    every = {"n": -1} if pages > 1 else {}
    return pyvips.Image.new_from_source(source, "", access="sequential", fail_on="truncated", **every)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is no file; give a picture or a folder of them")
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if status.st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes); copy it anew")
    return status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: Exception) -> InputError:
    why = str(error).strip().splitlines()[-1].strip()
    if headers.is_heic(path):
        return InputError(f"{path}: is HEIC, which the libvips installed here cannot decode ({why}); convert it to JPEG or AVIF")
    if "samples out of range" in why:
        why = "samples of a kind libvips does not read, such as 64-bit floats"
    if "not have same" in why or "page" in why:
        return InputError(f"{path}: its pages cannot be read as one stack ({why}); save each page as a file of its own")
    return InputError(f"{path}: cannot be read as a picture ({why}); open it in another program to see if it is whole")


def _check_size(photo: Photo, max_pixels: int) -> None:
    size = f"{photo.path}: holds {photo.width:,}×{photo.height:,} pixels" + (f" on {photo.pages} pages" if photo.pages > 1 else "")
    if photo.pixels > max_pixels:
        raise InputError(f"{size}, more than the limit of {max_pixels:,}; raise it with --max-pixels if you trust the file")
    raw = photo.pixels * photo.bands * photo.dtype.itemsize
    if photo.pixels > BOMB_PIXELS and raw > BOMB_RATIO * photo.stamp[0]:
        raise InputError(f"{size} in {photo.stamp[0]:,} bytes, which no real picture does; it is broken or made to fill your memory")
    whole = photo.format in ("webp", "avif") or (photo.header.get_typeof("interlaced") and photo.header.get("interlaced"))
    if whole and photo.pixels > WHOLE_PIXELS:
        raise InputError(f"{size}, packed so that they can only be unpacked all at once; save it without interlacing, or as TIFF")


# --- Writing ---


def format_for(photo: Photo, target: Path) -> str:
    """The format to write: the photo's own, unless `target` has another ending. Raises InputError for one that cannot hold the photo."""
    kind = photo.format
    if target.suffix.lower() != photo.path.suffix.lower():
        if target.suffix.lower() not in FORMATS:
            raise InputError(f"{target}: no known ending; write {', '.join(sorted(FORMATS))}")
        kind = FORMATS[target.suffix.lower()]
    deep, alpha, inks, pages = HOLDS[kind]
    lost = [
        (photo.dtype.itemsize > deep, f"{8 * photo.dtype.itemsize} bits a channel"),
        (photo.alpha and not alpha, "transparency"),
        (photo.inks and not inks, "CMYK"),
        (photo.pages > 1 and not pages, f"{photo.pages} pages"),
    ]
    missing = [what for lacks, what in lost if lacks]
    if missing:
        raise InputError(f"{target}: {kind.upper()} cannot hold {' or '.join(missing)}; write a .tif")
    return kind


def save(photo: Photo, path: Path, kind: str, rows: Iterator[NDArray[Any]]) -> list[str]:
    """Write `rows`, of the photo's shape and type, with all else that the photo carries, into `path`: a file written aside (`atomic`).

    Returns what of the photo it lacks, in words. Raises OSError when it cannot be written, InputError when the photo changed meanwhile;
    whatever `rows` raises comes through.
    """
    import pyvips

    source = RowSource(rows, photo.pages * photo.height, photo.width, photo.bands, photo.dtype)
    try:
        image = _dressed(source.image(), photo)
        getattr(image, f"{'heif' if kind == 'avif' else kind}save")(os.fsencode(path), keep=_kept(photo, kind), **_options(photo, kind))
    except pyvips.Error as error:
        if source.error:
            raise source.error from None
        raise OSError(str(error).strip().splitlines()[-1]) from error
    if source.error:
        raise source.error
    photo.check_unchanged()
    return losses(photo, kind)


def _dressed(image: Any, photo: Photo) -> Any:
    """The stream's image with the photo's metadata: profile, EXIF, XMP, IPTC, resolution, orientation, pages and their times."""
    import pyvips

    header = photo.header
    dressed = image.copy(interpretation=header.interpretation, xres=header.xres, yres=header.yres)
    for name in header.get_fields():
        if name not in STRUCTURE and not name.startswith(THUMBNAIL):
            value = header.get(name)
            dressed.set_type(header.get_typeof(name), name, headers.exif_without_thumbnail(value) if name == "exif-data" else value)
    if photo.pages > 1:
        dressed.set_type(pyvips.GValue.gint_type, "page-height", photo.height)
    dressed.set_type(pyvips.GValue.gint_type, "concurrency", 1)  # rows come one after another: more threads only hold more of them
    return dressed


def _kept(photo: Photo, kind: str) -> str:
    """Which metadata go along: libvips would make up EXIF for a photo that has none, and does where only that can hold the orientation."""
    turned = photo.header.get_typeof("orientation") and photo.header.get("orientation") > 1 and kind != "tiff"
    return "all" if turned or photo.header.get_typeof("exif-data") else "xmp|iptc|icc|other|gainmap"


def _options(photo: Photo, kind: str) -> dict[str, Any]:
    header = photo.header

    def field(name: str, default: Any) -> Any:
        return header.get(name) if header.get_typeof(name) else default

    same = photo.format == kind
    if kind == "jpeg":
        quality = max(90, (headers.jpeg_quality(photo.path) or 0) if same else 0)
        halved = same and field("jpeg-chroma-subsample", "") == "4:2:0"
        return {
            "Q": quality,
            "subsample_mode": "on" if halved else "off",
            "interlace": bool(same and field("interlaced", 0)),
        }  # not optimize_coding: for a few per cent of the file it would hold all of the picture's coefficients
    if kind == "png":
        return {"interlace": bool(same and field("interlaced", 0))}
    if kind == "webp":  # exact: with the colours that are hidden under alpha
        return {"lossless": not same or headers.webp_is_lossless(photo.path), "exact": True, "Q": 95, "smart_subsample": True}
    if kind == "avif":
        depth = field("bits-per-sample", 8) if same else min(8 * photo.dtype.itemsize, AVIF_BITS)
        return {"compression": "av1", "Q": 85, "subsample_mode": "off", "effort": 4, "bitdepth": depth}
    if kind == "tiff":
        return _tiff_options(photo, same)
    return {}


def _tiff_options(photo: Photo, same: bool) -> dict[str, Any]:
    packing = headers.tiff_packing(photo.path) if same else headers.TiffPacking()
    named = {1: "none", 5: "lzw", 7: "jpeg"}.get(packing.compression, "deflate")
    options: dict[str, Any] = {
        "compression": named,
        "Q": 95,
        "predictor": {2: "horizontal", 3: "float"}.get(packing.predictor, "none"),
        "bigtiff": photo.pixels * photo.bands * photo.dtype.itemsize > 1 << 31,
    }
    if photo.header.get_typeof("tile-width"):
        options |= {"tile": True, "tile_width": photo.header.get("tile-width"), "tile_height": photo.header.get("tile-height")}
    return options


def losses(photo: Photo, kind: str) -> list[str]:
    """What of the photo a file of that format, written here, will not carry, in words."""
    header = photo.header
    lost = []
    if photo.format == "tiff":
        packing = headers.tiff_packing(photo.path)
        if packing.exif:
            lost.append("its EXIF, which libvips does not write into TIFF")
        if packing.other:
            lost.append(f"its tags {', '.join(packing.other)}, which libvips does not pass on")
    elif kind in ("tiff", "gif") and header.get_typeof("exif-data"):
        lost.append(f"its EXIF, which libvips does not write into {kind.upper()}")
    lost += [
        f"its {what}, which libvips does not write into {kind.upper()}"
        for field, what, kinds in NOT_IN
        if header.get_typeof(field) and kind in kinds
    ]
    if photo.format == "jpeg" and headers.jpeg_has_comment(photo.path):
        lost.append("its comment")
    if kind == "avif" and photo.format != "avif" and photo.dtype.itemsize > 1:
        lost.append(f"the last bits of each channel: the result has {AVIF_BITS}")
    if header.get_typeof("palette") and header.get("palette") and kind != "gif":
        lost.append("its palette: the result has full colours")
    bits = header.get("bits-per-sample") if header.get_typeof("bits-per-sample") else 8
    if bits < 8 and kind != "gif" and not (header.get_typeof("palette") and header.get("palette")):
        lost.append(f"its {bits} bits a channel: the result has 8")
    if kind == "gif":
        lost.append("colours beyond the 256 that a GIF can hold")
    if header.get_typeof("n-subifds"):
        lost.append("its smaller copies (sub-directories)")
    if photo.format == "jpeg" and headers.jpeg_has_more_pictures(photo.path):
        lost.append("the further pictures (previews) behind the first")
    return lost
