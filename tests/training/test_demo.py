"""The demo ends when its minutes are over, and shows what came of them."""

import math
from pathlib import Path

import pytest
import pyvips

from burnish.errors import BurnishError
from burnish.image.score import scored
from burnish.training import demo, loop, recipe, speed
from burnish.training.image import scoring


def test_the_demo_trains_two_networks_in_the_time_that_it_is_given_and_shows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring.score, "scored", lambda *arguments, **more: scored(*arguments, **more | {"tuning": ()}))
    monkeypatch.setattr(speed, "step_seconds", lambda *_: 0.5)
    monkeypatch.setattr(loop, "WRONG", math.inf)
    said: list[str] = []
    boards = demo.demo(tmp_path / "out", said.append, minutes=0.1)
    assert [board.model for board in boards] == list(demo.RECIPES)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*demo.RECIPES, "report.html", "restored.png"}
    assert pyvips.Image.new_from_file(str(tmp_path / "out" / "restored.png")).width > 100
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for name in demo.RECIPES:
        plan = recipe.load(tmp_path / "out" / name / "recipe.toml")
        assert (plan.crop, plan.validation) == (32, 0.15)
        assert plan.epochs * plan.crops <= 0.1 * 60 / 0.5 * plan.batch, "no more than the time allows"
        assert f"epochs = {plan.epochs}" in page


def test_the_demo_is_for_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(BurnishError, match="one process; start it without torchrun"):
        demo.demo(tmp_path, print)
    assert not list(tmp_path.iterdir())
