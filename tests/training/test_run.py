"""A run's folder: what fit leaves there, what it refuses, and what resuming does."""

import csv
import json
import shutil
from pathlib import Path

import pytest

import burnish
from burnish.errors import InputError, RecipeError
from burnish.training import Recipe, fit, load_recipe, run

SMALL = ["epochs=2", "copies=0.25", "batch=8"]


def small(folder: Path, *changes: str) -> Recipe:
    return load_recipe("seed", [f"data={folder}", *SMALL, *changes])


def test_a_run_leaves_its_recipe_history_model_scores_and_report(picture_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    plan = small(picture_folder)
    made = fit(plan, tmp_path / "run", say=said.append)
    assert {path.name for path in made.folder.iterdir()} == {
        "recipe.toml", "checkpoint.safetensors", "history.csv", "model.onnx", "scores.json", "report.html",
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
    assert not made.board.helps  # two epochs on 24 pictures help nobody


def test_a_run_on_a_folder_is_scored_on_pictures_it_never_saw(picture_folder: Path, tmp_path: Path) -> None:
    made = fit(small(picture_folder, "validation=0.25"), tmp_path / "run")
    assert made.board.images == 8  # a quarter of 24 and the copies of those
    assert made.board.psnr["input"] > 20


def test_an_unreadable_picture_is_named_and_the_others_train(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "pictures")
    (tmp_path / "pictures" / "05.png").write_bytes(b"\x89PNG")
    said: list[str] = []
    fit(small(tmp_path / "pictures", "epochs=1"), tmp_path / "run", say=said.append)
    assert any(line.startswith("Skipped 05.png: ") for line in said)
    assert "1 of 24 pictures could not be read" in said
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
        fit(small(picture_folder, "learning_rate=0.01"), tmp_path / "run", resume=True)


def test_resuming_what_is_not_there_starts(picture_folder: Path, tmp_path: Path) -> None:
    assert fit(small(picture_folder), tmp_path / "run", resume=True).history[-1]["epoch"] == 2


def test_time_that_is_up_ends_the_run_with_a_model_and_can_be_resumed(picture_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    plan = small(picture_folder, "epochs=3")
    made = fit(plan, tmp_path / "run", max_minutes=1e-6, say=said.append)
    assert burnish.load(made.model).card.parameters == 6467
    assert any("Stopped in epoch 1 of 3" in line for line in said)
    finished = fit(plan, tmp_path / "run", resume=True)
    unbroken = fit(plan, tmp_path / "other")
    assert [row["epoch"] for row in finished.history] == [1, 2, 3]
    assert finished.history[0]["resumed_at"] == 1
    assert [row["val_loss"] for row in finished.history] == [row["val_loss"] for row in unbroken.history]


def test_cuda_where_there_is_none_is_refused(picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="has no CUDA device"):
        fit(small(picture_folder), tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()
