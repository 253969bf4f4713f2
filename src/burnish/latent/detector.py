"""What has been learnt of normal images, in one file: it scores images and each place in them, without PyTorch."""

import hashlib
import io
import json
import threading
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.cpus import available_cpus
from burnish.errors import InputError, ModelError
from burnish.files import write_bytes
from burnish.latent import surface
from burnish.latent.neighbours import Components, Neighbours
from burnish.latent.planes import Floats, enlarged, smoothed
from burnish.latent.tail import Tail
from burnish.model import file as model_file

KIND = "burnish anomalies 1"
HOTTEST = 10  # places whose mean is an image's score: ten times 4×4 pixels
PERIOD = 16  # the network's sides are multiples of it
HALVES = 2
Voices = NDArray[np.float64]  # voice × (middle, spread)


@dataclass(frozen=True)
class Finding:
    """An image's `score`, its `rival` score by PCA, both −log10 of the share of normals that would score as high, and `heat`, h×w, the
    same kind of number for every place (STEP pixels apart in the image as it was looked at)."""

    score: float
    rival: float
    heat: Floats


@dataclass(frozen=True)
class Detector:
    """What is normal, learnt twice, each time from one half of the normal images; a new image is scored by the mean of the two.

    `network` is an ONNX graph that gives both halves' logits that a pixel belongs to a drawn defect, or empty. `voices` hold middle and
    spread of each voice's heat on normals; `tail`, `places` and `rival_tail` those of the images' scores, of the heat, and of PCA's.
    """

    channels: int
    halves: tuple[Neighbours, Neighbours]
    network: bytes
    rival: Components
    voices: Voices
    tail: Tail
    places: Tail
    rival_tail: Tail
    facts: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None

    def fitted(self, picture: NDArray[np.generic], name: str) -> Floats:
        """A picture as it is looked at: floats of as many channels as were learnt from. Raises InputError for one that is too small."""
        image = surface.prepared(picture, name)
        if image.shape[2] == self.channels:
            return image
        if self.channels == 3:
            return np.repeat(image, 3, axis=2)
        return (image @ surface.COLOUR[:1].T).astype(np.float32)

    def score(self, picture: NDArray[np.generic], name: str = "the image") -> Finding:
        """The finding on an H×W×C picture (uint8 or uint16, C of 1 or 3). Raises InputError for one that is too small."""
        image = self.fitted(picture, name)
        heat = self.blended(self.heats(image))
        rival = hottest(self.rival.heat(image))
        return Finding(
            float(self.tail.rarity(hottest(heat))[0]),
            float(self.rival_tail.rarity(rival)[0]),
            self.places.rarity(heat.ravel()).reshape(heat.shape).astype(np.float32),
        )

    def heats(self, image: Floats, half: int | None = None) -> list[Floats]:
        """Each voice's heat, h×w: of the half that learnt from other images, or the mean of both."""
        chosen = range(HALVES) if half is None else (half,)
        numbers = surface.described(image)
        heats = [np.mean([smoothed(self.halves[each].distance(numbers), 1.0) for each in chosen], axis=0)]
        if self.network:
            logits = self._logits(image)
            shape = heats[0].shape
            spread = np.mean([smoothed(logits[each], 1.5) for each in chosen], axis=0)
            heats.append(spread[:: surface.STEP, :: surface.STEP][: shape[0], : shape[1]])
        return heats

    def blended(self, heats: list[Floats]) -> Floats:
        """The voices as one heat, each measured by how it varies on normal images."""
        scaled = [(heat - middle) / spread for heat, (middle, spread) in zip(heats, self.voices, strict=True)]
        return np.asarray(np.mean(scaled, axis=0), np.float32)

    def _logits(self, image: Floats) -> Floats:
        height, width = image.shape[:2]
        padded = np.pad(image, ((0, -height % PERIOD), (0, -width % PERIOD), (0, 0)), mode="symmetric")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
        with self._turn:
            (logits,) = self._session.run(["logits"], {"image": batch})
        result: Floats = logits[0, :, :height, :width]
        return result

    @cached_property
    def _turn(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _session(self) -> Any:
        onnxruntime = model_file.runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads or available_cpus()
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(self.network, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            raise ModelError("the detector's network is broken; learn it anew") from error

    # --- The file ---

    def save(self, path: Path) -> None:
        """Write it to `path`, whole or not at all: an .npz of plain numbers, with a checksum over all of them."""
        arrays: dict[str, NDArray[Any]] = {"network": np.frombuffer(self.network, np.uint8), "voices": self.voices}
        for place, half in enumerate(self.halves):
            arrays |= {f"half{place}_{key}": getattr(half, key) for key in ("mean", "turn", "bank")}
        arrays |= {"pca_mean": self.rival.mean, "pca_vectors": self.rival.vectors}
        for key, tail in (("tail", self.tail), ("places", self.places), ("rival", self.rival_tail)):
            arrays |= {f"{key}_sorted": tail.sorted, f"{key}_fit": np.array([tail.start, tail.share, tail.scale, tail.shape])}
        head = {"kind": KIND, "channels": self.channels, "facts": self.facts, "checksum": _checksum(arrays)}
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
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"{path}: holds nothing learnt of normal images; name a file that --keep has written") from error
        if head.get("kind") != KIND:
            raise ModelError(f"{path}: was made for another purpose or by a newer Burnish; learn it anew with --normal")
        if head.get("checksum") != _checksum(arrays):
            raise ModelError(f"{path}: is damaged (its checksum is wrong); copy it anew")
        halves = [Neighbours(*(arrays[f"half{place}_{key}"] for key in ("mean", "turn", "bank"))) for place in range(HALVES)]
        tail, places, rarest = [Tail(arrays[f"{key}_sorted"], *map(float, arrays[f"{key}_fit"])) for key in ("tail", "places", "rival")]
        rival = Components(arrays["pca_mean"], arrays["pca_vectors"])
        network = arrays["network"].tobytes()
        return Detector(
            head["channels"], (halves[0], halves[1]), network, rival, arrays["voices"], tail, places, rarest, head["facts"], threads
        )


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
