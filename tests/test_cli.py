"""The command as a person or program meets it: what it prints where, its exit status, and what it leaves behind when things go wrong."""

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import STANDIN, needs_standin

import burnish
from burnish.degradation import Degradation
from burnish.image import datasets

BURNISH = [sys.executable, "-m", "burnish"]


def burnish_(*arguments: str | Path, cwd: Path | None = None, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """What the command did. A traceback is never right."""
    result = subprocess.run(
        [*BURNISH, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, timeout=300, preexec_fn=before
    )
    assert "Traceback" not in result.stderr
    return result


def refused(result: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """One line on stderr with these words, this exit status, nothing on stdout."""
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr


# --- Help, show, models ---


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["degrade"], ["compare"], ["models"], ["show"], ["demo"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    result = burnish_(*command, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout


def test_wrong_usage_is_status_two() -> None:
    for arguments in (["evaluate"], ["train", "--epochs", "0"], ["nonsense"], ["evaluate", "seed", "--data", "photos", "--limit", "x"]):
        result = burnish_(*arguments)
        assert result.returncode == 2
        assert "Usage: " in result.stderr


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
    refused(burnish_("show", "nothing"), 2, "no network 'nothing'")


def test_models_is_one_line_of_cards() -> None:
    lines = burnish_("models", "--json").stdout.splitlines()
    assert len(lines) == 1
    cards = json.loads(lines[0])
    assert "seed" in [card["name"] for card in cards]
    assert cards[0] == json.loads(burnish.load(cards[0]["name"]).card.to_json())
    assert "6,467 parameters" in burnish_("models").stdout


# --- evaluate ---


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
    refused(burnish_(*seed, tmp_path / "empty"), 1, "empty", "holds no picture")
    refused(burnish_(*seed, tmp_path / "none"), 1, "no such file or folder")
    refused(burnish_("evaluate", "sead", "--data", "photos"), 1, "did you mean 'seed'")
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


# --- degrade ---


def test_degrade_writes_what_the_language_says(picture_folder: Path, tmp_path: Path) -> None:
    result = burnish_("degrade", picture_folder, "--degrade", "blur:1.0+8bit", "-o", tmp_path / "out")
    assert result.returncode == 0
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == sorted(path.name for path in picture_folder.iterdir())
    wanted = Degradation.parse("blur:1.0+8bit").apply(datasets.read(picture_folder / "03.png"))
    np.testing.assert_array_equal(datasets.read(tmp_path / "out" / "03.png"), np.rint(wanted * 255))
    again = burnish_("degrade", picture_folder, "--degrade", "blur:3", "-o", tmp_path / "out")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    np.testing.assert_array_equal(datasets.read(tmp_path / "out" / "03.png"), np.rint(wanted * 255))


def test_degrade_names_what_fails_and_does_the_rest(picture_folder: Path, tmp_path: Path) -> None:
    good, last = picture_folder / "00.png", picture_folder / "01.png"
    (tmp_path / "00.png").write_bytes(last.read_bytes())
    inputs = [good, tmp_path / "none.png", tmp_path / "00.png", last]
    result = burnish_("degrade", *inputs, "--degrade", "blur:1", "-o", tmp_path / "out")
    assert result.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00.png", "01.png"]
    assert "none.png: no such file" in result.stderr
    assert "would both become" in result.stderr
    assert "2 pictures failed" in result.stderr


def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    command = f"{sys.executable} -m burnish models 2> {tmp_path / 'said'} | true"
    subprocess.run(command, shell=True, check=False)
    assert (tmp_path / "said").read_text() == ""


# --- train ---


def test_train_makes_a_model_that_evaluate_takes(picture_folder: Path, tmp_path: Path) -> None:
    result = burnish_("train", "seed", "--data", picture_folder, "--epochs", "2", "--set", "batch=8", "--out", "run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Sample dims:  (24, 32, 32, 3)" in result.stdout
    assert "seed does not help" in result.stdout
    scored = burnish_("evaluate", tmp_path / "run" / "model.onnx", "--data", "photos", "--no-baselines", "--json")
    assert json.loads(scored.stdout)["model"] == "seed"
    again = ["train", "seed", "--data", picture_folder, "--epochs", "2", "--set", "batch=8", "--out", tmp_path / "run"]
    refused(burnish_(*again), 1, "exists already", "--resume")
    resumed = burnish_(*again, "--resume")
    assert resumed.returncode == 0
    assert "finished" in resumed.stdout


def test_train_refuses_in_one_line(picture_folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "a"\nsummary = "b"\nnetwork = "seed"\ndegradation = "8bit"\nlearnin_rate = 0.1\n')
    train = ["train", "seed", "--out", tmp_path / "run", "--data", picture_folder, "--set"]
    refused(burnish_("train", wrong), 2, "wrong.toml", "learnin_rate", "did you mean 'learning_rate'")
    refused(burnish_(*train, "epochs=0"), 2, "epochs = 0", "1 to")
    refused(burnish_(*train, "network=sead"), 2, "no network 'sead'")
    refused(burnish_(*train, "degradation=fog:1"), 2, "fog:1")
    refused(burnish_("train", "sead"), 2, "no such recipe")
    refused(burnish_(*train, "start=seedd"), 1, "seedd", "did you mean 'seed'")
    refused(burnish_(*train, "patience=-1"), 2, "patience = -1")
    refused(burnish_(*train[:-1], "--from", "tiny-deblur"), 2, "network = 'seed', but tiny-deblur is a network 'unrolled'")
    assert not (tmp_path / "run").exists()


def test_compare_lays_runs_side_by_side(tmp_path: Path) -> None:
    for name, loss in (("one", 0.5), ("two", 0.25)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text(f'name = "{name}"\nepochs = 1\n')
        (tmp_path / name / "history.csv").write_text(f"epoch,seconds,loss,val_loss\n1,60,{loss},{loss}\n")
    result = burnish_("compare", "one", "two", "--json", "--report", "page.html", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["best_val_loss"] for line in result.stdout.splitlines()] == [0.5, 0.25]
    assert "<polyline" in (tmp_path / "page.html").read_text("utf-8")
    shown = burnish_("compare", "one", "two", cwd=tmp_path)
    assert "best validation loss" in shown.stdout
    refused(burnish_("compare", "one", "none", cwd=tmp_path), 1, "none: no run's folder")


def test_a_full_disk_ends_a_training_in_one_line_and_keeps_the_last_checkpoint(picture_folder: Path, tmp_path: Path) -> None:
    def little_room() -> None:  # no file may grow beyond 50 kB: a checkpoint of the seed takes about 80
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    result = burnish_("train", "seed", "--data", picture_folder, "--epochs", "2", "--out", tmp_path / "run", before=little_room)
    assert result.returncode == 1
    assert "could not be written" in result.stderr
    assert "free some space" in result.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} <= {"recipe.toml", "data.json"}


def begun(folder: Path, pictures: Path, *more: str) -> list[str]:
    return [*BURNISH, "train", "seed", "--data", str(pictures), "--set", "batch=8", "--epochs", "60", "--out", str(folder), *more]


def rows(folder: Path) -> list[dict[str, Any]]:
    if not (folder / "history.csv").exists():
        return []
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def broken_off(command: list[str], folder: Path, after: int, how: signal.Signals) -> int:
    """Start the command, break it off once `after` epochs are in the history, and return its exit status."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(rows(folder)) < after:
        assert process.poll() is None, "ended before it could be broken off"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(how)
    return process.wait(60)


def test_a_run_killed_and_interrupted_ends_as_one_never_stopped(picture_folder: Path, tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "a" / "run", tmp_path / "b" / "run"
    subprocess.run(begun(unbroken, picture_folder), check=True, capture_output=True)
    assert broken_off(begun(broken, picture_folder), broken, 5, signal.SIGKILL) == -signal.SIGKILL
    assert broken_off(begun(broken, picture_folder, "--resume"), broken, 20, signal.SIGINT) == 130
    assert not (broken / "model.onnx").exists()
    result = subprocess.run(begun(broken, picture_folder, "--resume"), check=True, capture_output=True, text=True)
    assert "Resumed in epoch" in result.stdout
    whole, resumed = rows(unbroken), rows(broken)
    assert [row["epoch"] for row in resumed] == [str(epoch) for epoch in range(1, 61)]  # no epoch twice
    assert [row["val_loss"] for row in resumed] == [row["val_loss"] for row in whole]
    assert sum(row["resumed_at"] != "" for row in resumed) == 2
    models = [burnish.load(folder / "model.onnx") for folder in (unbroken, broken)]
    picture = datasets.load("photos", "test").images[0][:64, :64]
    np.testing.assert_array_equal(*(model.restore(picture) for model in models))
    assert models[0].card == models[1].card


def test_no_network_names_both_remedies(tmp_path: Path) -> None:
    code = f"""
import socket
def refuse(*_): raise OSError(101, "Network is unreachable")
socket.socket.connect = refuse
socket.getaddrinfo = lambda *_ , **__: refuse()
from burnish.cli import main
main(["train", "seed", "--out", {str(tmp_path / "run")!r}])
"""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    refused(result, 1, "could not be downloaded", "--data ARCHIVE", "--data photos")
