"""What a denoiser sees in an image: the values inside a shipped network that restores photographs, and what it would change."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from burnish.errors import ModelError
from burnish.latent.planes import Floats
from burnish.latent.surface import STEP
from burnish.model import file as model_file
from burnish.model import wire

MODEL = "photo-fast"
LAYERS = ("leave.weight", "up1.weight", "up2.weight")  # whose inputs are looked at: at a half, a quarter and an eighth of the image's scale
PERIOD = 16  # the sides are filled up to multiples of it
SPREAD, MIDDLE = 0.15, 0.5  # what the images are brought to before the network sees them


def network() -> bytes:
    """The shipped denoiser as an ONNX graph that gives its inner values too."""
    return wire.with_inputs_of(model_file.shipped()[MODEL].read_bytes(), LAYERS)


@dataclass(frozen=True)
class Denoiser:
    """A denoiser's `graph`, as `network` gives it, and mean and spread of the images that it will see."""

    graph: bytes
    middle: float
    spread: float
    threads: int | None = None

    def seen(self, image: Floats) -> Floats:
        """The numbers of each place of an H×W×C image on 0–1, h×w×F with h and w a STEP-th of H and W."""
        height, width = image.shape[0] // STEP, image.shape[1] // STEP
        padded = np.pad(image, ((0, -image.shape[0] % PERIOD), (0, -image.shape[1] % PERIOD), (0, 0)), mode="symmetric")
        batch = ((padded - self.middle) * (SPREAD / self.spread) + MIDDLE).astype(np.float32).transpose(2, 0, 1)[None]
        if batch.shape[1] == 1:
            batch = np.repeat(batch, 3, axis=1)
        restored, half, quarter, eighth = self._session.run(None, {"image": np.ascontiguousarray(batch)})
        change = 20 * (restored - batch).mean(1)
        parts = [_pooled(half[0], 2), _pooled(np.abs(half[0]), 2), quarter[0], _doubled(eighth[0])]
        parts += [_pooled(change, 4), _pooled(np.abs(change), 4)]
        return np.ascontiguousarray(np.concatenate([part[:, :height, :width] for part in parts]).transpose(1, 2, 0))

    @cached_property
    def _session(self) -> Any:
        onnxruntime = model_file.runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several images are looked at, at a time
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            raise ModelError("the detector's network is broken; learn it anew") from error


def _pooled(planes: Floats, by: int) -> Floats:
    """C×H×W planes at a `by`-th of their size, each value the mean of by×by."""
    total = np.zeros_like(planes[:, ::by, ::by])
    for down in range(by):
        for right in range(by):
            total += planes[:, down::by, right::by]
    return np.asarray(total / np.float32(by**2), np.float32)


def _doubled(planes: Floats) -> Floats:
    """C×H×W planes at twice their size, bilinear."""
    for axis in (1, 2):
        before = np.concatenate([planes.take([0], axis), planes.take(range(planes.shape[axis] - 1), axis)], axis)
        after = np.concatenate([planes.take(range(1, planes.shape[axis]), axis), planes.take([-1], axis)], axis)
        pair = np.stack([0.75 * planes + 0.25 * before, 0.75 * planes + 0.25 * after], axis + 1)
        planes = pair.reshape([2 * size if place == axis else size for place, size in enumerate(planes.shape)])
    return planes
