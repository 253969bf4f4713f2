"""The whole story in two minutes, offline: the classic autoencoder and a residual network of its size, trained, scored, shown."""

from pathlib import Path

from burnish.model import file as model_file
from burnish.scoreboard import report
from burnish.scoreboard.board import Scoreboard
from burnish.training import recipe
from burnish.training.run import Say, fit

RECIPES = ("demo-seed", "demo-residual")


def demo(out: Path, say: Say) -> list[Scoreboard]:
    """Train both demo recipes under `out`, write report.html and restored.png there and return the scoreboards.

    A demo that was broken off goes on where it stopped. Raises InputError when `out` cannot be written to.
    """
    stories = []
    for name in RECIPES:
        plan = recipe.load(name)
        run = fit(plan, out / name, resume=True, say=say)
        stories.append(report.Story(run.board, model_file.load(run.model).card, run.history, plan.to_toml()))
    report.write_report(out / "report.html", "Two small networks, one blur", stories)
    report.write_picture(out / "restored.png", stories)
    return [story.board for story in stories]
