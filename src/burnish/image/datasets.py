"""Sets of images: CIFAR-10, the embedded photographs, a folder of one's own."""

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, MissingExtraError
from burnish.files import atomic
from burnish.image import cifar, folder, opening
from burnish.image.folder import Files
from burnish.image.folder import Picture as Picture
from burnish.image.folder import is_picture as is_picture
from burnish.image.folder import pictures_in as pictures_in
from burnish.image.folder import read as read
from burnish.progress import Progress

Split = Literal["train", "test"]
KNOWN: tuple[Literal["cifar10", "photos"], ...] = ("cifar10", "photos")
SOURCES = "cifar10, photos, a CIFAR-10 archive (.tar.gz) or its folder, or a folder of images"
PHOTOS = {
    "train": ["astronaut.png", "rocket.jpg", "retina.jpg", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png"],
    "test": ["chelsea.png", "coffee.png"],
}
TERMS = {
    "cifar10": "CIFAR-10 (Krizhevsky 2009), free for research; its pictures were collected from the web",
    "photos": "the photographs that come with scikit-image, free to use (public domain and CC0; the Hubble field by NASA/ESA)",
}
UNSTATED = "unstated"  # the terms of a folder that says nothing about them
RESIDENT = 1 << 30  # bytes of decoded images kept in memory; a folder with more is decoded again each time
TERMS_FILE = "TERMS.txt"  # in a folder of images: on what terms they may be used, for the card of a model that learns from them


@dataclass(frozen=True)
class PictureSet:
    """Images with what must be known of them. `images` are H×W×C uint8 or uint16 (of one size: one N×H×W×C array), C being 3, or 1 for
    grey ones; `skipped` names what could not be read, and why. `degraded` holds the degraded partners of the same images, where they came
    in pairs."""

    name: str
    images: Sequence[Picture] | Picture
    names: Sequence[str]
    terms: str
    skipped: tuple[tuple[str, str], ...] = ()
    degraded: Sequence[Picture] | None = None

    @property
    def channels(self) -> int:
        """How many channels each image has: 3, or 1 for grey."""
        return self.images.channels if isinstance(self.images, Files) else int(self.images[0].shape[2])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The images' shapes; none is decoded for it."""
        return [entry.shape for entry in self.images.entries] if isinstance(self.images, Files) else [each.shape for each in self.images]

    def fingerprint(self) -> str:
        """A digest of all shapes and pixels in their order: "sha256:" and 16 hex digits. Of images too many for the memory: of their
        names and sizes."""
        if isinstance(self.images, Files):
            return self.images.fingerprint()
        digest = hashlib.sha256()
        for image in (*self.images, *(self.degraded or ())):
            digest.update(f"{image.shape}{image.dtype}".encode())
            digest.update(np.ascontiguousarray(image).data)
        return f"sha256:{digest.hexdigest()[:16]}"

    def origin(self) -> dict[str, str]:
        """Which images these are, as cards have it: name, fingerprint and terms."""
        return {"name": self.name, "fingerprint": self.fingerprint(), "terms": self.terms}

    def first(self, count: int | None) -> "PictureSet":
        """The first `count` images; all when None."""
        return self if count is None else self.chosen(range(min(count, len(self.images))))

    def chosen(self, indices: Sequence[int]) -> "PictureSet":
        """The images at `indices`, in that order."""
        return replace(
            self,
            images=_at(self.images, indices),
            names=[self.names[i] for i in indices],
            degraded=None if self.degraded is None else _at(self.degraded, indices),
        )


def _at(images: Any, indices: Sequence[int]) -> Any:
    if isinstance(images, Files):
        return images.chosen(indices)
    return images[list(indices)] if isinstance(images, np.ndarray) else [images[i] for i in indices]


def load(
    source: str | Path,
    split: Split,
    progress: Progress | None = None,
    channels: int | None = 3,
    *,
    limit: int | None = None,
    resident: int | None = None,
) -> PictureSet:
    """The images of `source`: a folder of images, a CIFAR-10 archive or its folder, "cifar10" (downloaded on first use) or "photos".

    A folder that exists wins over a name. It has no split: both give all of it; one with more than `resident` bytes (default: RESIDENT) is
    decoded as it is used, and what is broken in it found then. `channels` of a folder or the photographs are 3 (grey is repeated), 1
    (colour is mixed) or None (1 where all are grey, else 3). With `limit`, the first so many only: no other is decoded. Raises InputError
    for an unknown source or one without a readable image.
    """
    kind, path = _kind(source)
    if kind == "photos":
        return photos(split, channels or 3).first(limit)
    if kind == "cifar10":
        images = cifar.load(path or cifar.archive(progress), split)[:limit]
        name = path.resolve().name if path else "cifar10"  # another archive's images may not be the official ones
        return PictureSet(name, images, [f"{split}/{index}" for index in range(len(images))], TERMS["cifar10"])
    assert path is not None
    return _folder(path, channels, progress, limit, RESIDENT if resident is None else resident)


def several(sources: Sequence[str | Path], channels: int | None = 3, progress: Progress | None = None) -> PictureSet:
    """The images of several sources, each as `load` takes it or one image file, read as they are asked for; of one source the names are
    as `load` gives them, of several each begins with its source. Raises InputError as `load` does."""
    sets = [_one_or_many(source, channels, progress) for source in sources]
    if len(sets) == 1:
        return sets[0]
    names = [
        name if Path(source).is_file() else f"{source}/{name}" for source, each in zip(sources, sets, strict=True) for name in each.names
    ]
    skipped = [(f"{source}/{name}", why) for source, each in zip(sources, sets, strict=True) for name, why in each.skipped]
    images = _Chained([each.images for each in sets])
    return PictureSet(", ".join(each.name for each in sets), images, names, UNSTATED, tuple(skipped))


def _one_or_many(source: str | Path, channels: int | None, progress: Progress | None) -> PictureSet:
    path = Path(source)
    if path.is_file() and opening.format_of(path) is not None:
        image = read(path, channels or 3)
        return PictureSet(path.name, [image], [path.name], UNSTATED)
    return load(source, "test", progress, channels, resident=0)


class _Chained(Sequence[Picture]):
    """Several sequences of images as one."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._places = [(part, index) for part in parts for index in range(len(part))]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        part, place = self._places[index]
        return part[place]


def has_test_split(source: str | Path) -> bool:
    """Whether `source` comes with images to test on, apart from those to train on."""
    return _kind(source)[0] != "folder"


def tuning_for(source: str | Path, channels: int | None = 3) -> PictureSet:
    """Images to choose settings on before scoring on `source`: its training images, or the embedded photographs for a folder."""
    return load(source, "train", channels=channels) if has_test_split(source) else photos("train", channels or 3)


def _kind(source: str | Path) -> tuple[Literal["photos", "cifar10", "folder"], Path | None]:
    path = Path(source)
    if path.is_dir():
        return ("cifar10" if cifar.is_folder(path) else "folder"), path
    for name in KNOWN:
        if str(source) == name:
            return name, None
    if path.is_file():
        if opening.format_of(path) is not None:
            raise InputError(f"{source}: is one image, and a set of them is asked for; give the folder that it is in, {path.parent}")
        return "cifar10", path
    if path.exists():
        raise InputError(f"{source}: is neither a file nor a folder; give {SOURCES}")
    close = difflib.get_close_matches(str(source), KNOWN, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; give {SOURCES}"
    raise InputError(f"{source}: no such file or folder{hint}")


def photos(split: Split, channels: int = 3) -> PictureSet:
    """The photographs that come with scikit-image: six to train on, two to test on. Raises MissingExtraError without it."""
    try:
        import skimage
    except ImportError as error:
        raise MissingExtraError("photos: the embedded photographs come with scikit-image: pip install 'burnish[evaluate]'") from error
    place = Path(skimage.__file__).parent / "data"
    images = [read(place / name, channels) for name in PHOTOS[split]]
    return PictureSet("photos", images, [Path(name).stem for name in PHOTOS[split]], TERMS["photos"])


def _folder(path: Path, channels: int | None, progress: Progress | None, limit: int | None, resident: int) -> PictureSet:
    entries, skipped = folder.survey(path, progress)
    files = folder.opened(entries, channels)
    if limit is not None:
        files = files.chosen(range(min(limit, len(files))))
    if files.bytes > resident:  # what is broken in it is found when its turn comes
        images: Sequence[Picture] = files
        names = [entry.name for entry in files.entries]
    else:
        found, broken = decoded(files, progress)
        skipped += broken
        if not found:
            raise InputError(f"{path}: none of its images can be read; the first, {skipped[0][0]}: {skipped[0][1]}")
        names, images = [name for name, _ in found], [image for _, image in found]
    return PictureSet(path.resolve().name, images, names, terms(path), tuple(sorted(skipped)))


def decoded(files: Files, progress: Progress | None = None) -> tuple[list[tuple[str, Picture]], list[tuple[str, str]]]:
    """All of a folder's images with their names, and the names of those that cannot be read to their end, with why."""
    found, broken = [], []
    for index, entry in enumerate(files.entries):
        try:
            found.append((entry.name, files[index]))
        except InputError as error:
            broken.append((entry.name, str(error).removeprefix(f"{entry.file}: ")))
        if progress:
            progress(index + 1, len(files), entry.name)
    return found, broken


def terms(path: Path) -> str:
    """On what terms a folder's images may be used: what its TERMS.txt says, else "unstated"."""
    try:
        return " ".join((path / TERMS_FILE).read_text("utf-8").split())[:500] or UNSTATED
    except (OSError, UnicodeDecodeError):
        return UNSTATED


def write_png(path: Path, image: NDArray[np.float32], like: np.dtype[Any]) -> None:
    """Write an H×W×3 image of floats on 0–1 as a PNG of the depth of `like` (uint8 or uint16), clipped and rounded, or nothing."""
    import pyvips

    levels = np.iinfo(like).max
    pixels = np.rint(np.clip(image, 0, 1) * levels).astype(like)
    written = pyvips.Image.new_from_array(pixels, interpretation="rgb16" if levels > 255 else "srgb")
    with atomic(path) as temporary:
        temporary.write_bytes(written.pngsave_buffer())


def resized(image: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """An H×W×C image squeezed or stretched to another size."""
    import pyvips

    source = pyvips.Image.new_from_array(np.ascontiguousarray(image))
    made = source.resize(width / image.shape[1], vscale=height / image.shape[0], kernel="lanczos3")
    pixels: NDArray[Any] = made.gravity("centre", width, height, extend="copy").numpy().reshape(height, width, -1)
    return pixels


def brought(pictures: PictureSet, height: int, width: int) -> PictureSet:
    """The images squeezed or stretched to one size; those that cannot be read are skipped. Raises InputError when none can."""
    kept: list[int] = []
    images: list[NDArray[Any]] = []
    skipped = list(pictures.skipped)
    for index, name in enumerate(pictures.names):
        try:
            images.append(resized(pictures.images[index], height, width))
        except InputError as error:
            skipped.append((name, str(error)))
            continue
        kept.append(index)
    if not kept:
        raise InputError(f"{pictures.name}: none of its images can be read; the first, {': '.join(skipped[0])}")
    same = len({image.dtype for image in images}) == 1
    names = [pictures.names[index] for index in kept]
    return replace(pictures, images=np.stack(images) if same else images, names=names, skipped=tuple(sorted(skipped)))
