"""What has been learnt of normal images, in one file: it scores images and each place in them, without PyTorch."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, ModelError
from burnish.files import write_bytes
from burnish.latent import posing, surface
from burnish.latent.denoiser import Denoiser
from burnish.latent.neighbours import Components, Neighbours
from burnish.latent.outliner import Outliner
from burnish.latent.planes import Floats, enlarged, smoothed
from burnish.latent.posing import Frame, Pose
from burnish.latent.store import BROKEN
from burnish.latent.tail import Tail
from burnish.latent.zones import Zones

KIND = "burnish anomalies 2"
HOTTEST = 5  # places whose mean is an image's score: five times 4×4 pixels
HALVES = 2


@dataclass(frozen=True)
class Finding:
    """An image's `score`, its `rival` score by PCA, both −log10 of the share of normals that would score as high, and `heat`, h×w, the
    same kind of number for every place (STEP pixels apart in the image as it was looked at)."""

    score: float
    rival: float
    heat: Floats


@dataclass(frozen=True)
class Half:
    """What one half of the normal images has taught: the patches that they hold, and what tells them from drawn defects."""

    neighbours: Neighbours
    outliner: Outliner


@dataclass(frozen=True)
class View:
    """An image as it is looked at: H×W×C floats on 0–1; where it lay in the image of that shape, if it was turned."""

    image: Floats
    pose: Pose | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Eye:
    """How images are looked at: as of so many channels, those of objects in a frame; and the denoiser that sees them."""

    channels: int
    frame: Frame | None
    denoiser: Denoiser

    def view(self, picture: NDArray[np.generic], name: str) -> View:
        """An H×W×C picture (uint8 or uint16, C of 1 or 3) as it is looked at. Raises InputError for one that is too small."""
        return viewed(picture, name, self.channels, self.frame)


def viewed(picture: NDArray[np.generic], name: str, channels: int, frame: Frame | None) -> View:
    """The same, for an eye that is not there yet."""
    image = surface.prepared(picture, name, surface.AREA / min(1.0, frame.share) if frame else surface.AREA)
    if image.shape[2] != channels:
        image = np.repeat(image, 3, axis=2) if channels == 3 else (image @ surface.COLOUR[:1].T).astype(np.float32)
    if frame is None:
        return View(image, None, image.shape)
    pose = posing.pose(image) or posing.middle(image)
    return View(frame.posed(image, pose), pose, image.shape)


@dataclass(frozen=True)
class Detector:
    """What is normal, learnt twice, each time from one half of the normal images; a new image is scored by the mean of the two.

    `zones` hold what each voice's heat is on normals in each part of the image; `tail`, `places` and `rival_tail` are those of the images'
    scores, of the heat, and of PCA's scores.
    """

    eye: Eye
    halves: tuple[Half, Half]
    rival: Components
    zones: tuple[Zones, Zones]
    tail: Tail
    places: Tail
    rival_tail: Tail
    facts: dict[str, Any] = field(default_factory=dict)

    def score(self, picture: NDArray[np.generic], name: str = "the image") -> Finding:
        """The finding on an H×W×C picture (uint8 or uint16, C of 1 or 3). Raises InputError for one that is too small."""
        view = self.eye.view(picture, name)
        heat = blended(heats(self.eye, self.halves, view.image), self.zones)
        rarity = self.places.rarity(heat.ravel()).reshape(heat.shape).astype(np.float32)
        if self.eye.frame and view.pose:
            rarity = self.eye.frame.returned(rarity, view.shape, view.pose, surface.STEP)
        rival = hottest(self.rival.heat(view.image))
        return Finding(float(self.tail.rarity(hottest(heat))[0]), float(self.rival_tail.rarity(rival)[0]), rarity)

    # --- The file ---

    def save(self, path: Path) -> None:
        """Write it to `path`, whole or not at all: an .npz of plain numbers, with a checksum over all of them."""
        denoiser = self.eye.denoiser
        arrays: dict[str, NDArray[Any]] = {
            "denoiser": np.frombuffer(denoiser.graph, np.uint8),
            "brightness": np.array([denoiser.middle, denoiser.spread]),
            "frame": np.array(astuple(self.eye.frame) if self.eye.frame else []),
        }
        for place, half in enumerate(self.halves):
            arrays |= {f"half{place}_{key}": getattr(half.neighbours, key) for key in ("mean", "turn", "bank")}
            arrays |= {f"half{place}_{key}": getattr(half.outliner, key) for key in ("middle", "spread")}
            arrays |= {f"half{place}_layer{layer}": values for layer, values in enumerate(half.outliner.layers)}
        for place, zones in enumerate(self.zones):
            arrays[f"zones{place}"] = np.stack([zones.middle, zones.spread])
        arrays |= {"pca_mean": self.rival.mean, "pca_vectors": self.rival.vectors}
        for key, tail in (("tail", self.tail), ("places", self.places), ("rival", self.rival_tail)):
            arrays |= {f"{key}_sorted": tail.sorted, f"{key}_fit": np.array([tail.start, tail.share, tail.scale, tail.shape])}
        head = {"kind": KIND, "channels": self.eye.channels, "facts": self.facts, "checksum": _checksum(arrays)}
        arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type] # the stub takes the names for its own options
        write_bytes(path, buffer.getvalue())

    @staticmethod
    def load(path: Path, threads: int | None = None) -> "Detector":
        """The detector in a file. Raises ModelError for a file that is none, is damaged or was made by a newer Burnish."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            head = json.loads(bytes(arrays.pop("head")))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); name a file that --keep has written") from error
        except BROKEN as error:
            raise ModelError(f"{path}: holds nothing learnt of normal images; name a file that --keep has written") from error
        if head.get("kind") != KIND:
            raise ModelError(f"{path}: was made for another purpose or by another Burnish; learn it anew with --normal")
        if head.get("checksum") != _checksum(arrays):
            raise ModelError(f"{path}: is damaged (its checksum is wrong); copy it anew")
        return _restored(head, arrays, threads)


def _restored(head: dict[str, Any], arrays: dict[str, NDArray[Any]], threads: int | None) -> Detector:
    """The detector that `save` has made these arrays of."""
    halves = []
    for place in range(HALVES):
        layers = (arrays[f"half{place}_layer{layer}"] for layer in range(sum(key.startswith(f"half{place}_layer") for key in arrays)))
        neighbours = Neighbours(*(arrays[f"half{place}_{key}"] for key in ("mean", "turn", "bank")))
        halves.append(Half(neighbours, Outliner(arrays[f"half{place}_middle"], arrays[f"half{place}_spread"], tuple(layers))))
    tails = [Tail(arrays[f"{key}_sorted"], *map(float, arrays[f"{key}_fit"])) for key in ("tail", "places", "rival")]
    frame = Frame(*map(float, arrays["frame"])) if arrays["frame"].size else None
    denoiser = Denoiser(arrays["denoiser"].tobytes(), float(arrays["brightness"][0]), float(arrays["brightness"][1]), threads)
    return Detector(
        Eye(head["channels"], frame, denoiser),
        (halves[0], halves[1]),
        Components(arrays["pca_mean"], arrays["pca_vectors"]),
        (Zones(*arrays["zones0"]), Zones(*arrays["zones1"])),
        tails[0],
        tails[1],
        tails[2],
        head["facts"],
    )


def heats(eye: Eye, halves: Sequence[Half], image: Floats) -> list[Floats]:
    """Each voice's heat on an image as it is looked at, h×w: the mean over the halves given."""
    numbers, seen = surface.described(image), eye.denoiser.seen(image)
    far = np.mean([smoothed(half.neighbours.distance(numbers), 1.0) for half in halves], axis=0)
    inputs = halves[0].outliner.inputs(seen)  # the halves share middle and spread
    drawn = np.mean([half.outliner.heat(inputs) for half in halves], axis=0).reshape(seen.shape[:2])
    return [far, smoothed(drawn, 0.7)]


def blended(voices: Sequence[Floats], zones: Sequence[Zones]) -> Floats:
    """The voices as one heat, each measured by how it varies on normal images in that part of the image."""
    return np.asarray(np.mean([zone.measured(heat) for heat, zone in zip(voices, zones, strict=True)], axis=0), np.float32)


def hottest(heat: Floats) -> float:
    """An image's score: the mean of its HOTTEST hottest places."""
    values = heat.ravel()
    count = min(HOTTEST, values.size)
    return float(np.partition(values, values.size - count)[-count:].mean())


def stretched(heat: Floats, height: int, width: int) -> Floats:
    """The heat for every pixel of an image of that size."""
    return enlarged(heat, height, width)


def _checksum(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        digest.update(f"{key} {arrays[key].shape} {arrays[key].dtype}\n".encode())
        digest.update(np.ascontiguousarray(arrays[key]).data)
    return digest.hexdigest()


def load(path: Path, threads: int | None = None) -> Detector:
    """The detector in a file, as Detector.load has it; InputError for less than one thread."""
    if threads is not None and threads < 1:
        raise InputError(f"threads = {threads} must be at least 1; leave it out to use all that there are")
    return Detector.load(path, threads)
