"""A folder of one's own pictures: surveyed by its files' headers, decoded when asked for, page by page where a file is a stack."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.files import ASIDE
from burnish.progress import Progress

Picture = NDArray[np.uint8] | NDArray[np.uint16]

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".gif", ".heic", ".bmp", ".ppm", ".pgm", ".pnm"}
TIFF = (".tif", ".tiff")
DEPTHS = (10, 12, 14, 16)  # bits that cameras and microscopes put into 16
LOOKED_AT = 64  # pictures whose values tell how many of those a folder's have


@dataclass(frozen=True)
class Entry:
    """A picture in a file, as its header tells it: `shape` is H×W×C with C of 1 or 3, `deep` means more than 8 bits a channel; `length` is
    the file's, in bytes."""

    name: str
    file: Path
    page: int
    shape: tuple[int, int, int]
    deep: bool
    length: int

    @property
    def may_be_scaled(self) -> bool:
        """Whether the values may have fewer bits than their type: PNG and AVIF say how many they have, and are scaled on reading."""
        return self.deep and self.file.suffix.lower() in TIFF


class Files(Sequence[Picture]):
    """Pictures that are decoded each time they are asked for, so that any number of them takes no memory.

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
        """The pictures at `indices`, not decoded either."""
        return Files([self.entries[i] for i in indices], self.channels, self.white)

    def fingerprint(self) -> str:
        """A digest of all names, sizes and lengths in bytes, in their order. The pixels are not read."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(f"{entry.name} {entry.shape} {entry.length}\n".encode())
        return f"sha256:{digest.hexdigest()[:16]}"


def survey(folder: Path, progress: Progress | None = None) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The pictures under `folder` in order, and the names of the files that cannot be opened, with why. Raises InputError for none."""
    files = list(pictures_in(folder))
    if not files:
        raise InputError(f"{folder}: holds no picture; give a folder with files such as .jpg, .png or .tif")
    entries: list[Entry] = []
    skipped = []
    for index, file in enumerate(files):
        name = file.relative_to(folder).as_posix()
        try:
            entries += _pages(file, name)
        except InputError as error:
            skipped.append((name, str(error).removeprefix(f"{file}: ")))
        if progress:
            progress(index + 1, len(files), name)
    if not entries:
        raise InputError(f"{folder}: none of its {len(files)} pictures can be read; the first, {skipped[0][0]}: {skipped[0][1]}")
    return entries, skipped


def _pages(file: Path, name: str) -> Iterator[Entry]:
    """The pictures in a file: the pages of a TIFF; of others the one, or the first."""
    first = _opened(file, 0)
    pages = first.get("n-pages") if file.suffix.lower() in TIFF and first.get_typeof("n-pages") else 1
    for page in range(pages):
        image = _opened(file, page) if page else first
        shape = (image.height, image.width, 1 if image.bands - image.hasalpha() == 1 else 3)
        yield Entry(f"{name}#{page + 1}" if pages > 1 else name, file, page, shape, _is_deep(image), file.stat().st_size)


def opened(entries: Sequence[Entry], channels: int | None = None) -> Files:
    """The surveyed pictures, ready to be decoded; with `channels` None, grey where all of them are grey.

    White is told from the brightest value in TIFFs of 16 bits, since many devices put 12 bits into them.
    """
    files = Files(entries, channels or max(entry.shape[2] for entry in entries))
    scaled = [index for index, entry in enumerate(files.entries) if entry.may_be_scaled]
    brightest = 0
    for place in np.linspace(0, len(scaled) - 1, min(len(scaled), LOOKED_AT)).astype(int):
        with contextlib.suppress(InputError):  # it will be named when its turn comes
            brightest = max(brightest, int(files[scaled[place]].max()))
    files.white = next(2**bits - 1 for bits in DEPTHS if brightest < 2**bits) if brightest else 65535
    return files


def pictures_in(folder: Path) -> Iterator[Path]:
    """The picture files under `folder`, sorted, by their endings. Links to folders are not followed, so that no loop is."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in sorted(files) if is_picture(name))


def is_picture(name: str) -> bool:
    """Whether a file's name has a picture's ending, and is not that of a file being written."""
    return Path(name).suffix.lower() in ENDINGS and not name.startswith(ASIDE)


def read(path: Path, channels: int = 3, page: int = 0) -> Picture:
    """A picture file as H×W×`channels` (3: sRGB, 1: grey): uint16 where the file has more than 8 bits a channel, else uint8.

    Transparency is dropped; grey is repeated, or colour mixed; CMYK and profiled pictures are converted. Raises InputError for what is no
    picture or is truncated.
    """
    import pyvips

    try:
        image = _opened(path, page)
        deep = _is_deep(image)
        if image.hasalpha():
            image = image[: image.bands - 1]
        image = image.colourspace(("grey16" if deep else "b-w") if channels == 1 else ("rgb16" if deep else "srgb"))
        if image.bands != channels:
            raise InputError(f"{path}: has {image.bands} channels, and no known way to colours; convert it to RGB")
        pixels: Picture = image.cast("ushort" if deep else "uchar").numpy()
    except pyvips.Error as error:
        raise _unreadable(path, error) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _opened(path: Path, page: int) -> Any:
    """The pyvips image of one page, its header read. Raises InputError for values of a kind that has no known range."""
    import pyvips

    paged = {"page": page} if page else {}
    try:
        image = pyvips.Image.new_from_file(str(path), access="sequential", fail_on="truncated", **paged)
    except pyvips.Error as error:
        raise _unreadable(path, error) from error
    if image.format not in ("uchar", "ushort"):
        raise InputError(f"{path}: holds values of type {image.format}, whose range is not known; convert it to 8 or 16 bits")
    return image


def _is_deep(image: Any) -> bool:
    return bool(image.format != "uchar")


def _unreadable(path: Path, error: Exception) -> InputError:
    if not path.exists():
        return InputError(f"{path}: no such file; check the path")
    why = str(error).strip().splitlines()[-1].strip()
    return InputError(f"{path}: cannot be read as a picture ({why}); open it in another program to see if it is whole")
