"""How the pixels of a photo are packed again: as it was where the format is the same, else so that nothing is lost."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.image import headers
from burnish.image.containers import avif
from burnish.image.containers.avif import Colours

if TYPE_CHECKING:
    from burnish.image.files import Photo

AVIF_BITS = 12  # a channel, at most


@dataclass(frozen=True)
class AvifWay:
    """How an AVIF's colours are coded: without loss, for only then does the encoder leave out its own matrix; and with `planes`, as the
    luma and differences that are made here."""

    lossless: bool = False
    planes: Colours | None = None


def avif_way(path: Path) -> AvifWay:
    """The way that leaves the file's description of colours true."""
    try:
        told = avif.colours(avif.parsed(path))
    except ValueError:
        return AvifWay()
    if told is None or told.coded_alike or not told.can_be_kept:
        return AvifWay()
    return AvifWay(lossless=True, planes=None if told.matrix == avif.IDENTITY else told)


def kept(photo: "Photo", kind: str) -> str:
    """Which metadata libvips writes itself: none of what the same format carries over, and no EXIF, which it would rewrite."""
    return "other" if photo.format == kind else "xmp|icc|other"


def options(photo: "Photo", kind: str) -> dict[str, Any]:
    """The options of libvips' writer."""
    header = photo.header

    def field(name: str, default: Any) -> Any:
        return header.get(name) if header.get_typeof(name) else default

    same = photo.format == kind
    interlace = bool(same and field("interlaced", 0))
    if kind == "jpeg":
        quality = max(90, (headers.jpeg_quality(photo.path) or 0) if same else 0)
        halved = same and field("jpeg-chroma-subsample", "") == "4:2:0"
        # Not optimize_coding: for a few per cent of the file it would hold all of the image's coefficients.
        return {"Q": quality, "subsample_mode": "on" if halved else "off", "interlace": interlace}
    if kind == "png":
        return {"interlace": interlace}
    if kind == "gif":
        return {"interlace": interlace, "keep_duplicate_frames": True}
    if kind == "webp":  # exact: with the colours that are hidden under alpha
        return {"lossless": not same or headers.webp_is_lossless(photo.path), "exact": True, "Q": 95, "smart_subsample": True}
    if kind == "avif":
        depth = field("bits-per-sample", 8) if same else min(8 * photo.dtype.itemsize, AVIF_BITS)
        lossless = same and avif_way(photo.path).lossless
        return {"compression": "av1", "subsample_mode": "off", "effort": 4, "bitdepth": depth} | (
            {"lossless": True} if lossless else {"Q": 85}
        )
    return _tiff_options(photo, same)


def _tiff_options(photo: "Photo", same: bool) -> dict[str, Any]:
    packing = headers.tiff_packing(photo.path) if same else headers.TiffPacking()
    named = {1: "none", 5: "lzw", 7: "jpeg"}.get(packing.compression, "deflate")
    options: dict[str, Any] = {
        "compression": named,
        "Q": 95,
        "predictor": {2: "horizontal", 3: "float"}.get(packing.predictor, "none"),
        "bigtiff": packing.big or photo.pixels * photo.bands * photo.dtype.itemsize > 1 << 31,
        "premultiply": packing.extra == (1,),
    }
    if photo.header.get_typeof("tile-width"):
        options |= {"tile": True, "tile_width": photo.header.get("tile-width"), "tile_height": photo.header.get("tile-height")}
    return options
