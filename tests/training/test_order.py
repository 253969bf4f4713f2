"""What is asked for, and the recipe and the run that follow from it. Nothing is trained here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import RecipeError
from burnish.training import order, recipe
from burnish.training.order import Order


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """A function that carries out an order, and what `fit` is called with for it."""

    def carried_out(**asked: Any) -> dict[str, Any]:
        called: dict[str, Any] = {"said": []}
        monkeypatch.setattr(order, "fit", lambda plan, folder, **how: called.update(plan=plan, folder=folder, **how))
        order.train(Order(**asked), say=called["said"].append)
        return called

    return carried_out


def begun(folder: Path, **changes: Any) -> recipe.Recipe:
    """A run's folder with its complete recipe."""
    plan = recipe.load("photo-fast", {"precision": "bf16", "threads": 2} | changes)
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(plan.to_toml(), "utf-8")
    return plan


@pytest.mark.parametrize("name", ["cells", "kids'", '"quoted"', "a=b", "größe [1] {x}", "'"])
def test_a_folder_of_pictures_is_trained_on_automatically_whatever_its_name(
    fitted: Callable[..., dict[str, Any]], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    called = fitted(data=str(folder))
    plan = called["plan"]
    assert (plan.name, plan.data, plan.network) == (name, str(folder), "unet")
    assert (called["folder"], called["fill"], called["max_minutes"], called["resume"]) == (Path("runs") / name, True, 15.0, False)
    assert fitted(data=str(folder), max_minutes=2.5)["max_minutes"] == 2.5
    assert fitted(data=str(folder), max_minutes=240)["plan"].network_args == recipe.load("photo").network_args


def test_a_recipe_named_or_data_with_a_test_of_its_own_is_taken_as_it_is(fitted: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    for asked in ({"recipe": "photo", "data": str(tmp_path)}, {"data": "photos"}, {}, {"recipe": "seed"}):
        called = fitted(**asked)
        assert (called["fill"], called["max_minutes"]) == (False, None)
        assert called["plan"] == recipe.load(asked.get("recipe", "seed"), {"data": asked["data"]} if "data" in asked else {})


def test_what_is_changed_has_the_last_word_and_stays(fitted: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    called = fitted(data=str(tmp_path), clean="originals", changes={"epochs": 7, "name": "mine", "crop": 32}, out=tmp_path / "run")
    assert (called["plan"].epochs, called["plan"].name, called["plan"].degradation, called["plan"].clean) == (7, "mine", "own", "originals")
    assert called["folder"] == tmp_path / "run"
    assert {"epochs", "crop"} <= called["fixed"]
    assert "validation" not in called["fixed"]
    noisy = fitted(data=str(tmp_path), noisy_only=True)["plan"]
    assert (noisy.noisy_only, noisy.loss) == (True, "mse")
    tuned = fitted(data=str(tmp_path), start="tiny-deblur", changes={"learning_rate": 0.5})
    assert (tuned["plan"].start, tuned["plan"].learning_rate, tuned["fill"]) == ("tiny-deblur", 0.5, True)
    assert "validation" in tuned["fixed"]


def test_noise_that_is_measured_is_not_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--noisy-only measures the noise"):
        order.planned(Order(data=str(tmp_path), noisy_only=True, changes={"degradation": "noise:20"}))
    with pytest.raises(RecipeError, match="noisy_only needs"):
        order.planned(Order(data=str(tmp_path), noisy_only=True, clean=str(tmp_path)))


def test_a_run_goes_on_with_what_it_was_begun_with(
    fitted: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cells").mkdir()
    monkeypatch.chdir(tmp_path)
    begun_with = begun(tmp_path / "runs" / "cells", name="cells", data="cells", epochs=12, crops=320, noisy_only=True, loss="mse")
    for asked in (
        {"data": "cells"},
        {"data": "./cells/"},
        {"data": str(tmp_path / "cells"), "noisy_only": True, "max_minutes": 3.0},
        {"data": "cells", "changes": {"epochs": 12, "precision": "auto", "threads": 0}},
        {"out": Path("runs/cells")},
    ):
        called = fitted(resume=True, **asked)
        assert called["plan"] == begun_with
        assert not called.get("fill")
        assert called["max_minutes"] == asked.get("max_minutes")
        assert called["said"] == []


def test_what_is_asked_for_otherwise_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cells").mkdir()
    monkeypatch.chdir(tmp_path)
    begun(tmp_path / "runs" / "cells", name="cells", data="cells", epochs=12, crops=320)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"changes": {"epochs": 13}}, "was begun with epochs = 12, not 13; resume with the same recipe, or choose another --out"),
        ({"changes": {"precision": "fp32"}}, "precision = 'bf16', not 'fp32'"),
        ({"noisy_only": True}, "noisy_only = False, not True"),
        ({"clean": "originals"}, "clean = '', not 'originals'"),
        ({"start": "photo-fast", "out": Path("runs/cells")}, "start = '', not 'photo-fast'"),
        ({"recipe": "deblur", "out": Path("runs/cells")}, "name = 'cells', not 'deblur'"),
    ]
    for asked, words in wrong:
        with pytest.raises(RecipeError) as caught:
            order.train(Order(resume=True, data="cells", **asked))
        assert words in str(caught.value)
        assert "runs" in str(caught.value)


def test_a_named_recipe_that_has_changed_since_is_told_and_the_run_goes_on(fitted: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    begun_with = begun(tmp_path / "run", epochs=3)
    called = fitted(recipe="photo-fast", out=tmp_path / "run", resume=True)
    assert called["plan"] == begun_with
    assert called["said"] == [f"Goes on as it was begun, with epochs = 3, not {recipe.load('photo-fast').epochs}"]


def test_a_folder_without_a_run_is_begun(fitted: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    called = fitted(recipe="seed", out=tmp_path / "none", resume=True)
    assert (called["plan"], called["resume"]) == (recipe.load("seed"), True)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_run_whose_recipe_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    begun(tmp_path / "run")
    path = tmp_path / "run" / "recipe.toml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: int(kept * len(lines))]), "utf-8")
    with pytest.raises(RecipeError, match=r"recipe\.toml: is damaged, it holds no"):
        order.train(Order(recipe="photo-fast", out=tmp_path / "run", resume=True))
