"""Images on a plane, those that are alike beside each other."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.cpus import available_cpus
from burnish.errors import InputError, MissingExtraError, ModelError
from burnish.files import write_bytes
from burnish.image.datasets import PictureSet, resized
from burnish.latent import nearness, outlines
from burnish.latent.planes import Floats
from burnish.model import file as model_file
from burnish.model import wire
from burnish.progress import Progress, silent

SIDE = 32  # pixels of what the encoder sees
FEWEST = 64  # images that an encoder is learnt from; fewer are placed by their principal components
TAUGHT = 20_000  # images that it is learnt from, at most
NEAR, SIMILAR = 15, 12  # neighbours that teach, and those that the page shows
COMPONENTS = 50
STEPS = 1000
SAMPLE = 4096  # thumbnails that are described at a time
SAME = 0.02  # root mean square difference on the 0–1 scale under which two images count as near-duplicates
KEY, KIND = "burnish-map", "2"


@dataclass(frozen=True)
class Placed:
    """The images of a map: their names, thumbnails (N×32×32×3), places (N×2), neighbours (N×k), near-duplicates as pairs, and how far the
    map can be trusted beside PCA's."""

    names: list[str]
    thumbs: NDArray[np.uint8]
    places: Floats
    similar: NDArray[np.int64]
    twins: list[tuple[int, int]]
    trust: float
    pca_trust: float
    skipped: list[tuple[str, str]]
    notes: list[str]


class Encoder:
    """What places images: an ONNX graph from the `numbers` of burnish.latent.outlines to `place` and `features`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        onnxruntime = model_file.runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = available_cpus()
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(self, thumbs: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """The places (N×2) and features of N×32×32×3 thumbnails. The place of an image does not depend on the others."""
        places, features = [], []
        for first in range(0, len(thumbs), SAMPLE):
            place, feature = self._session.run(["place", "features"], {"numbers": outlines.described(thumbs[first : first + SAMPLE])})
            places.append(place)
            features.append(feature)
        return np.concatenate(places), np.concatenate(features)

    def save(self, path: Path) -> None:
        """Write it to `path`, whole or not at all."""
        write_bytes(path, wire.with_metadata(self.data, KEY, KIND))

    @staticmethod
    def load(path: Path) -> "Encoder":
        """The encoder in a file. Raises ModelError for what is none, or one that another Burnish has kept."""
        try:
            encoder = Encoder(path.read_bytes())
            told = encoder._session.get_modelmeta().custom_metadata_map.get(KEY, "")
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); name a file that --keep has written") from error
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            raise ModelError(f"{path}: is no encoder of a map; name a file that --keep has written") from error
        if told and told != KIND:
            raise ModelError(f"{path}: was kept by another version of Burnish; learn the map anew with --keep")
        if not told:
            raise ModelError(f"{path}: is no encoder of a map; name a file that --keep has written")
        return encoder


def placed(pictures: PictureSet, encoder: Encoder | None, seed: int, progress: Progress = silent) -> tuple[Placed, Encoder | None]:
    """The images on a plane, by `encoder` or one that is learnt from them, and the encoder (None where there are too few to learn from).

    Raises InputError where no image can be read, MissingExtraError when one must be learnt and PyTorch is not installed.
    """
    names, thumbs, skipped = _thumbnails(pictures, progress)
    reduced = reduced_by(_pixels, thumbs)
    flat = reduced[:, :2]
    notes: list[str] = []
    if encoder is None and len(names) >= FEWEST:
        encoder = _learnt(thumbs, seed, progress)
    if encoder is None:
        notes.append(f"{len(names)} images are too few to learn a map from (at least {FEWEST}); their principal components place them")
        places, features = flat, reduced_by(outlines.described, thumbs)
    else:
        places, features = encoder.run(thumbs)
    count = min(SIMILAR, len(names) - 1)
    similar = nearness.nearest(features, count)[0] if count else np.zeros((len(names), 0), np.int64)
    trust = nearness.trustworthiness(reduced, places), nearness.trustworthiness(reduced, flat)
    return Placed(names, thumbs, places, similar, _twins(thumbs, reduced), *trust, skipped, notes), encoder


def reduced_by(description: Callable[[NDArray[np.uint8]], Floats], thumbs: NDArray[np.uint8]) -> Floats:
    """The first principal components, N×50, of what `description` makes of N×32×32×C thumbnails. It is made of a few thousand at a time,
    and the components are those of a sample, so that memory does not grow with what a description takes."""
    sample = thumbs[np.unique(np.linspace(0, len(thumbs) - 1, min(SAMPLE, len(thumbs))).astype(int))]
    basis = nearness.Basis.of(description(sample), COMPONENTS)
    return np.concatenate([basis.of_each(description(thumbs[first : first + SAMPLE])) for first in range(0, len(thumbs), SAMPLE)])


def _pixels(thumbs: NDArray[np.uint8]) -> Floats:
    return thumbs.reshape(len(thumbs), -1).astype(np.float32) / 255


def _thumbnails(pictures: PictureSet, progress: Progress) -> tuple[list[str], NDArray[np.uint8], list[tuple[str, str]]]:
    """Names, N×32×32×3 thumbnails, and what cannot be read."""
    names: list[str] = []
    thumbs: list[NDArray[np.uint8]] = []
    skipped = list(pictures.skipped)
    for index, name in enumerate(pictures.names):
        try:
            image = pictures.images[index]
        except InputError as error:
            skipped.append((name, str(error)))
            continue
        eight = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
        thumbs.append(_thumbnail(eight))
        names.append(name)
        progress(index + 1, len(pictures.names), name)
    if not names:
        raise InputError(f"{pictures.name}: none of its images can be read; {skipped[0][1] if skipped else 'there is none'}")
    return names, np.stack(thumbs), skipped


def _thumbnail(image: NDArray[Any]) -> NDArray[np.uint8]:
    """An H×W×3 image at 32×32: its own pixels, in a frame of its edges, where it is a little smaller."""
    height, width = image.shape[:2]
    if SIDE - 8 <= height <= SIDE and SIDE - 8 <= width <= SIDE:
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
        return np.pad(image, ((top, SIDE - height - top), (left, SIDE - width - left), (0, 0)), mode="edge")
    return resized(image, SIDE, SIDE)


def _learnt(thumbs: NDArray[np.uint8], seed: int, progress: Progress) -> Encoder:
    """An encoder learnt from the images, whatever their order: they are sorted by what they hold.

    Its teachers are the neighbours by outlines and colours: among handwritten digits, 99 % of them are of the same kind, and fewer of
    those by pixels (benchmarks/latent_map.py).
    """
    try:
        from burnish.training.image import placing
    except ImportError as error:
        raise MissingExtraError(
            "a map is learnt with PyTorch, which is not installed: pip install 'burnish[train]'; or place images with -m and a kept encoder"
        ) from error
    order = np.array(sorted(range(len(thumbs)), key=lambda index: hashlib.sha256(thumbs[index].tobytes()).digest()))
    order = order[np.unique(np.linspace(0, len(order) - 1, min(TAUGHT, len(order))).astype(int))]
    near, _ = nearness.nearest(reduced_by(outlines.described, thumbs[order]), min(NEAR, len(order) - 1))
    return Encoder(placing.learnt(thumbs[order], near, STEPS, seed, progress))


def _twins(thumbs: NDArray[np.uint8], reduced: Floats) -> list[tuple[int, int]]:
    """Pairs of images that are all but the same, each once."""
    if len(thumbs) < 2:
        return []
    near, gaps = nearness.nearest(reduced, min(3, len(thumbs) - 1))
    close = gaps < SAME**2 * thumbs[0].size  # components differ by less than pixels do
    found = ((int(one), int(near[one, place])) for one, place in zip(*close.nonzero(), strict=True))
    pairs = {(min(pair), max(pair)) for pair in found}
    return sorted(pair for pair in pairs if float(np.sqrt(np.square(np.diff(_pixels(thumbs[list(pair)]), axis=0)).mean())) < SAME)


def to_json(done: Placed) -> list[dict[str, Any]]:
    """What `burnish map --json` prints: `input`, `x` and `y` of each image."""
    return [{"input": name, "x": float(x), "y": float(y)} for name, (x, y) in zip(done.names, done.places, strict=True)]


def folders(names: Sequence[str]) -> list[str]:
    """The folder of each image, by which the page colours: the first part of its path, or "" for those that lie in none."""
    return [name.split("/", 1)[0] if "/" in name else "" for name in names]
