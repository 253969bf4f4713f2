"""An image file in, with all it carries; an image file out, of the same kind, with all of that but the pixels, which come as a stream."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.image import carrying, coding, headers, opening
from burnish.image.containers import avif, tiff, xmp
from burnish.image.virtual_tiff import RowSource

MAX_PIXELS = opening.MAX_PIXELS
FINEST = 1e6  # pixels a millimetre, the most that libvips takes
CHUNK = 1 << 21  # bytes read at a time
FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff", ".avif": "avif", ".gif": "gif"}
DTYPES: dict[str, np.dtype[Any]] = {"uchar": np.dtype(np.uint8), "ushort": np.dtype(np.uint16), "float": np.dtype(np.float32)}
COLOURS = ("b-w", "srgb", "rgb", "rgb16", "grey16", "scrgb", "cmyk", "multiband")
HOLDS = {  # what a format can store: bytes a channel, alpha, inks, several pages
    "jpeg": (1, False, True, False),
    "png": (2, True, False, False),
    "webp": (1, True, False, True),
    "tiff": (4, True, True, True),
    "avif": (2, True, False, True),
    "gif": (1, True, False, True),
}


@dataclass(frozen=True)
class Photo:
    """An image file as its header tells it.

    `height` is one page's; `dtype` is uint8, uint16 or float32; `alpha`: the last channel is transparency; `inks`: CMYK; `extra`: so many
    last channels are neither colours nor transparency; `nodata`: the value of pixels that hold nothing; `header`: the pyvips image.
    """

    path: Path
    format: str
    pages: int
    height: int
    width: int
    bands: int
    dtype: np.dtype[Any]
    alpha: bool
    inks: bool
    extra: int
    nodata: float | None
    header: Any
    stamp: opening.Stamp
    unread: list[Any] = field(default_factory=list, compare=False, repr=False)  # a small photo's `header`, until its pixels have been read

    @property
    def pixels(self) -> int:
        """Pixels on all pages."""
        return self.pages * self.height * self.width

    def rows(self) -> Iterator[NDArray[Any]]:
        """The stored values from top to bottom, page after page, h×W×B at a time. Raises InputError for a file that breaks off."""
        import pyvips

        if self.unread:
            image = self.unread.pop()
        else:
            strictness = opening.strictness(self.format)
            image = opening.opened(self.path, pages=self.pages, max_pixels=self.pixels, fail_on=strictness, as_stored=True)
        region = pyvips.Region.new(image)
        step = max(1, min(512, CHUNK // (self.width * self.bands * self.dtype.itemsize)))
        for top in range(0, self.pages * self.height, step):
            rows = min(step, self.pages * self.height - top)
            try:
                data = region.fetch(0, top, self.width, rows)
            except pyvips.Error as error:
                raise opening.unreadable(self.path, error) from error
            yield np.frombuffer(data, self.dtype).reshape(rows, self.width, self.bands)

    def check_unchanged(self) -> None:
        """Raises InputError when the file is not the one that was opened any more."""
        if opening.stamp(self.path) != self.stamp:
            raise InputError(f"{self.path}: changed while it was read; restore it again when it is finished")


def open_photo(path: Path, max_pixels: int = MAX_PIXELS) -> Photo:
    """The photo in a file, its header read and nothing else. Raises InputError for what is no image, or none that can be kept whole."""
    stamp = opening.stamp(path)
    image = opening.opened(path, max_pixels=max_pixels, fail_on="truncated", as_stored=True)
    kind = str(opening.format_of(path))
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    if kind == "tiff":
        pages = _tiff_pages(path, pages)
    if pages > 1 or kind == "tiff":
        image = opening.opened(path, pages=pages, max_pixels=max_pixels, fail_on=opening.strictness(kind), as_stored=True)
    dtype = DTYPES.get(image.format)
    if dtype is None or image.interpretation not in COLOURS or image.coding != "none":
        raise InputError(
            f"{path}: holds {image.interpretation} values of type {image.format}, which are not restored; "
            "convert it to 8 or 16 bits, RGB or grey"
        )
    if kind == "gif" and not headers.gif_is_whole(path):
        raise InputError(f"{path}: is a GIF without its end; it is cut off, copy it anew")
    if kind == "png" and headers.png_is_animated(path):
        raise InputError(f"{path}: is an animated PNG, of which only the first picture could be read; convert it to GIF or WebP")
    alpha, extra, nodata = bool(image.hasalpha()), 0, None
    if kind == "tiff":
        packing = headers.tiff_packing(path)
        nodata = _nodata(packing.nodata, dtype)
        _check_meaning(path, packing, nodata)
        if packing.extra and packing.extra not in ((1,), (2,)):
            alpha, extra = False, min(len(packing.extra), image.bands - 1)
    inks = image.interpretation == "cmyk"
    # Of a large one the decoder may hold all pixels for as long as it lives.
    unread = [image] if image.width * image.height * image.bands * dtype.itemsize <= CHUNK else []
    return Photo(
        path, kind, pages, image.height // pages, image.width, image.bands, dtype, alpha, inks, extra, nodata, image, stamp, unread
    )


def _check_meaning(path: Path, packing: headers.TiffPacking, nodata: float | None) -> None:
    """Raises InputError for a TIFF whose values libvips takes for what they are not."""
    if packing.photometric not in tiff.READ_AS_COLOURS:
        raise InputError(
            f"{path}: holds values of a kind that is not restored (photometric interpretation {packing.photometric}; a raw mosaic, for "
            "example, is 32803); develop or convert it to RGB or grey"
        )
    if packing.sparse and nodata not in (None, 0):
        raise InputError(f"{path}: leaves out parts without data, which would become 0; write it whole (GDAL: SPARSE_OK=FALSE)")
    if nodata is not None and packing.photometric == tiff.WHITE_IS_ZERO:
        raise InputError(f"{path}: counts from white and has a value for pixels without data; save it counting from black")


def _nodata(value: float | None, dtype: np.dtype[Any]) -> float | None:
    """The value as one of that type; None where the type has none such, and no pixel can hold it."""
    if value is None or dtype.kind == "f":
        with np.errstate(over="ignore"):
            return None if value is None else float(np.float32(value))
    limits = np.iinfo(dtype)
    return value if value.is_integer() and limits.min <= value <= limits.max else None


def _tiff_pages(path: Path, known: int) -> int:
    """How many pages a TIFF has, smaller copies and masks behind them left out. Raises InputError when libvips sees fewer."""
    told = headers.tiff_stack(path)
    if told is None or told.all != known:
        raise InputError(f"{path}: only {known} of its pages can be read; it is cut off or broken, copy it anew")
    if told.preview:
        raise InputError(f"{path}: holds its picture in a sub-directory and only a preview as its page, as raw files do; develop it first")
    if told.hidden:
        raise InputError(f"{path}: holds {told.hidden} more pictures than pages, as ImageJ writes them; save it there as a plain stack")
    return told.full


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
        (photo.extra > 0 and kind != "tiff", f"{photo.extra} more channel(s) than colours"),
        (photo.nodata is not None and kind != "tiff", "a value for pixels without data"),
    ]
    missing = [what for lacks, what in lost if lacks]
    if missing:
        raise InputError(f"{target}: {kind.upper()} cannot hold {' or '.join(missing)}; write a .tif")
    if photo.format == "avif" != kind and photo.alpha and avif.is_premultiplied(avif.parsed(photo.path)):
        raise InputError(f"{target}: only AVIF keeps colours that are multiplied by their transparency; write a .avif")
    return kind


def save(photo: Photo, path: Path, kind: str, rows: Iterator[NDArray[Any]]) -> list[str]:
    """Write `rows`, of the photo's shape and type, with all else that the photo carries, into `path`: a file written aside (`atomic`).

    Returns what of the photo it lacks, in words. Raises OSError when it cannot be written, InputError when the photo changed meanwhile;
    whatever `rows` raises comes through.
    """
    way = coding.avif_way(photo.path) if photo.format == kind == "avif" else None
    if way and way.planes:
        told, bits = way.planes, photo.header.get("bits-per-sample")
        rows = (avif.coded(each, told, bits) for each in rows)
    source = RowSource(rows, photo.pages * photo.height, photo.width, photo.bands, photo.dtype)
    # A TIFF is written in its place, and its tags behind the pixels; of others the pixels alone into a file without a name.
    with path.open("w+b") if kind == "tiff" else tempfile.TemporaryFile(dir=path.parent) as pixels:
        _write_pixels(photo, pixels.fileno(), kind, source)
        lost = carrying.carried(photo.path, photo.header, photo.format, kind, pixels, path)
    photo.check_unchanged()
    return _coding_losses(photo, kind) + lost


def _write_pixels(photo: Photo, descriptor: int, kind: str, source: RowSource) -> None:
    """The pixels alone, as a file of that format."""
    import pyvips

    try:
        image = _bare(source.image(), photo, kind)
        write = getattr(image, f"{'heif' if kind == 'avif' else kind}save_target")
        write(pyvips.Target.new_to_descriptor(descriptor), keep=coding.kept(photo, kind), **coding.options(photo, kind))
    except pyvips.Error as error:
        if source.error:
            raise source.error from None
        raise OSError(str(error).strip().splitlines()[-1]) from error
    if source.error:
        raise source.error


def _bare(image: Any, photo: Photo, kind: str) -> Any:
    """The stream's image with what libvips needs to know to write it: colours, resolution, pages and their times, a profile, XMP, IPTC."""
    import pyvips

    header = photo.header
    bare = image.copy(interpretation=header.interpretation, xres=min(header.xres, FINEST), yres=min(header.yres, FINEST))
    for name in ("icc-profile-data", "xmp-data", "iptc-data", "delay", "loop", "background"):
        if header.get_typeof(name):
            value = header.get(name)
            if name == "xmp-data" and photo.format == "jpeg" != kind:
                value = xmp.without_promises(value)
            bare.set_type(header.get_typeof(name), name, value)
    if photo.pages > 1:
        bare.set_type(pyvips.GValue.gint_type, "page-height", photo.height)
    bare.set_type(pyvips.GValue.gint_type, "concurrency", 1)  # rows come one after another: more threads only hold more of them
    return bare


def _coding_losses(photo: Photo, kind: str) -> list[str]:
    """What the pixels themselves lose by the way they are stored."""
    header = photo.header
    lost = []
    palette = bool(header.get_typeof("palette") and header.get("palette"))
    if kind == "avif" and photo.format != "avif" and photo.dtype.itemsize > 1:
        lost.append(f"the last bits of each channel: the result has {coding.AVIF_BITS}")
    if palette and kind != "gif":
        lost.append("its palette: the result has full colours")
    bits = header.get("bits-per-sample") if header.get_typeof("bits-per-sample") else 8
    if bits < 8 and kind != "gif" and not palette:
        lost.append(f"its {bits} bits a channel: the result has 8")
    if photo.format == "tiff" and photo.dtype.kind == "f" and bits == 16:
        lost.append("its 16 bits a channel: the result has 32")
    if photo.extra:
        lost.append(f"a restoration of its {photo.extra} channel(s) beside the colours, which are as they were")
    if kind == "gif":
        lost.append("colours beyond the 256 that a GIF can hold")
    return lost
