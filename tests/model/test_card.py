"""The card: what is no card, or another model's, is refused in one line; what is one reads back to itself."""

import ast
import dataclasses
import inspect
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

import burnish
from burnish.errors import ModelError
from burnish.model.card import Card, licence_for

SEED = burnish.load("seed")


def changed(path: Path, change: Callable[[onnx.ModelProto, dict[str, Any]], None]) -> Path:
    """The seed's model file with its graph or card changed."""
    proto = onnx.load(SEED.path)
    card = json.loads(SEED.card.to_json())
    change(proto, card)
    proto.metadata_props[0].value = json.dumps(card)
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 3, "upgrade Burnish"),
        ("format", True, "no format number"),
        ("kind", "smell", "knows image and audio; upgrade"),
        ("kind", ["image"], "upgrade Burnish"),
        ("macs_per_pixel", None, "how many multiply-adds"),
        ("macs_per_pixel", "1", "wrong macs_per_pixel"),
        ("format", "1", "no format number"),
        ("parameters", 6468, "6,?468"),
        ("channels", 1, r"says 1 channel"),
        ("channels", 0, "out of range"),
        ("channels", "3", "wrong channels"),
        ("halo", -1, "out of range"),
        ("halo", 1.5, "wrong halo"),
        ("multiple_of", 0, "out of range"),
        ("scores", [1], "wrong scores"),
        ("layers", {}, "wrong layers"),
        ("input_size", [32], "wrong input_size"),
        ("name", None, "wrong name"),
    ],
)
def test_a_card_that_disagrees_is_refused(tmp_path: Path, key: str, value: Any, message: str) -> None:
    path = changed(tmp_path / "a.onnx", lambda _proto, card: card.update({key: value}))
    with pytest.raises(ModelError, match=message) as caught:
        burnish.load(path)
    assert "\n" not in str(caught.value)


def test_a_card_that_lacks_something_is_refused(tmp_path: Path) -> None:
    for key in ("halo", "layers", "licence"):
        with pytest.raises(ModelError, match=f"lacks '{key}'"):
            burnish.load(changed(tmp_path / "a.onnx", lambda _proto, card, key=key: card.pop(key)))  # type: ignore[misc]


def test_cards_that_are_no_json_are_refused() -> None:
    for text in ("", "{", "[]", "null", "[" * 100_000):
        with pytest.raises(ModelError, match="card"):
            Card.from_json(text, "here")


def test_a_card_reads_back_to_itself() -> None:
    assert Card.from_json(SEED.card.to_json(), "here") == SEED.card


def test_a_card_of_the_first_format_is_one_of_an_image_model() -> None:
    old = json.loads(SEED.card.to_json()) | {"format": 1}
    del old["kind"]
    assert Card.from_json(json.dumps(old), "here") == SEED.card
    with pytest.raises(ModelError, match="lacks 'kind'"):
        Card.from_json(json.dumps(old | {"format": 2}), "here")


def test_a_card_of_audio_counts_by_the_second() -> None:
    card = dataclasses.replace(SEED.card, kind="audio", macs_per_pixel=None, macs_per_second=33e6)
    assert Card.from_json(card.to_json(), "here") == card
    assert "macs_per_pixel" not in json.loads(card.to_json())
    assert "macs_per_second" not in json.loads(SEED.card.to_json())


def test_every_field_is_explained_with_an_example() -> None:
    body = ast.parse(inspect.getsource(Card)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, after in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(after, ast.Expr), ast.unparse(field.target)
            assert isinstance(after.value, ast.Constant)
            assert ":" in str(after.value.value), ast.unparse(field.target)


def test_the_licence_is_the_datas() -> None:
    assert licence_for("CC0") == "CC0"
    assert licence_for("") == licence_for("  ") == licence_for("unstated") == "unstated"
