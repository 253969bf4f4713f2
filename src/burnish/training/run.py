"""A run: the folder in which a recipe becomes a model. Recipe, checkpoint, history, model and report stand in it."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from burnish import data, model, progress, report
from burnish.data import Picture, PictureSet
from burnish.degrade import Degradation
from burnish.errors import InputError, RecipeError
from burnish.evaluate import Scoreboard, evaluate
from burnish.files import write_text
from burnish.training import choose, curves, estimate, export, loop, networks, noise, recipe, sources
from burnish.training.checkpoint import State
from burnish.training.pairs import Source
from burnish.training.recipe import Recipe

SCORED = 1000  # test pictures at the end of a run; `burnish evaluate` scores them all
SCORED_SIDE, SCORED_PIXELS = 512, 6 << 20  # of one's own pictures held out
TUNING_SIDE, TUNING_PIXELS = 1024, 32 << 20  # of those trained on, to choose the classical filters' settings on

Device = Literal["auto", "cpu", "cuda"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the model file in it, the model's scoreboard and the history, one row an epoch."""

    folder: Path
    model: Path
    board: Scoreboard
    history: list[dict[str, float]]


def fit(
    plan: Recipe,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    device: Device = "auto",
    max_minutes: float | None = None,
    fill: bool = False,
    fixed: Collection[str] = (),
    say: Say = lambda _line: None,
) -> Run:
    """Train by `plan` in the folder `out` (default: runs/NAME) and return the run, scored on pictures it never saw.

    With `resume` an existing run goes on from its checkpoint, to the same weights as if it had never stopped; a finished one is returned as
    it is. With `fill`, the patch and a schedule that ends within `max_minutes` are chosen by looking at the pictures, but for the keys in
    `fixed`. `say` receives the lines a person wants to read. Raises InputError when the folder exists and `resume` is off, RecipeError
    when it holds another recipe, DivergedError when the loss does, KeyboardInterrupt (after a checkpoint) on Ctrl-C.
    """
    folder = Path(out) if out is not None else Path("runs") / plan.name
    chosen = _device(device)
    networks.build(plan.network, plan.network_args)  # refused before anything is read or written
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise InputError(f"{folder}: exists already; --resume goes on with that run, --out starts another")
    with progress.shown("reading") as shown:
        pictures, lines = sources.pictures(plan, shown)
    for line in lines:
        say(line)
    plan = _settled(plan, pictures, folder, max_minutes if fill else None, chosen, fixed, say)
    say(f"Sample dims:  {_dims(pictures)}")
    test = data.load(plan.data, "test") if data.has_test_split(plan.data) else None
    if test is not None:
        say(f"Test samples:  {_dims(test)}")
    source = sources.source(pictures, plan)
    try:
        if plan.copies:
            say(f"Sample dims:  {(len(source.training.images) + len(source.held_out.images), *pictures.shapes[0])}")
        network, state = _trained(plan, source, folder, chosen, max_minutes, say)
    finally:
        source.close()
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


def _trained(plan: Recipe, source: Source, folder: Path, device: str, minutes: float | None, say: Say) -> tuple[nn.Module, State]:
    torch.manual_seed(plan.seed)
    network = networks.build(plan.network, plan.network_args)
    if isinstance(network, networks.Unrolled):
        network.start(*source.epoch(1).batch(torch.arange(min(1024, len(source.epoch(1))))))
    count = sum(parameter.numel() for parameter in network.parameters())
    say(f"Training {plan.network} ({count:,} parameters) on {plan.data}, {plan.degradation}: {plan.epochs} epochs, in {folder}")
    began = False
    with progress.shown(plan.name) as shown:

        def progress_seen(done: int, total: int | None, note: str = "") -> None:
            nonlocal began
            began = True
            shown(done, total, note)

        limits = loop.Limits(minutes)
        state = loop.train(network, source, plan, folder, limits=limits, device=device, progress=progress_seen)
    last = state.history[-1]
    if not began:
        say(f"{folder}: this run is finished, all {plan.epochs} epochs of it; scoring it again.")
    if state.stopped_early:
        say(f"Stopped in epoch {last['epoch']} of {plan.epochs}: the {minutes:g} minutes are over.")
    resumed = [row["epoch"] for row in state.history if row["resumed_at"] is not None]
    if resumed:
        say(f"Resumed in epoch {', '.join(map(str, resumed))}.")
    accuracies = f"; channel accuracy {last['accuracy']:.4f}, validation {last['val_accuracy']:.4f}"
    says_something = network.channels > 1 and not plan.noisy_only
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
    origin = {"name": pictures.name, "fingerprint": pictures.fingerprint(), "terms": pictures.terms}

    def write(scores: list[dict[str, object]]) -> model.Card:
        # Where they lie on this machine is nobody's business.
        plain = plan.to_dict() | {"data": pictures.name, "clean": Path(plan.clean).name}
        return export.export(
            network, path, name=plan.name, summary=plan.summary, degradation=plan.degradation, recipe=plain, data=origin, scores=scores
        )

    write([])
    board = _scored(plan, path, pictures, source, test)
    card = write([board.to_json()])
    write_text(folder / "scores.json", json.dumps(board.to_json(), indent=1) + "\n")
    story = report.Story(board, card, state.history, plan.to_toml())
    report.write_report(folder / "report.html", f"{plan.name}: a training run", [story])
    if overfits := curves.overfitting(state.history):
        say(overfits)
    say(f"Wrote {path}, {folder / 'history.csv'} and {folder / 'report.html'}")
    return Run(folder, path, board, state.history)


def _scored(plan: Recipe, path: Path, pictures: PictureSet, source: Source, test: PictureSet | None) -> Scoreboard:
    """The scoreboard on the test pictures or, where there are none, those held out: the middles of as many as can be scored in a minute."""
    shown_to_it = test.first(SCORED) if test else gathered(source.held_out, SCORED_SIDE, SCORED_PIXELS).first(SCORED)
    with progress.shown("scoring") as shown:
        if plan.noisy_only:
            return estimate.scored(model.load(path), shown_to_it, noise.measured(pictures), plan.seed, shown)
        tuning = gathered(source.training, TUNING_SIDE, TUNING_PIXELS)
        (board,) = evaluate(
            [model.load(path)], shown_to_it, Degradation.parse(plan.degradation), tuning=tuning, seed=plan.seed, progress=shown
        )
    return board


def gathered(pictures: PictureSet, side: int, pixels: int) -> PictureSet:
    """The middles, at most `side` pixels square, of pictures evenly spread over a set: as many as make up `pixels`. Lost ones are left out.

    Pictures of one small size in one array are few bytes: they are all taken.
    """
    if isinstance(pictures.images, np.ndarray):
        return pictures
    sizes = [min(side, height) * min(side, width) for height, width, *_ in pictures.shapes]
    count = max(1, min(len(sizes), int(pixels / np.mean(sizes))))
    kept: list[int] = []
    images, degraded = [], []
    for index in np.unique(np.linspace(0, len(sizes) - 1, count).astype(int)).tolist():
        try:
            images.append(_middle(pictures.images[index], side))
            if pictures.degraded is not None:
                degraded.append(_middle(pictures.degraded[index], side))
            kept.append(index)
        except InputError:  # it was named when its turn came
            del images[len(kept) :]
    if not kept:
        raise InputError(f"{pictures.name}: none of the pictures held out can be read any more, so that the model cannot be scored")
    names = [pictures.names[index] for index in kept]
    return replace(pictures, images=images, names=names, skipped=(), degraded=None if pictures.degraded is None else degraded)


def _middle(picture: Picture, side: int) -> Picture:
    top, left = (max(0, (length - side) // 2) for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


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
