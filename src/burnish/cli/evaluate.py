"""`burnish evaluate`: models beside doing nothing and the classical filters."""

import json
import sys
from pathlib import Path

import click

from burnish.cli.words import SRC, complain, print_boards, say


@click.command(
    epilog="\b\nExamples:\n  burnish evaluate seed --data photos\n  burnish evaluate a.onnx b.onnx --data images/ --degrade noise:5"
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--data", required=True, metavar="SRC", help=f"Images to score on: {SRC}.")
@click.option("--degrade", metavar="SPEC", help="Degradation, such as blur:1.0+8bit. Default: the one the first model was trained for.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Score the first N images only.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the degradation's draws.")
@click.option("--no-baselines", is_flag=True, help="Leave the classical filters out.")
@click.option("--check", is_flag=True, help="Exit with status 3 if a model does not help.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a model, a line each.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML report as well.")
def evaluate(
    models: tuple[str, ...],
    data: str,
    degrade: str | None,
    limit: int | None,
    seed: int,
    no_baselines: bool,
    check: bool,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Score each MODEL (a shipped model's name or a file) beside the untouched input and the classical filters."""
    from burnish import progress
    from burnish.degradation import Degradation
    from burnish.image import datasets as sets
    from burnish.model import file as model_file
    from burnish.scoreboard.board import evaluate as score

    loaded = [model_file.load(name) for name in models]
    degradation = Degradation.parse(degrade or loaded[0].card.degradation)
    with progress.shown("reading") as shown:
        channels = loaded[0].card.channels
        pictures = sets.load(data, "test", shown, channels).first(limit)
        tuning = None if no_baselines else sets.tuning_for(data, channels)
    with progress.shown("scoring") as shown:
        boards = score(loaded, pictures, degradation, tuning=tuning, seed=seed, progress=shown)
    if report_file:
        from burnish.scoreboard import report

        stories = [report.Story(board, each.card, [], "") for board, each in zip(boards, loaded, strict=True)]
        report.write_report(report_file, f"{', '.join(models)} on {data}", stories)
    if as_json:
        for board in boards:
            say(json.dumps(board.to_json()))
    else:
        print_boards(boards)
    if check and not all(board.helps for board in boards):
        sys.exit(3)
    if pictures.skipped:
        total = len(pictures.skipped) + len(pictures.images)
        for name, why in pictures.skipped:
            complain(f"{name}: {why}")
        complain(f"{len(pictures.skipped)} of {total} images could not be read; the others are scored")
        sys.exit(1)
