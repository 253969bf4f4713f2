"""`burnish models` and `burnish show`."""

import json
from pathlib import Path

from command import burnish_, refused

import burnish


def test_show_seed_prints_the_layer_table() -> None:
    text = burnish_("show", "seed").stdout
    for count in ("224", "1,168", "2,320", "435", "6,467", "25.26 KB"):
        assert count in text
    card = json.loads(burnish_("show", "seed", "--json").stdout)
    assert [layer["parameters"] for layer in card["layers"]] == [224, 0, 1168, 0, 2320, 2320, 435]
    assert (card["name"], card["parameters"]) == ("seed", 6467)
    assert all({"name", "output_shape", "parameters"} == layer.keys() for layer in card["layers"])


def test_show_takes_a_network_too() -> None:
    card = json.loads(burnish_("show", "residual", "--json").stdout)
    assert card["parameters"] == 5804


def test_what_is_neither_model_nor_network_is_refused_with_what_there_is(tmp_path: Path) -> None:
    refused(burnish_("show", "nothing"), 2, "nothing: is no model and no network; name", "photo", "unet")
    (tmp_path / "model.onnx").touch()
    refused(burnish_("show", tmp_path), 2, f"show its model, {tmp_path / 'model.onnx'}")


def test_models_is_one_line_of_cards() -> None:
    lines = burnish_("models", "--json").stdout.splitlines()
    assert len(lines) == 1
    cards = json.loads(lines[0])
    assert "seed" in [card["name"] for card in cards]
    assert cards[0] == json.loads(burnish.load(cards[0]["name"]).card.to_json())
    assert "6,467 parameters" in burnish_("models").stdout
