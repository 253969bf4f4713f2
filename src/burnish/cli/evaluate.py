"""`burnish evaluate`: models beside doing nothing and the classical baselines."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from burnish.cli.words import SRC, complain, print_boards, refuse_to_replace, say

if TYPE_CHECKING:
    from burnish.scoreboard.board import Scoreboard


@click.command(
    epilog="\b\nExamples:\n  burnish evaluate seed --data photos\n  burnish evaluate a.onnx b.onnx --data images/ --degrade noise:5"
    "\n  burnish evaluate photo --data noisy/ --clean clean/\n  burnish evaluate speech --data voices/ --degrade noise:0-20"
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--data", required=True, metavar="SRC", help=f"What to score on: {SRC}; or recordings.")
@click.option("--clean", metavar="DIR", help="The clean partners of the images in --data, found by their names.")
@click.option("--degrade", metavar="SPEC", help="Degradation, such as blur:1.0+8bit. Default: the one the first model was trained for.")
@click.option("--noises", type=click.Path(path_type=Path), metavar="DIR", help="Of sound: the folder that noise is drawn from. [made]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Score the first N images or recordings only.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the degradation's draws.")
@click.option("--no-baselines", is_flag=True, help="Leave the classical baselines out.")
@click.option("--check", is_flag=True, help="Exit with status 3 if a model does not help.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a model, a line each.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML report as well.")
@click.option("--overwrite", is_flag=True, help="Let the report take the place of a file that exists.")
def evaluate(
    models: tuple[str, ...],
    data: str,
    clean: str | None,
    degrade: str | None,
    noises: Path | None,
    limit: int | None,
    seed: int,
    no_baselines: bool,
    check: bool,
    as_json: bool,
    report_file: Path | None,
    overwrite: bool,
) -> None:
    """Score MODELs (shipped names or files) beside the untouched input and the classical baselines."""
    from burnish import progress
    from burnish.image.evaluate import prepared
    from burnish.model import file as model_file
    from burnish.scoreboard.board import count

    refuse_to_replace(report_file, overwrite)
    loaded = [model_file.load(name) for name in models]
    if loaded[0].card.kind == "audio":
        from burnish.audio import score

        hearing = score.prepared(loaded, data, degrade, clean, limit, noise=noises, seed=seed, with_baselines=not no_baselines)
        with progress.shown("evaluating") as shown:
            boards: Sequence[Scoreboard] = hearing.score(loaded, shown, seed)
    else:
        with progress.shown("reading") as shown:
            task = prepared(loaded, data, degrade, clean, limit, not no_baselines, shown)
        with progress.shown("evaluating") as shown:
            boards = task.score(loaded, seed, shown)
    if as_json:
        for board in boards:
            say(json.dumps(board.to_json()))
    else:
        print_boards(boards)
    for note in dict.fromkeys(note for board in boards for note in board.notes):
        complain(note)
    if report_file:
        from burnish.scoreboard import report

        stories = [report.Story(board, each.card, [], "") for board, each in zip(boards, loaded, strict=True)]
        report.write_report(report_file, f"{', '.join(models)} on {data}", stories)
    if skipped := boards[0].skipped:
        for name, why in skipped:
            complain(f"{name}: {why}")
        complain(f"{len(skipped)} of {count(len(skipped) + boards[0].items, boards[0].kind)} could not be read; the others are scored")
    if check and not all(board.helps for board in boards):
        sys.exit(3)
    if skipped:
        sys.exit(1)
