"""`burnish degrade`."""

import sys
from pathlib import Path

import click

from burnish.cli.words import complain
from burnish.errors import InputError
from burnish.wording import counted


@click.command(epilog="\b\nExample:\n  burnish degrade holiday/ --degrade blur:1.0+noise:10 -o worse/")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("--degrade", "spec", required=True, metavar="SPEC", help="Degradation, such as blur:1.0+8bit.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the PNGs go.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the draws.")
def degrade(inputs: tuple[Path, ...], spec: str, out: Path, seed: int) -> None:
    """Degrade each INPUT, an image file or a folder, as SPEC says, into PNGs of the same size: what a model is up against."""
    from burnish.degradation import Degradation
    from burnish.image import batch
    from burnish.image import datasets as sets

    degradation = Degradation.parse(spec)
    plan = batch.planned(inputs, out)
    failed = len(plan.unread)
    for closed in plan.unread:
        complain(str(closed.error))
    taken: dict[Path, Path] = {}
    for source, place in plan.jobs:
        target = place.with_suffix(".png")
        try:
            if (first := taken.setdefault(target, source)) is not source:
                raise InputError(f"{source} and {first} would both become {target}; give them one at a time")
            if target.exists():
                raise InputError(f"{target}: exists already; choose another folder with -o")
            sets.write_png(target, degradation.apply(image := sets.read(source), seed), image.dtype)
        except InputError as error:
            failed += 1
            complain(str(error))
    if failed:
        complain(f"{counted(failed, 'image')} failed, the others are in {out}")
        sys.exit(1)
