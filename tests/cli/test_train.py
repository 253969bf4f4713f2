"""`burnish train`: what is left behind when things go well, and when they go wrong."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from command import BURNISH, burnish_, refused
from conftest import needs_posix

import burnish
from burnish.image import datasets


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
    refused(burnish_(*train, "start=seedd"), 2, "seedd", "did you mean 'seed'")
    refused(burnish_(*train, "patience=-1"), 2, "patience = -1")
    refused(burnish_(*train[:-1], "--from", "tiny-deblur"), 2, "network = 'seed', but tiny-deblur is a network 'unrolled'")
    assert not (tmp_path / "run").exists()


def test_a_full_disk_ends_a_training_in_one_line_and_keeps_the_last_checkpoint(picture_folder: Path, tmp_path: Path) -> None:
    train = ["train", "seed", "--data", picture_folder, "--epochs", "2", "--out", tmp_path / "run"]
    result = burnish_(*train, room=50_000)  # a checkpoint of the seed takes about 80 kB
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


@needs_posix
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
