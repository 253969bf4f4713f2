"""The model file: one ONNX graph with a card inside. Loaded, checked against itself, run, described. No PyTorch, no pickle."""

import contextlib
import difflib
import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, ModelError, UnknownModelError
from burnish.image import channels
from burnish.image.channels import Layout
from burnish.image.tiling import Tile, best_tile, padded, tiled
from burnish.model import wire
from burnish.model.card import Card

FOLDER = Path(__file__).parent / "shipped"
PIL_MODES = ("L", "LA", "RGB", "RGBA", "I;16", "1", "P", "PA")  # the last three come back as L, RGB or RGBA
WHOLE = 5 << 17  # pixels run as one: with more, a photo of 12 megapixels takes over half a gigabyte


def shipped() -> dict[str, Path]:
    """The models that come with Burnish: name and file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.onnx"))}


def default() -> str:
    """The name of the model that restores what it is given when none is named."""
    return "photo" if "photo" in shipped() else "seed"


def read_card(model: str | Path) -> Card:
    """The card of a shipped model or model file, checked against its graph. Raises ModelError."""
    return load(model).card


def load(model: str | Path, threads: int | None = None) -> "Model":
    """The model with a shipped name or in a file, run on `threads` CPU threads (default: all this process may use).

    Raises UnknownModelError for one that is not there, ModelError for a file that is no ONNX, without a card, with a newer card, or with
    one that its graph contradicts.
    """
    known = shipped()
    path = known.get(str(model)) or Path(model)
    try:
        data = path.read_bytes()
    except OSError as error:
        close = difflib.get_close_matches(str(model), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"name one of {', '.join(known) or 'your own'} or a model file"
        kind = UnknownModelError if isinstance(error, FileNotFoundError) else ModelError
        raise kind(f"{model}: cannot be read as a model ({error.strerror}); {hint}") from error
    return Model(path, data, threads or len(os.sched_getaffinity(0)))


class Model:
    """A loaded model: `card`, `path`, and one session that any number of threads may share."""

    def __init__(self, path: Path, data: bytes, threads: int) -> None:
        self.path = path
        self._data = data
        self._threads = threads
        # What takes several threads has them to itself: two at once would not be quicker, and hold twice the memory.
        self._turn = threading.Lock() if threads > 1 else contextlib.nullcontext()
        self._outputs = _checked_outputs(self._session, path)
        self.card = _checked_card(self._session, data, path)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 4
        options.enable_mem_pattern = False  # windows at a picture's edges have other sizes: planning for each takes twice the memory
        try:
            return onnxruntime.InferenceSession(self._data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            why = str(error).strip().splitlines()[0][:120] if str(error).strip() else "no ONNX"
            raise ModelError(f"{self.path}: not an ONNX model ({why}); give a file made by burnish train") from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The graph as it is: N×C×H×W float32 on 0–1 (H and W multiples of the card's `multiple_of`) to the same, not clipped."""
        with self._turn:
            result: NDArray[np.float32] = self._session.run(["restored"], {"image": batch})[0]
        return result

    def _sound(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `run` gives, kept within 0–1. Raises ModelError when it is no number."""
        result = self.run(batch)
        if not np.isfinite(result).all():
            raise ModelError(f"{self.card.name}: gave values that are no numbers; the model file is broken, or was trained badly")
        return np.clip(result, 0, 1, out=result)

    def restore(self, array: Any, tile: int | None = None) -> Any:
        """The restored picture, of the same shape and dtype.

        `array` is H×W or H×W×C with C of 1 to 4, uint8, uint16 or float (on 0–1, and so is the result), or N×H×W×C for a batch of small
        pictures in one run; or a PIL image, for which a PIL image comes back. Grey goes through a colour model as three equal channels,
        colour through a grey one channel by channel; of 2 or 4 channels the last is alpha, which is not touched, unless the model takes
        as many. `tile` is the side of the tiles in pixels, chosen when None; the result does not depend on it. Raises InputError for what
        is no such picture, ModelError for one this model cannot take. Threads may share the model.
        """
        if not isinstance(array, np.ndarray) and hasattr(array, "convert"):
            return _restored_pil(self, array)
        if tile is not None and tile < 1:
            raise InputError(f"tile = {tile} must be at least 1 pixel")
        pictures = _checked_pictures(array)
        bands = pictures.shape[-1]
        layout = self.layout(bands, alpha=bands in (2, 4) and bands != self.card.channels, shape=pictures.shape[1:3])
        scale = float(np.iinfo(array.dtype).max) if array.dtype.kind == "u" else 1.0
        planes = [layout.planes(each) for each in pictures]
        height, width = pictures.shape[1:3]
        step = self.card.multiple_of
        if len(planes) > 1 and len(layout.groups) == 1 and not layout.alpha and height * width * len(planes) <= WHOLE:
            batch = channels.unit(np.stack([padded(each, step) for each in planes]), 0, scale)
            restored = list(channels.stored(self._sound(batch)[..., :height, :width], 0, scale, array.dtype))
        else:
            run = self.runner(layout, 0, scale)
            sides = (tile, tile) if tile else self.tile(layout, height, width)
            restored = [tiled(run, each, sides, self.halo(layout), step) for each in planes]
        return np.stack([layout.picture(*pair) for pair in zip(restored, pictures, strict=True)]).reshape(array.shape)

    def tile(self, layout: Layout, height: int, width: int, rows: int | None = None) -> Tile:
        """The tile that a picture of that layout and size is best run in, of at most `rows` rows with its halo; itself if it is small."""
        pixels = WHOLE // len(layout.groups) if self.card.input_size is None else height * width
        return best_tile(height, width, self.halo(layout), self.card.multiple_of, pixels, rows or height)

    def halo(self, layout: Layout) -> int:
        """How many pixels around a tile its result depends on, for a picture of that layout."""
        return self.card.halo + (channels.FILL_REACH if layout.alpha else 0)

    def runner(self, layout: Layout, low: float, high: float, strength: float = 1.0) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """The graph as a function from a layout's planes, whose values lie on `low` to `high`, to the same restored.

        Each group is one picture of a batch. Whole numbers are rounded; floats beyond the range are kept within it. `strength` blends,
        from 0 (as it was) to 1 (as restored). Hidden colours stay as they are. Raises ModelError when the graph gives what is no number.
        """
        groups = len(layout.groups)

        def run(planes: NDArray[Any]) -> NDArray[Any]:
            before = planes[:-1] if layout.alpha else planes
            values = channels.unit(before, low, high)
            shown = 1 - values if layout.inverted else values
            if layout.alpha:
                shown = channels.filled(shown, planes[-1])
            after = self._sound(np.ascontiguousarray(shown).reshape(groups, -1, *planes.shape[1:])).reshape(values.shape)
            after = 1 - after if layout.inverted else after
            result = channels.stored(values + np.float32(strength) * (after - values) if strength < 1 else after, low, high, planes.dtype)
            if not layout.alpha:
                return result
            result[:, planes[-1] <= 0] = before[:, planes[-1] <= 0]
            return np.concatenate([result, planes[-1:]])

        return run

    def encode(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """The bottleneck's values for one picture (as `restore` takes it), C×h×w float32. Raises ModelError when the model has none."""
        if "latent" not in self._outputs:
            raise ModelError(f"{self.card.name}: has no latent to encode into; take a model with a bottleneck, such as seed")
        (picture,) = _checked_pictures(array)[:1]
        layout = self.layout(picture.shape[-1], alpha=False, shape=picture.shape[:2])
        scale = float(np.iinfo(array.dtype).max) if array.dtype.kind == "u" else 1.0
        planes = padded(channels.unit(layout.planes(picture), 0, scale), self.card.multiple_of)
        latent: NDArray[np.float32] = self._session.run(["latent"], {"image": planes[None]})[0][0]
        return latent

    def layout(self, bands: int, *, alpha: bool, shape: tuple[int, ...], inks: bool = False) -> Layout:
        """How a picture of so many channels goes through this model. Raises ModelError when it cannot."""
        size = self.card.input_size
        if size and size != list(shape):
            raise ModelError(
                f"{self.card.name}: takes only pictures of {size[0]}×{size[1]} (height × width), this is {shape[0]}×{shape[1]}"
            )
        layout = channels.layout(bands, self.card.channels, alpha=alpha, inks=inks)
        if layout is None:
            raise ModelError(f"{self.card.name}: takes {self.card.channels} channel(s), the picture has {bands}; give grey or colour")
        return layout


def _checked_pictures(array: NDArray[Any]) -> NDArray[Any]:
    """The array as N×H×W×C, if it is one picture or a batch of them."""
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise InputError(f"an array of shape {getattr(array, 'shape', None)} is no picture; give H×W or H×W×C with at least one pixel")
    if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        raise InputError(f"an array of {array.dtype} is no picture; give uint8, uint16 or float on 0–1")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError("the array holds values that are not finite; replace them first")
    return array[None, ..., None] if array.ndim == 2 else array if array.ndim == 4 else array[None]


def _restored_pil(model: Model, image: Any) -> Any:
    from PIL import Image

    if image.mode not in PIL_MODES:
        raise InputError(f"a PIL image of mode {image.mode} has no known range or colours; convert it to one of {', '.join(PIL_MODES)}")
    full = {"1": "L", "P": "RGBA" if image.has_transparency_data else "RGB", "PA": "RGBA"}.get(image.mode)
    result = Image.fromarray(model.restore(np.asarray(image.convert(full) if full else image)))
    result.info = {key: value for key, value in image.info.items() if key != "transparency"}  # profile, resolution, EXIF
    return result


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
        stored = sum(tensor.size for tensor in wire.stored_tensors(data) if tensor.data_type == wire.FLOAT)
    except ValueError as error:
        raise ModelError(f"{path}: not a model that can be trusted: {error}; export it anew") from error
    if stored != card.parameters:
        raise ModelError(f"{path}: its card says {card.parameters:,} parameters, its graph holds {stored:,}; export it anew")
    return card
