"""`burnish demo`."""

from pathlib import Path

import click

from burnish.cli.words import print_boards, say
from burnish.errors import MissingExtraError


@click.command(epilog="\b\nExamples:\n  burnish demo --out demo\n  burnish demo --audio")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True, metavar="DIR")
@click.option("--audio", is_flag=True, help="On sound: made voices, and a network that takes noise out of them.")
def demo(out: Path, audio: bool) -> None:
    """The whole story in a few minutes, offline: two networks trained, scored and shown in DIR/report.html."""
    from burnish.training import process

    process.prepare()
    try:
        from burnish.training.demo import demo as run
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the demo trains, and needs the package {error.name}: pip install 'burnish[train]'") from error
    if audio:
        from burnish.training.audio.demo import demo as run_audio

        print_boards(run_audio(out, say))
        say(f"\nLook at and listen to {out / 'demo-speech' / 'report.html'}")
        return
    print_boards(run(out, say))
    say(f"\nLook at {out / 'report.html'} and {out / 'restored.png'}")
