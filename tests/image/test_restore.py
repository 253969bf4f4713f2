"""A photo restored: exactly what the graph gives for the whole, whatever the file; or left alone, or refused, and nothing lost."""

import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import gallery
import numpy as np
import onnx
import pytest
import pyvips
from conftest import needs_proc
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from skimage import data

import burnish
from burnish import origin
from burnish.errors import InputError, ModelError
from burnish.image import restore, survey
from burnish.image.restore import RestoreResult, Settings, Work
from burnish.model import file as model_file

TINY = burnish.load("tiny-blind", 1)
FORCED = Settings(gate=False)


def restored(source: Path, target: Path, settings: Settings = FORCED, model: burnish.Model = TINY) -> RestoreResult:
    """What became of the photo."""
    return restore.restored(Work(source, target, model, settings, unseen, unseen))


def unseen(pixels: int) -> None:
    """Nobody looks how far it is."""


def exact(path: Path) -> NDArray[Any]:
    """The pixels of a file whose format loses none."""
    pixels: NDArray[Any] = gallery.opened(path).numpy()
    return pixels[..., None] if pixels.ndim == 2 else pixels


# --- What is restored is what the model gives for the whole ---


@pytest.mark.parametrize("name", ["plain.png", "grey.png", "deep.png", "deep-grey.png", "transparent.png", "tiles.tif", "float.tif"])
@pytest.mark.parametrize("tile", [16, 50, None])
def test_a_file_is_restored_as_an_array_is(name: str, tile: int | None, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", name)
    assert restored(source, tmp_path / name, Settings(gate=False, tile=tile)).status == "restored"
    before, after = exact(source), exact(tmp_path / name)
    assert after.dtype == before.dtype
    scale = np.iinfo(before.dtype).max if before.dtype.kind == "u" else 1
    if scale == 65535:  # the array's API takes 16 bits as they are, as the file's does for PNG
        scale = 65535
    difference = np.abs(after.astype(float) - TINY.restore(before).astype(float)).max()
    assert difference <= (1 if scale > 1 else 1e-5), "a rounding apart at most"
    assert np.abs(after.astype(float) - before).max() > 0.01 * scale, "something was restored"


def graph(channels: int, stride: int, radius: int, rng: np.random.Generator) -> onnx.ModelProto:
    """An untrained network: a stride of `stride` down, a filter, and up again, beside the image itself."""
    kernel = rng.normal(size=(channels, channels, 2 * radius + 1, 2 * radius + 1)).astype(np.float32) / (3 * (2 * radius + 1))
    nodes = [
        helper.make_node("SpaceToDepth", ["image"], ["cells"], blocksize=stride),
        helper.make_node("DepthToSpace", ["filtered"], ["upsampled"], blocksize=stride),
        helper.make_node("Add", ["image", "upsampled"], ["restored"]),
    ]
    wide = channels * stride**2
    kernel = np.zeros((wide, wide, 2 * radius + 1, 2 * radius + 1), np.float32)
    kernel[np.arange(wide), rng.permutation(wide)] = rng.normal(size=(wide, *kernel.shape[2:])) / kernel[0, 0].size
    nodes.insert(1, helper.make_node("Conv", ["cells", "kernel"], ["filtered"], pads=[radius] * 4))
    shape = ["N", channels, "H", "W"]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "untrained",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("restored", TensorProto.FLOAT, shape)],
            [onnx.numpy_helper.from_array(kernel, "kernel")],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )


def untrained(path: Path, channels: int, stride: int, radius: int, size: list[int] | None = None) -> burnish.Model:
    """A model file of such a network, loaded."""
    proto = graph(channels, stride, radius, np.random.default_rng(stride + radius))
    card = __import__("json").loads(TINY.card.to_json()) | {
        "name": "untrained",
        "channels": channels,
        "multiple_of": stride,
        "halo": stride * (radius + 1) - 1,
        "input_size": size,
        "parameters": int(np.prod(proto.graph.initializer[0].dims)),
    }
    entry = proto.metadata_props.add()
    entry.key, entry.value = "burnish", __import__("json").dumps(card)
    path.write_bytes(proto.SerializeToString())
    return burnish.load(path, 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, burnish.Model]:
    """The shipped models, and untrained ones of other shapes."""
    folder = tmp_path_factory.mktemp("models")
    made = {name: burnish.load(name, 1) for name in model_file.shipped() if name != "speech"}
    shapes = {"stride-2": (3, 2, 2), "stride-4": (3, 4, 1), "stride-8": (3, 8, 0), "wide": (3, 1, 20), "grey": (1, 2, 1), "four": (4, 2, 1)}
    return made | {name: untrained(folder / f"{name}.onnx", *shape) for name, shape in shapes.items()}


MODELS = ["seed", "patches", "tiny-blind", "tiny-deblur", "stride-2", "stride-4", "stride-8", "wide", "grey", "four"]


@given(st.sampled_from(MODELS), st.integers(1, 120), st.integers(1, 120), st.integers(12, 130), st.integers(0, 2**32 - 1))
def test_tiled_is_one_run_on_the_padded_whole(
    models: dict[str, burnish.Model], name: str, height: int, width: int, tile: int, seed: int
) -> None:
    model = models[name]
    card = model.card
    picture = np.random.default_rng(seed).random((height, width, card.channels), np.float32)
    low, right = (-length % card.multiple_of for length in (height, width))
    padded = np.pad(picture, ((0, low), (0, right), (0, 0)), mode="symmetric").transpose(2, 0, 1)[None]
    direct = np.clip(model.run(np.ascontiguousarray(padded))[0, :, :height, :width].transpose(1, 2, 0), 0, 1)
    np.testing.assert_allclose(model.restore(picture, tile=tile), direct, atol=1e-5)


def test_every_shipped_model_is_among_the_tested() -> None:
    assert set(model_file.shipped()) <= {*MODELS, "photo", "photo-fast", "deblur", "speech", "latent"}


@pytest.mark.parametrize("name", ["stack.tif", "moving.webp"])
def test_every_page_is_restored_by_itself(name: str, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", name)
    assert restored(source, tmp_path / name).status == "restored"
    before, after = exact(source), exact(tmp_path / name)
    for top in range(0, len(before), gallery.SIDE[0]):
        page = slice(top, top + gallery.SIDE[0])
        assert np.abs(after[page].astype(int) - TINY.restore(before[page])).max() <= 1


def test_strength_blends(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", "deep.png")
    for strength in (0.0, 0.5, 1.0):
        restored(source, tmp_path / f"{strength}.png", Settings(strength=strength, gate=False))
    none, half, whole = (exact(tmp_path / f"{strength}.png").astype(float) for strength in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none, exact(source))
    assert np.abs(half - (none + whole) / 2).max() <= 1


def test_alpha_is_untouched_and_nothing_bleeds_out_of_what_is_hidden(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", "transparent.png")
    restored(source, tmp_path / "black.png")
    white = exact(source).copy()
    hidden = white[..., 3] == 0
    white[hidden, :3] = 255
    gallery.image(white).pngsave(str(tmp_path / "in" / "white.png"))
    restored(tmp_path / "in" / "white.png", tmp_path / "white.png")
    black, other = exact(tmp_path / "black.png"), exact(tmp_path / "white.png")
    np.testing.assert_array_equal(black[..., 3], white[..., 3])
    assert (black[hidden, :3] == 0).all()
    assert (other[hidden, :3] == 255).all()
    np.testing.assert_array_equal(black[~hidden], other[~hidden])


def test_ranges_are_told_from_the_data_and_inverted(tmp_path: Path) -> None:
    (twelve, beyond) = gallery.write(tmp_path / "in", "twelve-bits.tif", "beyond.tif")
    restored(twelve, tmp_path / "twelve.tif")
    expected = TINY.restore(exact(twelve).astype(np.float32) / 4095) * 4095
    assert np.abs(exact(tmp_path / "twelve.tif") - expected).max() <= 1
    restored(beyond, tmp_path / "beyond.tif")
    before, after = exact(beyond), exact(tmp_path / "beyond.tif")
    low, high = before.min(), before.max()
    expected = TINY.restore((before - low) / (high - low)) * (high - low) + low
    np.testing.assert_allclose(after, expected, atol=1e-3 * (high - low))
    restored(beyond, tmp_path / "told.tif", Settings(value_range=(-1000, 1000), gate=False))
    expected = TINY.restore((before + 1000) / 2000) * 2000 - 1000
    np.testing.assert_allclose(exact(tmp_path / "told.tif"), expected, atol=0.2)


def test_a_range_is_for_what_has_more_than_eight_bits(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    restored(source, tmp_path / "plain-out.png", Settings(gate=False, value_range=(0, 1)))
    np.testing.assert_array_equal(exact(tmp_path / "plain-out.png"), TINY.restore(exact(source)))


@pytest.mark.parametrize("value", [5000.0, -3.0, 0.5])
def test_a_constant_of_floats_stays_what_it_is(value: float, tmp_path: Path) -> None:
    gallery.image(np.full((40, 40), value, np.float32), "b-w").tiffsave(str(tmp_path / "even.tif"))
    assert restored(tmp_path / "even.tif", tmp_path / "out.tif").status == "restored"
    np.testing.assert_allclose(exact(tmp_path / "out.tif"), value, rtol=0.02)


def test_inks_are_restored_as_colours(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path / "in", "inks.tif")
    restored(source, tmp_path / "inks.tif")
    before, after = exact(source), exact(tmp_path / "inks.tif")
    expected = 255 - TINY.restore(255 - before[..., :3])
    assert np.abs(after[..., :3].astype(int) - expected).max() <= 1


# --- What is left alone, and what fails ---


def photograph(path: Path, spec: str) -> Path:
    """A real photograph, degraded, as PNG."""
    gallery.image(gallery.spoilt(spec, data.astronaut()[:300, :300])).pngsave(str(path))
    return path


def test_a_photo_the_model_was_not_made_for_is_copied_byte_for_byte(tmp_path: Path) -> None:
    source = photograph(tmp_path / "noisy.png", "noise:40+8bit")
    outcome = restored(source, tmp_path / "out" / "noisy.png", Settings())
    assert outcome.status == "unchanged"
    assert "noisier than anything tiny-blind was trained on" in outcome.notes[0]
    assert (tmp_path / "out" / "noisy.png").read_bytes() == source.read_bytes()
    assert restored(source, tmp_path / "forced.png", FORCED).status == "restored"
    assert (tmp_path / "forced.png").read_bytes() != source.read_bytes()


def test_left_alone_in_another_format_it_says_what_that_lacks(tmp_path: Path) -> None:
    gallery.image(np.zeros((64, 64, 3), np.uint8) + 99).pngsave(str(tmp_path / "palette.png"), palette=True)
    sharp = dataclasses.replace(TINY.card, degradation="blur:2-3+8bit")
    model = burnish.load("tiny-blind", 1)
    model.file.card = sharp
    noisy = photograph(tmp_path / "noisy.png", "noise:40+8bit")
    gallery.opened(noisy).pngsave(str(tmp_path / "few.png"), palette=True)
    outcome = restored(tmp_path / "few.png", tmp_path / "few.tif", Settings(), model)
    assert outcome.status == "unchanged"
    assert any("palette" in note for note in outcome.notes)


def test_a_clean_photo_is_not_made_worse(tmp_path: Path) -> None:
    source = photograph(tmp_path / "clean.png", "8bit")
    outcome = restored(source, tmp_path / "out.png", Settings())
    change = np.abs(exact(source).astype(int) - exact(tmp_path / "out.png"))
    assert outcome.status == "unchanged" or np.quantile(change, 0.999) < 2.55
    assert restored(photograph(tmp_path / "blurred.png", "blur:1.2+8bit"), tmp_path / "b.png", Settings()).status == "restored"


@pytest.mark.parametrize(("constant", "words"), [(float("nan"), "no numbers"), (0.0, "empty area")], ids=["not-a-number", "black"])
@pytest.mark.parametrize("gate", [True, False])
def test_a_model_gone_wrong_writes_nothing(constant: float, words: str, gate: bool, tmp_path: Path) -> None:
    proto = onnx.load(TINY.path)
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.dims:
            values = onnx.numpy_helper.to_array(tensor) * 0 + np.float32(constant)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), tensor.name))
    last = proto.graph.node[-1]
    if constant == 0.0:  # whatever the network adds to the image, the result is black
        zero = helper.make_node("Mul", [last.output[0] + "_", "nothing"], ["restored"])
        last.output[0] += "_"
        proto.graph.node.append(zero)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
        card = __import__("json").loads(proto.metadata_props[0].value)
        card["parameters"] += 1
        proto.metadata_props[0].value = __import__("json").dumps(card)
    (tmp_path / "wrong.onnx").write_bytes(proto.SerializeToString())
    source = photograph(tmp_path / "blurred.png", "blur:1.2+8bit")
    outcome = restored(source, tmp_path / "out" / "a.png", Settings(gate=gate), burnish.load(tmp_path / "wrong.onnx"))
    if constant == 0.0 and not gate:
        assert outcome.status == "restored", "--force writes what it gets"
        return
    assert outcome.status == "failed"
    assert words in (outcome.error or "")
    assert not list((tmp_path / "out").glob("*"))


def test_not_a_number_in_the_picture_is_refused(tmp_path: Path) -> None:
    pixels = np.full((40, 40), 0.5, np.float32)
    pixels[3, 4] = np.nan
    gallery.image(pixels, "b-w").tiffsave(str(tmp_path / "nan.tif"))
    outcome = restored(tmp_path / "nan.tif", tmp_path / "out.tif")
    assert outcome.status == "failed"
    assert "NaN" in (outcome.error or "")


def test_a_folder_in_the_results_place_is_a_failure_and_a_link_to_nowhere_is_left(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    (tmp_path / "folder.png").mkdir()
    result = restored(source, tmp_path / "folder.png")
    assert result.status == "failed"
    assert "is a folder" in str(result.error)
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    result = restored(source, tmp_path / "link.png")
    assert result.status == "skipped"
    assert "leads nowhere" in result.notes[0]
    assert not (tmp_path / "nowhere.png").exists()


def test_what_exists_is_skipped_unless_asked_and_the_input_is_never_the_output(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    target = tmp_path / "out.png"
    target.write_bytes(b"mine")
    assert restored(source, target).status == "skipped"
    assert target.read_bytes() == b"mine"
    assert restored(source, target, Settings(gate=False, overwrite=True)).status == "restored"
    before = source.read_bytes()
    os.link(source, tmp_path / "link.png")
    for same in (source, tmp_path / "link.png"):
        outcome = restored(source, same, Settings(gate=False, overwrite=True))
        assert outcome.status == "failed"
        assert "own result" in (outcome.error or "")
    assert source.read_bytes() == before


def skipped(source: Path, target: Path, settings: Settings, model: burnish.Model = TINY) -> str:
    """Why a result that is there may be another than would be made."""
    result = restored(source, target, settings, model)
    assert result.status == "skipped"
    return "; ".join(result.notes)


def test_a_result_knows_what_made_it(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    target = tmp_path / "out.png"
    restored(source, target)
    if not origin._noted(target):
        pytest.skip("no extended attributes here")
    first = target.read_bytes()
    assert skipped(source, target, FORCED) == ""
    assert skipped(source, target, Settings(gate=False, tile=32)) == "", "tiles change nothing"
    assert "made with strength 1.0, not 0.5" in skipped(source, target, Settings(gate=False, strength=0.5))
    assert "made with force True, not False" in skipped(source, target, Settings())
    other = burnish.load("tiny-deblur", 1)
    assert "made by tiny-blind" in skipped(source, target, FORCED, other)
    gallery.image(gallery.spoilt("noise:9+8bit")).pngsave(str(source))
    assert "its source has changed" in skipped(source, target, FORCED)
    assert "--overwrite" in skipped(source, target, FORCED)
    assert target.read_bytes() == first
    restored(source, target, Settings(gate=False, overwrite=True))
    assert skipped(source, target, FORCED) == ""


def test_where_nothing_is_on_record_the_times_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("getxattr", "setxattr", "listxattr"):
        monkeypatch.delattr(os, name, raising=False)
    (source,) = gallery.write(tmp_path, "plain.png")
    restored(source, tmp_path / "out.png")
    assert "not on record" in skipped(source, tmp_path / "out.png", FORCED)
    os.utime(source, ns=(0, 10**18))
    assert "one of the two has changed" in skipped(source, tmp_path / "out.png", FORCED)


def test_the_record_of_a_source_is_not_its_results(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    restored(source, tmp_path / "once.png")
    restored(tmp_path / "once.png", tmp_path / "twice.png", Settings(gate=False, strength=0.5))
    assert skipped(tmp_path / "once.png", tmp_path / "twice.png", Settings(gate=False, strength=0.5)) == ""


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")
@pytest.mark.parametrize("spec", ["noise:8+8bit", "noise:40+8bit"], ids=["restored", "unchanged"])
def test_a_result_has_its_sources_rights_and_times(spec: str, tmp_path: Path) -> None:
    source = photograph(tmp_path / "private.png", spec)
    source.chmod(0o600)
    os.utime(source, ns=(10**18, 10**18))
    result = restored(source, tmp_path / "out.png", Settings(gate=spec == "noise:40+8bit"))
    assert result.status == ("restored" if spec == "noise:8+8bit" else "unchanged")
    status = (tmp_path / "out.png").stat()
    assert status.st_mode & 0o777 == 0o600
    assert status.st_mtime_ns == 10**18


def test_what_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    target = tmp_path / "out.png"
    result = restore.restored(Work(source, target, TINY, FORCED, unseen, lambda _pixels: target.write_bytes(b"of another") and None))
    assert (result.status, target.read_bytes()) == ("skipped", b"of another")
    assert "meanwhile" in result.notes[0]


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_what_is_held_comes_out_as_what_is_streamed(strength: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = photograph(tmp_path / "blurred.png", "blur:1.2+noise:3+8bit")
    seen: list[int] = []
    for name in ("held", "streamed"):
        settings = Settings(strength=strength)
        work = Work(source, tmp_path / f"{name}.png", TINY, settings, unseen, seen.append)
        assert restore.restored(work).status == "restored"
        monkeypatch.setattr(survey, "HELD", 0)
    np.testing.assert_array_equal(exact(tmp_path / "held.png"), exact(tmp_path / "streamed.png"))


def test_a_large_photo_is_judged_by_samples_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "HELD", 0)
    clean = photograph(tmp_path / "clean.png", "noise:40+8bit")
    assert restored(clean, tmp_path / "a.png", Settings()).status == "unchanged"
    noisy = photograph(tmp_path / "blurred.png", "blur:1.2+8bit")
    assert restored(noisy, tmp_path / "b.png", Settings()).status == "restored"


def test_a_photo_that_changes_meanwhile_fails(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")

    def touch(pixels: int) -> None:
        if pixels:
            os.utime(source, ns=(0, 0))

    outcome = restore.restored(Work(source, tmp_path / "out.png", TINY, FORCED, unseen, touch))
    assert outcome.status == "failed"
    assert "changed while" in (outcome.error or "")
    assert not (tmp_path / "out.png").exists()


def test_a_model_of_one_size_refuses_others(tmp_path: Path) -> None:
    model = untrained(tmp_path / "fixed.onnx", 3, 2, 1, [32, 48])
    (source,) = gallery.write(tmp_path, "plain.png")
    assert "32×48" in (restored(source, tmp_path / "out.png", model=model).error or "")
    assert model.restore(np.zeros((32, 48, 3), np.uint8)).shape == (32, 48, 3)


# --- The API ---


def test_restore_file(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "camera.jpg")
    outcome = burnish.restore_file(source, tmp_path / "out.jpg", "tiny-blind")
    assert outcome.status == "restored"
    assert outcome.megapixels == pytest.approx(0.0195)
    assert outcome.seconds > 0
    assert burnish.restore_file(str(source), str(tmp_path / "out.jpg"), TINY).status == "skipped"
    with pytest.raises(InputError, match=r"none\.jpg"):
        burnish.restore_file(tmp_path / "none.jpg", tmp_path / "b.jpg", TINY)
    with pytest.raises(ModelError, match="nonsense"):
        burnish.restore_file(source, tmp_path / "b.jpg", "nonsense")
    noisy = photograph(tmp_path / "noisy.png", "noise:40+8bit")
    assert burnish.restore_file(noisy, tmp_path / "c.png", TINY).status == "restored", "programs are not gated"
    assert burnish.restore_file(noisy, tmp_path / "d.png", TINY, gate=True).status == "unchanged"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"strength": 5}, "strength = 5"),
        ({"strength": float("nan")}, "strength = nan"),
        ({"tile": -7}, "tile = -7"),
        ({"value_range": (9, 3)}, "black below white"),
        ({"value_range": (0, float("inf"))}, "black below white"),
        ({"max_pixels": 0}, "max_pixels = 0"),
        ({"threads": 0}, "threads = 0"),
        ({"model": TINY, "threads": 2}, "a loaded model has its own"),
        ({"max_pixels": 100}, "limit of 100"),
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any], words: str, tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "plain.png")
    with pytest.raises(InputError, match=words):
        burnish.restore_file(source, tmp_path / "out.png", **{"model": "tiny-blind"} | wrong)
    assert not (tmp_path / "out.png").exists()


def test_results_are_values(tmp_path: Path) -> None:
    (source,) = gallery.write(tmp_path, "beyond.tif")
    result = burnish.restore_file(source, tmp_path / "out.tif", "tiny-blind", value_range=(-1000, 1000), threads=1)
    assert isinstance(result, burnish.RestoreResult)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.status = "failed"  # type: ignore[misc]
    assert list(result.to_json()) == ["input", "output", "status", "seconds", "megapixels", "noise", "jpeg", "error", "notes"]
    expected = TINY.restore((exact(source) + 1000) / 2000) * 2000 - 1000
    np.testing.assert_allclose(exact(tmp_path / "out.tif"), expected, atol=0.2)


def test_threads_share_a_model(tmp_path: Path) -> None:
    sources = gallery.write(tmp_path / "in", "plain.png", "deep.png", "transparent.png", "stack.tif")
    for source in sources:
        restored(source, tmp_path / "one" / source.name)
    threads = [threading.Thread(target=restored, args=(source, tmp_path / "many" / source.name)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for source in sources:
        assert (tmp_path / "one" / source.name).read_bytes() == (tmp_path / "many" / source.name).read_bytes()


@needs_proc
def test_memory_does_not_grow_with_the_picture(tmp_path: Path) -> None:
    """The peak, as the kernel counts it, of a process that restores 16 megapixels stays near that of one that restores one."""
    untrained(tmp_path / "model.onnx", 3, 4, 0)
    photograph = pyvips.Image.new_from_array(gallery.spoilt("blur:1+8bit", data.astronaut()))
    peaks = {}
    for times in (2, 32):
        source, target = tmp_path / f"{times}.tif", tmp_path / f"{times}-out.tif"
        photograph.replicate(2, times).tiffsave(str(source))
        code = (
            "import resource, sys, burnish; burnish.restore_file(*sys.argv[1:3], burnish.load(sys.argv[3], 1)); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code, source, target, tmp_path / "model.onnx"], capture_output=True, check=True)
        peaks[times] = int(done.stdout)
    assert peaks[32] < peaks[2] + 40_000, "kilobytes; the image itself has 50,000"
