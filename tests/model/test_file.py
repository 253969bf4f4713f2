"""The model file: loaded, checked against itself, run on arrays of every kind; and refused in one line when it is not sound."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from skimage import data

import burnish
from burnish.errors import InputError, ModelError
from burnish.model.card import Card

SEED = burnish.load("seed")
PHOTOGRAPH = data.coffee()[50:178, 100:262]


def changed(path: Path, change: Callable[[onnx.ModelProto, dict[str, Any]], None]) -> Path:
    """The seed's model file with its graph or card changed."""
    proto = onnx.load(SEED.path)
    card = json.loads(proto.metadata_props[0].value)
    change(proto, card)
    proto.metadata_props[0].value = json.dumps(card)
    path.write_bytes(proto.SerializeToString())
    return path


# --- Running ---


def test_the_seed_restores_as_its_graph_does() -> None:
    planes = (PHOTOGRAPH / np.float32(255)).transpose(2, 0, 1)[None, :, :, :160]
    direct = SEED.run(np.ascontiguousarray(planes))[0].transpose(1, 2, 0)
    restored = SEED.restore(PHOTOGRAPH[:, :160])
    assert restored.dtype == np.uint8
    np.testing.assert_array_equal(restored, np.rint(np.clip(direct, 0, 1) * 255))


@pytest.mark.parametrize("shape", [(1, 1), (3, 2, 3), (33, 47, 3), (33, 47, 1), (32, 32)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.float16])
def test_shape_and_dtype_come_back(shape: tuple[int, ...], dtype: type) -> None:
    values = np.random.default_rng(0).random(shape)
    array = (values * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)
    before = array.copy()
    restored = SEED.restore(array)
    assert restored.shape == shape
    assert restored.dtype == dtype
    np.testing.assert_array_equal(array, before)


def test_the_same_picture_restores_to_the_same_at_every_depth() -> None:
    eight = SEED.restore(PHOTOGRAPH) / 255
    deep = SEED.restore(PHOTOGRAPH.astype(np.uint16) * 257) / 65535
    floats = SEED.restore(PHOTOGRAPH.astype(np.float32) / 255)
    np.testing.assert_allclose(eight, floats, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(deep, floats, atol=0.5 / 65535 + 1e-6)


def test_a_batch_gives_what_each_picture_gives_alone() -> None:
    pictures = np.stack([PHOTOGRAPH[:40, :50], PHOTOGRAPH[40:80, 50:100]])
    for batch in (pictures, pictures / np.float32(255) * 1.5 - 0.25):
        together = SEED.restore(batch)
        for one, each in zip(batch, together, strict=True):
            np.testing.assert_allclose(each.astype(float), SEED.restore(one).astype(float), atol=1 if batch.dtype == np.uint8 else 1e-5)
    assert 0 <= together.min() <= together.max() <= 1


def test_a_model_that_gives_no_numbers_is_refused_alone_and_in_a_batch(tmp_path: Path) -> None:
    def break_it(proto: onnx.ModelProto, _card: dict[str, Any]) -> None:
        (bias,) = (each for each in proto.graph.initializer if list(each.dims) == [3])
        bias.CopyFrom(onnx.numpy_helper.from_array(np.full(3, np.nan, np.float32), bias.name))

    broken = burnish.load(changed(tmp_path / "broken.onnx", break_it))
    for array in (PHOTOGRAPH, np.stack([PHOTOGRAPH[:32, :32]] * 2)):
        with pytest.raises(ModelError, match="no numbers"):
            broken.restore(array)


def test_pil_images_keep_their_mode_and_what_they_carry_or_are_refused() -> None:
    colour = Image.fromarray(PHOTOGRAPH)
    colour.info = {"icc_profile": b"mine", "dpi": (72, 72)}
    restored = SEED.restore(colour)
    assert restored.info == colour.info
    np.testing.assert_array_equal(np.asarray(restored), SEED.restore(PHOTOGRAPH))
    for mode, expected in (("L", "L"), ("LA", "LA"), ("RGBA", "RGBA"), ("P", "RGB"), ("1", "L")):
        assert SEED.restore(colour.convert(mode)).mode == expected
    for mode in ("F", "I", "CMYK", "LAB"):
        with pytest.raises(InputError, match=f"mode {mode} has no known range or colours"):
            SEED.restore(Image.new(mode, (8, 8)))


def test_tiles_change_nothing() -> None:
    floats = PHOTOGRAPH.astype(np.float32) / 255
    whole = SEED.restore(floats)
    for tile in (1, 16, 50, 1000):
        np.testing.assert_allclose(SEED.restore(floats, tile=tile), whole, atol=1e-5)


def test_many_threads_share_one_model() -> None:
    wanted = SEED.restore(PHOTOGRAPH)
    results: list[NDArray[np.uint8]] = []
    threads = [threading.Thread(target=lambda: results.append(SEED.restore(PHOTOGRAPH))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(result, wanted) for result in results)


def test_the_seed_encodes_into_its_bottleneck() -> None:
    latent = SEED.encode(PHOTOGRAPH[:32, :32])
    assert latent.shape == (16, 8, 8)
    assert latent.min() >= 0  # after a ReLU
    assert latent.max() > 0


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((0, 5, 3), np.uint8), InputError, "no picture"),
        (np.zeros(5, np.uint8), InputError, "no picture"),
        (np.zeros((5, 5, 3), np.int64), InputError, "array of int64"),
        (np.zeros((5, 5, 5), np.uint8), ModelError, r"takes 3 channel\(s\), the picture has 5"),
        (np.full((5, 5, 3), np.nan), InputError, "not finite"),
    ],
)
def test_what_is_no_picture_is_refused(array: NDArray[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SEED.restore(array)


# --- Bad files ---


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


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 2, "upgrade Burnish"),
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


def test_graphs_with_other_inputs_or_outputs_are_refused(tmp_path: Path) -> None:
    def renamed(proto: onnx.ModelProto, _card: dict[str, Any]) -> None:
        old = proto.graph.input[0].name
        proto.graph.input[0].name = "picture"
        for node in proto.graph.node:
            node.input[:] = ["picture" if name == old else name for name in node.input]

    with pytest.raises(ModelError, match="a Burnish model has image and restored"):
        burnish.load(changed(tmp_path / "a.onnx", renamed))


def identity(path: Path, **card: Any) -> Path:
    """A one-layer model that gives what it takes, with a card that differs from the seed's as told."""
    kernel = numpy_helper.from_array(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1), "conv.weight")
    sizes = ["n", 3, *(card.get("input_size") or ["h", "w"])]
    node = helper.make_node("Conv", ["image", "conv.weight"], ["restored"])
    image, restored = (helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name in ("image", "restored"))
    proto = helper.make_model(helper.make_graph([node], "g", [image], [restored], [kernel]), ir_version=10)
    proto.opset_import[0].version = 18
    values = json.loads(SEED.card.to_json()) | {"parameters": 9, "halo": 0, "multiple_of": 1, "name": "identity"} | card
    proto.metadata_props.add(key="burnish", value=json.dumps(values))
    path.write_bytes(proto.SerializeToString())
    return path


def test_a_model_of_one_size_refuses_others(tmp_path: Path) -> None:
    loaded = burnish.load(identity(tmp_path / "a.onnx", input_size=[20, 30]))
    np.testing.assert_array_equal(loaded.restore(PHOTOGRAPH[:20, :30]), PHOTOGRAPH[:20, :30])
    with pytest.raises(ModelError, match="takes only pictures of 20×30"):
        loaded.restore(PHOTOGRAPH[:30, :20])


def test_a_model_without_a_bottleneck_does_not_encode(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no latent"):
        burnish.load(identity(tmp_path / "a.onnx")).encode(PHOTOGRAPH)
