"""`burnish train`."""

import sys
from pathlib import Path
from typing import Any

import click

from burnish.cli.words import SRC, print_boards, say


@click.command(
    epilog="\b\nExamples:\n  burnish train --data scans/ --clean originals/\n  burnish train --data cells/ --noisy-only --max-minutes 5"
    "\n  burnish train photo --data photos/ --set degradation=noise:5-30+jpeg:40-90"
    "\n  burnish train --data voices/ --set noises=noises/\n  burnish train --from speech --data voices/\n  burnish train seed --resume"
)
@click.argument("recipe", required=False)
@click.option("--data", metavar="SRC", help=f"What to learn from: {SRC}. Default: the recipe's.")
@click.option("--clean", metavar="DIR", help="The clean partners of what is in --data, found by their names.")
@click.option("--noisy-only", is_flag=True, help="The images in --data are noisy, and there are no clean ones. Not for sound.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder. Default: runs/NAME.")
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Short for --set epochs=N.")
@click.option(
    "--max-minutes", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Stop training after that long. [without RECIPE: 15]"
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the recipe; may be repeated.")
@click.option("--from", "start", metavar="MODEL", help="Fine-tune MODEL, a shipped model's name or a model file.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's event files into the run's folder.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder; start it if there is none.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Short for --set seed=N.")
@click.option("--check", is_flag=True, help="Exit with status 3 if the model does not help.")
def train(
    recipe: str | None,
    data: str | None,
    clean: str | None,
    noisy_only: bool,
    out: Path | None,
    epochs: int | None,
    max_minutes: float | None,
    changes: tuple[str, ...],
    start: str | None,
    tensorboard: bool,
    resume: bool,
    device: Any,
    seed: int | None,
    check: bool,
) -> None:
    """Train the network of RECIPE (a shipped recipe's name or a TOML file) into a model file with its report.

    Without RECIPE, a folder of images is looked at and recipe, patch and a schedule that fits into --max-minutes are chosen for it; with
    --from, patch and schedule, for the model's own recipe or RECIPE. A folder of clean voices trains the recipe
    speech. With neither RECIPE nor --data, it is the seed.
    """
    from burnish.training import process

    process.prepare()
    from burnish import training
    from burnish.training import recipe as recipes

    short = {key: value for key, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    order = training.Order(
        recipe=recipe,
        data=data,
        clean=clean,
        noisy_only=noisy_only,
        start=start,
        changes=short | recipes.parsed(changes),
        out=out,
        resume=resume,
        max_minutes=max_minutes,
    )
    run = training.train(order, device=device, tensorboard=tensorboard, say=say)
    print_boards(run.boards)
    if check and not run.board.helps:
        sys.exit(3)
