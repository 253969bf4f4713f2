"""A model of images runs on arrays of every kind, and refuses in one line what it cannot take."""

import copy
import json
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from burnish.degradation import Degradation
from burnish.errors import InputError, ModelError
from burnish.image import model as image_model

SEED = burnish.load("seed")
PHOTOGRAPH = data.coffee()[50:178, 100:262]


def changed(path: Path, change: Callable[[onnx.ModelProto, dict[str, Any]], None]) -> Path:
    """The seed's model file with its graph or card changed."""
    proto = onnx.load(SEED.path)
    card = json.loads(SEED.card.to_json())
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


@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_bytes_may_come_in_either_order(kind: str) -> None:
    array = PHOTOGRAPH[:33, :47].astype(f"<{kind}") / 255
    array = (array if kind == "f4" else array * 65535).astype(f"<{kind}")
    other = SEED.restore(array.astype(f">{kind}"))
    assert other.dtype == f">{kind}"
    np.testing.assert_array_equal(other, SEED.restore(array))


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


def test_a_batch_is_encoded_picture_by_picture() -> None:
    pictures = np.stack([PHOTOGRAPH[:33, :50], PHOTOGRAPH[40:73, 50:100], PHOTOGRAPH[60:93, 9:59]])
    together = SEED.encode(pictures)
    assert together.shape == (3, 16, 9, 13)
    for picture, latent in zip(pictures, together, strict=True):
        np.testing.assert_allclose(SEED.encode(picture), latent, atol=1e-5)
    assert SEED.encode(pictures[:1]).shape == (1, 16, 9, 13)


def test_alpha_is_left_out_of_the_latent_and_grey_goes_in_as_colour() -> None:
    alpha = np.full((32, 32, 1), 7, np.uint8)
    colour, grey = PHOTOGRAPH[:32, :32], PHOTOGRAPH[:32, :32, 0]
    np.testing.assert_array_equal(SEED.encode(np.concatenate([colour, alpha], 2)), SEED.encode(colour))
    np.testing.assert_array_equal(SEED.encode(grey), SEED.encode(np.stack([grey] * 3, 2)))


def test_strength_blends_with_the_picture_as_it_was() -> None:
    floats = PHOTOGRAPH.astype(np.float32) / 255
    whole = SEED.restore(floats)
    np.testing.assert_allclose(SEED.restore(floats, strength=0.25), floats + 0.25 * (whole - floats), atol=1e-6)
    np.testing.assert_array_equal(SEED.restore(PHOTOGRAPH, strength=0), PHOTOGRAPH)
    pictures = np.stack([PHOTOGRAPH[:40, :50], PHOTOGRAPH[40:80, 50:100]])
    for one, each in zip(pictures, SEED.restore(pictures, strength=0.5), strict=True):
        np.testing.assert_allclose(each.astype(float), SEED.restore(one, strength=0.5).astype(float), atol=1)
    halved = np.asarray(SEED.restore(Image.fromarray(PHOTOGRAPH), strength=0.5))
    np.testing.assert_array_equal(halved, SEED.restore(PHOTOGRAPH, strength=0.5))


@pytest.mark.parametrize("wrong", [{"strength": 5}, {"strength": -0.1}, {"strength": float("nan")}, {"tile": -7}, {"tile": 0}])
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    for picture in (PHOTOGRAPH, Image.fromarray(PHOTOGRAPH)):
        with pytest.raises(InputError, match=f"{name} = {value}"):
            SEED.restore(picture, **wrong)


@pytest.mark.parametrize("white", [255, 65535, 4095])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_on_another_scale_are_refused_with_what_to_do(white: int, dtype: type) -> None:
    if white > float(np.finfo(dtype).max):
        pytest.skip("no such float")
    for method in (SEED.restore, SEED.encode):
        with pytest.raises(InputError, match="divide them by what white is"):
            method((PHOTOGRAPH / 255 * white).astype(dtype))


@pytest.mark.parametrize("spec", ["noise:255", "poisson:1", "noise:100+blur:1"])
def test_floats_that_noise_took_out_of_the_range_are_no_other_scale(spec: str) -> None:
    assert SEED.restore(Degradation.parse(spec).apply(PHOTOGRAPH)).shape == PHOTOGRAPH.shape


def test_a_model_is_pickled_and_copied_with_its_weights_and_threads(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(SEED.path.read_bytes())
    loaded = burnish.load(path, threads=1)
    path.unlink()
    for other in (pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded), copy.copy(loaded)):
        assert isinstance(other, burnish.Model)
        assert (other.card, other.path, other.file.threads) == (loaded.card, path, 1)
        np.testing.assert_array_equal(other.restore(PHOTOGRAPH), SEED.restore(PHOTOGRAPH))


def test_encoding_is_the_latent_of_the_whole_graph() -> None:
    photograph = PHOTOGRAPH[:64, :64]
    planes = np.ascontiguousarray(photograph.transpose(2, 0, 1))[None].astype(np.float32) / 255
    (latent,) = SEED.file.run(["latent"], {"image": planes})
    np.testing.assert_array_equal(SEED.encode(photograph), latent[0])


def test_threads_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = burnish.load("seed", threads=1)
    loaded.encode(PHOTOGRAPH)  # opens the part of the graph that encodes
    running: list[int] = []
    most: list[int] = []

    class Watched:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self, *args: Any) -> Any:
            running.append(1)
            most.append(len(running))
            result = self.session.run(*args)
            running.pop()
            return result

    monkeypatch.setitem(loaded.file.__dict__, "_session", Watched(loaded.file._session))
    for ends, session in loaded.file._parts.items():
        monkeypatch.setitem(loaded.file._parts, ends, Watched(session))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(loaded.restore, [PHOTOGRAPH] * 12))
        list(pool.map(loaded.encode, [PHOTOGRAPH] * 12))
    assert len(most) == 24
    assert max(most) == 1


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((0, 5, 3), np.uint8), InputError, "no image"),
        (np.zeros(5, np.uint8), InputError, "no image"),
        (np.zeros((5, 5, 3), np.int64), InputError, "array of int64"),
        (np.zeros((5, 5, 5), np.uint8), ModelError, r"takes 3 channel\(s\), the image has 5"),
        (np.full((5, 5, 3), np.nan), InputError, "not finite"),
    ],
)
def test_what_is_no_picture_is_refused(array: NDArray[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SEED.restore(array)


# --- Graphs that are not an image model's ---


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
    with pytest.raises(ModelError, match="takes only images of 20×30"):
        loaded.restore(PHOTOGRAPH[:30, :20])


def test_a_model_without_a_bottleneck_does_not_encode(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no latent"):
        burnish.load(identity(tmp_path / "a.onnx")).encode(PHOTOGRAPH)


def test_a_model_of_another_medium_is_refused(tmp_path: Path) -> None:
    def audio(_proto: onnx.ModelProto, card: dict[str, Any]) -> None:
        card.update(format=2, kind="audio", macs_per_second=1e6)

    path = changed(tmp_path / "a.onnx", audio)
    with pytest.raises(ModelError, match="restores audio, not images"):
        image_model.load(path)
