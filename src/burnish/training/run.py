"""A run: the folder in which a recipe becomes a model. Recipe, checkpoint, history, model and report stand in it."""

import contextlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from burnish import progress
from burnish.errors import InputError, RecipeError
from burnish.files import write_text
from burnish.image import datasets
from burnish.image.datasets import PictureSet
from burnish.model import file as model_file
from burnish.model.card import Card
from burnish.scoreboard import report
from burnish.scoreboard.board import Scoreboard
from burnish.training import choose, curves, export, loop, parallel, recipe, start, tensorboard
from burnish.training.checkpoint import State
from burnish.training.image import networks, scoring, sources
from burnish.training.image.pairs import Source
from burnish.training.parallel import Team
from burnish.training.recipe import Recipe

Device = Literal["auto", "cpu", "cuda"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the model file in it, the model's scoreboard and the history, one row an epoch.

    `start_board` is what the model that it started from scored on the same pictures (None: it started afresh).
    """

    folder: Path
    model: Path
    board: Scoreboard
    history: list[dict[str, float]]
    start_board: Scoreboard | None = None

    @property
    def boards(self) -> list[Scoreboard]:
        """All scoreboards of the run, its own model's last."""
        return [board for board in (self.start_board, self.board) if board]


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
    """Train by `plan` in the folder `out` (default: runs/NAME) and return the run, scored on pictures it never saw.

    With `resume` an existing run goes on from its checkpoint, to the same weights as if it had never stopped; a finished one is returned as
    it is. With `fill`, the patch and a schedule that ends within `max_minutes` are chosen by looking at the pictures, but for the keys in
    `fixed`. `say` receives the lines a person wants to read. Raises InputError when the folder exists and `resume` is off, RecipeError
    when it holds another recipe, DivergedError when the loss does, KeyboardInterrupt (after a checkpoint) on Ctrl-C. Started by torchrun,
    the processes train together; the first one returns the run, the others end here (SystemExit).
    """
    folder = Path(out) if out is not None else Path("runs") / plan.name
    plan = start.completed(plan)
    networks.build(plan.network, plan.network_args)  # refused before anything is read or written
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; choose another folder with --out")
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise InputError(f"{folder}: exists already; --resume goes on with that run, --out starts another")
    with parallel.team(_device(device)) as team, _log(folder / "tensorboard" if tensorboard and team.leads else None) as log:
        say = say if team.leads else lambda _line: None
        with team.leader_first():
            with progress.shown("reading") if team.leads else contextlib.nullcontext(progress.silent) as shown:
                pictures, lines = sources.pictures(plan, shown)
            for line in lines:
                say(line)
            origin = json.dumps(pictures.origin(), indent=1) + "\n"
            _refuse_other_pictures(pictures, folder / "data.json")
            plan = _settled(plan, pictures, folder, max_minutes if fill else None, team.device, fixed, say)
            write_text(folder / "data.json", origin)
        return _fit(plan, pictures, folder, team, max_minutes, log, say)


def _log(folder: Path | None) -> contextlib.AbstractContextManager[loop.Log]:
    return tensorboard.log(folder) if folder else contextlib.nullcontext(loop.no_log)


def _fit(plan: Recipe, pictures: PictureSet, folder: Path, team: Team, max_minutes: float | None, log: loop.Log, say: Say) -> Run:
    say(f"Sample dims:  {_dims(pictures)}")
    test = datasets.load(plan.data, "test", channels=pictures.channels) if datasets.has_test_split(plan.data) else None
    if test is not None:
        say(f"Test samples:  {_dims(test)}")
    with contextlib.closing(sources.source(pictures, plan)) as source:
        if plan.copies:
            say(f"Sample dims:  {(len(source.training.images) + len(source.held_out.images), *pictures.shapes[0])}")
        network, state = _trained(plan, source, folder, team, max_minutes, log, say)
    if not team.leads:
        raise SystemExit(0)
    return _finish(plan, network, state, folder, pictures, source, test, say)


def _settled(
    plan: Recipe, pictures: PictureSet, folder: Path, minutes: float | None, device: str, fixed: Collection[str], say: Say
) -> Recipe:
    """The recipe with all that the pictures decide, written into the run's folder, or found to be what the run there was begun with."""
    written = folder / "recipe.toml"
    before = recipe.load(written) if written.exists() else None
    if minutes is None:
        plan = choose.completed(plan, pictures)
    elif before is None:
        plan, lines = choose.planned(plan, pictures, minutes, device, fixed)
        for line in lines:
            say(line)
    else:  # what was chosen when the run was begun
        plan = replace(choose.completed(plan, pictures), **{key: getattr(before, key) for key in choose.KEYS if key not in fixed})
    if before is None:
        write_text(written, plan.to_toml())
        return plan
    for key, value in plan.to_dict().items():
        if before.to_dict()[key] != value:
            raise RecipeError(
                f"{folder}: was begun with {key} = {before.to_dict()[key]!r}, not {value!r}; "
                "resume with the same recipe, or choose another --out"
            )
    return plan


def _refuse_other_pictures(pictures: PictureSet, written: Path) -> None:
    """Find that the run learns from the pictures it was begun with: others would be divided otherwise, and what was learnt from would be
    scored on."""
    if written.exists() and json.loads(written.read_text("utf-8"))["fingerprint"] != pictures.origin()["fingerprint"]:
        raise InputError(
            f"{written.parent}: was begun with other pictures than {pictures.name} holds now; "
            "put them back, or begin anew with another --out"
        )


def _network(plan: Recipe, source: Source) -> nn.Module:
    """The recipe's network with the weights that training begins with."""
    if plan.start:
        return export.to_network(plan.start)
    torch.manual_seed(plan.seed)
    network = networks.build(plan.network, plan.network_args)
    if isinstance(network, networks.Unrolled):
        first = source.epoch(1)
        network.start(*first.batch(torch.arange(min(1024, len(first)))))
    return network


def _trained(
    plan: Recipe, source: Source, folder: Path, team: Team, minutes: float | None, log: loop.Log, say: Say
) -> tuple[nn.Module, State]:
    network = _network(plan, source)
    count = sum(parameter.numel() for parameter in network.parameters())
    origin = f", from {plan.start}," if plan.start else ""
    say(f"Training {plan.network} ({count:,} parameters){origin} on {plan.data}, {plan.degradation}: {plan.epochs} epochs, in {folder}")
    began = False
    with progress.shown(plan.name) if team.leads else contextlib.nullcontext(progress.silent) as shown:

        def progress_seen(done: int, total: int | None, note: str = "") -> None:
            nonlocal began
            began = True
            shown(done, total, note)

        limits = loop.Limits(minutes)
        state = loop.train(network, source, plan, folder, limits=limits, team=team, progress=progress_seen, log=log)
    last = state.history[-1]
    if not began:
        say(f"{folder}: this run is finished, after {last['epoch']} of {plan.epochs} epochs; scoring it again.")
    if state.stopped_early:
        say(f"Stopped in epoch {last['epoch']} of {plan.epochs}: the {minutes:g} minutes are over.")
    if plan.patience:
        best = loop.best_row(state.history)
        if loop.has_stalled(state.history, plan):
            say(f"Stopped after epoch {last['epoch']} of {plan.epochs}: the validation loss has not fallen for {plan.patience} epochs.")
        say(f"The model is epoch {best['epoch']}'s, with the lowest validation loss, {best['val_loss']:.5f}.")
    resumed = [row["epoch"] for row in state.history if row["resumed_at"] is not None]
    if resumed:
        say(f"Resumed in epoch {', '.join(map(str, resumed))}.")
    accuracies = f"; channel accuracy {last['accuracy']:.4f}, validation {last['val_accuracy']:.4f}"
    says_something = int(network.channels) > 1 and not plan.noisy_only  # type: ignore[arg-type]
    say(f"Epoch {last['epoch']}: loss {last['loss']:.5f}, validation {last['val_loss']:.5f}{accuracies if says_something else ''}")
    return network.to("cpu", memory_format=torch.contiguous_format), state  # type: ignore[call-overload]


def _finish(
    plan: Recipe,
    network: nn.Module,
    state: State,
    folder: Path,
    pictures: PictureSet,
    source: Source,
    test: PictureSet | None,
    say: Say,
) -> Run:
    """Model file, scoreboard and report, each written once the one before it stands."""
    path = folder / "model.onnx"

    def write(scores: list[dict[str, object]]) -> Card:
        # Where they lie is nobody's business.
        plain = plan.to_dict() | {"data": pictures.name, "clean": Path(plan.clean).name, "start": Path(plan.start).name}
        return export.export(
            network,
            path,
            name=plan.name,
            summary=plan.summary,
            degradation=plan.degradation,
            recipe=plain,
            data=pictures.origin(),
            scores=scores,
        )

    write([])
    models = [model_file.load(each) for each in ([plan.start] if plan.start else []) + [path]]
    with progress.shown("scoring") as shown:
        boards = scoring.scored(plan, models, source, test, shown)
    board = boards[-1]
    card = write([board.to_json()])
    write_text(folder / "scores.json", json.dumps(board.to_json(), indent=1) + "\n")
    stories = [report.Story(board, card, state.history, plan.to_toml())]
    if plan.start:
        stories.append(report.Story(boards[0], models[0].card, [], ""))
    report.write_report(folder / "report.html", f"{plan.name}: a training run", stories)
    if plan.start:
        more = board.gain_db - boards[0].gain_db
        told = f"{abs(more):.2f} dB {'more' if more > 0 else 'less'} than {boards[0].model}, from which it started"
        say(f"On pictures held out, {plan.name} gains {told}.")
        if models[0].card.data.get("fingerprint") == pictures.origin()["fingerprint"]:
            say(f"{boards[0].model} learnt from the same folder, maybe from some of those held out now: both gains may be too kind.")
    if overfits := curves.overfitting(state.history):
        say(overfits)
    say(f"Wrote {path}, {folder / 'history.csv'} and {folder / 'report.html'}")
    return Run(folder, path, board, state.history, boards[0] if plan.start else None)


def _device(device: Device) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this machine has no CUDA device that torch can use; leave it out to train on the CPU")
    return device


def _dims(pictures: PictureSet) -> str:
    shapes = set(pictures.shapes)
    if len(shapes) > 1:
        return f"{len(pictures.images)} pictures of {len(shapes)} sizes"
    return str((len(pictures.images), *shapes.pop()))
