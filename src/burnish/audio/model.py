"""A model that restores sound: samples in, samples out, whole or as a stream."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.audio.frames import BINS, HIGHEST, LOWEST, TAPS
from burnish.audio.stream import Stream
from burnish.audio.survey import Survey
from burnish.errors import InputError, ModelError
from burnish.model import file as model_file
from burnish.model.card import Card
from burnish.model.file import ModelFile

INPUTS, OUTPUTS = ["spectrum", "state"], ["filters", "speech", "after"]
MOST_CHANNELS = 64

State = NDArray[np.float32]


def load(model: str | Path, threads: int | None = None) -> "Model":
    """The sound model with a shipped name or in a file. Raises ModelError as burnish.load does, and for a model of another medium."""
    return Model(model_file.read(model, threads))


class Model:
    """A loaded model for sound: any number of threads may share it, and take turns. It can be pickled and deep-copied: it loads again.

    Raises ModelError for a file whose graph takes or gives other than frames of sound, or contradicts its card.
    """

    def __init__(self, file: ModelFile) -> None:
        _check_graph(file)
        self.file = file
        self._state_shape: tuple[int, ...] = tuple(size if isinstance(size, int) else 1 for size in file.inputs[1].shape)

    @property
    def card(self) -> Card:
        """What the model says of itself."""
        return self.file.card

    @property
    def path(self) -> Path:
        """The file it was loaded from."""
        return self.file.path

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell its file from another."""
        return self.file.digest

    def start(self) -> State:
        """The state before the first frame."""
        return np.zeros(self._state_shape, np.float32)

    def run(self, spectrum: NDArray[np.complex64], state: State) -> tuple[NDArray[np.complex64], NDArray[np.float32], State]:
        """The graph as it is: spectra, T×257, and the state that the frames before have left, to filters, how likely speech is, and state.

        The filters are T×3×257: what a frame, the one before and the one before that are multiplied with; the sum is the frame before,
        restored. The likelihoods, T, are those of that frame too, 0–1. Raises ModelError when the graph gives what is no number.
        """
        pairs = np.ascontiguousarray(spectrum).view(np.float32).reshape(1, *spectrum.shape, 2)
        filters, speech, after = self.file.run(OUTPUTS, {"spectrum": pairs, "state": state})
        if not (np.isfinite(filters).all() and np.isfinite(after).all()):
            raise ModelError(f"{self.card.name}: gave values that are no numbers; the model file is broken, or was trained badly")
        taps = np.ascontiguousarray(filters[0]).view(np.complex64).transpose(0, 2, 1)  # T×257×6 floats are T×257×3 complex numbers
        return taps, 1 / (1 + np.exp(-speech[0])), after

    def restore(self, samples: NDArray[Any], rate: float, strength: float = 1.0) -> NDArray[Any]:
        """The restored samples, of the same shape and dtype, not delayed.

        `samples` are n (one channel) or n×C, float with full scale at 1, or int16 or int32; `rate` in Hz, 4,000 to 400,000. All channels
        are filtered alike, as their mix asks for. `strength` blends, from 0 (as it was) to 1 (as restored). Raises InputError for what is
        no such recording, values that are not finite, and a strength or rate that cannot be.
        """
        check_options(strength, rate)
        values = _checked(samples)
        survey = Survey(int(rate), values.shape[1])
        survey.add(values)
        stream = self.stream(survey, strength)
        parts = [stream.push(part) for part in np.array_split(values, max(1, len(values) // int(10 * rate)))]
        restored = np.concatenate([*parts, stream.finish()])
        return _stored(restored, samples.dtype).reshape(samples.shape)

    def stream(self, survey: Survey, strength: float = 1.0) -> Stream:
        """The recording that was surveyed, to be pushed through this model piece by piece."""
        return Stream(self, survey, strength)


def check_options(strength: float, rate: float) -> None:
    """Raises InputError for a strength beyond 0 to 1 and a rate beyond 4 to 400 kHz."""
    if not 0 <= strength <= 1:  # NaN compares false
        raise InputError(f"strength = {strength!r} must lie between 0 (as it was) and 1 (as restored)")
    if not (LOWEST <= rate <= HIGHEST and int(rate) == rate):
        raise InputError(f"rate = {rate!r} must be a whole number of samples a second, {LOWEST:,} to {HIGHEST:,}, such as 48000")


def _checked(samples: NDArray[Any]) -> NDArray[np.float32]:
    """The samples as n×C float32."""
    if not isinstance(samples, np.ndarray) or samples.ndim not in (1, 2) or 0 in samples.shape[1:]:
        raise InputError(f"an array of shape {getattr(samples, 'shape', None)} is no recording; give n samples, or n×channels")
    if samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS:
        raise InputError(f"an array of shape {samples.shape} would have {samples.shape[1]} channels; give n×channels, not channels×n")
    if samples.dtype.kind != "f" and samples.dtype.newbyteorder("=") not in (np.int16, np.int32):
        raise InputError(f"an array of {samples.dtype} is no recording; give floats with full scale at 1, int16 or int32")
    values = samples if samples.ndim == 2 else samples[:, None]
    if samples.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise InputError("the samples hold values that are not finite; replace them first")
        return values.astype(np.float32)
    return (values / (np.iinfo(samples.dtype).max + 1)).astype(np.float32)


def _stored(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values * np.float64(limits.max + 1)), limits.min, limits.max).astype(dtype)


def _check_graph(file: ModelFile) -> None:
    """Raises ModelError unless the graph takes frames and a state and gives filters."""
    card, path = file.card, file.path
    if card.kind != "audio":
        raise ModelError(f"{path}: restores {card.kind}s, not sound; name a model for sound")
    inputs, outputs = [each.name for each in file.inputs], [each.name for each in file.outputs]
    if inputs != INPUTS or outputs != OUTPUTS:
        raise ModelError(
            f"{path}: has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}, a Burnish model for sound has "
            f"{', '.join(INPUTS)} and {', '.join(OUTPUTS)}; export it anew"
        )
    shapes = file.inputs[0].shape[2:], file.outputs[0].shape[2:]
    if shapes[0] != [BINS, 2] or shapes[1] != [BINS, 2 * TAPS]:
        raise ModelError(f"{path}: takes and gives frames of {shapes}, here they have {BINS} bins; export it anew")
