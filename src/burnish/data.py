"""Sets of pictures: CIFAR-10, the embedded photographs, a folder of one's own."""

import difflib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish import cifar
from burnish.errors import InputError, MissingExtraError
from burnish.files import ASIDE, atomic
from burnish.progress import Progress

Split = Literal["train", "test"]
Picture = NDArray[np.uint8] | NDArray[np.uint16]

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".heic", ".bmp", ".ppm", ".pgm", ".pnm"}
SOURCES = "cifar10, photos, a CIFAR-10 archive (.tar.gz) or its folder, or a folder of pictures"
PHOTOS = {
    "train": ["astronaut.png", "rocket.jpg", "retina.jpg", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png"],
    "test": ["chelsea.png", "coffee.png"],
}
TERMS = {
    "cifar10": "CIFAR-10 (Krizhevsky 2009), free for research; its pictures were collected from the web",
    "photos": "the photographs that come with scikit-image, free to use (public domain and CC0; the Hubble field by NASA/ESA)",
    "bsds500": "BSDS500, for non-commercial research and education",
    "folder": "your own pictures, on your own terms",
}
TERMS_FILE = "TERMS.txt"  # in a folder of pictures: on what terms they may be used, for the card of a model that learns from them


@dataclass(frozen=True)
class PictureSet:
    """Pictures with what must be known of them. `images` are H×W×3 uint8 or uint16 (of one size: one N×H×W×3 array); `skipped` names what
    could not be read, and why."""

    name: str
    images: Sequence[Picture] | Picture
    names: Sequence[str]
    terms: str
    skipped: tuple[tuple[str, str], ...] = ()

    def fingerprint(self) -> str:
        """A digest of all shapes and pixels in their order: "sha256:" and 16 hex digits."""
        digest = hashlib.sha256()
        for image in self.images:
            digest.update(f"{image.shape}{image.dtype}".encode())
            digest.update(np.ascontiguousarray(image).data)
        return f"sha256:{digest.hexdigest()[:16]}"

    def first(self, count: int | None) -> "PictureSet":
        """The first `count` pictures; all when None."""
        return self if count is None else replace(self, images=self.images[:count], names=self.names[:count])


def load(source: str | Path, split: Split, progress: Progress | None = None) -> PictureSet:
    """The pictures of `source`: "cifar10" (downloaded on first use), "photos", a CIFAR-10 archive or folder, or a folder of pictures.

    A folder of pictures has no split: both give all of it. Raises InputError for an unknown source or one without a readable picture.
    """
    kind, path = _kind(source)
    if kind == "photos":
        return _photos(split)
    if kind == "cifar10":
        images = cifar.load(path or cifar.archive(progress), split)
        name = path.resolve().name if path else "cifar10"  # another archive's pictures may not be the official ones
        return PictureSet(name, images, [f"{split}/{index}" for index in range(len(images))], TERMS["cifar10"])
    assert path is not None
    return _folder(path, progress)


def has_test_split(source: str | Path) -> bool:
    """Whether `source` comes with pictures to test on, apart from those to train on."""
    return _kind(source)[0] != "folder"


def tuning_for(source: str | Path) -> PictureSet:
    """Pictures to choose settings on before scoring on `source`: its training pictures, or the embedded photographs for a folder."""
    return load(source if has_test_split(source) else "photos", "train")


def _kind(source: str | Path) -> tuple[Literal["photos", "cifar10", "folder"], Path | None]:
    if source in ("photos", "cifar10"):
        return source, None  # type: ignore[return-value]
    path = Path(source)
    if path.is_file():
        return "cifar10", path
    if path.is_dir():
        return ("cifar10" if cifar.is_folder(path) else "folder"), path
    close = difflib.get_close_matches(str(source), ["cifar10", "photos"], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; give {SOURCES}"
    raise InputError(f"{source}: no such file or folder{hint}")


def _photos(split: Split) -> PictureSet:
    try:
        import skimage
    except ImportError as error:
        raise MissingExtraError("photos: the embedded photographs come with scikit-image: pip install 'burnish[evaluate]'") from error
    folder = Path(skimage.__file__).parent / "data"
    return PictureSet(
        "photos", [read(folder / name) for name in PHOTOS[split]], [Path(name).stem for name in PHOTOS[split]], TERMS["photos"]
    )


def _folder(folder: Path, progress: Progress | None) -> PictureSet:
    files = list(pictures_in(folder))
    if not files:
        raise InputError(f"{folder}: holds no picture; give a folder with files such as .jpg, .png or .tif")
    images, names, skipped = [], [], []
    for index, file in enumerate(files):
        name = file.relative_to(folder).as_posix()
        try:
            images.append(read(file))
            names.append(name)
        except InputError as error:
            skipped.append((name, str(error).removeprefix(f"{file}: ")))
        if progress:
            progress(index + 1, len(files), name)
    if not images:
        raise InputError(f"{folder}: none of its {len(files)} pictures can be read; the first, {skipped[0][0]}: {skipped[0][1]}")
    return PictureSet(folder.resolve().name, images, names, _terms(folder), tuple(skipped))


def _terms(folder: Path) -> str:
    """On what terms a folder's pictures may be used: what its TERMS.txt says, or what is known of a folder of that name."""
    stated = folder / TERMS_FILE
    try:
        return " ".join(stated.read_text("utf-8").split())[:500]
    except (OSError, UnicodeDecodeError):
        return TERMS["bsds500" if folder.resolve().name in ("bsds500-train", "cbsd68") else "folder"]


def pictures_in(folder: Path) -> Iterator[Path]:
    """The picture files under `folder`, sorted, by their endings. Links to folders are not followed, so that no loop is."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(files) if is_picture(name))


def is_picture(name: str) -> bool:
    """Whether a file's name has a picture's ending, and is not that of a file being written."""
    return Path(name).suffix.lower() in ENDINGS and not name.startswith(ASIDE)


def read(path: Path) -> Picture:
    """A picture file as H×W×3 in sRGB: uint16 where the file has more than 8 bits a channel, else uint8. Transparency is dropped.

    Grey is repeated, CMYK and profiled pictures are converted. Raises InputError for what is no picture or is truncated.
    """
    import pyvips

    try:
        image = pyvips.Image.new_from_file(str(path), access="sequential", fail_on="truncated")
        deep = image.format not in ("uchar", "char")
        if image.format in ("float", "double", "complex", "dpcomplex"):
            raise InputError(f"{path}: holds floating-point values, whose range is not known; convert it to 8 or 16 bits")
        if image.hasalpha():
            image = image[: image.bands - 1]
        image = image.colourspace("rgb16" if deep else "srgb")
        if image.bands != 3:
            raise InputError(f"{path}: has {image.bands} channels, and no known way to colours; convert it to RGB")
        pixels: Picture = image.cast("ushort" if deep else "uchar").numpy()
    except pyvips.Error as error:
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path") from error
        why = str(error).strip().splitlines()[-1].strip()
        raise InputError(f"{path}: cannot be read as a picture ({why}); open it in another program to see if it is whole") from error
    return pixels


def write_png(path: Path, image: NDArray[np.float32], like: np.dtype[Any]) -> None:
    """Write an H×W×3 picture of floats on 0–1 as a PNG of the depth of `like` (uint8 or uint16), clipped and rounded, or nothing."""
    import pyvips

    levels = np.iinfo(like).max
    pixels = np.rint(np.clip(image, 0, 1) * levels).astype(like)
    written = pyvips.Image.new_from_array(pixels, interpretation="rgb16" if levels > 255 else "srgb")
    with atomic(path) as temporary:
        temporary.write_bytes(written.pngsave_buffer())


def mapped(inputs: Sequence[Path], out: Path, ending: str) -> Iterator[tuple[Path, Path]]:
    """(file, where it goes under `out`) for each input: a file by its name, a folder's pictures by their places in it.

    Raises InputError for an input that is not there and for two that would go to one place.
    """
    taken: dict[Path, Path] = {}
    for item in inputs:
        if not item.exists():
            raise InputError(f"{item}: no such file or folder; check the path")
        for file in pictures_in(item) if item.is_dir() else [item]:
            target = (out / (file.relative_to(item) if item.is_dir() else file.name)).with_suffix(ending)
            if target in taken:
                raise InputError(f"{file} and {taken[target]} would both become {target}; give them one at a time")
            taken[target] = file
            yield file, target
