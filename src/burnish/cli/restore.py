"""`burnish restore`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from burnish.cli.words import complain, say, value_range_of
from burnish.errors import one_line
from burnish.wording import counted

if TYPE_CHECKING:
    from burnish.image.restore import RestoreResult

PASSED_OVER = ("file passed over that is no image", "files passed over that are no images")


@click.command(epilog="\b\nExamples:\n  burnish restore holiday/ -o better/\n  burnish restore scan.tif -m tiny-deblur --strength 0.5")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="PATH", help="A folder, or for one file a file. [NAME-restored.EXT]")
@click.option("-m", "--model", "name", metavar="MODEL", help="A shipped model's name or a model file. [photo, until it exists seed]")
@click.option("--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, metavar="S", help="0 as it was … 1 as restored.")
@click.option("--tile", type=click.IntRange(min=16), metavar="N", help="Side of the tiles in pixels; smaller ones take less memory.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads. Default: all that there are.")
@click.option("--max-pixels", type=click.IntRange(min=1), metavar="N", help="Refuse images with more pixels. [10 gigapixels]")
@click.option(
    "--range",
    "value_range",
    callback=value_range_of,
    metavar="A-B",
    help="What black and white are in 16-bit and float images. [told from the data]",
)
@click.option("--force", is_flag=True, help="Restore images that the model was not made for, too.")
@click.option("--overwrite", is_flag=True, help="Restore again what has been restored; else it is skipped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an image, a line each.")
def restore(
    inputs: tuple[Path, ...],
    out: Path | None,
    name: str | None,
    strength: float,
    tile: int | None,
    threads: int | None,
    max_pixels: int | None,
    value_range: tuple[float, float] | None,
    force: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Restore each INPUT, an image file or a folder with all images in it, whatever their size and depth, with all that they carry.

    An image ends as restored, unchanged (the model was not made for such an image: the result is a copy), skipped (there is a result
    already; the line says if it may be another than would be made now) or failed (nothing is written).
    """
    from burnish import progress
    from burnish.image import batch
    from burnish.image import files as image_files
    from burnish.image.restore import Settings
    from burnish.model import file as model_file

    loaded = model_file.load(name or model_file.default(), threads)
    settings = Settings(strength, tile, value_range, max_pixels or image_files.MAX_PIXELS, overwrite, not force)
    plan = batch.planned(inputs, out)
    with progress.shown("restoring") as shown:
        results = batch.restore_all(plan, loaded, settings, shown, _tell_json if as_json else _tell, threads)
    for remark in plan.remarks:
        complain(remark)
    if len(results) != 1 or plan.passed_over:
        complain(_summary(results, plan.passed_over))
        for each in results:
            if each.error:
                complain(f"failed: {each.error}")
    if any(each.status == "failed" for each in results):
        sys.exit(1)


def _summary(results: Sequence["RestoreResult"], passed_over: int) -> str:
    counts = {status: sum(each.status == status for each in results) for status in ("restored", "unchanged", "skipped", "failed")}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count or status == "restored")
    return said + (f"; {counted(passed_over, *PASSED_OVER)}" if passed_over else "")


def _tell(result: "RestoreResult") -> None:
    if result.error:
        complain(result.error)
        return
    did = f"{result.status} in {result.seconds:.1f} s" if result.status == "restored" else result.status
    say(one_line(f"{result.output}: {did}" + "".join(f"; {note}" for note in result.notes)))


def _tell_json(result: "RestoreResult") -> None:
    say(json.dumps(result.to_json()))
