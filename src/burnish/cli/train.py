"""`burnish train`."""

import sys
from pathlib import Path
from typing import Any

import click

from burnish.cli.words import SRC, print_boards, say


@click.command(
    epilog="\b\nExamples:\n  burnish train --data scans/ --clean originals/\n  burnish train --data cells/ --noisy-only --max-minutes 5"
    "\n  burnish train photo --data photos/ --set degradation=noise:5-30+jpeg:40-90\n  burnish train seed --resume"
)
@click.argument("recipe", required=False)
@click.option("--data", metavar="SRC", help=f"What to learn from: {SRC}. Default: the recipe's.")
@click.option("--clean", metavar="DIR", help="The clean partners of the images in --data, found by their names.")
@click.option("--noisy-only", is_flag=True, help="The images in --data are noisy, and there are no clean ones.")
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
    --from, patch and schedule, for the model's own recipe or RECIPE. With neither RECIPE nor --data, it is the seed.
    """
    from burnish.training import process

    process.prepare()
    from burnish import training
    from burnish.image import datasets as sets
    from burnish.training.recipe import suited

    automatic = (recipe is None or start is not None) and data is not None and not sets.has_test_split(data)
    if automatic:
        max_minutes = max_minutes or 15.0
        recipe = suited(max_minutes) if start is None else recipe
    given = {"data": data, "epochs": epochs, "seed": seed, "clean": clean}
    short = [f"{key}={value}" for key, value in given.items() if value is not None]
    short += ["degradation=own"] * bool(clean) + ["noisy_only=true", "loss=mse"] * noisy_only
    if automatic and data and start is None:
        name = Path(data).resolve().name
        short += [f"name={name}", f"summary=Trained on the pictures of {name}."]
    fixed = [change.partition("=")[0].strip() for change in (*changes, *short)] + ["validation"] * bool(start)
    every = [*short, *changes]
    if noisy_only and any(change.partition("=")[0].strip() == "degradation" for change in changes):
        raise click.UsageError("--noisy-only measures the noise of the images; leave --set degradation out")
    plan = training.load_recipe(recipe or "seed", every) if start is None else training.fine_tuning(start, recipe, every)
    how = {"resume": resume, "device": device, "max_minutes": max_minutes, "tensorboard": tensorboard}
    run = training.fit(plan, out, fill=automatic, fixed=fixed, say=say, **how)
    print_boards(run.boards)
    if check and not run.board.helps:
        sys.exit(3)
