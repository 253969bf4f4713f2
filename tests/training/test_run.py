"""A run's folder: what fit leaves there, what it refuses, and what resuming does."""

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage import io

import burnish
from burnish.errors import InputError, RecipeError
from burnish.image import baselines
from burnish.image.score import scored
from burnish.training import Recipe, choose, export, fine_tuning, fit, load_recipe, process, run, speed, start
from burnish.training.image import scoring

SMALL = {"epochs": 2, "copies": 0.25, "batch": 8, "precision": "fp32", "threads": 1}


@pytest.fixture(autouse=True)
def _few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choosing the filters' settings takes most of a small run's time, and is test_baselines' business."""
    every = baselines._grids()
    monkeypatch.setattr(baselines, "_grids", lambda: {name: settings[:2] for name, settings in every.items()})


def small(folder: Path, **changes: Any) -> Recipe:
    return load_recipe("seed", SMALL | {"data": str(folder)} | changes)


def test_a_run_leaves_its_recipe_history_model_scores_and_report(picture_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    plan = small(picture_folder)
    made = fit(plan, tmp_path / "run", say=said.append)
    assert {path.name for path in made.folder.iterdir()} == {
        "recipe.toml", "data.json", "checkpoint.safetensors", "history.csv", "model.onnx", "scores.json", "report.html",
    }  # fmt: skip
    assert load_recipe(made.folder / "recipe.toml") == plan
    with (made.folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [float(row["loss"]) for row in rows] == [pytest.approx(row["loss"], rel=1e-4) for row in made.history]
    loaded = burnish.load(made.model)
    assert loaded.card.recipe == plan.to_dict() | {"data": picture_folder.name}
    assert loaded.card.scores == [made.board.to_json()] == [json.loads((made.folder / "scores.json").read_text())]
    assert loaded.card.data["name"] == picture_folder.name
    assert "Sample dims:  (24, 32, 32, 3)" in said
    assert "Sample dims:  (30, 32, 32, 3)" in said
    assert not made.board.helps  # two epochs on 24 images help nobody


def test_a_run_on_a_folder_is_scored_on_pictures_it_never_saw(picture_folder: Path, tmp_path: Path) -> None:
    made = fit(small(picture_folder, validation=0.25), tmp_path / "run")
    assert made.board.images == 8  # a quarter of 24 and the copies of those
    assert made.board.psnr["input"] > 20


def test_an_unreadable_picture_is_named_and_the_others_train(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "pictures")
    (tmp_path / "pictures" / "05.png").write_bytes(b"\x89PNG")
    said: list[str] = []
    fit(small(tmp_path / "pictures", epochs=1), tmp_path / "run", say=said.append)
    assert any(line.startswith("Skipped 05.png: ") for line in said)
    assert "1 of 24 images could not be read" in said
    assert "Sample dims:  (23, 32, 32, 3)" in said


def test_a_folder_that_exists_is_refused_unless_resumed(picture_folder: Path, tmp_path: Path) -> None:
    plan = small(picture_folder)
    first = fit(plan, tmp_path / "run")
    weights = first.model.read_bytes()
    with pytest.raises(InputError, match="exists already; --resume goes on"):
        fit(plan, tmp_path / "run")
    said: list[str] = []
    again = fit(plan, tmp_path / "run", resume=True, say=said.append)
    assert any("finished" in line for line in said)
    assert again.model.read_bytes() == weights
    assert [row["epoch"] for row in again.history] == [1, 2]


def test_resuming_with_another_recipe_is_refused(picture_folder: Path, tmp_path: Path) -> None:
    fit(small(picture_folder), tmp_path / "run")
    with pytest.raises(RecipeError, match=r"was begun with learning_rate = 0.001, not 0.01"):
        fit(small(picture_folder, learning_rate=0.01), tmp_path / "run", resume=True)


def test_resuming_with_other_pictures_is_refused(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "pictures")
    fit(small(tmp_path / "pictures"), tmp_path / "run")
    (tmp_path / "pictures" / "05.png").unlink()
    with pytest.raises(InputError, match="was begun with other images than pictures holds now"):
        fit(small(tmp_path / "pictures"), tmp_path / "run", resume=True)


def test_a_file_is_no_place_for_a_run(picture_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for resume in (True, False):
        with pytest.raises(InputError, match="is a file; choose another folder"):
            fit(small(picture_folder), tmp_path / "run", resume=resume)


def test_resuming_what_is_not_there_starts(picture_folder: Path, tmp_path: Path) -> None:
    assert fit(small(picture_folder), tmp_path / "run", resume=True).history[-1]["epoch"] == 2


def test_time_that_is_up_ends_the_run_with_a_model_and_can_be_resumed(picture_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    plan = small(picture_folder, epochs=3)
    made = fit(plan, tmp_path / "run", max_minutes=1e-6, say=said.append)
    assert burnish.load(made.model).card.parameters == 6467
    assert any("Stopped in epoch 1 of 3" in line for line in said)
    finished = fit(plan, tmp_path / "run", resume=True)
    unbroken = fit(plan, tmp_path / "other")
    assert [row["epoch"] for row in finished.history] == [1, 2, 3]
    assert finished.history[0]["resumed_at"] == 1
    assert [row["val_loss"] for row in finished.history] == [row["val_loss"] for row in unbroken.history]


@pytest.fixture
def _no_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores without the classical filters, which take longer to tune than these networks to train."""
    monkeypatch.setattr(scoring.score, "scored", lambda *arguments, **more: scored(*arguments, **more | {"tuning": ()}))


@pytest.fixture(scope="module")
def striped_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new kind of image: 20 with fine stripes, as no photograph has them."""
    folder = tmp_path_factory.mktemp("striped")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    for index in range(20):
        angle, period = rng.uniform(0, np.pi), rng.uniform(3, 5)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period) > 0
        picture = np.where(wave[..., None], rng.integers(150, 256, 3), rng.integers(0, 100, 3)).astype(np.uint8)
        io.imsave(folder / f"{index:02d}.png", picture, check_contrast=False)
    return folder


@pytest.mark.usefixtures("_no_baselines")
def test_a_model_tuned_to_a_new_kind_of_picture_beats_itself_there(striped_folder: Path, tmp_path: Path) -> None:
    plan = fine_tuning("tiny-deblur", None, {"data": str(striped_folder), "crop": 32, "crops": 1024, "epochs": 2, "batch": 16})
    said: list[str] = []
    made = fit(plan, tmp_path / "run", say=said.append)
    assert made.start_board is not None
    assert made.start_board.model == "tiny-deblur"
    assert made.boards == [made.start_board, made.board]
    assert made.board.images == made.start_board.images == 4  # the fifth of 20 that was kept out
    assert made.board.gain_db > made.start_board.gain_db + 0.5
    assert any("from tiny-deblur" in line for line in said)
    assert any("dB more than tiny-deblur" in line for line in said)
    assert not any("learnt from the same folder" in line for line in said)
    report = (made.folder / "report.html").read_text("utf-8")
    assert "tiny-deblur-tuned helps" in report
    assert "tiny-deblur helps" in report or "tiny-deblur does not help" in report


@pytest.mark.usefixtures("_no_baselines")
def test_a_run_is_reproducible_from_its_folder_and_exact_when_resumed_whatever_it_started_from(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(
        f'extends = "seed"\nstart = "seed"\ndata = "{picture_folder}"\nepochs = 4\nbatch = 8\npatience = 3\n'
    )
    plan = load_recipe(tmp_path / "mine.toml")
    made = fit(plan, tmp_path / "run", tensorboard=True)
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert made.board.gain_db != made.boards[0].gain_db  # it has learnt something, for better or worse

    (tmp_path / "mine.toml").unlink()
    again = fit(load_recipe(tmp_path / "run" / "recipe.toml"), tmp_path / "other")
    assert_same_weights(made.model, again.model)

    def broken_off(_history: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(run.loop, "history_csv", broken_off)
        fit(plan, tmp_path / "broken")
    resumed = fit(plan, tmp_path / "broken", resume=True)
    assert [row["resumed_at"] for row in resumed.history] == [None, 0, None, None]
    assert_same_weights(made.model, resumed.model)


def assert_same_weights(one: Path, two: Path) -> None:
    assert start.fingerprint(export.to_network(one)) == start.fingerprint(export.to_network(two))


def test_cuda_where_there_is_none_is_refused(picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="has no CUDA device"):
        fit(small(picture_folder), tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("_no_baselines")
def test_a_model_that_goes_on_with_its_own_pictures_is_told_to_have_seen_some(picture_folder: Path, tmp_path: Path) -> None:
    small = {"data": str(picture_folder), "crop": 16, "crops": 64, "epochs": 1, "batch": 16}
    first = fit(load_recipe("demo-residual", small), tmp_path / "first")
    said: list[str] = []
    fit(fine_tuning(str(first.model), None, small), tmp_path / "second", say=said.append)
    assert any("learnt from the same folder, maybe from some of those held out now" in line for line in said)


@pytest.mark.usefixtures("_no_baselines")
def test_a_schedule_made_for_a_faster_machine_is_made_anew_once_and_the_recipe_says_so(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "step_seconds", lambda *_: 5e-4)
    monkeypatch.setattr(choose, "_crop_seconds", lambda *_: 0.0)
    changes = {"data": str(picture_folder), "crop": 16, "batch": 4, "precision": "fp32", "threads": 1}
    said: list[str] = []
    made = fit(load_recipe("demo-residual", changes), tmp_path / "run", max_minutes=0.2, fill=True, fixed=("crop", "data"), say=said.append)
    assert sum("Begun anew" in line for line in said) == 1
    plan = load_recipe(made.folder / "recipe.toml")
    assert made.history[0]["epoch"] == 1
    assert burnish.load(made.model).card.recipe["crops"] == plan.crops < 100_000
    assert not list(made.folder.glob("best*"))


@pytest.mark.usefixtures("_no_baselines")
def test_what_is_left_open_of_the_speed_is_written_down_and_kept(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "quickest", lambda steps: list(steps)[-1])
    plan = small(picture_folder, precision="auto", threads=0, epochs=1)
    said: list[str] = []
    made = fit(plan, tmp_path / "run", say=said.append)
    written = load_recipe(made.folder / "recipe.toml")
    assert (written.precision, written.threads) == ("bf16", 1)
    assert any("1 epoch in bf16" in line for line in said)
    monkeypatch.setattr(speed, "quickest", lambda steps: next(iter(steps)))  # the machine has changed since
    again = fit(plan, tmp_path / "run", resume=True)
    assert load_recipe(again.folder / "recipe.toml") == written
    with pytest.raises(RecipeError, match="precision = 'bf16', not 'fp32'"):
        fit(small(picture_folder, precision="fp32", threads=0, epochs=1), tmp_path / "run", resume=True)


@pytest.mark.parametrize("damage", ["", "{", '{"name": "mine"}', "[]", "\x00\x00"])
def test_a_damaged_record_of_the_pictures_is_named_with_a_way_out(picture_folder: Path, tmp_path: Path, damage: str) -> None:
    plan = small(picture_folder, epochs=1)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text(plan.to_toml())
    (tmp_path / "run" / "data.json").write_text(damage)
    with pytest.raises(InputError, match=r"data\.json: is damaged.* delete this file, and else begin anew") as caught:
        fit(plan, tmp_path / "run", resume=True)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("_no_baselines")
def test_a_program_that_trains_keeps_its_threads_and_allocator(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[str] = []
    monkeypatch.setattr(process, "_keep_freed_memory", lambda: touched.append("allocator"))
    before, waiting = torch.get_num_threads(), os.environ.get("OMP_WAIT_POLICY")
    fit(small(picture_folder, epochs=1), tmp_path / "run")
    assert (torch.get_num_threads(), os.environ.get("OMP_WAIT_POLICY"), touched) == (before, waiting, [])
