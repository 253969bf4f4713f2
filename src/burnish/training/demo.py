"""The whole story in three minutes, offline: the classic autoencoder and a residual network of its size, trained, scored, shown."""

from pathlib import Path

from burnish.errors import BurnishError
from burnish.image import samples
from burnish.model import file as model_file
from burnish.scoreboard import report
from burnish.scoreboard.board import Scoreboard
from burnish.training import process, recipe
from burnish.training.run import Say, fit

RECIPES = ("demo-seed", "demo-residual")
MINUTES = 1.0  # of training for each, whatever the machine makes of them


def demo(out: Path, say: Say, minutes: float = MINUTES) -> list[Scoreboard]:
    """Train both demo recipes under `out` for so many minutes each, write report.html and restored.png there and return the scoreboards.

    The schedule is made for what the machine can do in the time. A demo that was broken off goes on where it stopped. Raises InputError
    when `out` cannot be written to, and BurnishError in one of several processes.
    """
    if process.is_launched():
        raise BurnishError("the demo trains in one process; start it without torchrun")
    stories = []
    for name in RECIPES:
        plan = recipe.load(name)
        run = fit(plan, out / name, resume=True, max_minutes=minutes, fill=True, fixed=("crop", "validation"), say=say)
        written = (run.folder / recipe.WRITTEN).read_text("utf-8")
        stories.append(report.Story(run.board, model_file.load(run.model).card, run.history, written))
    report.write_report(out / "report.html", "Two small networks, one blur", stories)
    samples.write_picture(out / "restored.png", [story.board for story in stories])
    return [story.board for story in stories]
