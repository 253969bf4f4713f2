"""A run for sound: the folder in which a recipe and recordings become a model, its scoreboard and its report."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from burnish import progress
from burnish.audio import folder as recordings
from burnish.audio import model as audio_model
from burnish.audio import noises
from burnish.audio.folder import Recordings
from burnish.audio.noises import Bank
from burnish.audio.score import Task
from burnish.degradation import Degradation
from burnish.errors import InputError, RecipeError
from burnish.files import write_text
from burnish.model import file as model_file
from burnish.scoreboard import report
from burnish.scoreboard.board import Scoreboard
from burnish.training import parallel, recipe
from burnish.training.audio import export, loop, networks
from burnish.training.audio.mixing import LEVEL, Mixer, whole_frames
from burnish.training.loop import HISTORY
from burnish.training.recipe import Recipe

HELD_SECONDS = 4.0  # of each recording held out, whose loss is told every epoch
SCORED_SECONDS = 10.0
KEPT = 0.1  # of the untouched recording in the result: speech is easier to understand for it (STOI), at a little less PESQ


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the model file in it, the model's scoreboard and the history, one row an epoch."""

    folder: Path
    model: Path
    board: Scoreboard
    history: list[dict[str, float]]

    @property
    def boards(self) -> list[Scoreboard]:
        """The run's scoreboards."""
        return [self.board]


def fit(plan: Recipe, folder: Path, *, resume: bool = False, max_minutes: float | None = None, say: Any = lambda _line: None) -> Run:
    """Train by `plan` in `folder` and return the run, scored on voices it never heard.

    With `resume` a run goes on from its checkpoint. Raises InputError when the folder exists and `resume` is off, or recordings cannot be
    read, RecipeError for what cannot be learnt, DivergedError when the loss does, KeyboardInterrupt (after a checkpoint) on Ctrl-C.
    """
    _refuse(plan, folder, resume)
    torch.manual_seed(plan.seed)
    network = networks.build(plan.network, plan.network_args)
    voices, noise = recordings.load(Path(plan.data)), recordings.load(Path(plan.noises)) if plan.noises else None
    learnt, held = _divided(voices, plan.validation)
    say(f"Learns from {learnt.minutes:.1f} minutes of {voices.name}, {held.minutes:.1f} are held out")
    write_text(folder / recipe.WRITTEN, plan.to_toml())
    degradation = Degradation.parse(plan.degradation, "audio")
    before = noises.bank()
    try:
        noises.use(Bank(noise.items if noise else (), held.items))
        unheard = [degradation.pair(item[: int(SCORED_SECONDS * 16000)], plan.seed) for item in held.items]
        noises.use(Bank(noise.items if noise else (), learnt.items))
        mixer = Mixer.of(noises.bank(), degradation, whole_frames(plan.seconds))
        length = whole_frames(HELD_SECONDS)
        judged = [tuple(each[:length] * _gain(pair[0]) for each in pair) for pair in unheard if len(pair[0]) >= length]
        with parallel.threads(plan.threads), progress.shown("training") as shown:
            state = loop.train(network, mixer, judged, plan, folder, max_minutes, shown)  # type: ignore[arg-type]
    finally:
        noises.use(before)
    task = Task(unheard, held.names, f"{voices.name}, held out", plan.degradation)
    return _finish(plan, folder, network, state.history, task, _origin(plan, voices, noise), say)


def _refuse(plan: Recipe, folder: Path, resume: bool) -> None:
    if plan.noisy_only:
        raise RecipeError(
            "--noisy-only: a model for sound cannot be learnt from noisy recordings alone here: what is to be taken away sounds, from "
            "moment to moment, as what is to stay; give clean voices with --data, and the noises with --set noises=DIR"
        )
    if plan.clean or Degradation.parse(plan.degradation, "audio").is_own:
        raise RecipeError("--clean: a model for sound is not learnt from pairs yet; give the clean voices with --data")
    if plan.start:
        raise RecipeError("--from: a model for sound is not fine-tuned yet; train one anew with --data")
    if not plan.crops:
        raise RecipeError(f"recipe {plan.name!r}: crops, the number of stretches an epoch, is missing; try crops = 1000")
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise InputError(f"{folder}: exists already; --resume goes on with that run, --out starts another")


def _divided(voices: Recordings, share: float) -> tuple[Recordings, Recordings]:
    """The recordings to learn from and those held out: every so manieth."""
    count = len(voices.items)
    if count < 2:
        raise InputError(f"{voices.name}: holds a single recording, and one has to be held out; cut it in two")
    every = max(2, round(1 / share)) if share else count
    out = set(range(every - 1, count, every)) or {count - 1}

    def chosen(keep: bool) -> Recordings:
        places = [index for index in range(count) if (index in out) == keep]
        return replace(voices, items=tuple(voices.items[i] for i in places), names=tuple(voices.names[i] for i in places), skipped=())

    return chosen(False), chosen(True)


def _gain(samples: noises.Samples) -> float:
    return LEVEL / max(1e-6, float((samples.astype("f8") ** 2).mean() ** 0.5))


def _origin(plan: Recipe, voices: Recordings, noise: Recordings | None) -> dict[str, Any]:
    name = f"{voices.name} and {noise.name}" if noise else voices.name
    return {"name": name, "fingerprint": voices.fingerprint(), "terms": recordings.terms(Path(plan.data))}


def _finish(
    plan: Recipe,
    folder: Path,
    network: networks.Bands,
    history: list[dict[str, float]],
    task: Task,
    origin: dict[str, Any],
    say: Any,
) -> Run:
    """Model file, scoreboard and report."""
    path = folder / "model.onnx"
    plain = plan.to_dict() | {"data": Path(plan.data).name, "noises": Path(plan.noises).name}
    kept = networks.keeping(network, KEPT)
    card = export.export(kept, path, name=plan.name, summary=plan.summary, degradation=plan.degradation, recipe=plain, data=origin)
    with progress.shown("scoring") as shown:
        (board,) = task.score([audio_model.load(path)], shown, plan.seed)
    card = replace(card, scores=[board.to_json()])
    model_file.write_card(path, card)
    write_text(folder / "scores.json", json.dumps(board.to_json(), indent=1) + "\n")
    report.write_report(folder / "report.html", f"{plan.name}: a training run", [report.Story(board, card, history, plan.to_toml())])
    say(f"Wrote {path}, {folder / HISTORY} and {folder / 'report.html'}")
    return Run(folder, path, board, history)
