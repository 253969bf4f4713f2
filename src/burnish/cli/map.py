"""`burnish map`: all images of a folder on one page, those that are alike beside each other."""

import json
import sys
from pathlib import Path

import click

from burnish.cli.words import complain, refuse_to_replace, say
from burnish.wording import counted


@click.command(
    "map",
    epilog="\b\nExamples:\n  burnish map photos/ -o map.html\n  burnish map photos/ -o map.html --keep photos-map.onnx"
    "\n  burnish map more/ -m photos-map.onnx --json",
)
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="The page, which needs nothing else.")
@click.option(
    "-m", "--model", type=click.Path(path_type=Path), metavar="FILE", help="Place images by what --keep has kept; nothing is learnt."
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="FILE.onnx", help="Keep what places images, for -m.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of what chance decides.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an image, a line each: input, x, y.")
@click.option("--overwrite", is_flag=True, help="Let what is written take the place of files that exist.")
def map_images(
    sources: tuple[str, ...], out: Path | None, model: Path | None, keep: Path | None, seed: int, as_json: bool, overwrite: bool
) -> None:
    """Learn to place the images of SRC (a folder, an image file, cifar10, photos) on a plane, and write the map as a page."""
    if out is None and not as_json:
        raise click.UsageError("-o says where the page goes, such as -o map.html; or print the places with --json")
    if model and keep:
        raise click.UsageError("-m takes what was kept before; leave out --keep")
    from burnish import progress
    from burnish.image import datasets
    from burnish.latent import map as maps
    from burnish.latent import map_page

    for file in (out, keep):
        refuse_to_replace(file, overwrite)
    encoder = maps.Encoder.load(model) if model else None
    with progress.shown("reading") as shown:
        pictures = datasets.several(sources, 3, shown)
    with progress.shown("placing") as shown:
        done, encoder = maps.placed(pictures, encoder, seed, shown)
    if keep and encoder:
        encoder.save(keep)
    if as_json:
        for row in maps.to_json(done):
            say(json.dumps(row))
    if out:
        map_page.write(out, done, pictures.name)
    for note in done.notes:
        complain(note)
    complain(f"{counted(len(done.names), 'image')} placed. {map_page.told(done)}")
    for name, why in done.skipped:
        complain(f"failed: {why}" if name in why else f"failed: {name}: {why}")
    if done.skipped:
        sys.exit(1)


map = map_images
