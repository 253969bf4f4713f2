"""The model file: loaded, checked against itself, and refused in one line when it is not sound."""

from pathlib import Path

import onnx
import pytest

import burnish
from burnish.errors import ModelError

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
