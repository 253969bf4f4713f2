"""`burnish restore`."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from burnish.cli.words import complain, say, value_range_of
from burnish.errors import one_line
from burnish.wording import counted

if TYPE_CHECKING:
    from burnish.audio.model import Model as SoundModel
    from burnish.audio.restore import Settings as SoundSettings
    from burnish.image.restore import Advance, RestoreResult

PASSED_OVER = ("file passed over that is no image and no recording", "files passed over that are no images and no recordings")


@click.command(
    epilog="\b\nExamples:\n  burnish restore holiday/ -o better/\n  burnish restore scan.tif -m tiny-deblur --strength 0.5\n"
    "  burnish restore interview.wav --residual taken.wav"
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="PATH", help="A folder, or for one file a file. [NAME-restored.EXT]")
@click.option("-m", "--model", "name", metavar="MODEL", help="A shipped model's name or a model file. [images: photo; sound: speech]")
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
@click.option(
    "--residual", type=click.Path(path_type=Path), metavar="FILE", help="Write what is taken away from a recording to a WAV or FLAC file."
)
@click.option("--force", is_flag=True, help="Restore what the model was not made for, too.")
@click.option("--overwrite", is_flag=True, help="Restore again what has been restored; else it is skipped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each.")
def restore(
    inputs: tuple[Path, ...],
    out: Path | None,
    name: str | None,
    strength: float,
    tile: int | None,
    threads: int | None,
    max_pixels: int | None,
    value_range: tuple[float, float] | None,
    residual: Path | None,
    force: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Restore each INPUT, a file or a folder with all images and recordings in it, whatever their size and depth, with all that they carry.

    What is an image and what is sound is told by the content, and each is restored by a model for it. A file ends as restored, unchanged
    (the model was not made for such a file: the result is a copy), skipped (there is a result already; the line says if it may be another
    than would be made now) or failed (nothing is written).
    """
    from burnish import progress
    from burnish.audio.files import holds_sound, is_sound
    from burnish.audio.restore import Settings as SoundSettings
    from burnish.image import batch, datasets
    from burnish.image import files as image_files
    from burnish.image.restore import Settings
    from burnish.model import file as model_file

    plan = batch.planned(inputs, out, lambda name: datasets.is_picture(name) or is_sound(name))
    recordings = sum(holds_sound(source) for source, _ in plan.jobs)
    if residual and (recordings != 1 or len(plan.jobs) != 1):
        raise click.UsageError("--residual takes one recording as INPUT.")
    named = model_file.load(name, threads) if name else None
    if named is not None and named.card.kind == "image":
        loaded = named
        loaded.check_restores()
    else:
        loaded = model_file.load(model_file.default(), threads) if len(plan.jobs) > recordings else None
    settings = Settings(strength, tile, value_range, max_pixels or image_files.MAX_PIXELS, overwrite, not force)
    with progress.shown("restoring") as shown:
        tell = _tell_json if as_json else _tell
        sound_settings = SoundSettings(strength, overwrite, not force, residual)
        sounds = _sounds(named if loaded is not named else None, threads, sound_settings)
        results = batch.restore_all(plan, loaded, settings, shown, tell, threads, sounds)
    for remark in plan.remarks:
        complain(remark)
    if len(results) != 1 or plan.passed_over:
        complain(_summary(results, plan.passed_over))
        for each in results:
            if each.error:
                complain(f"failed: {each.error}")
    if any(each.status == "failed" for each in results):
        sys.exit(1)


def _sounds(
    named: "SoundModel | None", threads: int | None, settings: "SoundSettings"
) -> Callable[[Path, Path, "Advance", "Advance"], "RestoreResult"]:
    """What restores a recording, by the model named or the default one, which is loaded when the first recording comes."""
    from burnish.audio import model as audio_model
    from burnish.audio.restore import SoundResult, Work, restored
    from burnish.errors import BurnishError
    from burnish.model import file as model_file

    @functools.cache
    def model() -> "SoundModel":
        return named or audio_model.load(model_file.default("audio"), threads)

    def restore_one(source: Path, target: Path, begin: "Advance", advance: "Advance") -> "RestoreResult":
        try:
            loaded = model()
        except BurnishError as error:
            return SoundResult(source, target, "failed", error=f"{source}: {error}")
        return restored(Work(source, target, loaded, settings, begin, advance))

    return restore_one


def _summary(results: Sequence["RestoreResult"], passed_over: int) -> str:
    counts = {status: sum(each.status == status for each in results) for status in ("restored", "unchanged", "skipped", "failed")}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count or status == "restored")
    return said + (f"; {counted(passed_over, *PASSED_OVER)}" if passed_over else "")


def _tell(result: "RestoreResult") -> None:
    if result.error:
        complain(result.error)
        return
    did = f"{result.status} in {result.seconds:.1f} s" if result.status == "restored" else result.status
    say(one_line(f"{result.output}: {did}" + "".join(f"; {note}" for note in [*_taken(result), *result.notes])))


def _taken(result: "RestoreResult") -> list[str]:
    """What was taken away, as far as it is worth a word."""
    said = []
    if result.noise and result.noise[1] < min(0.9 * result.noise[0], result.noise[0] - 0.2):
        said.append("noise of sigma {:.1f} down to {:.1f}".format(*result.noise))
    if result.jpeg and result.jpeg[1]:
        said.append("JPEG's traces lessened")
    return said


def _tell_json(result: "RestoreResult") -> None:
    say(json.dumps(result.to_json()))
