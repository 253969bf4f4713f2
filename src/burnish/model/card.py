"""The card: what a model says of itself, as JSON inside the model file."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, get_origin

from burnish.errors import ModelError

FORMAT = 1


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
