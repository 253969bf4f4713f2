"""Starting from a model: its weights, its network, gentler settings, and a refusal of everything that would be another start."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from burnish.errors import ModelError, RecipeError
from burnish.model import file as model_file
from burnish.training import export, recipe, start


def test_a_models_own_recipe_is_made_gentler_and_changes_have_the_last_word() -> None:
    own = model_file.read_card("tiny-deblur").recipe
    plan = start.fine_tuning("tiny-deblur", None, {"data": "mine", "batch": 3})
    assert (plan.name, plan.start, plan.data, plan.batch) == ("tiny-deblur-tuned", "tiny-deblur", "mine", 3)
    assert (plan.network, plan.degradation, plan.loss) == (own["network"], own["degradation"], own["loss"])
    assert plan.learning_rate < own["learning_rate"]
    assert plan.schedule == "one-cycle"
    assert start.fine_tuning("tiny-deblur", None, {"learning_rate": 0.5, "name": "mine"}).learning_rate == 0.5
    assert start.fine_tuning("tiny-deblur", "tiny-blind").degradation == recipe.load("tiny-blind").degradation


def test_copies_of_whole_pictures_are_not_made_where_crops_are_chosen() -> None:
    assert model_file.read_card("seed").recipe["copies"] > 0
    assert start.fine_tuning("seed", None, {"data": "mine", "crop": 32}).copies == 0


def test_the_network_comes_from_the_model(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "a"\nsummary = "b"\ndegradation = "blur:1"\nstart = "tiny-deblur"\n')
    plan = recipe.load(tmp_path / "mine.toml")
    completed = start.completed(plan)
    card = model_file.read_card("tiny-deblur")
    assert (completed.network, completed.network_args) == (card.network, card.network_args)
    assert completed.start_fingerprint == start.fingerprint(export.to_network("tiny-deblur"))
    assert start.completed(completed) == completed
    assert start.completed(recipe.load("seed")) == recipe.load("seed")


def test_another_network_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"network = 'seed', but tiny-deblur is a network 'unrolled' .* leave out network"):
        start.completed(start.fine_tuning("tiny-deblur", "seed"))
    with pytest.raises(RecipeError, match=r"network_args = \{'width': 17\}, but tiny-deblur is"):
        start.completed(start.fine_tuning("tiny-deblur", None, {"network_args": {"width": 17}}))


def test_no_such_model_is_refused() -> None:
    with pytest.raises(ModelError, match="did you mean 'tiny-deblur'"):
        start.fine_tuning("tiny-deblurr")


def test_a_model_that_has_changed_since_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    shutil.copy(model_file.shipped()["tiny-deblur"], path)
    plan = start.completed(recipe.Recipe("a", "b", "", "8bit", start=str(path)))
    shutil.copy(model_file.shipped()["tiny-blind"], path)  # the same network with other weights
    with pytest.raises(RecipeError, match=rf"starts from .*m.onnx as {plan.start_fingerprint}, but the model there is"):
        start.completed(plan)
    assert start.completed(dataclasses.replace(plan, start_fingerprint="")).start_fingerprint != plan.start_fingerprint
    shutil.copy(model_file.shipped()["tiny-deblur"], path)
    assert start.completed(plan) == plan


def test_a_model_of_whole_pictures_learns_from_noisy_ones_in_crops() -> None:
    assert start.fine_tuning("tiny-deblur", None, {"data": "mine", "noisy_only": True, "loss": "mse"}).crop > 0
    assert start.fine_tuning("tiny-deblur", None, {"data": "mine"}).crop == 0
