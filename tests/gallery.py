"""One photograph as every kind of file that people have, with what such files carry."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from skimage import data

from burnish.degradation import Degradation
from burnish.image.taken import Look

SIDE = (150, 130)  # height × width


def spoilt(spec: str = "noise:8+8bit", original: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """A part of a photograph, degraded; 8 bit."""
    picture = data.chelsea()[60 : 60 + SIDE[0], 100 : 100 + SIDE[1]] if original is None else original
    return np.rint(np.clip(Degradation.parse(spec).apply(picture), 0, 1) * 255).astype(np.uint8)


def looked(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Look:
    """A look at an image and a result, handed over in bands as `restore` does."""
    look = Look(before.shape[0] * before.shape[1])
    for top in range(0, len(before), 64):
        for columns in look.windows(before.shape[1]):
            look.add(*((each[top : top + 64, columns] / 255).astype(np.float32) for each in (before, after)))
    return look


def image(pixels: NDArray[Any], interpretation: str = "srgb") -> Any:
    """A pyvips image with a resolution."""
    return pyvips.Image.new_from_array(pixels, interpretation=interpretation).copy(xres=11.811, yres=11.811)


def exif() -> bytes:
    """A camera's EXIF: its make, an orientation, an exposure time, a maker's note, and a thumbnail that will be stale."""
    thumbnail = pyvips.Image.new_from_array(spoilt("blur:3+8bit")[:24, :32]).jpegsave_buffer()

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")

    def offset(value: int) -> bytes:
        return struct.pack("<I", value)

    make, note = b"Lens & Sons\0", b"THE MAKER'S OWN NOTE" + bytes(range(60))
    first = 8
    make_at = first + 2 + 3 * 12 + 4
    second = make_at + len(make)
    far = second + 2 + 2 * 12 + 4
    third = far + 8 + len(note)
    jpeg_at = third + 2 + 3 * 12 + 4
    return b"".join(
        [
            b"Exif\0\0II*\0" + offset(first),
            struct.pack("<H", 3),
            entry(0x10F, 2, len(make), offset(make_at)),
            entry(0x112, 3, 1, struct.pack("<H", 6)),
            entry(0x8769, 4, 1, offset(second)),
            offset(third),
            make,
            struct.pack("<H", 2),
            entry(0x829A, 5, 1, offset(far)),
            entry(0x927C, 7, len(note), offset(far + 8)),
            offset(0),
            struct.pack("<II", 1, 125) + note,
            struct.pack("<H", 3),
            entry(0x103, 3, 1, struct.pack("<H", 6)),
            entry(0x201, 4, 1, offset(jpeg_at)),
            entry(0x202, 4, 1, offset(len(thumbnail))),
            offset(0),
            thumbnail,
        ]
    )


def profile() -> bytes:
    """An ICC profile that is not the usual one."""
    made: bytes = pyvips.Image.new_from_array(np.zeros((2, 2, 3), np.uint8)).icc_export(output_profile="p3").get("icc-profile-data")
    return made


def with_everything(picture: Any) -> Any:
    """The image with profile, EXIF, XMP and IPTC."""
    dressed = picture.copy()
    for name, value in (("icc-profile-data", profile()), ("exif-data", exif()), ("xmp-data", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")):
        dressed.set_type(pyvips.GValue.blob_type, name, value)
    return dressed


def pages(count: int) -> Any:
    """A stack of different images."""
    each = [image(spoilt(f"noise:{8 + index}+8bit")) for index in range(count)]
    stack = pyvips.Image.arrayjoin(each, across=1).copy()
    stack.set_type(pyvips.GValue.gint_type, "page-height", SIDE[0])
    return stack


def transparent() -> NDArray[np.uint8]:
    """RGBA: a window of the photograph; what is hidden is black."""
    alpha = np.zeros(SIDE, np.uint8)
    alpha[20:130, 15:110] = 255
    alpha[60:70, 15:110] = 128
    colours = np.where(alpha[..., None] > 0, spoilt(), 0)
    return np.dstack([colours, alpha]).astype(np.uint8)


def deep(bits: int = 16) -> NDArray[np.uint16]:
    """16-bit RGB with values that 8 bits cannot hold, up to 2^bits."""
    return np.rint(spoilt() / 255 * (2**bits - 8) + np.arange(3)).astype(np.uint16)


KINDS: dict[str, Callable[[str], None]] = {
    "plain.png": lambda path: image(spoilt()).pngsave(path),
    "interlaced.png": lambda path: image(spoilt()).pngsave(path, interlace=True),
    "grey.png": lambda path: image(spoilt()[..., 1], "b-w").pngsave(path),
    "deep.png": lambda path: with_everything(image(deep(), "rgb16")).pngsave(path),
    "deep-grey.png": lambda path: image(deep()[..., 1], "grey16").pngsave(path),
    "transparent.png": lambda path: image(transparent()).pngsave(path),
    "grey-transparent.png": lambda path: image(transparent()[..., [1, 3]], "b-w").pngsave(path),
    "palette.png": lambda path: image(spoilt()).pngsave(path, palette=True),
    "camera.jpg": lambda path: with_everything(image(spoilt())).jpegsave(path, Q=96),
    "halved.jpg": lambda path: image(spoilt()).jpegsave(path, Q=80, subsample_mode="on", interlace=True),
    "grey.jpg": lambda path: image(spoilt()[..., 1], "b-w").jpegsave(path),
    "inks.jpg": lambda path: image(spoilt()).icc_export(output_profile="cmyk").jpegsave(path, Q=95),
    "plain.webp": lambda path: with_everything(image(spoilt())).webpsave(path, Q=90),
    "lossless.webp": lambda path: image(transparent()).webpsave(path, lossless=True),
    "moving.webp": lambda path: pages(3).webpsave(path, lossless=True),
    "plain.avif": lambda path: image(spoilt()).heifsave(path, compression="av1", Q=90),
    "deep.avif": lambda path: image(deep(), "rgb16").heifsave(path, compression="av1", Q=95, bitdepth=10),
    "moving.gif": lambda path: pages(3).gifsave(path),
    "strips.tif": lambda path: with_everything(image(spoilt())).tiffsave(path, compression="lzw", predictor="horizontal"),
    "tiles.tif": lambda path: image(deep(), "rgb16").tiffsave(path, tile=True, tile_width=64, tile_height=32, compression="deflate"),
    "stack.tif": lambda path: pages(4).tiffsave(path),
    "inks.tif": lambda path: image(spoilt()).icc_export(output_profile="cmyk").tiffsave(path),
    "twelve-bits.tif": lambda path: image(deep(12), "rgb16").tiffsave(path),
    "float.tif": lambda path: image((spoilt() / 255).astype(np.float32), "scrgb").tiffsave(path),
    "beyond.tif": lambda path: image((spoilt()[..., 1] * 4.0 - 300).astype(np.float32), "b-w").tiffsave(path),
}


def opened(path: Path) -> Any:
    """The file with all its pages."""
    header = pyvips.Image.new_from_file(str(path))
    many = header.get_typeof("n-pages") and header.get("n-pages") > 1
    return pyvips.Image.new_from_file(str(path), **({"n": -1} if many else {}))


def write(folder: Path, *names: str) -> list[Path]:
    """Those kinds of file (all, when none is named) in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or KINDS:
        KINDS[name](str(folder / name))
    return [folder / name for name in names or KINDS]
