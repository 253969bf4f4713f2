"""The wire reader sees what the onnx package sees, and refuses what is no ONNX whatever its bytes."""

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from burnish.model import file as model_file
from burnish.model import wire

SEED = model_file.shipped()["seed"].read_bytes()


def test_the_shipped_models_tensors_are_onnxs() -> None:
    for path in model_file.shipped().values():
        theirs = [(each.name, tuple(each.dims), each.data_type) for each in onnx.load(path).graph.initializer]
        ours = [(each.name, each.shape, each.data_type) for each in wire.stored_tensors(path.read_bytes())]
        assert ours == theirs
        assert sum(each.size for each in wire.stored_tensors(path.read_bytes())) > 1000


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.lists(st.integers(0, 5), max_size=4)), max_size=5))
def test_any_initialisers_are_read(tensors: list[tuple[str, list[int]]]) -> None:
    made = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in tensors]
    graph = helper.make_graph([], "g", [], [], made)
    read = wire.stored_tensors(helper.make_model(graph).SerializeToString())
    assert [(each.name, list(each.shape), each.data_type) for each in read] == [(n, s, wire.FLOAT) for n, s in tensors]


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.zeros(4096, np.float32), "w")
    graph = helper.make_graph([], "g", [], [helper.make_tensor_value_info("w", TensorProto.FLOAT, [4096])], [weights])
    onnx.save(helper.make_model(graph), tmp_path / "a.onnx", save_as_external_data=True, size_threshold=0)
    with pytest.raises(ValueError, match="in another file"):
        wire.stored_tensors((tmp_path / "a.onnx").read_bytes())


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        wire.stored_tensors(data)


@given(st.integers(0, len(SEED) - 1), st.integers(0, 255))
def test_damaged_models_are_read_or_refused(place: int, byte: int) -> None:
    for damaged in (SEED[:place] + bytes([byte]) + SEED[place + 1 :], SEED[:place]):
        with contextlib.suppress(ValueError):
            wire.stored_tensors(damaged)


@given(st.text(max_size=400), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_metadata_are_replaced_and_all_else_stays(value: str, others: dict[str, str]) -> None:
    model = onnx.load_from_string(SEED)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, others | {"burnish": "old"})
    changed = onnx.load_from_string(wire.with_metadata(model.SerializeToString(), "burnish", value))
    assert {each.key: each.value for each in changed.metadata_props} == others | {"burnish": value}
    del changed.metadata_props[:], model.metadata_props[:]
    assert changed.SerializeToString(deterministic=True) == model.SerializeToString(deterministic=True)


def test_metadata_are_not_put_into_what_is_no_model() -> None:
    for data in (b"", b"nonsense", SEED[:5000]):
        with pytest.raises(ValueError, match=r"."):
            wire.with_metadata(data, "burnish", "{}")


def test_what_layers_take_becomes_an_output() -> None:
    data = wire.with_inputs_of(SEED, [name for name in (each.name for each in wire.stored_tensors(SEED)) if name.endswith("weight")][1:3])
    before, after = onnx.load_from_string(SEED), onnx.load_from_string(data)
    assert len(after.graph.output) == len(before.graph.output) + 2
    assert [node.SerializeToString() for node in after.graph.node] == [node.SerializeToString() for node in before.graph.node]
    results = (
        model_file.runtime()
        .InferenceSession(data, providers=["CPUExecutionProvider"])
        .run(None, {"image": np.zeros((1, 3, 32, 32), np.float32)})
    )
    assert all(result.ndim == 4 for result in results)
    with pytest.raises(ValueError, match="no layer with the weights nothing"):
        wire.with_inputs_of(SEED, ["nothing"])
