"""The commands: each a few lines over the functions beside it. Results go to stdout, what is said on the way to stderr."""

import contextlib
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from burnish import __version__
from burnish.errors import BurnishError, DegradationError, InputError, MissingExtraError, RecipeError

SRC = "cifar10, photos, a CIFAR-10 archive or its folder, or a folder of pictures"


class Commands(click.Group):
    """Refusals become one line on stderr and an exit status; a traceback never reaches the user."""

    def invoke(self, ctx: click.Context) -> Any:
        warnings.showwarning = lambda message, *_where: _complain(str(message))
        try:
            return super().invoke(ctx)
        except BurnishError as error:
            if _is_helper():
                time.sleep(60)  # the first process meets the same and tells it; torchrun ends this one with it
            else:
                _complain(str(error))
            ctx.exit(2 if isinstance(error, RecipeError | DegradationError) else 1)
        except KeyboardInterrupt:
            if not _is_helper():
                _complain("stopped")
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # who read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except MemoryError:
            _complain("the memory is used up; take fewer or smaller pictures")
            ctx.exit(1)
        except Exception as error:
            _complain(f"this should not have happened, please report it: {type(error).__name__}: {error}")
            ctx.exit(1)


def _is_helper() -> bool:
    """Whether torchrun has started this process to help another, which speaks for both."""
    return os.environ.get("RANK", "0") != "0"


def _complain(line: str) -> None:
    click.echo(f"burnish: {line}", err=True)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()  # a long training's lines are read while it runs, through a pipe too


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="burnish")
def main() -> None:
    """Burnish restores blurred, noisy or compressed pictures with small autoencoders, trains them, and tells the truth about them."""


def _value_range(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """LOW-HIGH as two numbers."""
    if value is None:
        return None
    number = r"(-?[\d.]+(?:e-?\d+)?)"
    match = re.fullmatch(f"{number}-{number}", value, re.IGNORECASE)
    with contextlib.suppress(ValueError):
        low, high = (float(each) for each in match.groups()) if match else (0.0, 0.0)
        if low < high:
            return low, high
    raise click.BadParameter(f"{value!r} is no range; write black and white, such as 0-4095")


@main.command(epilog="\b\nExamples:\n  burnish restore holiday/ -o better/\n  burnish restore scan.tif -m tiny-deblur --strength 0.5")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="PATH", help="A folder, or for one photo a file. [NAME-restored.EXT]")
@click.option("-m", "--model", "name", metavar="MODEL", help="A shipped model's name or a model file. [photo, until it exists seed]")
@click.option("--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, metavar="S", help="0 as it was … 1 as restored.")
@click.option("--tile", type=click.IntRange(min=16), metavar="N", help="Side of the tiles in pixels; smaller ones take less memory.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads. Default: all that there are.")
@click.option("--max-pixels", type=click.IntRange(min=1), metavar="N", help="Refuse photos with more pixels. [10 gigapixels]")
@click.option(
    "--range",
    "value_range",
    callback=_value_range,
    metavar="LOW-HIGH",
    help="What black and white are in 16-bit and float photos. [told from the data]",
)
@click.option("--force", is_flag=True, help="Restore photos that the model was not made for, too.")
@click.option("--overwrite", is_flag=True, help="Restore again what has been restored; else it is skipped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a photo, a line each.")
def restore(
    photos: tuple[Path, ...],
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
    """Restore PHOTOs (files, or folders with all in them), whatever their size and depth, with all they carry.

    A photo ends as restored, unchanged (the model was not made for such a photo: the result is a copy), skipped (there is a result
    already) or failed (nothing is written).
    """
    from burnish import progress
    from burnish.image import batch
    from burnish.image import files as image_files
    from burnish.image.restore import Settings
    from burnish.model import file as model_file

    loaded = model_file.load(name or model_file.default(), threads)
    settings = Settings(strength, tile, value_range, max_pixels or image_files.MAX_PIXELS, overwrite, not force)
    plan = batch.planned(photos, out)
    with progress.shown("restoring") as shown:
        outcomes = batch.restore_all(plan, loaded, settings, shown, _tell_json if as_json else _tell)
    counts = {status: sum(each.status == status for each in outcomes) for status in ("restored", "unchanged", "skipped", "failed")}
    if len(outcomes) != 1 or plan.passed_over:
        _complain(
            ", ".join(f"{count} {status}" for status, count in counts.items() if count or status == "restored")
            + (f"; {plan.passed_over} files passed over that are no pictures" if plan.passed_over else "")
        )
        for each in outcomes:
            if each.error:
                _complain(f"failed: {each.error}")
    if counts["failed"]:
        sys.exit(1)


def _tell(outcome: Any) -> None:
    if outcome.error:
        _complain(outcome.error)
        return
    did = f"{outcome.status} in {outcome.seconds:.1f} s" if outcome.status == "restored" else outcome.status
    _say(f"{outcome.output}: {did}" + "".join(f"; {note}" for note in outcome.notes))


def _tell_json(outcome: Any) -> None:
    _say(json.dumps(outcome.to_json()))


@main.command(
    epilog="\b\nExamples:\n  burnish train --data scans/ --clean originals/\n  burnish train --data cells/ --noisy-only --max-minutes 5"
    "\n  burnish train photo --data photos/ --set degradation=noise:5-30+jpeg:40-90\n  burnish train seed --resume"
)
@click.argument("recipe", required=False)
@click.option("--data", metavar="SRC", help=f"What to learn from: {SRC}. Default: the recipe's.")
@click.option("--clean", metavar="DIR", help="The clean partners of the pictures in --data, found by their names.")
@click.option("--noisy-only", is_flag=True, help="The pictures in --data are noisy, and there are no clean ones.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run's folder. Default: runs/NAME.")
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Short for --set epochs=N.")
@click.option(
    "--max-minutes", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Stop training after that long. [without RECIPE: 15]"
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the recipe; may be repeated.")
@click.option("--from", "start", metavar="MODEL", help="Fine-tune MODEL, a shipped model's name or a model file.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's event files into the run's folder.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder; start it if there is none.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Short for --set seed=N.")
@click.option("--check", is_flag=True, help="Exit with status 3 if the model does not help.")
def train(
    recipe: str | None,
    data: str | None,
    clean: str | None,
    noisy_only: bool,
    out: Path | None,
    epochs: int | None,
    max_minutes: float | None,
    changes: tuple[str, ...],
    start: str | None,
    tensorboard: bool,
    resume: bool,
    device: Any,
    seed: int | None,
    check: bool,
) -> None:
    """Train the network of RECIPE (a shipped recipe's name or a TOML file) into a model file with its report.

    Without RECIPE, a folder of pictures is looked at and recipe, patch and a schedule that fits into --max-minutes are chosen for it; with
    --from, patch and schedule, for the model's own recipe or RECIPE. With neither RECIPE nor --data, it is the seed.
    """
    from burnish import training
    from burnish.image import datasets as sets
    from burnish.training.recipe import suited

    automatic = (recipe is None or start is not None) and data is not None and not sets.has_test_split(data)
    if automatic:
        max_minutes = max_minutes or 15.0
        recipe = suited(max_minutes) if start is None else recipe
    given = {"data": data, "epochs": epochs, "seed": seed, "clean": clean}
    short = [f"{key}={value}" for key, value in given.items() if value is not None]
    short += ["degradation=own"] * bool(clean) + ["noisy_only=true", "loss=mse"] * noisy_only
    if automatic and data and start is None:
        name = Path(data).resolve().name
        short += [f"name={name}", f"summary=Trained on the pictures of {name}."]
    fixed = [change.partition("=")[0].strip() for change in (*changes, *short)] + ["validation"] * bool(start)
    every = [*short, *changes]
    if noisy_only and any(change.partition("=")[0].strip() == "degradation" for change in changes):
        raise click.UsageError("--noisy-only measures the noise of the pictures; leave --set degradation out")
    plan = training.load_recipe(recipe or "seed", every) if start is None else training.fine_tuning(start, recipe, every)
    how = {"resume": resume, "device": device, "max_minutes": max_minutes, "tensorboard": tensorboard}
    run = training.fit(plan, out, fill=automatic, fixed=fixed, say=_say, **how)
    _print_table(run.boards)
    if check and not run.board.helps:
        sys.exit(3)


@main.command(
    epilog="\b\nExamples:\n  burnish evaluate seed --data photos\n  burnish evaluate a.onnx b.onnx --data pictures/ --degrade noise:5"
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--data", required=True, metavar="SRC", help=f"Pictures to score on: {SRC}.")
@click.option("--degrade", metavar="SPEC", help="Degradation, such as blur:1.0+8bit. Default: the one the first model was trained for.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Score the first N pictures only.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the degradation's draws.")
@click.option("--no-baselines", is_flag=True, help="Leave the classical filters out.")
@click.option("--check", is_flag=True, help="Exit with status 3 if a model does not help.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a model, a line each.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML report as well.")
def evaluate(
    models: tuple[str, ...],
    data: str,
    degrade: str | None,
    limit: int | None,
    seed: int,
    no_baselines: bool,
    check: bool,
    as_json: bool,
    report_file: Path | None,
) -> None:
    """Score MODELs (shipped names or files) beside the untouched input and the classical filters."""
    from burnish import progress
    from burnish.degradation import Degradation
    from burnish.image import datasets as sets
    from burnish.model import file as model_file
    from burnish.scoreboard.board import evaluate as score

    loaded = [model_file.load(name) for name in models]
    degradation = Degradation.parse(degrade or loaded[0].card.degradation)
    with progress.shown("reading") as shown:
        channels = loaded[0].card.channels
        pictures = sets.load(data, "test", shown, channels).first(limit)
        tuning = None if no_baselines else sets.tuning_for(data, channels)
    with progress.shown("scoring") as shown:
        boards = score(loaded, pictures, degradation, tuning=tuning, seed=seed, progress=shown)
    if report_file:
        from burnish.scoreboard import report

        stories = [report.Story(board, each.card, [], "") for board, each in zip(boards, loaded, strict=True)]
        report.write_report(report_file, f"{', '.join(models)} on {data}", stories)
    if as_json:
        for board in boards:
            click.echo(json.dumps(board.to_json()))
    else:
        _print_table(boards)
    if check and not all(board.helps for board in boards):
        sys.exit(3)
    if pictures.skipped:
        total = len(pictures.skipped) + len(pictures.images)
        for name, why in pictures.skipped:
            _complain(f"{name}: {why}")
        _complain(f"{len(pictures.skipped)} of {total} pictures could not be read; the others are scored")
        sys.exit(1)


@main.command(epilog="\b\nExample:\n  burnish compare runs/photo runs/mine --report compared.html")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run, a line each.")
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="Write an HTML page with the curves as well."
)
def compare(runs: tuple[Path, ...], as_json: bool, report_file: Path | None) -> None:
    """Lay RUNs (folders made by burnish train, finished or not) side by side: what differs in their recipes, and what came of it."""
    from burnish.scoreboard import compare as comparing

    found = [comparing.read(folder) for folder in runs]
    if as_json:
        for line in comparing.to_json(found):
            click.echo(json.dumps(line))
    else:
        click.echo(comparing.table(found))
    if report_file:
        comparing.write_report(report_file, found)


@main.command(epilog="\b\nExample:\n  burnish degrade holiday/ --degrade blur:1.0+noise:10 -o worse/")
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path))
@click.option("--degrade", "spec", required=True, metavar="SPEC", help="Degradation, such as blur:1.0+8bit.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the PNGs go.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Seed of the draws.")
def degrade(photos: tuple[Path, ...], spec: str, out: Path, seed: int) -> None:
    """Spoil PHOTOs (files or folders) as SPEC says, into PNGs of the same size: what a model is up against."""
    from burnish.degradation import Degradation
    from burnish.image import datasets as sets

    degradation = Degradation.parse(spec)
    failed = 0
    taken: dict[Path, Path] = {}
    for source, target in sets.mapped(photos, out, ".png"):
        try:
            if (first := taken.setdefault(target, source)) is not source:
                raise InputError(f"{source} and {first} would both become {target}; give them one at a time")
            if target.exists():
                raise InputError(f"{target}: exists already; choose another folder with -o")
            sets.write_png(target, degradation.apply(image := sets.read(source), seed), image.dtype)
        except InputError as error:
            failed += 1
            _complain(str(error))
    if failed:
        _complain(f"{failed} pictures failed, the others are in {out}")
        sys.exit(1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One line: a list of cards.")
def models(as_json: bool) -> None:
    """The models that come with Burnish: what for, how well, how fast, from what, and their limits."""
    from burnish.model import describe
    from burnish.model import file as model_file

    found = [model_file.read_card(path) for path in model_file.shipped().values()]
    if as_json:
        click.echo(json.dumps([json.loads(card.to_json()) for card in found]))
        return
    click.echo("\n\n".join(map(describe.summary, found)))


@main.command(epilog="\b\nExamples:\n  burnish show seed\n  burnish show runs/mine/model.onnx --json")
@click.argument("model_or_network", metavar="MODEL|NETWORK")
@click.option("--json", "as_json", is_flag=True, help="The card as one JSON object.")
def show(model_or_network: str, as_json: bool) -> None:
    """The layers, parameters and card of a model, or the layers of an untrained network."""
    from burnish.model import describe
    from burnish.model import file as model_file

    if model_or_network in model_file.shipped() or Path(model_or_network).suffix == ".onnx":
        card = json.loads(model_file.read_card(model_or_network).to_json())
    else:
        card = _network_card(model_or_network)
    click.echo(json.dumps(card) if as_json else describe.description(card))


def _network_card(name: str) -> dict[str, Any]:
    try:
        from burnish.training.export import describe
        from burnish.training.image.networks import build
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{name}: no shipped model; to show a network, install its package {error.name}: pip install 'burnish[train]'"
        ) from error
    return {"name": name, **describe(build(name, {}))}


@main.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True, metavar="DIR")
def demo(out: Path) -> None:
    """The whole story in a few minutes, offline: two networks trained, scored and shown in OUT/report.html."""
    try:
        from burnish.training.demo import demo as run
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the demo trains, and needs the package {error.name}: pip install 'burnish[train]'") from error
    _print_table(run(out, _say))
    click.echo(f"\nLook at {out / 'report.html'} and {out / 'restored.png'}")


def _print_table(boards: Sequence[Any]) -> None:
    from burnish.scoreboard.board import table

    click.echo("\n" + table(boards))
