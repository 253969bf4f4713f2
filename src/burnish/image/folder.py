"""A folder of one's own images: surveyed by its files' headers, decoded when asked for, page by page where a file is a stack."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import evenly
from burnish.errors import InputError
from burnish.files import ASIDE
from burnish.image import headers, opening
from burnish.progress import Progress

Picture = NDArray[np.uint8] | NDArray[np.uint16]

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".heic", ".bmp", ".ppm", ".pgm", ".pnm"}
APPLES = "._"  # what macOS writes beside a file on foreign disks: its resource fork, which has the file's name and ending
DEPTHS = (10, 12, 14, 16)  # bits that cameras and microscopes put into 16
LOOKED_AT = 64  # images whose values tell how many of those a folder's have
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations in which height and width change places
SAME = 1.0  # levels of 8 bit: a profile that moves no colour by more is sRGB, or as good as that


@dataclass(frozen=True)
class Entry:
    """An image in a file, as its header tells it: `shape` is H×W×C, the right way up, with C of 1 or 3, `deep` means more than 8 bits a
    channel; `length` is the file's, in bytes; `profiled`: it has a colour profile."""

    name: str
    file: Path
    page: int
    shape: tuple[int, int, int]
    deep: bool
    length: int
    profiled: bool = False

    @property
    def may_be_scaled(self) -> bool:
        """Whether the values may have fewer bits than their type: PNG and AVIF say how many they have and are scaled on reading, and who
        writes a profile means the whole of 16 bits."""
        return self.deep and not self.profiled and self.file.suffix.lower() in (".tif", ".tiff")


class Files(Sequence[Picture]):
    """Images that are decoded each time they are asked for, so that any number of them takes no memory.

    All have `channels` channels, 1 or 3: grey is repeated, colour is mixed. TIFFs with more than 8 bits are scaled so that `white` becomes
    65535.
    """

    def __init__(self, entries: Sequence[Entry], channels: int, white: int = 65535) -> None:
        self.entries, self.channels, self.white = list(entries), channels, white

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> "Files": ...
    def __getitem__(self, index: int | slice) -> "Picture | Files":
        """Raises InputError for a file that has gone or cannot be read to its end."""
        if isinstance(index, slice):
            return self.chosen(range(len(self.entries))[index])
        entry = self.entries[index]
        pixels = read(entry.file, self.channels, entry.page)
        if pixels.shape[:2] != entry.shape[:2]:
            raise InputError(f"{entry.file}: changed while it was in use; start again when it is finished")
        if self.white == 65535 or not entry.may_be_scaled:
            return pixels
        return np.minimum(pixels.astype(np.uint32) * 65535 // self.white, 65535).astype(np.uint16)

    @property
    def bytes(self) -> int:
        """How much memory all of them would take."""
        return sum(h * w * self.channels * (2 if entry.deep else 1) for entry in self.entries for h, w, _ in (entry.shape,))

    def chosen(self, indices: Sequence[int]) -> "Files":
        """The images at `indices`, not decoded either."""
        return Files([self.entries[i] for i in indices], self.channels, self.white)

    def fingerprint(self) -> str:
        """A digest of all names, sizes and lengths in bytes, in their order. The pixels are not read."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(f"{entry.name} {entry.shape} {entry.length}\n".encode())
        return f"sha256:{digest.hexdigest()[:16]}"


# --- The survey ---


def survey(folder: Path, progress: Progress | None = None) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The images under `folder` in order, and the names of the files, pages and folders that cannot be opened, with why.

    Only headers are read. Raises InputError where there is none.
    """
    skipped: list[tuple[str, str]] = []

    def closed(error: OSError) -> None:
        skipped.append((_named(Path(error.filename), folder), f"cannot be looked into ({error.strerror}); check its permissions"))

    files = list(pictures_in(folder, closed))
    if not files and not skipped:
        raise InputError(f"{folder}: holds no image; give a folder with files such as .jpg, .png or .tif")
    entries: list[Entry] = []
    for index, file in enumerate(files):
        name = _named(file, folder)
        try:
            found, broken = _pages(file, name)
            entries += found
            skipped += broken
        except InputError as error:
            skipped.append((name, str(error).removeprefix(f"{file}: ")))
        if progress:
            progress(index + 1, len(files), name)
    if not entries:
        raise InputError(f"{folder}: none of its images can be read; the first, {skipped[0][0]}: {skipped[0][1]}")
    return entries, skipped


def _named(path: Path, folder: Path) -> str:
    """A file's place in the folder, as text that can be written anywhere: bytes that are no UTF-8 become question marks."""
    return os.fsencode(path.relative_to(folder)).decode("utf-8", "replace").replace(os.sep, "/")


def _pages(file: Path, name: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The images in a file: the pages of a TIFF; of others the one, or the first. And the pages that cannot be read, with why."""
    first = _header(file, 0)
    if opening.format_of(file) != "tiff":
        return [_entry(first, file, 0, name)], []
    readable = _page_count(first)
    told = headers.tiff_pages(file) or readable + 1  # where the chain of its pages breaks off, one more is lost at least
    names = [f"{name}#{page + 1}" if max(told, readable) > 1 else name for page in range(max(told, readable))]
    entries, broken = [], []
    for page, each in enumerate(names[:readable]):
        try:
            entries.append(_entry(_header(file, page) if page else first, file, page, each))
        except InputError as error:
            broken.append((each, str(error).removeprefix(f"{file}: ")))
    return entries, broken + [(each, "this page is cut off or broken; copy the file anew") for each in names[readable:]]


def _entry(image: Any, file: Path, page: int, name: str) -> Entry:
    height, width = (image.width, image.height) if _orientation(image) in SIDEWAYS else (image.height, image.width)
    shape = (height, width, 1 if image.bands - image.hasalpha() == 1 else 3)
    return Entry(name, file, page, shape, _is_deep(image), file.stat().st_size, bool(image.get_typeof("icc-profile-data")))


def opened(entries: Sequence[Entry], channels: int | None = None) -> Files:
    """The surveyed images, ready to be decoded; with `channels` None, grey where all of them are grey.

    White is told from the brightest value in TIFFs of 16 bits, since many devices put 12 bits into them.
    """
    files = Files(entries, channels or max(entry.shape[2] for entry in entries))
    scaled = [index for index, entry in enumerate(files.entries) if entry.may_be_scaled]
    brightest = 0
    for place in evenly(len(scaled), LOOKED_AT):
        with contextlib.suppress(InputError):  # it will be named when its turn comes
            brightest = max(brightest, int(files[scaled[place]].max()))
    files.white = next(2**bits - 1 for bits in DEPTHS if brightest < 2**bits) if brightest else 65535
    return files


def pictures_in(folder: Path, closed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """The image files under `folder`, sorted, by their endings. Links to folders are not followed, so that no loop is.

    `closed` is told of folders that cannot be looked into.
    """
    for place, folders, files in os.walk(folder, onerror=closed):
        folders.sort()
        yield from (Path(place) / name for name in sorted(files) if is_picture(name))


def is_picture(name: str) -> bool:
    """Whether a file's name has an image's ending, and is not that of a file being written or of macOS's shadow of one."""
    return Path(name).suffix.lower() in ENDINGS and not name.startswith((ASIDE, APPLES))


# --- Decoding ---


def read(path: Path, channels: int = 3, page: int = 0) -> Picture:
    """An image file as H×W×`channels` (3: sRGB, 1: grey), the right way up: uint16 where the file has more than 8 bits a channel, else
    uint8.

    Transparency is dropped; grey is repeated, or colour mixed. Colours that come with a profile are converted to sRGB; those without, or
    with one that is broken, are taken as sRGB (CMYK: as a common press has it). Raises InputError for what is no image or is cut off.
    """
    try:
        return _decoded(path, _checked(path, opening.opened(path, page=page)), channels)
    except InputError:
        if not _breaks_off(path):
            raise
        return _decoded(path, _header(path, page), channels)


def _decoded(path: Path, image: Any, channels: int) -> Picture:
    import pyvips

    deep = _is_deep(image)
    try:
        if image.hasalpha():
            image = image[: image.bands - 1]
        image = _in_srgb(image)
        image = image.colourspace(("grey16" if deep else "b-w") if channels == 1 else ("rgb16" if deep else "srgb"))
        if image.bands != channels:
            raise InputError(f"{path}: has {image.bands} channels, and no known way to colours; convert it to RGB")
        if _orientation(image) > 1:
            image = image.copy_memory().autorot()  # turning asks for rows out of their order
        pixels: Picture = image.cast("ushort" if deep else "uchar").numpy()
    except pyvips.Error as error:
        raise opening.unreadable(path, error) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _breaks_off(path: Path) -> bool:
    """Whether a file is a TIFF whose chain of pages leads nowhere: libvips would blame each good page for the bad one."""
    return path.is_file() and opening.format_of(path) == "tiff" and headers.tiff_pages(path) != _page_count(_header(path, 0))


def _page_count(image: Any) -> int:
    return int(image.get("n-pages")) if image.get_typeof("n-pages") else 1


def _header(path: Path, page: int) -> Any:
    return _checked(path, opening.opened(path, page=page, fail_on="truncated"))


def _checked(path: Path, image: Any) -> Any:
    """Raises InputError for values of a kind that has no known range."""
    if image.format not in ("uchar", "ushort"):
        raise InputError(f"{path}: holds values of type {image.format}, whose range is not known; convert it to 8 or 16 bits")
    return image


def _is_deep(image: Any) -> bool:
    return bool(image.format != "uchar")


def _orientation(image: Any) -> int:
    """EXIF's: 1 for upright, 2 to 8 for turned or mirrored."""
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


# --- Colours ---


def _in_srgb(image: Any) -> Any:
    """The image without alpha, its profiled colours in sRGB; as it is where the profile says that already, or cannot be used."""
    if not image.get_typeof("icc-profile-data"):
        return image
    profile = bytes(image.get("icc-profile-data"))
    if not _moves_colours(profile, image.bands, image.format, image.interpretation):
        return image
    converted = _converted(image)
    return converted[0] if image.bands == 1 else converted  # grey stays grey


def _converted(image: Any) -> Any:
    depth = 16 if _is_deep(image) else 8
    return image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True, depth=depth)


@lru_cache(maxsize=64)
def _moves_colours(profile: bytes, bands: int, kind: str, interpretation: str) -> bool:
    """Whether a profile can be used and means other colours than sRGB, tried on a cube of them.

    What is sRGB is not converted: rounding would change the last bit of images that are right as they are.
    """
    import pyvips

    levels = np.iinfo(np.uint16 if kind == "ushort" else np.uint8).max
    steps = np.linspace(0, levels, 256 if bands == 1 else 9).round()
    cube = np.stack(np.meshgrid(*[steps] * bands, indexing="ij"), axis=-1).reshape(1, -1, bands)
    image = pyvips.Image.new_from_array(cube.astype(np.uint16 if kind == "ushort" else np.uint8), interpretation=interpretation).copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        converted = _converted(image).numpy().reshape(cube.shape[1], -1)
    except pyvips.Error:
        return False
    if bands not in (1, 3):
        return True
    return bool(np.abs(converted - cube[0]).max() > SAME * levels / 255)
