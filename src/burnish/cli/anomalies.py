"""`burnish anomalies`: what does not belong."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from burnish.cli.words import SRC, complain, refuse_to_replace, say
from burnish.errors import InputError
from burnish.wording import counted

if TYPE_CHECKING:
    from burnish.latent.anomalies import Verdict
    from burnish.latent.detector import Detector


@click.command(
    epilog="\b\nExamples:\n  burnish anomalies parts/ --normal good-parts/ -o odd.html"
    "\n  burnish anomalies parts/ --normal good-parts/ --keep parts.npz\n  burnish anomalies more/ -m parts.npz --json --check"
)
@click.argument("source", metavar="SRC")
@click.option("--normal", metavar="SRC", help=f"Normal images to learn from: {SRC}. [SRC itself]")
@click.option("-m", "--model", type=click.Path(path_type=Path), metavar="FILE", help="What --keep has kept; nothing is learnt then.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="FILE.npz", help="Keep what was learnt, for -m.")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with the oddest images.")
@click.option(
    "--maps", type=click.Path(path_type=Path), metavar="DIR", help="Write each image's score for every pixel, as a TIFF of floats."
)
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    metavar="SHARE",
    help="How many of the normal images may be called odd.",
)
@click.option(
    "--max-minutes", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True, metavar="M", help="Time to learn in."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of what chance decides.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads. Default: all that there are.")
@click.option("--check", is_flag=True, help="Exit with status 3 if an image is odd.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an image, a line each.")
@click.option("--overwrite", is_flag=True, help="Let what is written take the place of files that exist.")
def anomalies(
    source: str,
    normal: str | None,
    model: Path | None,
    keep: Path | None,
    out: Path | None,
    maps: Path | None,
    false_alarms: float,
    max_minutes: float,
    seed: int,
    threads: int | None,
    check: bool,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Score the images of SRC by how unlike normal ones they are, and tell where.

    Each score is −log10 of the share of normal images that would score as high. Beside it stands what PCA on patches scores.
    """
    from burnish import progress
    from burnish.image import datasets
    from burnish.latent import anomaly_page
    from burnish.latent.anomalies import examined

    if model and (normal or keep):
        raise click.UsageError("-m takes what was learnt before; leave out --normal and --keep")
    for file in (out, keep):
        refuse_to_replace(file, overwrite)
    with progress.shown("reading") as shown:
        pictures = datasets.load(source, "test", shown, None, resident=0)
    detector, lines = _detector(source, normal, model, max_minutes, seed, threads)
    if keep:
        detector.save(keep)
    for line in lines:
        complain(line)
    verdicts, oddest = [], anomaly_page.Oddest()
    with progress.shown("scoring") as shown:
        for verdict, picture in examined(detector, pictures, false_alarms, shown):
            verdicts.append(verdict.without_heat())
            if as_json:
                say(json.dumps(verdict.to_json()))
            if picture is not None and out:
                oddest.add(verdict, picture)
            if verdict.finding and picture is not None and maps:
                target = maps / f"{verdict.name}.tif"
                refuse_to_replace(target, overwrite)
                anomaly_page.write_heat(target, verdict.finding.heat, picture.shape)
    if not as_json:
        for line in _told(verdicts):
            say(line)
    if out:
        anomaly_page.write(out, verdicts, oddest.cards, detector, pictures.name, lines)
    complain(_summary(verdicts, false_alarms))
    _end(verdicts, check)


def _detector(
    source: str, normal: str | None, model: Path | None, minutes: float, seed: int, threads: int | None
) -> tuple["Detector", list[str]]:
    """What was learnt before, or is learnt now, and what its user should know."""
    from burnish import progress
    from burnish.image import datasets
    from burnish.latent import anomalies, detector

    if model:
        return detector.load(model, threads), []
    with progress.shown("learning what is normal") as shown:
        learnt_from = datasets.load(normal or source, "train" if normal else "test", shown, None, resident=0)
        found, lines = anomalies.learnt(learnt_from, minutes, unsorted=normal is None, seed=seed, threads=threads, progress=shown)
    return found, lines


def _told(verdicts: list["Verdict"]) -> Iterator[str]:
    """The images in order, the oddest first."""
    ranked = sorted((each for each in verdicts if each.finding), key=lambda each: -(each.finding.score if each.finding else 0))
    for each in ranked:
        assert each.finding is not None
        yield f"{each.finding.score:8.3f}  {'odd   ' if each.anomalous else 'normal'}  {each.name}"


def _summary(verdicts: list["Verdict"], false_alarms: float) -> str:
    scored = [each for each in verdicts if each.finding]
    if not scored:
        raise InputError("no image could be scored; look at the first: " + (verdicts[0].error if verdicts else "there is none"))
    odd = sum(each.anomalous for each in scored)
    pca = sum(each.finding.rival >= each.threshold for each in scored if each.finding)
    allowed = f"{100 * false_alarms:.3g} %"
    return f"{counted(odd, 'image')} of {len(scored):,} odd at {allowed} false alarms; PCA on patches calls {pca:,} odd"


def _end(verdicts: list["Verdict"], check: bool) -> None:
    """Name what failed, and leave with the status that says how it went."""
    failed = [each for each in verdicts if each.error]
    for each in failed:
        complain(f"failed: {each.name}: {each.error}")
    if check and any(each.anomalous for each in verdicts):
        sys.exit(3)
    if failed:
        sys.exit(1)
