"""The training loop for sound: plain PyTorch, top to bottom. It knows how long it may take, and its learning rate is at zero by then."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.errors import DivergedError
from burnish.files import write_text
from burnish.progress import Progress
from burnish.training import checkpoint
from burnish.training.audio import losses
from burnish.training.audio.mixing import Mixer, Pairs
from burnish.training.audio.networks import Bands
from burnish.training.checkpoint import State
from burnish.training.loop import CHECKPOINT, CHECKPOINT_EVERY, HISTORY, history_csv, interruptible, learning_rate
from burnish.training.parallel import Team
from burnish.training.recipe import Recipe

Samples = NDArray[np.float32]

BETAS = (0.9, 0.99)
LONGEST_STEP = 3.0  # the norm that gradients are cut to: a batch of silence can have any


def train(
    network: Bands,
    mixer: Mixer | Pairs,
    held_out: Sequence[tuple[Samples, Samples]],
    plan: Recipe,
    folder: Path,
    minutes: float | None,
    progress: Progress,
) -> State:
    """Train `network` in place by `plan`, going on from the checkpoint in `folder` if there is one, and return how it ended.

    An epoch is plan.crops stretches. With `minutes`, counted over all calls, the schedule is made for that time instead of the recipe's
    epochs. A checkpoint is written every epoch and every minute; Ctrl-C and SIGTERM write one and raise KeyboardInterrupt. Raises
    DivergedError, with the last good checkpoint kept, when the loss is no number.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate, betas=BETAS, eps=plan.epsilon)
    saved = folder / CHECKPOINT
    state = checkpoint.load(saved, network, optimizer) if saved.exists() else State()
    steps = max(1, plan.crops // plan.batch)
    began, spent = time.monotonic(), state.seconds
    kept = began
    with interruptible(Team("cpu")) as interrupted:
        while (done := _done(state, plan, steps, minutes)) < 1:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(plan, done)
            state.loss_sum += _step(network, optimizer, mixer, plan, state)
            state.step += 1
            now = time.monotonic()
            state.seconds = spent + now - began
            note = f"epoch {state.epoch} · step {state.step}/{steps} · loss {state.loss_sum / state.step:.4f}"
            progress(round(1e6 * done), 1_000_000, note)
            if state.step == steps:
                _end_epoch(network, held_out, state)
                write_text(folder / HISTORY, history_csv(state.history))
            if interrupted.is_set() or state.step == 0 or now - kept > CHECKPOINT_EVERY:
                checkpoint.save(saved, network, optimizer, state)
                kept = now
            if interrupted.is_set():
                raise KeyboardInterrupt
    if state.step:
        _end_epoch(network, held_out, state)
        write_text(folder / HISTORY, history_csv(state.history))
    checkpoint.save(saved, network, optimizer, state)
    return state


def _done(state: State, plan: Recipe, steps: int, minutes: float | None) -> float:
    """The share of the training that is done: of the time allowed, where one is, else of all steps."""
    if minutes is not None:
        return state.seconds / (60 * minutes)
    return ((state.epoch - 1) * steps + state.step) / (plan.epochs * steps)


def _step(network: Bands, optimizer: torch.optim.Optimizer, mixer: Mixer | Pairs, plan: Recipe, state: State) -> float:
    degraded, clean = (torch.from_numpy(each) for each in mixer.batch(plan.batch, (plan.seed, state.epoch, state.step)))
    network.train()
    loss = _loss(network, degraded, clean)
    if not math.isfinite(loss.item()):
        raise DivergedError(
            f"the loss became {loss.item():.3g} at epoch {state.epoch}, step {state.step + 1}; the last good checkpoint is kept: "
            f"try a lower learning_rate than {plan.learning_rate:g}"
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_STEP)
    optimizer.step()
    return loss.item()


def _loss(network: Bands, degraded: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    spectra, wanted = losses.spectra(degraded), losses.spectra(clean)
    filters, presence, _ = network(spectra)
    return losses.loss(losses.filtered(spectra, filters), wanted[:, :-1], clean, presence[:, 1:])


def _end_epoch(network: Bands, held_out: Sequence[tuple[Samples, Samples]], state: State) -> None:
    """Write the epoch's row, with the loss on what is held out, into the history and move on to the next epoch."""
    network.eval()
    with torch.inference_mode():
        values = [_loss(network, *(torch.from_numpy(each)[None] for each in pair)).item() for pair in held_out]
    row = {
        "epoch": state.epoch,
        "seconds": round(state.seconds, 2),
        "loss": state.loss_sum / max(1, state.step),
        "val_loss": float(np.mean(values)) if values else math.nan,
    }
    state.history.append(row)
    state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
