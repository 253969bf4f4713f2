"""A run for sound: the folder in which a recipe and recordings become a model, its scoreboard and its report."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from burnish import progress
from burnish.audio import model as audio_model
from burnish.errors import InputError, RecipeError
from burnish.files import write_text
from burnish.model import file as model_file
from burnish.scoreboard import report
from burnish.scoreboard.board import Scoreboard
from burnish.training import parallel, recipe, start
from burnish.training.audio import export, loop, material, networks
from burnish.training.audio.material import Material
from burnish.training.loop import HISTORY
from burnish.training.recipe import Recipe
from burnish.wording import counted


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the model file in it, the model's scoreboard and the history, one row an epoch.

    `start_board` is what the model that it started from scored on the same recordings (None: it started afresh).
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


def fit(plan: Recipe, folder: Path, *, resume: bool = False, max_minutes: float | None = None, say: Any = lambda _line: None) -> Run:
    """Train by `plan` in `folder` and return the run, scored on voices it never heard.

    With `resume` a run goes on from its checkpoint. Raises InputError when the folder exists and `resume` is off, or recordings cannot be
    read, RecipeError for what cannot be learnt, DivergedError when the loss does, KeyboardInterrupt (after a checkpoint) on Ctrl-C.
    """
    _refuse(plan, folder, resume)
    plan = start.completed(plan)
    network = _network(plan)
    with material.gathered(plan) as found:
        say(f"Learns from {found.minutes:.1f} minutes of {found.origin['name']}; {counted(len(found.held), 'recording')} held out")
        for name, why in found.task.skipped:
            say(f"Left out: {name}: {why}")
        write_text(folder / recipe.WRITTEN, plan.to_toml())
        with parallel.threads(plan.threads), progress.shown("training") as shown:
            state = loop.train(network, found.learnt, found.judged(), plan, folder, max_minutes, shown)
    return _finish(plan, folder, network, state.history, found, say)


def _refuse(plan: Recipe, folder: Path, resume: bool) -> None:
    if plan.noisy_only:
        raise RecipeError(
            "--noisy-only: a model for sound cannot be learnt from noisy recordings alone here: what is to be taken away sounds, from "
            "moment to moment, as what is to stay; give clean voices with --data, and the noises with --set noises=DIR"
        )
    if not plan.crops:
        raise RecipeError(f"recipe {plan.name!r}: crops, the number of stretches an epoch, is missing; try crops = 1000")
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise InputError(f"{folder}: exists already; --resume goes on with that run, --out starts another")


def _network(plan: Recipe) -> networks.Bands:
    """The recipe's network with the weights that training begins with."""
    if plan.start:
        kept = model_file.read_card(plan.start).recipe.get("kept", plan.kept)
        return networks.released(export.to_network(plan.start), kept)
    torch.manual_seed(plan.seed)
    return networks.build(plan.network, plan.network_args)


def _finish(
    plan: Recipe,
    folder: Path,
    network: networks.Bands,
    history: list[dict[str, float]],
    found: Material,
    say: Any,
) -> Run:
    """Model file, scoreboard and report."""
    path = folder / "model.onnx"
    # Where they lie is nobody's business.
    plain = plan.to_dict() | {key: Path(getattr(plan, key)).name for key in ("data", "clean", "noises", "start")}
    kept = networks.keeping(network, plan.kept)
    card = export.export(kept, path, name=plan.name, summary=plan.summary, degradation=plan.degradation, recipe=plain, data=found.origin)
    models = [audio_model.load(each) for each in ([plan.start] if plan.start else []) + [path]]
    with progress.shown("scoring") as shown:
        boards = found.task.score(models, shown, plan.seed)
    board = boards[-1]
    card = replace(card, scores=[board.to_json()])
    model_file.write_card(path, card)
    write_text(folder / "scores.json", json.dumps(board.to_json(), indent=1) + "\n")
    stories = [report.Story(board, card, history, plan.to_toml())]
    if plan.start:
        stories.append(report.Story(boards[0], models[0].card, [], ""))
        more = board.gained.mean - boards[0].gained.mean
        told = f"{abs(more):.2f} dB {'more' if more > 0 else 'less'} than {boards[0].model}, from which it started"
        say(f"On voices held out, {board.model} gains {told}.")
        if models[0].card.data.get("fingerprint") == found.origin["fingerprint"]:
            say(f"{boards[0].model} learnt from the same folder, maybe from some of those held out now: both gains may be too kind.")
    report.write_report(folder / "report.html", f"{plan.name}: a training run", stories)
    say(f"Wrote {path}, {folder / HISTORY} and {folder / 'report.html'}")
    return Run(folder, path, board, history, boards[0] if plan.start else None)
