"""`burnish demo`."""

from pathlib import Path

import click

from burnish.cli.words import print_boards, say
from burnish.errors import MissingExtraError


@click.command(epilog="\b\nExample:\n  burnish demo --out demo")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True, metavar="DIR")
def demo(out: Path) -> None:
    """The whole story in a few minutes, offline: two networks trained, scored and shown in DIR/report.html."""
    from burnish.training import process

    process.prepare()
    try:
        from burnish.training.demo import demo as run
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the demo trains, and needs the package {error.name}: pip install 'burnish[train]'") from error
    print_boards(run(out, say))
    say(f"\nLook at {out / 'report.html'} and {out / 'restored.png'}")
