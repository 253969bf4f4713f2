"""`burnish encode` and `burnish decode`: images as few numbers, and back."""

import base64
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from burnish.cli.words import complain, refuse_to_replace, say
from burnish.errors import InputError, ModelError
from burnish.wording import counted

if TYPE_CHECKING:
    from burnish.latent.encoding import Wanted


def _size_of(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """HEIGHTxWIDTH as two numbers."""
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        height, width = (int(part) for part in value.lower().replace("×", "x").split("x"))
        if 1 <= height <= 10_000 and 1 <= width <= 10_000:
            return height, width
    raise click.BadParameter(f"{value!r} is no size; write height and width in pixels, such as 32x32")


@click.command(
    epilog="\b\nExamples:\n  burnish encode photos/ -o latents.npz\n  burnish encode photos/ -o photos.npz --bytes 24"
    "\n  burnish encode photo.jpg --bytes 24 --text"
    "\n  burnish encode photos/ -o photos.parquet -m patches --size 256x256"
    "\n  burnish encode photos/ -o packed.npz -m latent --bytes 40"
)
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="An .npz, or a .parquet (needs burnish[parquet]).")
@click.option("-m", "--model", "name", metavar="MODEL", help="A model with a latent. [latent; with --bytes, placeholders]")
@click.option(
    "--bytes",
    "size_in_bytes",
    type=int,
    metavar="N",
    help="At most N bytes an image: placeholders (12 to 1000), or with -m packed latents.",
)
@click.option("--text", is_flag=True, help="Print each placeholder as a line of base64, for a web page, and its path.")
@click.option("--size", callback=_size_of, metavar="HxW", help="Bring all images to this size first. [the model's, if it has one]")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads. Default: all that there are.")
@click.option("--overwrite", is_flag=True, help="Let the result take the place of a file that exists.")
def encode(
    sources: tuple[str, ...],
    out: Path | None,
    name: str | None,
    size_in_bytes: int | None,
    text: bool,
    size: tuple[int, int] | None,
    threads: int | None,
    overwrite: bool,
) -> None:
    """Turn each image of SRC (a folder, an image file, cifar10, photos) into a latent, all in one file.

    A run that was stopped goes on where it was when the same command is given again.
    """
    wanted = _wanted(name, size_in_bytes, size, threads, text)
    if text:
        _print(sources, wanted)
        return
    if out is None:
        raise click.UsageError("-o says where the latents go, such as -o latents.npz; or print placeholders with --text")
    from burnish import progress
    from burnish.latent import encoding
    from burnish.latent.store import Writer

    refuse_to_replace(out, overwrite)
    pictures = _pictures(sources, wanted)
    writer = Writer(out, "|".join([*sources, str(wanted.size), str(wanted.bytes)]), wanted.named)
    if writer.done:
        complain(f"{len(writer.done):,} of {len(pictures.names):,} are done already; going on")
    try:
        with progress.shown("encoding") as shown:
            skipped = encoding.encode(pictures, wanted, writer, shown)
        writer.finish()
    finally:
        writer.close()
    complain(f"{counted(len(writer.done), 'image')} in {out}")
    _end(skipped)


def _wanted(name: str | None, size_in_bytes: int | None, size: tuple[int, int] | None, threads: int | None, text: bool) -> "Wanted":
    from burnish.latent import encoding, packing, thumb
    from burnish.model import file as model_file

    if name is None and size_in_bytes is None and not text:
        name = encoding.DEFAULT
    if name in (None, encoding.PLACEHOLDER):
        room = encoding.SMALL if size_in_bytes is None else size_in_bytes
        thumb.check_size(room)
        return encoding.Wanted(None, None, room)
    if text:
        raise click.UsageError("--text is for placeholders; leave out -m")
    if size_in_bytes is not None:
        packing.check_size(size_in_bytes)
    model: Any = model_file.load(str(name), threads)
    if model.card.kind != "image":
        raise ModelError(f"{name}: is a model of {model.card.kind}, not of images; name a model of images with a latent")
    if not model.has_latent:
        raise ModelError(f"{name}: has no latent to encode into; take a model with a bottleneck, such as latent")
    own = model.card.input_size
    return encoding.Wanted(model, size or ((own[0], own[1]) if own else None), size_in_bytes)


def _pictures(sources: tuple[str, ...], wanted: "Wanted") -> Any:
    from burnish import progress
    from burnish.image import datasets

    channels = wanted.model.card.channels if wanted.model else 3
    with progress.shown("reading") as shown:
        return datasets.several(sources, channels, shown)


def _print(sources: tuple[str, ...], wanted: "Wanted") -> None:
    """A line for each image: base64 of its placeholder, a tab, its path."""
    from burnish.latent.encoding import fitted

    pictures = _pictures(sources, wanted)
    skipped = list(pictures.skipped)
    for index, path in enumerate(pictures.names):
        try:
            code = fitted(pictures.images[index], wanted).tobytes().rstrip(b"\0")
        except InputError as error:
            skipped.append((path, str(error)))
            continue
        say(f"{base64.b64encode(code).decode()}\t{path}")
    _end(skipped)


def _end(skipped: list[tuple[str, str]]) -> None:
    for path, why in skipped:
        complain(f"failed: {why}" if path in why else f"failed: {path}: {why}")
    if skipped:
        sys.exit(1)


@click.command(epilog="\b\nExamples:\n  burnish decode photos.npz -o seen/\n  burnish decode latents.npz -o seen/ -m mine.onnx")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the images go, as PNG.")
@click.option("-m", "--model", "name", metavar="MODEL", help="The model that made the latents. [the shipped one of that name]")
@click.option("--overwrite", is_flag=True, help="Let images take the place of files that exist.")
def decode(file: Path, out: Path, name: str | None, overwrite: bool) -> None:
    """Turn a FILE of latents or placeholders back into images."""
    from burnish import progress
    from burnish.latent import encoding, store
    from burnish.model import file as model_file

    latents = store.read(file)
    placeholders = latents.head.model == encoding.PLACEHOLDER
    if placeholders and latents.head.fingerprint != encoding.THUMB_FORMAT:
        raise InputError(f"{file}: holds placeholders of another kind ({latents.head.fingerprint}); upgrade Burnish")
    if not placeholders and name is None and latents.head.model not in model_file.shipped():
        raise InputError(f"{file}: was made by the model {latents.head.model!r}, which does not come with Burnish; name its file with -m")
    model = None if placeholders else model_file.load(name or latents.head.model)
    with progress.shown("decoding") as shown:
        count = sum(1 for _ in encoding.decode(latents, model, out, overwrite=overwrite, progress=shown))
    complain(f"{counted(count, 'image')} in {out}")
