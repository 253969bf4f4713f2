"""The model file: loaded, checked against itself, and refused in one line when it is not sound."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

import burnish
from burnish.errors import ModelError
from burnish.model import file as model_file

SEED = burnish.load("seed")


def test_a_name_that_is_no_model_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="did you mean 'seed'"):
        burnish.load("sead")
    with pytest.raises(ModelError, match="cannot be read as a model"):
        burnish.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04" + bytes(100), SEED.path.read_bytes()[:5000]], ids=range(4))
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.onnx: ") as caught:
        burnish.load(path)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    proto = onnx.load(SEED.path)
    del proto.metadata_props[:]
    (tmp_path / "a.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="has no card"):
        burnish.load(tmp_path / "a.onnx")


def test_another_card_leaves_graph_and_weights_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(SEED.path.read_bytes())
    model_file.write_card(path, dataclasses.replace(SEED.card, summary="Ünlike any other. " * 1000))
    other = burnish.load(path)
    assert other.card.summary.startswith("Ünlike")
    before, after = (onnx.load(each) for each in (SEED.path, path))
    del before.metadata_props[:], after.metadata_props[:]
    assert before.SerializeToString(deterministic=True) == after.SerializeToString(deterministic=True)


def test_a_card_that_the_weights_contradict_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(SEED.path.read_bytes())
    with pytest.raises(ModelError, match="parameters"):
        model_file.write_card(path, dataclasses.replace(SEED.card, parameters=5))
    assert path.read_bytes() == SEED.path.read_bytes()


def test_every_shipped_card_is_of_the_second_format_with_the_licence_of_its_data() -> None:
    for name, path in model_file.shipped().items():
        stored = json.loads({each.key: each.value for each in onnx.load(path).metadata_props}["burnish"])
        assert (stored["format"], stored["kind"], stored["name"]) == (2, "audio" if name == "speech" else "image", name)
        card = burnish.load(name).card
        assert card.licence not in ("MIT", "unstated", "")
        assert ("non-commercial" in card.licence) == ("non-commercial" in card.data["terms"])


def test_nobody_is_told_of_a_model_and_nothing_is_written(tmp_path: Path) -> None:
    """ONNX Runtime keeps a note of its own where it is to send what it collects."""
    code = "import numpy, burnish; burnish.load('seed', 1).restore(numpy.zeros((8, 8, 3), numpy.uint8))"
    places = dict.fromkeys(("TMPDIR", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(tmp_path))
    silencing = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")  # what keeps it from that, too
    environment = {name: value for name, value in os.environ.items() if name not in silencing} | places
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not list(tmp_path.iterdir())
