"""`burnish evaluate`, and the function of that name: what it prints where, and its exit status."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import pyvips
from command import BURNISH, burnish_, refused
from conftest import STANDIN, crops, needs_standin

import burnish
from burnish.image import datasets, folder, metrics


def test_evaluate_prints_one_object_a_model(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    shutil.copy(burnish.load("seed").path, other)
    result = burnish_("evaluate", "seed", other, "--data", "photos", "--degrade", "blur:1.0+8bit", "--no-baselines", "--json")
    assert result.returncode == 0
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["model"] != second["model"]
    assert first["psnr"] == second["psnr"]
    assert first["images"] == 2
    assert first["helps"] is False
    assert first["gain_db"] == pytest.approx(first["psnr"]["model"] - first["psnr"]["input"])
    assert first["gain_db_ci95"][0] <= first["gain_db"] <= first["gain_db_ci95"][1]
    assert {"input", "model"} == first["psnr"].keys() == first["ssim"].keys() == first["channel_accuracy"].keys()
    assert first["parameters"] == 6467


def test_evaluate_says_in_words_that_a_model_does_not_help_and_check_makes_it_status_three() -> None:
    plain = burnish_("evaluate", "seed", "--data", "photos", "--no-baselines")
    assert plain.returncode == 0
    assert "seed does not help" in plain.stdout
    assert burnish_("evaluate", "seed", "--data", "photos", "--no-baselines", "--check").returncode == 3


def test_evaluate_names_unreadable_pictures_scores_the_others_and_ends_with_status_one(picture_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(picture_folder, folder)
    (folder / "07.png").write_bytes((folder / "07.png").read_bytes()[:300])
    result = burnish_("evaluate", "seed", "--data", folder, "--no-baselines", "--json", "--report", tmp_path / "report.html")
    assert result.returncode == 1
    board = json.loads(result.stdout)
    assert board["images"] == 23
    assert [each["name"] for each in board["skipped"]] == ["07.png"]
    assert "07.png" in result.stderr
    assert "1 of 24" in result.stderr
    assert "07.png" in (tmp_path / "report.html").read_text("utf-8")


def test_evaluate_takes_odd_sizes_and_modes(tmp_path: Path) -> None:
    import pyvips

    coffee = datasets.load("photos", "test").images[1]
    for index, (height, width) in enumerate([(1, 1), (5, 64), (33, 31)]):
        pyvips.Image.new_from_array(coffee[:height, :width]).write_to_file(str(tmp_path / f"{index}.png"))
    pyvips.Image.new_from_array(coffee[:40, :40, :1].astype(np.uint16) * 257, interpretation="grey16").write_to_file(
        str(tmp_path / "deep.tif")
    )
    result = burnish_("evaluate", "seed", "--data", tmp_path, "--degrade", "noise:10", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["images"] == 4
    assert "unsharp" in json.loads(result.stdout)["psnr"]


def test_evaluate_refuses_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "fake.onnx").write_bytes(b"no model")
    seed = ["evaluate", "seed", "--data"]
    refused(burnish_(*seed, tmp_path / "empty"), 1, "empty", "holds no image")
    refused(burnish_(*seed, tmp_path / "none"), 1, "no such file or folder")
    refused(burnish_("evaluate", "sead", "--data", "photos"), 2, "did you mean 'seed'")
    refused(burnish_("evaluate", tmp_path / "fake.onnx", "--data", "photos"), 1, "fake.onnx", "not an ONNX model")
    refused(burnish_(*seed, "photos", "--degrade", "blurr:1"), 2, "did you mean blur:1.0")
    (tmp_path / "a.tar.gz").write_bytes(b"no archive")
    assert "not a whole CIFAR-10 archive" in burnish_(*seed, tmp_path / "a.tar.gz").stderr


@needs_standin
def test_evaluate_takes_an_archive() -> None:
    result = burnish_("evaluate", "seed", "--data", STANDIN, "--limit", "50", "--no-baselines", "--json")
    assert result.returncode == 0
    assert "not the official CIFAR-10 archive" in result.stderr
    board = json.loads(result.stdout)
    assert board["images"] == 50
    assert board["gain_db"] < 0 < board["channel_accuracy"]["model"]


# --- Pairs ---


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """Noisy and clean photographs of 16 bits, four pairs, the second of them stored on its side."""
    rng = np.random.default_rng(0)
    for index, image in enumerate(crops(4, 96)):
        deep = image.astype(np.uint16) * 257
        noisy = np.clip(deep + rng.normal(0, 3000, deep.shape), 0, 65535).astype(np.uint16)
        for name, pixels, ending in (("noisy", noisy, "png"), ("clean", deep, "tif")):
            turned = index == 1 and name == "noisy"
            stored = np.ascontiguousarray(np.rot90(pixels) if turned else pixels)
            made = pyvips.Image.new_from_array(stored, interpretation="rgb16").copy()
            made.set_type(pyvips.GValue.gint_type, "orientation", 6 if turned else 1)
            (tmp_path / name).mkdir(exist_ok=True)
            made.write_to_file(str(tmp_path / name / f"{index}.{ending}"))
    return tmp_path / "noisy", tmp_path / "clean"


def test_real_pairs_are_scored_as_they_are(pairs: tuple[Path, Path]) -> None:
    noisy, clean = pairs
    result = burnish_("evaluate", "photo-fast", "--data", noisy, "--clean", clean, "--json")
    assert result.returncode == 0, result.stderr
    board = json.loads(result.stdout)
    assert (board["items"], board["degradation"], board["kind"], board["metric"]) == (4, "own", "image", "psnr")
    both = [[datasets.read(folder / f"{i}.{ending}") / 65535 for folder, ending in ((noisy, "png"), (clean, "tif"))] for i in range(4)]
    assert board["psnr"]["input"] == pytest.approx(np.mean([metrics.psnr(*pair) for pair in both]))
    assert board["helps"] is True
    assert "total_variation" in board["scores"]["psnr"]
    assert board["not_applicable"] == {"wiener_oracle": "what degraded these images is not known"}
    assert board["notes"] == []


def test_pairs_that_cannot_be_scored_are_told(pairs: tuple[Path, Path], tmp_path: Path) -> None:
    noisy, clean = pairs
    refused(burnish_("evaluate", "photo-fast", "--data", noisy, "--clean", clean, "--degrade", "noise:5"), 2, "degraded already")
    refused(burnish_("evaluate", "photo-fast", "--data", "photos", "--clean", clean), 1, "photos: is no folder")
    (noisy / "0.png").write_bytes((noisy / "0.png").read_bytes()[:900])
    (clean / "3.tif").unlink()
    report = tmp_path / "a.html"
    result = burnish_("evaluate", "photo-fast", "--data", noisy, "--clean", clean, "--no-baselines", "--json", "--report", report)
    assert result.returncode == 1
    board = json.loads(result.stdout)
    assert (board["items"], [each["name"] for each in board["skipped"]]) == (2, ["0.png"])
    assert "0.png: " in result.stderr
    assert board["notes"] == [f"1 image has no partner in {clean}: 3.png"]
    assert "has no partner" in result.stderr
    assert "has no partner" in report.read_text("utf-8")


def test_a_model_that_learnt_from_pairs_says_what_it_can_be_scored_on(pairs: tuple[Path, Path], tmp_path: Path) -> None:
    model = with_card(tmp_path / "own.onnx", degradation="own")
    refused(burnish_("evaluate", model, "--data", "photos"), 2, "learnt from pairs", "--clean DIR", "--degrade")
    noisy, clean = pairs
    assert burnish_("evaluate", model, "--data", noisy, "--clean", clean, "--no-baselines").returncode == 0


# --- What a reader must know ---


def with_card(path: Path, **changes: Any) -> Path:
    """The seed with another card."""
    model = onnx.load(burnish.load("seed").path)
    (entry,) = [each for each in model.metadata_props if each.key == "burnish"]
    entry.value = json.dumps(json.loads(entry.value) | changes)
    onnx.save(model, path)
    return path


def test_a_model_that_learnt_from_the_same_images_is_told_so(picture_folder: Path, tmp_path: Path) -> None:
    there = datasets.load(picture_folder, "test").origin()
    knows = {"by.onnx": there | {"name": "other"}, "name.onnx": there | {"fingerprint": "sha256:0"}, "not.onnx": {"name": "a"}}
    for name, data in knows.items():
        with_card(tmp_path / name, data=data, name=name.removesuffix(".onnx"))
    result = burnish_("evaluate", *(tmp_path / name for name in knows), "--data", picture_folder, "--no-baselines", "--json")
    assert result.returncode == 0
    by, name, not_at_all = (json.loads(line)["notes"] for line in result.stdout.splitlines())
    assert by == ["by learnt from these very images: what it gains on them says little about others"]
    assert name[0].startswith(f"name learnt from data of the same name, {picture_folder.name}")
    assert not_at_all == []
    assert f"burnish: {by[0]}" in result.stderr
    assert f"burnish: {name[0]}" in result.stderr


def test_a_source_with_test_images_of_its_own_warns_of_nothing(tmp_path: Path) -> None:
    model = with_card(tmp_path / "a.onnx", data=datasets.load("photos", "train").origin())
    assert json.loads(burnish_("evaluate", model, "--data", "photos", "--no-baselines", "--json").stdout)["notes"] == []


# --- Nothing is lost ---


def test_a_report_takes_the_place_of_no_file_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    command = ["evaluate", "seed", "--data", "photos", "--no-baselines", "--report", tmp_path / "mine.html"]
    refused(burnish_(*command), 1, "mine.html: exists already", "--overwrite")
    assert (tmp_path / "mine.html").read_text() == "mine"
    assert burnish_(*command, "--overwrite").returncode == 0
    assert "seed does not help" in (tmp_path / "mine.html").read_text("utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
def test_the_result_is_told_in_any_encoding(encoding: str, picture_folder: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    command = [*BURNISH, "evaluate", "seed", "--data", str(picture_folder), "--no-baselines"]
    result = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    told = result.stdout.decode(encoding)
    assert "seed does not help: " in told
    assert "dB further from the originals" in told
    assert b"should not have happened" not in result.stderr


# --- Only what is scored is decoded ---


def test_limit_decodes_no_more_and_a_folder_beyond_the_memory_each_once(picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    whole = folder.read
    monkeypatch.setattr(folder, "read", lambda path, *more: decoded.append(path.name) or whole(path, *more))
    monkeypatch.setattr("burnish.image.score.baselines.tune", lambda *_: ([], {}))
    (board,) = burnish.evaluate("seed", picture_folder, limit=1)
    assert (board.items, decoded) == (1, ["00.png"])
    monkeypatch.setattr("burnish.image.evaluate.HELD", 1000)
    decoded.clear()
    (streamed,) = burnish.evaluate("seed", picture_folder, baselines=False)
    assert sorted(decoded[:24]) == sorted(path.name for path in picture_folder.iterdir())
    assert len(decoded) == 24 + len(streamed.samples)
    decoded.clear()
    monkeypatch.undo()
    (held,) = burnish.evaluate("seed", picture_folder, baselines=False)
    assert held.psnr == streamed.psnr
    assert held.gain_ci95 == streamed.gain_ci95


def test_the_function_takes_what_the_command_takes(picture_folder: Path, pairs: tuple[Path, Path]) -> None:
    seed = burnish.load("seed")
    (loaded,) = burnish.evaluate(seed, "photos", "blur:1.0+8bit", baselines=False)
    first, second = burnish.evaluate(["seed", seed.path], "photos", "blur:1.0+8bit", baselines=False)
    assert loaded.psnr == first.psnr == second.psnr
    assert (first.kind, first.items, first.metric, first.helps) == ("image", 2, "psnr", False)
    (of_pairs,) = burnish.evaluate("seed", pairs[0], clean=pairs[1], limit=2, baselines=False)
    assert of_pairs.items == 2
    with pytest.raises(burnish.BurnishError, match="name at least one"):
        burnish.evaluate([], picture_folder)
    for wrong in ({"limit": 0}, {"limit": -1}, {"seed": -1}):
        with pytest.raises(burnish.InputError, match=r"(limit|seed) = (-1|0) must be"):
            burnish.evaluate("seed", picture_folder, "noise:5", baselines=False, **wrong)


def test_a_model_of_another_medium_is_refused() -> None:
    heard = SimpleNamespace(card=SimpleNamespace(kind="audio", name="speech"))
    with pytest.raises(burnish.ModelError, match="speech: restores audio, and these are images"):
        burnish.evaluate(heard, "photos")
