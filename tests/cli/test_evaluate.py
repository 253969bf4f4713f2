"""`burnish evaluate`: what it prints where, and its exit status."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import burnish_, refused
from conftest import STANDIN, needs_standin

import burnish
from burnish.image import datasets


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
