"""`burnish degrade`."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from burnish.cli.words import complain
from burnish.errors import InputError
from burnish.wording import counted

Write = Callable[[Path, Path], None]  # from where, to where


@click.command(
    epilog="\b\nExamples:\n  burnish degrade holiday/ --degrade blur:1.0+noise:10 -o worse/"
    "\n  burnish degrade voices/ --degrade noise:0-20 --noises traffic/ -o worse/"
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("--degrade", "spec", required=True, metavar="SPEC", help="Degradation, such as blur:1.0+8bit, or of sound noise:0-20.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the PNGs or WAVs go."
)
@click.option("--noises", type=click.Path(path_type=Path), metavar="DIR", help="Of sound: the folder that noise is drawn from. [made]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the draws.")
def degrade(inputs: tuple[Path, ...], spec: str, out: Path, noises: Path | None, seed: int) -> None:
    """Degrade each INPUT, a file or a folder, as SPEC says: what a model is up against.

    Images become PNGs of the same size, recordings WAVs of one channel at 16 kHz. One call takes either images or recordings.
    """
    from burnish.audio.files import holds_sound, is_sound
    from burnish.image import batch, datasets

    plan = batch.planned(inputs, out, lambda name: datasets.is_picture(name) or is_sound(name))
    sounds = [holds_sound(source) for source, _ in plan.jobs]
    if any(sounds) and not all(sounds):
        raise click.UsageError("INPUT holds images and recordings, whose degradations differ; give one kind at a time.")
    if noises and not any(sounds):
        raise click.UsageError("--noises is for recordings, and INPUT holds none.")
    failed = len(plan.unread)
    for closed in plan.unread:
        complain(str(closed.error))
    sources = [source for source, _ in plan.jobs]
    write, ending = (_recordings(spec, sources, noises, seed), ".wav") if any(sounds) else (_images(spec, seed), ".png")
    taken: dict[Path, Path] = {}
    for source, place in plan.jobs:
        target = place.with_suffix(ending)
        try:
            if (first := taken.setdefault(target, source)) is not source:
                raise InputError(f"{source} and {first} would both become {target}; give them one at a time")
            if target.exists():
                raise InputError(f"{target}: exists already; choose another folder with -o")
            write(source, target)
        except InputError as error:
            failed += 1
            complain(str(error))
    if failed:
        complain(f"{counted(failed, 'recording' if any(sounds) else 'image')} failed, the others are in {out}")
        sys.exit(1)


def _images(spec: str, seed: int) -> Write:
    from burnish.degradation import Degradation
    from burnish.image import datasets

    degradation = Degradation.parse(spec)

    def write(source: Path, target: Path) -> None:
        datasets.write_png(target, degradation.apply(image := datasets.read(source), seed), image.dtype)

    return write


def _recordings(spec: str, sources: Sequence[Path], noise: Path | None, seed: int) -> Write:
    from burnish.audio import folder, noises
    from burnish.degradation import Degradation

    degradation = Degradation.parse(spec, "audio")
    voices = folder.readable(sources) if "babble" in degradation.names else ()
    noises.use(noises.Bank(folder.load(noise).items if noise else (), voices))

    def write(source: Path, target: Path) -> None:
        folder.write(target, degradation.apply(folder.read(source), seed))

    return write
