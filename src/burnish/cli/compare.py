"""`burnish compare`: training runs side by side."""

import json
from pathlib import Path

import click

from burnish.cli.words import refuse_to_replace, say


@click.command(epilog="\b\nExample:\n  burnish compare runs/photo runs/mine --report compared.html")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run, a line each.")
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page with the curves as well."
)
@click.option("--overwrite", is_flag=True, help="Let the page take the place of a file that exists.")
def compare(runs: tuple[Path, ...], as_json: bool, report_file: Path | None, overwrite: bool) -> None:
    """Lay RUNs (folders made by burnish train, finished or not) side by side: what differs in their recipes, and what came of it."""
    from burnish.scoreboard import compare as comparing

    refuse_to_replace(report_file, overwrite)
    found = [comparing.read(folder) for folder in runs]
    if as_json:
        for line in comparing.to_json(found):
            say(json.dumps(line))
    else:
        say(comparing.table(found))
    if report_file:
        comparing.write_report(report_file, found)
