"""One's own images through the command line: the three ways to learn, and folders as people have them."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from click.testing import CliRunner, Result
from conftest import crops as scenes
from numpy.typing import NDArray

import burnish
from burnish.cli import main
from burnish.degradation import Degradation
from burnish.image import baselines
from burnish.training import load_recipe, loop, speed

SMALL = ["--set", "network=residual", "--set", "network_args={ width = 4 }", "--set", "optimizer=adam", "--set", "batch=8"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few images to choose the filters' settings on, and a machine on which a step takes a second."""
    monkeypatch.setattr(baselines, "TUNING_PICTURES", 1)
    monkeypatch.setattr(baselines, "TUNING_SIDE", 16)
    monkeypatch.setattr(speed, "step_seconds", lambda *_: 1.0)
    monkeypatch.setattr(loop, "WRONG", math.inf)


def write(folder: Path, pictures: NDArray[np.uint8] | list[NDArray[np.uint8]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures):
        pyvips.Image.new_from_array(np.ascontiguousarray(picture)).write_to_file(str(folder / f"{index:02d}.png"))
    return folder


def spoilt(pictures: NDArray[np.uint8], spec: str = "noise:25+8bit") -> list[NDArray[np.uint8]]:
    return [np.rint(Degradation.parse(spec).apply(picture) * 255).astype(np.uint8) for picture in pictures]


def train(place: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", "--out", str(place / "run"), "--max-minutes", "0.17", *SMALL, *arguments])


def test_clean_pictures_alone(tmp_path: Path) -> None:
    done = train(tmp_path, "--data", str(write(tmp_path / "kids' photos", scenes(10, 64))), "--set", "degradation=noise:25")
    assert done.exit_code == 0, done.output
    assert "Images: 10, colour, 8 bits, 64×64 in the middle" in done.output
    assert "that ends within 0.17 minutes" in done.output
    plan = load_recipe(tmp_path / "run" / "recipe.toml")
    assert (plan.name, plan.degradation, plan.crop) == ("kids' photos", "noise:25", 64)
    assert burnish.load(tmp_path / "run" / "model.onnx").card.scores[0]["images"] == 1
    for more in ([], ["--data", str(tmp_path / "kids' photos"), "--set", "degradation=noise:25", "--max-minutes", "3"]):
        again = CliRunner().invoke(main, ["train", "--out", str(tmp_path / "run"), "--resume", *more])
        assert again.exit_code == 0, again.output
        assert "this run is finished" in again.output
        assert load_recipe(tmp_path / "run" / "recipe.toml") == plan
    other = train(tmp_path, "--resume", "--set", "degradation=noise:20")
    assert other.exit_code == 2
    assert "was begun with batch" not in other.output
    assert "was begun with degradation = 'noise:25', not 'noise:20'" in other.output


def test_pairs_are_scored_as_they_came(tmp_path: Path) -> None:
    clean = scenes(10, 64)
    noisy = write(tmp_path / "noisy", spoilt(clean))
    done = train(tmp_path, "--data", str(noisy), "--clean", str(write(tmp_path / "clean", clean)))
    assert done.exit_code == 0, done.output
    card = burnish.load(tmp_path / "run" / "model.onnx").card
    assert (card.degradation, card.recipe["clean"]) == ("own", "clean")
    assert 20 < card.scores[0]["psnr"]["input"] < 23  # sigma 25, clipped at black
    assert "wiener oracle: not applicable, what degraded these images is not known" in done.output
    refused = CliRunner().invoke(main, ["evaluate", str(tmp_path / "run" / "model.onnx"), "--data", str(noisy), "--no-baselines"])
    assert refused.exit_code == 2
    assert "learnt from pairs of images, and what degraded those cannot be made" in refused.output


def test_noisy_pictures_alone_grey(tmp_path: Path) -> None:
    noisy = spoilt(scenes(10, 64)[..., :1])
    done = train(tmp_path, "--data", str(write(tmp_path / "cells", noisy)), "--noisy-only")
    assert done.exit_code == 0, done.output
    card = burnish.load(tmp_path / "run" / "model.onnx").card
    assert card.channels == 1
    assert card.degradation.startswith("noise:2")
    assert "estimate" in done.output
    (score,) = card.scores
    assert score["estimated"] is True
    assert score["ssim"] == {}
    assert 19.5 < score["psnr"]["input"] < 23
    assert "estimate" in (tmp_path / "run" / "report.html").read_text()


def test_noise_that_neighbours_share_is_told_before_noisy_only_learns_from_it(tmp_path: Path) -> None:
    noisy = write(tmp_path / "cells", spoilt(scenes(6, 96), "noise:40+blur:0.8+8bit"))
    assert "The noise of neighbouring pixels goes together" in train(tmp_path, "--data", str(noisy), "--noisy-only").output


def test_a_model_that_does_not_help_is_written_and_told(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos", scenes(10, 32))
    done = train(tmp_path, "--data", str(photos), "--set", "degradation=noise:0", "--check")
    assert done.exit_code == 3, done.output
    assert "photos does not help" in done.output
    assert (tmp_path / "run" / "model.onnx").exists()


BLACK = np.zeros((10, 64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (lambda: scenes(1, 64), "needs two images at least that large"),
        (lambda: scenes(10, 12), "most images are under 16 pixels a side"),
        (lambda: scenes(1, 64).repeat(10, 0), "all 10 images are of one file or look alike"),
        (lambda: BLACK, "all 10 images are of one file or look alike"),
    ],
)
def test_folders_that_nothing_can_be_learnt_from_are_refused_in_a_line(
    tmp_path: Path, pictures: Callable[[], NDArray[np.uint8]], message: str
) -> None:
    done = train(tmp_path, "--data", str(write(tmp_path / "photos", pictures())))
    assert done.exit_code == 1, done.output
    assert message in done.output
    assert not (tmp_path / "run" / "model.onnx").exists()


def test_mixed_sizes_and_channels_with_half_the_files_corrupt(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos", [*scenes(3, 64), *scenes(2, 100), *scenes(2, 80)[..., :1], *scenes(1, 20)])
    for index in range(8):
        (photos / f"bad{index}.png").write_bytes((photos / "00.png").read_bytes()[: 60 * (index + 1)])
    done = train(tmp_path, "--data", str(photos), "--set", "degradation=noise:25")
    assert done.exit_code == 0, done.output
    assert "8 of 16 images could not be read" in done.output
    assert "Skipped bad3.png: " in done.output
    assert "1 is smaller than a patch and left out" in done.output


def test_a_disk_that_fills_ends_in_a_line_and_keeps_what_was_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = write(tmp_path / "photos", scenes(10, 32))

    def full(_path: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("burnish.training.checkpoint.save_file", full)
    done = train(tmp_path, "--data", str(photos), "--set", "degradation=noise:25")
    assert done.exit_code == 1, done.output
    assert "checkpoint.safetensors: could not be written (No space left on device); free some space" in done.output
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"recipe.toml", "data.json"}
    monkeypatch.undo()
    assert train(tmp_path, "--data", str(photos), "--set", "degradation=noise:25", "--resume").exit_code == 0


def test_clean_and_noisy_only_contradict_each_other(tmp_path: Path) -> None:
    photos = str(write(tmp_path / "photos", scenes(4, 32)))
    done = train(tmp_path, "--data", photos, "--clean", photos, "--noisy-only")
    assert done.exit_code == 2
    assert "noisy_only needs" in done.output


def test_noise_that_is_measured_is_not_asked_for(tmp_path: Path) -> None:
    photos = str(write(tmp_path / "photos", scenes(4, 32)))
    done = train(tmp_path, "--data", photos, "--noisy-only", "--set", "degradation=noise:20")
    assert done.exit_code == 2
    assert "--noisy-only measures the noise" in done.output
