"""The model file: one ONNX graph with a card inside. Loaded, checked against itself, run. It knows no medium, no PyTorch and no pickle."""

import difflib
import hashlib
import importlib
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.cpus import available_cpus
from burnish.errors import InputError, ModelError, UnknownModelError
from burnish.files import write_bytes
from burnish.model import wire
from burnish.model.card import Card

FOLDER = Path(__file__).parent / "shipped"
KEY = "burnish"  # the card's, among the file's metadata
DEFAULTS = {"image": ("photo", "seed"), "audio": ("speech",)}  # what a medium's files are restored with, the first that there is


def shipped() -> dict[str, Path]:
    """The models that come with Burnish: name and file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.onnx"))}


def default(kind: str = "image") -> str:
    """The name of the model that restores what is of that kind when none is named."""
    return next((name for name in DEFAULTS[kind] if name in shipped()), DEFAULTS[kind][0])


def load(model: str | Path, threads: int | None = None) -> Any:
    """The model with a shipped name or in a file, ready to restore on `threads` CPU threads (default: all this process may use).

    What comes is its medium's class: burnish.image.model.Model for a card of the kind "image". Raises UnknownModelError for one that is not
    there, InputError for less than one thread, ModelError for a file that is no ONNX, without a card, with a newer card, or with one that
    its graph contradicts.
    """
    file = read(model, threads)
    try:
        medium = importlib.import_module(f"burnish.{file.card.kind}.model")
    except ModuleNotFoundError as error:
        raise ModelError(f"{model}: restores what is of the kind {file.card.kind!r}, which this Burnish cannot; upgrade Burnish") from error
    return medium.Model(file)


def read_card(model: str | Path) -> Card:
    """The card of a shipped model or model file, checked against its graph. Raises ModelError."""
    card: Card = load(model).card
    return card


def read(model: str | Path, threads: int | None = None) -> "ModelFile":
    """The file of the model with a shipped name or at a path. Raises ModelError as `load` does."""
    if threads is not None and threads < 1:
        raise InputError(f"threads = {threads} must be at least 1; leave it out to use all that there are")
    known = shipped()
    path = known.get(str(model)) or Path(model)
    try:
        data = path.read_bytes()
    except OSError as error:
        close = difflib.get_close_matches(str(model), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"name one of {', '.join(known) or 'your own'} or a model file"
        kind = UnknownModelError if isinstance(error, FileNotFoundError) else ModelError
        raise kind(f"{model}: cannot be read as a model ({error.strerror}); {hint}") from error
    return ModelFile(path, data, threads)


def write_card(path: Path, card: Card) -> None:
    """Put another card into a model file; graph and weights stay as they are, to the bit.

    Raises ModelError for what is no model, or one that the card contradicts; the file is then left as it was.
    """
    file = read(path)
    try:
        data = wire.with_metadata(file.data, KEY, card.to_json())
    except ValueError as error:
        raise ModelError(f"{path}: not a model that can be trusted: {error}; export it anew") from error
    ModelFile(path, data)
    write_bytes(path, data)


class ModelFile:
    """A model file, loaded: `path`, `data` (its bytes), `digest` (of them, 16 hexadecimal digits), `card`, and one session for all.

    `threads` are all that compute, however many ask: they take turns. It can be pickled and deep-copied: what comes of it loads the same
    bytes again, on as many threads as were asked for, or all that there are where it arrives.
    """

    def __init__(self, path: Path, data: bytes, threads: int | None = None) -> None:
        self.path = path
        self.digest = hashlib.sha256(data).hexdigest()[:16]
        self.data = data
        self._asked = threads
        self._turn = threading.Lock()
        self._parts: dict[tuple[str, str], Any] = {}
        self.card = _checked_card(self._session, data, path)

    def __reduce__(self) -> tuple[type["ModelFile"], tuple[Path, bytes, int | None]]:
        return ModelFile, (self.path, self.data, self._asked)

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self._asked or available_cpus()

    @property
    def inputs(self) -> list[Any]:
        """ONNX Runtime's descriptions of the graph's inputs: name, type and shape of each."""
        return list(self._session.get_inputs())

    @property
    def outputs(self) -> list[Any]:
        """Those of its outputs."""
        return list(self._session.get_outputs())

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """The graph as it is: the outputs named, for the inputs given."""
        with self._turn:
            results: list[NDArray[np.float32]] = self._session.run(list(outputs), dict(inputs))
        return results

    def part(self, begin: str, end: str, values: NDArray[Any]) -> NDArray[np.float32]:
        """The output `end` for values of `begin`, an input or another output, running no more than that takes.

        Raises ModelError where `end` needs more than `begin`.
        """
        with self._turn:
            if (begin, end) not in self._parts:
                try:
                    self._parts[begin, end] = self._opened(wire.part(self.data, begin, end))
                except ValueError as error:
                    raise ModelError(f"{self.path}: cannot be run from its {begin}: {error}; take another model") from error
            result: NDArray[np.float32] = self._parts[begin, end].run([end], {begin: values})[0]
        return result

    @cached_property
    def _session(self) -> Any:
        return self._opened(self.data)

    def _opened(self, data: bytes) -> Any:
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 4
        options.enable_mem_pattern = False  # windows at an item's edges have other sizes: planning for each takes twice the memory
        try:
            return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base but Exception
            why = str(error).strip().splitlines()[0][:120] if str(error).strip() else "no ONNX"
            raise ModelError(f"{self.path}: not an ONNX model ({why}); give a file made by burnish train") from error


def runtime() -> Any:
    """ONNX Runtime, which from 1.29 on tells its maker of every model that it loads, unless it is told not to before it begins."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # where another part of the program had begun with it already
    return onnxruntime


def _checked_card(session: Any, data: bytes, path: Path) -> Card:
    """The card, found to agree with the weights beside it."""
    metadata = session.get_modelmeta().custom_metadata_map
    if KEY not in metadata:
        raise ModelError(f"{path}: has no card, so Burnish cannot know what it is for; give a file made by burnish train")
    card = Card.from_json(metadata[KEY], str(path))
    try:
        stored = sum(tensor.size for tensor in wire.stored_tensors(data) if tensor.data_type == wire.FLOAT)
    except ValueError as error:
        raise ModelError(f"{path}: not a model that can be trusted: {error}; export it anew") from error
    if stored != card.parameters:
        raise ModelError(f"{path}: its card says {card.parameters:,} parameters, its graph holds {stored:,}; export it anew")
    return card
