"""Recipes: what is shipped loads, what is wrong is named, what is written reads back."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import RecipeError
from burnish.training.recipe import FOLDER, Recipe, from_mapping, load, parsed, shipped

GOOD = {"name": "a", "summary": "b", "network": "seed", "degradation": "blur:1.0+8bit"}


def test_every_shipped_recipe_loads_and_the_seed_is_the_documents() -> None:
    for name in shipped():
        assert load(name).name == name
    seed = load("seed")
    assert (seed.batch, seed.epochs, seed.learning_rate, seed.epsilon, seed.copies, seed.validation) == (512, 100, 1e-3, 1e-7, 0.3, 0.2)
    assert (seed.loss, seed.schedule, seed.precision, seed.degradation, seed.data) == (
        "mse",
        "constant",
        "fp32",
        "blur:1.0+8bit",
        "cifar10",
    )


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.floats(1e-9, 100),
    st.integers(1, 100_000),
    st.dictionaries(st.sampled_from(["width", "depth"]), st.integers(1, 99)),
)
def test_toml_reads_back_to_the_same_recipe(
    tmp_path_factory: pytest.TempPathFactory, text: str, rate: float, epochs: int, args: dict[str, int]
) -> None:
    recipe = Recipe(**GOOD | {"summary": text}, learning_rate=rate, epochs=epochs, network_args=args)
    path = tmp_path_factory.getbasetemp() / "recipe.toml"
    path.write_text(recipe.to_toml(), "utf-8")
    assert load(path) == recipe


def test_changes_are_applied_with_their_types() -> None:
    changes = parsed(["degradation=noise:5-30+jpeg:40-90", "epochs=3", "learning_rate=1", "network_args={ width = 8 }", "data=a b.tgz"])
    changed = load("seed", changes)
    assert dataclasses.asdict(changed) == dataclasses.asdict(load("seed")) | {
        "degradation": "noise:5-30+jpeg:40-90",
        "epochs": 3,
        "learning_rate": 1.0,
        "network_args": {"width": 8},
        "data": "a b.tgz",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "unknown key 'epoch'; did you mean 'epochs'?"),
        ({"zzz": 3}, "unknown key 'zzz'; the keys are"),
        ({"epochs": 0}, "epochs = 0 is out of range; it goes from 1 to 100000"),
        ({"epochs": 2.5}, "epochs = 2.5 must be a whole number"),
        ({"epochs": True}, "epochs = True must be a whole number"),
        ({"learning_rate": float("nan")}, "learning_rate = nan is out of range"),
        ({"learning_rate": "fast"}, "learning_rate = 'fast' must be a number"),
        ({"loss": "huber"}, "loss = 'huber' is not known; choose one of mse, l1"),
        ({"validation": 1.5}, "validation = 1.5 is out of range"),
        ({"network_args": {"width": "8"}}, "must be a table of whole numbers"),
        ({"degradation": "blurr:1"}, "blurr"),
        ({"crop": 32}, "needs crops"),
        ({"crop": 32, "crops": 8, "copies": 0.3}, "leave out either copies or crop"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        from_mapping(GOOD | changes, "mine.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_recipe_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"name = \xff")
    for wrong, message in (
        (broken, "not a TOML file"),
        (tmp_path / "none.toml", "no such recipe"),
        ("sed", "no such recipe"),
        (tmp_path, "no such"),
    ):
        with pytest.raises(RecipeError, match=message):
            load(wrong)
    with pytest.raises(RecipeError, match="summary is missing"):
        from_mapping({"name": "a"}, "mine.toml")
    with pytest.raises(RecipeError, match="write key=value"):
        parsed(["epochs"])


def test_a_recipe_extends_a_shipped_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "photo-fast"\ndegradation = "noise:5"\nepochs = 3\n')
    assert load(mine) == dataclasses.replace(load("photo-fast"), name="mine", degradation="noise:5", epochs=3)
    assert load(mine, {"epochs": 4}).epochs == 4


def test_a_recipe_extends_one_that_extends_another_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "base.toml").write_text('extends = "seed"\nname = "base"\nbatch = 7\nepochs = 3\n')
    (tmp_path / "sub" / "mine.toml").write_text('extends = "../base.toml"\nepochs = 5\n')
    assert load(tmp_path / "sub" / "mine.toml") == dataclasses.replace(load("seed"), name="mine", batch=7, epochs=5)


def test_what_a_run_writes_of_an_extended_recipe_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extends = "seed"\nbatch = 7\n')
    (tmp_path / "mine.toml").write_text('extends = "base.toml"\n')
    mine = load(tmp_path / "mine.toml")
    (tmp_path / "base.toml").unlink()
    (tmp_path / "recipe.toml").write_text(mine.to_toml())
    assert load(tmp_path / "recipe.toml") == mine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('extends = "mine.toml"', "mine.toml: extends itself (mine.toml extends mine.toml)"),
        ('extends = "other.toml"', "extends itself (mine.toml extends other.toml extends mine.toml)"),
        ('extends = "photo-fats"', "photo-fats: no such recipe; did you mean 'photo-fast'?"),
        ('extends = "none/other.toml"', "no such recipe; name one of"),
        ("extends = 3", "extends = 3 must be a recipe's name or file"),
        ('extends = "wrong.toml"', "wrong.toml: unknown key 'epoch'; did you mean 'epochs'?"),
        ('extends = "seed"\nepoch = 3', "mine.toml: unknown key 'epoch'; did you mean 'epochs'?"),
    ],
)
def test_what_cannot_be_extended_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "other.toml").write_text('extends = "mine.toml"')
    (tmp_path / "wrong.toml").write_text("epoch = 3")
    with pytest.raises(RecipeError) as caught:
        load(tmp_path / "mine.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_shipped_recipe_is_one_screen() -> None:
    for name in shipped():
        lines = (FOLDER / f"{name}.toml").read_text("utf-8").splitlines()
        assert len(lines) <= 40
        assert lines[0].startswith("# ")


def test_a_misspelt_change_is_told_the_nearest_key() -> None:
    for wrong, right in (("learning-rate=1", "learning_rate"), ("degrade=8bit", "degradation"), ("patiance=3", "patience")):
        with pytest.raises(RecipeError, match=f"did you mean '{right}'"):
            load("seed", parsed([wrong]))
