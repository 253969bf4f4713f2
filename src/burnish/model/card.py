"""The card: what a model says of itself, as JSON inside the model file."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args, get_origin

from burnish.degradation import Degradation
from burnish.errors import ModelError

FORMAT = 2
KINDS = ("image", "audio")
UNSTATED = "unstated"  # terms or a licence that nobody stated


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a model says of itself."""

    format: int = FORMAT
    """The version of these fields: 2. Files of format 1, which had no `kind`, are read as cards of image models."""
    kind: str = "image"
    """The medium that the model restores: "image" or "audio"."""
    name: str
    """What it is called, in file names too: "photo-fast"."""
    summary: str
    """What it is for, in one sentence: "Removes noise and JPEG's traces from photographs."."""
    channels: int
    """How many channels it takes and gives: 3 for red, green and blue, 1 for a grey image or one microphone."""
    input_size: list[int] | None
    """The only size that it takes, height and width in pixels: [32, 32]; None: any size."""
    multiple_of: int
    """What the graph's height and width (audio: number of samples) must be a multiple of: 8. Burnish pads what is not."""
    halo: int
    """How far around a pixel (audio: a sample) its result depends on what was there: 75. Tiles must overlap by it."""
    degradation: str
    """What it was trained to undo, in the degradation language: "blur:0-3+noise:0-10+jpeg:50-100"."""
    network: str
    """The network's name in burnish.training: "unet"."""
    network_args: dict[str, Any]
    """What the network is built with: {"width": 32, "middle": 5}."""
    recipe: dict[str, Any]
    """The recipe that it was trained by, key by key: {"epochs": 100, "optimizer": "muon", …}."""
    data: dict[str, Any]
    """What it learnt from: {"name": "free-photos", "fingerprint": "sha256:a69d6d9e20ee61c2", "terms": "CC0, see MANIFEST.csv"}."""
    parameters: int
    """How many numbers it learnt: 6467."""
    macs_per_pixel: float | None = None
    """Multiply-adds for a pixel of an image: 1656.0. None for audio."""
    macs_per_second: float | None = None
    """Multiply-adds for a second of audio: 33e6. None for images."""
    layers: list[dict[str, Any]]
    """The layers in the order they run: [{"name": "conv1", "output_shape": [32, 32, 8], "parameters": 224}, …]."""
    scores: list[dict[str, Any]]
    """Scoreboards as `burnish evaluate --json` prints them, each with the line that doing nothing scores:
    [{"images": 10000, "degradation": "blur:1.0+8bit", "psnr": {"input": 25.69, "model": 24.41}, "helps": false, …}]."""
    licence: str
    """On what terms its weights may be used, which follows from the terms of its data: "CC0"; "unstated" where those are."""
    version: str
    """The Burnish that made it: "0.1.0"."""

    @property
    def takes_nothing(self) -> bool:
        """Whether nothing was taken away from the data that it was trained on, so that there is nothing that it could restore."""
        return Degradation.parse(self.degradation, self.kind).takes_nothing

    def to_json(self) -> str:
        """The card as JSON text, without what does not apply to its kind."""
        left_out = "macs_per_second" if self.kind == "image" else "macs_per_pixel"
        return json.dumps({key: value for key, value in asdict(self).items() if key != left_out})

    @staticmethod
    def from_json(text: str, where: str) -> "Card":
        """The card in `text`; `where` stands in the errors. Raises ModelError for what is no card, or a newer one."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{where}: its card is not JSON ({error}); export the model anew") from error
        if not isinstance(values, dict) or type(values.get("format")) is not int:
            raise ModelError(f"{where}: its card has no format number; export the model anew")
        if values["format"] > FORMAT:
            raise ModelError(f"{where}: its card has format {values['format']}, this Burnish reads up to {FORMAT}; upgrade Burnish")
        if values["format"] == 1:
            values["kind"] = "image"
        if "kind" in values and values["kind"] not in KINDS:
            known = " and ".join(KINDS)
            raise ModelError(f"{where}: its card has the kind {str(values['kind'])[:60]!r}, this Burnish knows {known}; upgrade Burnish")
        values.setdefault("macs_per_second" if values.get("kind") == "image" else "macs_per_pixel", None)
        for item in fields(Card):
            if item.name not in values:
                raise ModelError(f"{where}: its card lacks {item.name!r}; export the model anew")
            if not _fits(values[item.name], item.type):
                raise ModelError(f"{where}: its card has a wrong {item.name}, {str(values[item.name])[:60]!r}; export the model anew")
        card = Card(**{item.name: values[item.name] for item in fields(Card)})
        if (card.macs_per_pixel if card.kind == "image" else card.macs_per_second) is None:
            raise ModelError(f"{where}: its card does not say how many multiply-adds it takes; export the model anew")
        if card.channels < 1 or card.multiple_of < 1 or card.halo < 0 or card.parameters < 0:
            raise ModelError(f"{where}: its card has channels, multiple_of, halo or parameters out of range; export the model anew")
        return replace(card, format=FORMAT)


def licence_for(terms: str) -> str:
    """The licence of a model that learnt from data on such terms: the same terms; "unstated" where nobody stated any."""
    return terms.strip() or UNSTATED


def _fits(value: Any, expected: Any) -> bool:
    if type(None) in get_args(expected):
        return value is None or any(_fits(value, each) for each in get_args(expected) if each is not type(None))
    if expected is float:
        return type(value) in (int, float)
    if expected == list[int]:
        return isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value)
    if get_origin(expected) is list:
        return isinstance(value, list) and all(isinstance(each, dict) for each in value)
    if get_origin(expected) is dict:
        return isinstance(value, dict)
    return type(value) is expected
