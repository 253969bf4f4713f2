"""The model file: one ONNX graph with a card inside. Loaded, checked against itself, run, described. No PyTorch, no pickle."""

import difflib
import json
import os
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_origin

import numpy as np
from numpy.typing import NDArray

from burnish import onnx_wire
from burnish.errors import InputError, ModelError
from burnish.tiling import tiled

FORMAT = 1
FOLDER = Path(__file__).parent / "models"
WHOLE = 1 << 20  # pixels a picture may have and still be run as one
TILE = 512  # pixels a side beyond that


@dataclass(frozen=True)
class Card:
    """What a model says of itself. `scores` are scoreboards as `burnish evaluate --json` prints them, each with its do-nothing line."""

    format: int
    name: str
    summary: str
    channels: int
    input_size: list[int] | None
    multiple_of: int
    halo: int
    degradation: str
    network: str
    network_args: dict[str, Any]
    recipe: dict[str, Any]
    data: dict[str, Any]
    parameters: int
    macs_per_pixel: float
    layers: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    licence: str
    version: str

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str, where: str) -> "Card":
        """The card in `text`; `where` stands in the errors. Raises ModelError for what is no card, or a newer one."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where}: its card is not JSON ({error}); export the model anew") from error
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise ModelError(f"{where}: its card has no format number; export the model anew")
        if values["format"] > FORMAT:
            raise ModelError(f"{where}: its card has format {values['format']}, this Burnish reads up to {FORMAT}; upgrade Burnish")
        for item in fields(Card):
            if item.name not in values:
                raise ModelError(f"{where}: its card lacks {item.name!r}; export the model anew")
            if not _fits(values[item.name], item.type):
                raise ModelError(f"{where}: its card has a wrong {item.name}, {str(values[item.name])[:60]!r}; export the model anew")
        card = Card(**{item.name: values[item.name] for item in fields(Card)})
        if card.channels < 1 or card.multiple_of < 1 or card.halo < 0 or card.parameters < 0:
            raise ModelError(f"{where}: its card has channels, multiple_of, halo or parameters out of range; export the model anew")
        return card


def _fits(value: Any, expected: Any) -> bool:
    if expected is float:
        return type(value) in (int, float)
    if expected == list[int] | None:
        return value is None or (isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value))
    if get_origin(expected) is list:
        return isinstance(value, list) and all(isinstance(each, dict) for each in value)
    if get_origin(expected) is dict:
        return isinstance(value, dict)
    return type(value) is expected


def shipped() -> dict[str, Path]:
    """The models that come with Burnish: name and file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.onnx"))}


def read_card(model: str | Path) -> Card:
    """The card of a shipped model or model file, checked against its graph. Raises ModelError."""
    return load(model).card


def load(model: str | Path, threads: int | None = None) -> "Model":
    """The model with a shipped name or in a file, run on `threads` CPU threads (default: all this process may use).

    Raises ModelError for a file that is missing, no ONNX, without a card, with a newer card, or with one that its graph contradicts.
    """
    known = shipped()
    path = known.get(str(model)) or Path(model)
    try:
        data = path.read_bytes()
    except OSError as error:
        close = difflib.get_close_matches(str(model), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"name one of {', '.join(known) or 'your own'} or a model file"
        raise ModelError(f"{model}: cannot be read as a model ({error.strerror}); {hint}") from error
    return Model(path, data, threads or len(os.sched_getaffinity(0)))


class Model:
    """A loaded model: `card`, `path`, and one session that any number of threads may share."""

    def __init__(self, path: Path, data: bytes, threads: int) -> None:
        self.path = path
        self._data = data
        self._threads = threads
        self._outputs = _checked_outputs(self._session, path)
        self.card = _checked_card(self._session, data, path)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(self._data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            why = str(error).strip().splitlines()[0][:120] if str(error).strip() else "no ONNX"
            raise ModelError(f"{self.path}: not an ONNX model ({why}); give a file made by burnish train") from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The graph as it is: N×C×H×W float32 on 0–1 (H and W multiples of the card's `multiple_of`) to the same, not clipped."""
        result: NDArray[np.float32] = self._session.run(["restored"], {"image": batch})[0]
        return result

    def restore(self, array: NDArray[Any], tile: int | None = None) -> NDArray[Any]:
        """The restored picture, of the same shape and dtype.

        `array` is H×W or H×W×C, uint8, uint16 or float (on 0–1). Grey goes through a colour model as three equal channels. `tile` is the
        side of the tiles in pixels, chosen when None; the result does not depend on it. Raises InputError for an array that is no such
        picture, ModelError for one this model cannot take.
        """
        planes = self._planes(array)
        height, width = planes.shape[1:]
        padded = self._padded(planes)
        if tile is not None and tile < 1:
            raise InputError(f"tile = {tile} must be at least 1 pixel")
        if self.card.input_size or (tile is None and height * width <= WHOLE):
            restored = self.run(padded[None])[0]
        else:
            restored = tiled(lambda part: self.run(part[None])[0], padded, tile or TILE, self.card.halo, self.card.multiple_of)
        return _like(restored[:, :height, :width], array)

    def encode(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """The bottleneck's values for one picture (as `restore` takes it), C×h×w float32. Raises ModelError when the model has none."""
        if "latent" not in self._outputs:
            raise ModelError(f"{self.card.name}: has no latent to encode into; take a model with a bottleneck, such as seed")
        latent: NDArray[np.float32] = self._session.run(["latent"], {"image": self._padded(self._planes(array))[None]})[0][0]
        return latent

    def _planes(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """The picture as C×H×W float32 on 0–1 with the model's channels."""
        if array.ndim not in (2, 3) or 0 in array.shape:
            raise InputError(f"an array of shape {array.shape} is no picture; give H×W or H×W×C with at least one pixel")
        if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
            raise InputError(f"an array of {array.dtype} is no picture; give uint8, uint16 or float on 0–1")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError("the array holds values that are not finite; replace them first")
        picture = array[..., None] if array.ndim == 2 else array
        channels, wanted = picture.shape[2], self.card.channels
        if channels != wanted and channels != 1:
            raise ModelError(f"{self.card.name}: takes {wanted} channel(s), the picture has {channels}; give H×W or H×W×{wanted}")
        scale = np.iinfo(array.dtype).max if array.dtype.kind == "u" else 1
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32) / np.float32(scale)
        size = self.card.input_size
        if size and size != list(planes.shape[1:]):
            raise ModelError(
                f"{self.card.name}: takes only pictures of {size[0]}×{size[1]} (height × width), "
                f"this is {picture.shape[0]}×{picture.shape[1]}"
            )
        return np.repeat(planes, wanted, axis=0) if channels != wanted else planes

    def _padded(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reflected at the right and lower edge to multiples of `multiple_of`: the graph itself pads nothing."""
        low, right = (-length % self.card.multiple_of for length in planes.shape[1:])
        return np.pad(planes, ((0, 0), (0, low), (0, right)), mode="symmetric") if low or right else planes


def _like(planes: NDArray[np.float32], array: NDArray[Any]) -> NDArray[Any]:
    """C×H×W planes as a picture of the shape and dtype of `array`."""
    channels = 1 if array.ndim == 2 else array.shape[2]
    picture = planes.mean(axis=0, keepdims=True) if channels != len(planes) else planes
    picture = np.clip(picture.transpose(1, 2, 0), 0, 1).reshape(array.shape)
    if array.dtype.kind == "u":
        picture = np.rint(picture * np.float32(np.iinfo(array.dtype).max))
    return picture.astype(array.dtype)


def _checked_outputs(session: Any, path: Path) -> list[str]:
    outputs = [output.name for output in session.get_outputs()]
    inputs = [each.name for each in session.get_inputs()]
    if inputs != ["image"] or outputs not in (["restored"], ["restored", "latent"]):
        raise ModelError(
            f"{path}: has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}, a Burnish model has image and restored (and latent)"
        )
    return outputs


def _checked_card(session: Any, data: bytes, path: Path) -> Card:
    """The card, found to agree with the graph it stands in."""
    metadata = session.get_modelmeta().custom_metadata_map
    if "burnish" not in metadata:
        raise ModelError(f"{path}: has no card, so Burnish cannot know what it is for; give a file made by burnish train")
    card = Card.from_json(metadata["burnish"], str(path))
    image, restored = session.get_inputs()[0], session.get_outputs()[0]
    if image.type != "tensor(float)" or len(image.shape) != 4 or image.shape[1] != card.channels:
        raise ModelError(f"{path}: its card says {card.channels} channel(s), its graph takes {image.type} of {image.shape}; export it anew")
    if len(restored.shape) != 4 or (isinstance(restored.shape[1], int) and restored.shape[1] != card.channels):
        raise ModelError(f"{path}: its card says {card.channels} channel(s), its graph gives {restored.shape}; export it anew")
    try:
        stored = sum(tensor.size for tensor in onnx_wire.stored_tensors(data) if tensor.data_type == onnx_wire.FLOAT)
    except ValueError as error:
        raise ModelError(f"{path}: not a model that can be trusted: {error}; export it anew") from error
    if stored != card.parameters:
        raise ModelError(f"{path}: its card says {card.parameters:,} parameters, its graph holds {stored:,}; export it anew")
    return card
