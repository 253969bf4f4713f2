"""Sets of pictures: CIFAR-10, the embedded photographs, a folder of one's own."""

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, MissingExtraError
from burnish.files import atomic
from burnish.image import cifar, folder
from burnish.image.folder import Files
from burnish.image.folder import Picture as Picture
from burnish.image.folder import is_picture as is_picture
from burnish.image.folder import pictures_in as pictures_in
from burnish.image.folder import read as read
from burnish.progress import Progress

Split = Literal["train", "test"]
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
RESIDENT = 1 << 30  # bytes of decoded pictures kept in memory; a folder with more is decoded again each time
TERMS_FILE = "TERMS.txt"  # in a folder of pictures: on what terms they may be used, for the card of a model that learns from them


@dataclass(frozen=True)
class PictureSet:
    """Pictures with what must be known of them. `images` are H×W×C uint8 or uint16 (of one size: one N×H×W×C array), C being 3, or 1 for
    grey ones; `skipped` names what could not be read, and why. `degraded` holds the same pictures before restoration, where they came in
    pairs."""

    name: str
    images: Sequence[Picture] | Picture
    names: Sequence[str]
    terms: str
    skipped: tuple[tuple[str, str], ...] = ()
    degraded: Sequence[Picture] | None = None

    @property
    def channels(self) -> int:
        return self.images.channels if isinstance(self.images, Files) else int(self.images[0].shape[2])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The pictures' shapes; none is decoded for it."""
        return [entry.shape for entry in self.images.entries] if isinstance(self.images, Files) else [each.shape for each in self.images]

    def fingerprint(self) -> str:
        """A digest of all shapes and pixels in their order: "sha256:" and 16 hex digits. Of pictures too many for the memory: of their
        names and sizes."""
        if isinstance(self.images, Files):
            return self.images.fingerprint()
        digest = hashlib.sha256()
        for image in (*self.images, *(self.degraded or ())):
            digest.update(f"{image.shape}{image.dtype}".encode())
            digest.update(np.ascontiguousarray(image).data)
        return f"sha256:{digest.hexdigest()[:16]}"

    def origin(self) -> dict[str, str]:
        """Which pictures these are, as cards have it: name, fingerprint and terms."""
        return {"name": self.name, "fingerprint": self.fingerprint(), "terms": self.terms}

    def first(self, count: int | None) -> "PictureSet":
        """The first `count` pictures; all when None."""
        return self if count is None else self.chosen(range(min(count, len(self.images))))

    def chosen(self, indices: Sequence[int]) -> "PictureSet":
        """The pictures at `indices`, in that order."""
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


def load(source: str | Path, split: Split, progress: Progress | None = None, channels: int | None = 3) -> PictureSet:
    """The pictures of `source`: "cifar10" (downloaded on first use), "photos", a CIFAR-10 archive or folder, or a folder of pictures.

    A folder of pictures has no split: both give all of it; one with more than RESIDENT bytes is decoded as it is used. `channels` of a
    folder or the photographs are 3 (grey is repeated), 1 (colour is mixed) or None (1 where all are grey, else 3). Raises InputError for an
    unknown source or one without a readable picture.
    """
    kind, path = _kind(source)
    if kind == "photos":
        return _photos(split, channels or 3)
    if kind == "cifar10":
        images = cifar.load(path or cifar.archive(progress), split)
        name = path.resolve().name if path else "cifar10"  # another archive's pictures may not be the official ones
        return PictureSet(name, images, [f"{split}/{index}" for index in range(len(images))], TERMS["cifar10"])
    assert path is not None
    return _folder(path, split, channels, progress)


def has_test_split(source: str | Path) -> bool:
    """Whether `source` comes with pictures to test on, apart from those to train on."""
    return _kind(source)[0] != "folder"


def tuning_for(source: str | Path, channels: int | None = 3) -> PictureSet:
    """Pictures to choose settings on before scoring on `source`: its training pictures, or the embedded photographs for a folder."""
    return load(source if has_test_split(source) else "photos", "train", channels=channels)


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


def _photos(split: Split, channels: int) -> PictureSet:
    try:
        import skimage
    except ImportError as error:
        raise MissingExtraError("photos: the embedded photographs come with scikit-image: pip install 'burnish[evaluate]'") from error
    place = Path(skimage.__file__).parent / "data"
    images = [read(place / name, channels) for name in PHOTOS[split]]
    return PictureSet("photos", images, [Path(name).stem for name in PHOTOS[split]], TERMS["photos"])


def _folder(path: Path, split: Split, channels: int | None, progress: Progress | None) -> PictureSet:
    entries, skipped = folder.survey(path, progress)
    files = folder.opened(entries, channels)
    resident = files.bytes <= RESIDENT
    whole: list[int] = []
    images: list[Picture] = []
    for index, entry in enumerate(entries if resident or split == "test" else ()):
        try:
            picture = files[index]
            whole.append(index)
            if resident:
                images.append(picture)
        except InputError as error:
            skipped.append((entry.name, str(error).removeprefix(f"{entry.file}: ")))
        if progress:
            progress(index + 1, len(entries), entry.name)
    if not resident and split == "train":
        whole = list(range(len(entries)))  # a broken one is found when its turn comes
    if not whole:
        name, why = skipped[0]
        raise InputError(f"{path}: none of its {len(entries)} pictures can be read; the first, {name}: {why}")
    chosen = files.chosen(whole)
    names = [entry.name for entry in chosen.entries]
    return PictureSet(path.resolve().name, images if resident else chosen, names, terms(path), tuple(sorted(skipped)))


def terms(path: Path) -> str:
    """On what terms a folder's pictures may be used: what its TERMS.txt says, or what is known of a folder of that name."""
    stated = path / TERMS_FILE
    try:
        return " ".join(stated.read_text("utf-8").split())[:500]
    except (OSError, UnicodeDecodeError):
        return TERMS["bsds500" if path.resolve().name in ("bsds500-train", "cbsd68") else "folder"]


def write_png(path: Path, image: NDArray[np.float32], like: np.dtype[Any]) -> None:
    """Write an H×W×3 picture of floats on 0–1 as a PNG of the depth of `like` (uint8 or uint16), clipped and rounded, or nothing."""
    import pyvips

    levels = np.iinfo(like).max
    pixels = np.rint(np.clip(image, 0, 1) * levels).astype(like)
    written = pyvips.Image.new_from_array(pixels, interpretation="rgb16" if levels > 255 else "srgb")
    with atomic(path) as temporary:
        temporary.write_bytes(written.pngsave_buffer())


def mapped(inputs: Sequence[Path], out: Path, ending: str) -> Iterator[tuple[Path, Path]]:
    """(file, where it goes under `out`) for each input: a file by its name, a folder's pictures by their places in it."""
    for item in inputs:
        for file in pictures_in(item) if item.is_dir() else [item]:
            yield file, (out / (file.relative_to(item) if item.is_dir() else file.name)).with_suffix(ending)
