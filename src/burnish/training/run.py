"""A run: the folder in which a recipe becomes a model. Recipe, checkpoint, history, model and report stand in it."""

import contextlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from burnish import progress
from burnish.errors import InputError, RecipeError
from burnish.files import write_text
from burnish.image import datasets
from burnish.image import model as image_model
from burnish.image.datasets import PictureSet
from burnish.image.model import Model
from burnish.image.score import ImageBoard
from burnish.model import file as model_file
from burnish.scoreboard import report
from burnish.training import choose, curves, export, loop, parallel, recipe, start, tensorboard
from burnish.training.checkpoint import State
from burnish.training.image import networks, scoring, sources
from burnish.training.image.pairs import Source
from burnish.training.network import Network, placed
from burnish.training.parallel import Team
from burnish.training.recipe import Recipe
from burnish.wording import counted

Device = Literal["auto", "cpu", "cuda"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the model file in it, the model's scoreboard and the history, one row an epoch.

    `start_board` is what the model that it started from scored on the same images (None: it started afresh).
    """

    folder: Path
    model: Path
    board: ImageBoard
    history: list[dict[str, float]]
    start_board: ImageBoard | None = None

    @property
    def boards(self) -> list[ImageBoard]:
        """All scoreboards of the run, its own model's last."""
        return [board for board in (self.start_board, self.board) if board]


@dataclass(frozen=True)
class Job:
    """A run with all that is settled before its first step: by what recipe, from which images, where, by whom, and who hears of it."""

    recipe: Recipe
    pictures: PictureSet
    folder: Path
    team: Team
    limits: loop.Limits
    log: loop.Log
    say: Say
    fixed: Collection[str] = ()  # the keys that a schedule made anew leaves as they are


def fit(
    plan: Recipe,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    device: Device = "auto",
    max_minutes: float | None = None,
    fill: bool = False,
    fixed: Collection[str] = (),
    tensorboard: bool = False,
    say: Say = lambda _line: None,
) -> Run:
    """Train by `plan` in the folder `out` (default: runs/NAME) and return the run, scored on images it never saw.

    With `resume` an existing run goes on from its checkpoint, to the same weights as if it had never stopped; a finished one is returned as
    it is. With `fill`, the patch and a schedule that ends within `max_minutes` are chosen by looking at the images, but for the keys in
    `fixed`. `say` receives the lines a person wants to read. Raises InputError when the folder exists and `resume` is off, RecipeError
    when it holds another recipe, DivergedError when the loss does, KeyboardInterrupt (after a checkpoint) on Ctrl-C. Started by torchrun,
    the processes train together; the first one returns the run, the others end here (SystemExit).
    """
    folder = place(plan, out)
    plan = start.completed(plan)
    networks.build(plan.network, plan.network_args)  # refused before anything is read or written
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; choose another folder with --out")
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise InputError(f"{folder}: exists already; --resume goes on with that run, --out starts another")
    with parallel.team(_device(device)) as team, _log(folder / "tensorboard" if tensorboard and team.leads else None) as log:
        say = say if team.leads else lambda _line: None
        with team.leader_first():
            with _progress("reading", team) as shown:
                pictures, lines = sources.pictures(plan, shown)
            for line in lines:
                say(line)
            origin = json.dumps(pictures.origin(), indent=1) + "\n"
            _refuse_other_pictures(pictures, folder / "data.json")
            job = Job(plan, pictures, folder, team, loop.Limits(max_minutes), log, say, fixed)
            job = _settled(job, max_minutes if fill else None)
            write_text(folder / "data.json", origin)
        return _fit(job)


def place(plan: Recipe, out: str | Path | None) -> Path:
    """The folder of a run by `plan`: `out`, or runs/NAME."""
    return Path(out) if out is not None else Path("runs") / plan.name


def _log(folder: Path | None) -> contextlib.AbstractContextManager[loop.Log]:
    return tensorboard.log(folder) if folder else contextlib.nullcontext(loop.no_log)


def _progress(label: str, team: Team) -> contextlib.AbstractContextManager[progress.Progress]:
    return progress.shown(label) if team.leads else contextlib.nullcontext(progress.silent)


def _settled(job: Job, minutes: float | None) -> Job:
    """The job with all that images, machine and `minutes` (None: no schedule is asked for) decide, written into the run's folder; or
    found to be what the run there was begun with."""
    before = recipe.of_run(job.folder)
    if before is not None:
        return replace(job, recipe=_gone_on_with(job, before, planned=minutes is not None))
    device, alone = job.team.device, job.team.size == 1
    if minutes is None:
        plan = choose.settled(choose.completed(job.recipe, job.pictures), job.pictures, device, alone=alone)
        job = replace(job, recipe=plan)
    else:
        chosen = choose.planned(job.recipe, job.pictures, minutes, device, job.fixed, alone=alone)
        for line in chosen.lines:
            job.say(line)
        job = replace(job, recipe=chosen.recipe, limits=loop.Limits(minutes, chosen.seconds))
    write_text(job.folder / recipe.WRITTEN, job.recipe.to_toml())
    return job


def _gone_on_with(job: Job, before: Recipe, *, planned: bool) -> Recipe:
    """The recipe with what was chosen when the run was begun. Raises RecipeError when it is another one than that."""
    plan = choose.completed(job.recipe, job.pictures)
    found = {key: getattr(before, key) for key in choose.KEYS if key not in job.fixed} if planned else {}
    found |= {key: getattr(before, key) for key in choose.SPEED if getattr(plan, key) in ("auto", 0)}
    plan = replace(plan, **found)
    for key, value in plan.to_dict().items():
        if (begun := before.to_dict()[key]) != value:
            raise RecipeError(f"{job.folder}: {recipe.begun_otherwise(key, begun, value)}")
    return plan


def _refuse_other_pictures(pictures: PictureSet, written: Path) -> None:
    """Find that the run learns from the images it was begun with: others would be divided otherwise, and what was learnt from would be
    scored on."""
    if not written.exists():
        return
    try:
        begun_with = json.loads(written.read_text("utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{written}: is damaged, so that nobody knows whether the images are those the run was begun with; "
            "if they are, delete this file, and else begin anew with another --out"
        ) from error
    if begun_with != pictures.origin()["fingerprint"]:
        raise InputError(
            f"{written.parent}: was begun with other images than {pictures.name} holds now; put them back, or begin anew with another --out"
        )


def _fit(job: Job) -> Run:
    job.say(f"Sample dims:  {_dims(job.pictures)}")
    data, channels = job.recipe.data, job.pictures.channels
    test = datasets.load(data, "test", channels=channels) if datasets.has_test_split(data) else None
    if test is not None:
        job.say(f"Test samples:  {_dims(test)}")
    try:
        return _made(job, test)
    except loop.MisjudgedError as error:
        return _made(_planned_anew(job, error), test)


def _planned_anew(job: Job, error: loop.MisjudgedError) -> Job:
    """The job with a schedule for what a step takes in fact, and the minutes that are left. It begins anew, so that its recipe holds."""
    assert job.limits.minutes is not None
    left = job.limits.minutes - error.spent / 60
    plan = choose.scheduled(job.recipe, error.seconds, left, job.fixed)
    job.say(
        f"A step takes {1000 * error.seconds:.0f} ms in fact, not {1000 * (job.limits.expected or 0):.0f}. Begun anew, "
        f"for the {left:.1f} minutes left: {counted(plan.epochs, 'epoch')} of {counted(plan.crops, 'patch', 'patches')}"
    )
    if job.team.leads:
        for name in (loop.CHECKPOINT, loop.BEST, loop.HISTORY):
            (job.folder / name).unlink(missing_ok=True)
        write_text(job.folder / recipe.WRITTEN, plan.to_toml())
    job.team.sums(0)  # nobody looks for a checkpoint before it is gone
    return replace(job, recipe=plan, limits=loop.Limits(left))


def _made(job: Job, test: PictureSet | None) -> Run:
    """The run, trained and scored."""
    with contextlib.closing(sources.source(job.pictures, job.recipe)) as source:
        if job.recipe.copies:
            job.say(f"Sample dims:  {(len(source.training.images) + len(source.held_out.images), *job.pictures.shapes[0])}")
        with parallel.threads(job.recipe.threads if job.team.size == 1 else 0):
            network, state = _trained(job, source)
    if not job.team.leads:
        raise SystemExit(0)
    return _finish(job, network, state, source, test)


def _network(plan: Recipe, source: Source) -> Network:
    """The recipe's network with the weights that training begins with."""
    if plan.start:
        return export.to_network(plan.start)
    torch.manual_seed(plan.seed)
    network = networks.build(plan.network, plan.network_args)
    if network.starts_from:
        first = source.epoch(1)
        network.start(*first.batch(torch.arange(min(network.starts_from, len(first)))))
    return network


def _trained(job: Job, source: Source) -> tuple[Network, State]:
    plan = job.recipe
    network = _network(plan, source)
    count = sum(parameter.numel() for parameter in network.parameters())
    origin = f", from {plan.start}," if plan.start else ""
    job.say(
        f"Training {plan.network} ({count:,} parameters){origin} on {plan.data}, {plan.degradation}: "
        f"{counted(plan.epochs, 'epoch')} in {plan.precision}, in {job.folder}"
    )
    began = False
    with _progress(plan.name, job.team) as shown:

        def progress_seen(done: int, total: int | None, note: str = "") -> None:
            nonlocal began
            began = True
            shown(done, total, note)

        state = loop.train(network, source, plan, job.folder, limits=job.limits, team=job.team, progress=progress_seen, log=job.log)
    if not began:
        job.say(
            f"{job.folder}: this run is finished, after {state.history[-1]['epoch']} of {counted(plan.epochs, 'epoch')}; scoring it again."
        )
    for line in _ended(job, state):
        job.say(line)
    return placed(network, "cpu", torch.contiguous_format), state


def _ended(job: Job, state: State) -> list[str]:
    """How the training ended, in lines that a person wants to read."""
    plan, last, lines = job.recipe, state.history[-1], []
    if state.stopped_early:
        lines.append(
            f"Stopped in epoch {last['epoch']} of {plan.epochs}: the time allowed, {counted(job.limits.minutes or 0, 'minute')}, is over."
        )
    if plan.patience:
        best = loop.best_row(state.history)
        if loop.has_stalled(state.history, plan):
            patience = counted(plan.patience, "epoch")
            lines.append(f"Stopped after epoch {last['epoch']} of {plan.epochs}: the validation loss has not fallen for {patience}.")
        lines.append(f"The model is epoch {best['epoch']}'s, with the lowest validation loss, {best['val_loss']:.5f}.")
    resumed = [row["epoch"] for row in state.history if row["resumed_at"] is not None]
    if resumed:
        lines.append(f"Resumed in epoch {', '.join(map(str, resumed))}.")
    accuracies = f"; channel accuracy {last['accuracy']:.4f}, validation {last['val_accuracy']:.4f}"
    says_something = job.pictures.channels > 1 and not plan.noisy_only
    lines.append(f"Epoch {last['epoch']}: loss {last['loss']:.5f}, validation {last['val_loss']:.5f}{accuracies if says_something else ''}")
    return lines


def _finish(job: Job, network: Network, state: State, source: Source, test: PictureSet | None) -> Run:
    """Model file, scoreboard and report, each written once the one before it stands."""
    plan, pictures, folder = job.recipe, job.pictures, job.folder
    path = folder / "model.onnx"
    # Where they lie is nobody's business.
    plain = plan.to_dict() | {"data": pictures.name, "clean": Path(plan.clean).name, "start": Path(plan.start).name}
    card = export.export(
        network, path, name=plan.name, summary=plan.summary, degradation=plan.degradation, recipe=plain, data=pictures.origin()
    )
    models = [image_model.load(each) for each in ([plan.start] if plan.start else []) + [path]]
    with progress.shown("scoring") as shown:
        boards = scoring.scored(plan, models, source, test, shown)
    board = boards[-1]
    card = replace(card, scores=[board.to_json()])
    model_file.write_card(path, card)
    write_text(folder / "scores.json", json.dumps(board.to_json(), indent=1) + "\n")
    stories = [report.Story(board, card, state.history, plan.to_toml())]
    if plan.start:
        stories.append(report.Story(boards[0], models[0].card, [], ""))
    report.write_report(folder / "report.html", f"{plan.name}: a training run", stories)
    for line in (*_against_the_start(boards, models, pictures), curves.overfitting(state.history)):
        if line:
            job.say(line)
    job.say(f"Wrote {path}, {folder / loop.HISTORY} and {folder / 'report.html'}")
    return Run(folder, path, board, state.history, boards[0] if plan.start else None)


def _against_the_start(boards: Sequence[ImageBoard], models: Sequence[Model], pictures: PictureSet) -> list[str]:
    """What was gained on the model that training started from, in lines; none where it started afresh."""
    if len(boards) < 2:
        return []
    first, board = boards
    more = board.gain_db - first.gain_db
    told = f"{abs(more):.2f} dB {'more' if more > 0 else 'less'} than {first.model}, from which it started"
    lines = [f"On images held out, {board.model} gains {told}."]
    if models[0].card.data.get("fingerprint") == pictures.origin()["fingerprint"]:
        lines.append(f"{first.model} learnt from the same folder, maybe from some of those held out now: both gains may be too kind.")
    return lines


def _device(device: Device) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this machine has no CUDA device that torch can use; leave it out to train on the CPU")
    return device


def _dims(pictures: PictureSet) -> str:
    shapes = set(pictures.shapes)
    if len(shapes) > 1:
        return f"{len(pictures.images)} images of {len(shapes)} sizes"
    return str((len(pictures.images), *shapes.pop()))
