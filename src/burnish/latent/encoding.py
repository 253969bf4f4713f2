"""Folders of images to latents and back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, ModelError
from burnish.image.datasets import PictureSet, resized, write_png
from burnish.image.model import Model
from burnish.latent import store, thumb
from burnish.latent.packing import Coding
from burnish.latent.store import Head, Size, Writer
from burnish.progress import Progress, silent

BATCH_BYTES = 1 << 22  # of pixels run at a time
BATCH = 512  # images
PLACEHOLDER = "thumb"
DEFAULT = "latent"  # the model that encodes where none is named and no placeholders are asked for
SMALL = 24  # bytes of a placeholder where nothing else is said
THUMB_FORMAT = "thumb 1"  # what stands for the fingerprint of placeholders, which every later Burnish must read

Skipped = list[tuple[str, str]]


@dataclass(frozen=True)
class Wanted:
    """What is made of each image: by `model`, its latent, images being brought to `size` (height, width; None: as they are), packed into
    at most `bytes` where those are given; without a model, a placeholder of at most `bytes`."""

    model: Model | None
    size: tuple[int, int] | None = None
    bytes: int | None = None

    @property
    def room(self) -> int:
        """The bytes that a placeholder has."""
        return self.bytes or SMALL

    @property
    def named(self) -> tuple[str, str]:
        """The model's name and fingerprint, as a latents file has them."""
        return (self.model.card.name, self.model.digest) if self.model else (PLACEHOLDER, THUMB_FORMAT)


def encode(pictures: PictureSet, wanted: Wanted, writer: Writer, progress: Progress = silent) -> Skipped:
    """Add the latents of all images that the writer does not have yet; the names of those that cannot be read, with why.

    Raises InputError for images of several sizes where the model takes any and no size is asked for.
    """
    skipped: Skipped = list(pictures.skipped)
    known = set(writer.done)
    waiting = _Batch()
    for index, name in enumerate(pictures.names):
        progress(index, len(pictures.names), name)
        if name in known:
            continue
        try:
            picture = pictures.images[index]
            image = fitted(picture, wanted)
        except InputError as error:
            skipped.append((name, str(error)))
            continue
        if not waiting.takes(image):
            _add(writer, wanted, waiting)
            waiting = _Batch()
        waiting.paths.append(name)
        waiting.images.append(image)
        waiting.sizes.append((picture.shape[0], picture.shape[1]))
    if waiting.images:
        _add(writer, wanted, waiting)
    return skipped


@dataclass(frozen=True)
class _Batch:
    """Images of one shape and depth that are run together: their paths, themselves, and how large they were."""

    paths: list[str] = field(default_factory=list)
    images: list[NDArray[Any]] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)

    def takes(self, image: NDArray[Any]) -> bool:
        """Whether the image may be the next of it."""
        if not self.images:
            return True
        first, count = self.images[0], len(self.images)
        alike = image.shape == first.shape and image.dtype == first.dtype
        return alike and count < BATCH and count * first.nbytes < BATCH_BYTES


def fitted(image: NDArray[Any], wanted: Wanted) -> NDArray[Any]:
    """The image in the size that it is encoded in; for a placeholder as bytes already."""
    if wanted.model is None:
        eight = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
        code = thumb.encoded(eight, wanted.room)
        return np.frombuffer(code.ljust(wanted.room, b"\0"), np.uint8)
    if wanted.size is None or image.shape[:2] == wanted.size:
        return image
    return resized(image, *wanted.size)


def _add(writer: Writer, wanted: Wanted, batch: _Batch) -> None:
    name, fingerprint = wanted.named
    if wanted.model is None:
        writer.add(Head(name, fingerprint, [wanted.room], "uint8"), batch.paths, np.stack(batch.images), batch.sizes)
        return
    latents = wanted.model.encode(np.stack(batch.images))
    size = list(batch.images[0].shape[:2])
    if wanted.bytes is None:
        writer.add(Head(name, fingerprint, list(latents.shape[1:]), "float32", size), batch.paths, latents, batch.sizes)
        return
    # The first images of a file say how large its numbers are; a file that is gone on with has it in its head.
    coding = Coding.from_json(writer.head.coding) if writer.head and writer.head.coding else Coding.of(latents)
    try:
        rows = np.stack([np.frombuffer(coding.packed(latent, wanted.bytes), np.uint8) for latent in latents])
    except InputError as error:
        raise InputError(f"{batch.paths[0]}: {error}") from error
    writer.add(Head(name, fingerprint, [wanted.bytes], "uint8", size, coding.to_json()), batch.paths, rows, batch.sizes)


# --- Back ---


def decode(latents: store.Latents, model: Model | None, out: Path, *, overwrite: bool, progress: Progress = silent) -> Iterator[Path]:
    """Write each image as a PNG under `out`, named as its path; yields the files.

    Raises ModelError when the latents are another model's, InputError for a file that stands there already or a path that leads out of it.
    """
    head = latents.head
    if model is not None and model.digest != head.fingerprint:
        raise ModelError(
            f"{model.path}: is another model (fingerprint {model.digest}) than made these latents ({head.model}, {head.fingerprint}); "
            "name the one that made them with -m"
        )
    coding = _coding(head)
    for index, path in enumerate(latents.paths):
        target = _target(out, path)
        if target.exists() and not overwrite:
            raise InputError(f"{target}: exists already; choose another folder, or let it be replaced with --overwrite")
        row = latents.latent[index]
        if coding is not None:
            row = coding.unpacked(row.tobytes())
        if model is None:
            image = _picture(row)
        else:
            image = _decoded(model, row, head)
            if latents.sizes is not None:
                image = _in_shape(image, *map(int, latents.sizes[index]))
        write_png(target, image, np.dtype(np.uint8))
        progress(index + 1, len(latents.paths), path)
        yield target


def _coding(head: Head) -> Coding | None:
    """How the latents are packed; None where they are not. Raises InputError where the head says what cannot be."""
    if head.coding is None:
        return None
    try:
        return Coding.from_json(head.coding)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(f"the head of these latents is damaged ({error}); encode again") from error


def _decoded(model: Model, row: NDArray[Any], head: Head) -> NDArray[np.float32]:
    image = model.decode(row)
    height, width = head.size or image.shape[:2]
    image = image[:height, :width]
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _in_shape(image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """An image that was brought to a model's size, in the shape that it had: its longer side as long as the model's, or as it was if that
    is less."""
    scale = min(1.0, max(image.shape[:2]) / max(height, width, 1))
    wanted = max(1, round(height * scale)), max(1, round(width * scale))
    if wanted == image.shape[:2]:
        return image
    return np.asarray(np.clip(resized(image, *wanted), 0, 1), np.float32)


def _picture(row: NDArray[Any]) -> NDArray[np.float32]:
    """A placeholder's picture, in its shape."""
    pixels, (width, height) = thumb.decoded(row.tobytes().rstrip(b"\0"))
    long = thumb.SIDE * 4
    scale = long / max(width, height)
    shown = resized(pixels, max(1, round(height * scale)), max(1, round(width * scale)))
    return (shown / np.float32(255)).astype(np.float32)


def _target(out: Path, path: str) -> Path:
    """Where an image goes: its place in the folder that was encoded, with .png behind it unless it is a PNG."""
    target = out / (path if path.lower().endswith(".png") else f"{path}.png")
    if not path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise InputError(f"{path!r}: leads out of {out}, so that nothing is written; the latents file is not to be trusted")
    return target
