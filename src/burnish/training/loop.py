"""The training loop: plain PyTorch, top to bottom."""

import contextlib
import csv
import io
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.errors import DivergedError
from burnish.files import write_text
from burnish.progress import Progress
from burnish.training import checkpoint
from burnish.training.checkpoint import State
from burnish.training.image import augment
from burnish.training.image.pairs import Pairs, Source
from burnish.training.network import Network, placed, restored
from burnish.training.optimizers import Muon
from burnish.training.parallel import Team
from burnish.training.recipe import Recipe

CHECKPOINT_EVERY = 60.0  # seconds, and at every epoch's end
JUDGED_AFTER, SHARE, WRONG = 60.0, 0.1, 1.5  # seconds, or that share of those allowed; how many times off a schedule is made anew
ABSURD_LOSS = 10.0  # values in 0–1 that restore to values in 0–1 cannot lose more than 1
OPTIMIZERS: dict[str, Callable[[nn.Module, float, float], torch.optim.Optimizer]] = {
    "adam": lambda network, rate, epsilon: torch.optim.Adam(network.parameters(), lr=rate, eps=epsilon),
    "muon": Muon,
}
CHECKPOINT, BEST, HISTORY = "checkpoint.safetensors", "best.safetensors", "history.csv"  # in the run's folder
COLUMNS = ["epoch", "seconds", "accuracy", "loss", "val_accuracy", "val_loss", "resumed_at"]

Row = dict[str, Any]  # one epoch of the history, by COLUMNS
Log = Callable[[Row], None]


def no_log(row: Row) -> None:
    """A log that keeps nothing."""


class MisjudgedError(Exception):
    """A step takes another time than the schedule was made for: `seconds`; `spent` seconds of training were used to find out."""

    def __init__(self, seconds: float, spent: float) -> None:
        super().__init__(f"a step takes {seconds:.3g} s")
        self.seconds, self.spent = seconds, spent


@dataclass(frozen=True)
class Limits:
    """When to stop before the recipe's end: after `minutes` of training in this call (None: never).

    `expected` is how many seconds a step takes by the schedule: if the first minute, or tenth of the minutes, shows it wrong by more than
    a half, MisjudgedError says so (None: whatever it takes).
    """

    minutes: float | None = None
    expected: float | None = None


@dataclass
class Learner:
    """A network in training with all that a step needs: by what recipe, by which processes, and where it stands."""

    network: Network
    optimizer: torch.optim.Optimizer
    recipe: Recipe
    team: Team
    state: State


def train(
    network: Network,
    source: Source,
    recipe: Recipe,
    folder: Path,
    *,
    limits: Limits,
    team: Team,
    progress: Progress,
    log: Log,
) -> State:
    """Train `network` in place by `recipe`, going on from `folder`'s checkpoint if it has one, and return how it ended.

    A checkpoint is written every epoch and every minute, `history.csv` every epoch; `log` receives each epoch's row. With patience,
    training ends when the validation loss has not fallen for that many epochs, and `network` is the one of the best epoch. Ctrl-C and
    SIGTERM write a checkpoint and raise KeyboardInterrupt. Raises DivergedError, with the last good checkpoint kept, when the loss leaves
    every sensible range, and MisjudgedError as `limits` has it.
    """
    learner = _begun(network, recipe, team, folder / CHECKPOINT)
    state, clock = learner.state, _Clock(limits)
    with interruptible(team) as interrupted:
        while state.epoch <= recipe.epochs and not state.stopped_early and not has_stalled(state.history, recipe):
            pairs = source.epoch(state.epoch)
            order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(recipe.seed * 1_000_003 + state.epoch))
            steps = math.ceil(len(pairs) / recipe.batch)
            while state.step < steps and not state.stopped_early:
                indices = order[state.step * recipe.batch : (state.step + 1) * recipe.batch]
                _step(learner, pairs, indices, steps)
                clock.step(state)
                progress(*_standing(state, recipe, steps, len(pairs)))
                stop, time_is_up, misjudged = team.any(interrupted.is_set(), clock.time_is_up(), clock.is_wrong())
                if team.leads and (stop or time_is_up or clock.checkpoint_is_due()):
                    _keep(folder / CHECKPOINT, learner)
                if stop:
                    raise KeyboardInterrupt
                if misjudged and not time_is_up:
                    raise MisjudgedError(*(value / team.size for value in team.sums(clock.step_seconds, clock.spent)))
                state.stopped_early = time_is_up and (state.step < steps or state.epoch < recipe.epochs)
            whole = state.step == steps
            validation = _validated(learner, source.validation)
            clock.tick(state)
            _end_epoch(state, validation, seen=min(state.step * recipe.batch, len(pairs)))
            log(state.history[-1])
            if team.leads:
                _keep_epoch(folder, learner, whole)
            if team.any(interrupted.is_set())[0]:
                raise KeyboardInterrupt
    if recipe.patience and best_row(state.history) is not state.history[-1]:
        checkpoint.load(folder / BEST, network, learner.optimizer)
    return state


def _begun(network: Network, recipe: Recipe, team: Team, saved: Path) -> Learner:
    """The network ready to learn, from where the checkpoint `saved` has left it if there is one."""
    placed(network, team.device, torch.channels_last)
    optimizer = OPTIMIZERS[recipe.optimizer](network, recipe.learning_rate, recipe.epsilon)
    state = State()
    if saved.exists():
        state = checkpoint.load(saved, network, optimizer)
        state.resumed_at = state.step
    return Learner(network, optimizer, recipe, team, state)


def has_stalled(history: list[Row], recipe: Recipe) -> bool:
    """Whether the recipe's patience is at its end: that many epochs have passed since the best one."""
    return bool(recipe.patience and history) and history[-1]["epoch"] - best_row(history)["epoch"] >= recipe.patience


def best_row(history: list[Row]) -> Row:
    """The epoch with the lowest validation loss, the first of equals."""
    return min(history, key=lambda row: row["val_loss"])


def _keep_epoch(folder: Path, learner: Learner, whole: bool) -> None:
    """Keep what an epoch has come to; the row of one cut short is told, but not kept: a resumed run finishes that epoch first."""
    state = learner.state
    if whole:
        if learner.recipe.patience and best_row(state.history) is state.history[-1]:
            _keep(folder / BEST, learner)
        _keep(folder / CHECKPOINT, replace(learner, state=replace(state, stopped_early=False)))
    write_text(folder / HISTORY, history_csv(state.history))


def _keep(path: Path, learner: Learner) -> None:
    """Save a checkpoint, unless the weights are good for nothing: then raise DivergedError and leave the last good one."""
    if not all(torch.isfinite(parameter).all() for parameter in learner.network.parameters()):
        raise DivergedError(
            f"the weights became infinite in epoch {learner.state.epoch}; the last good checkpoint is kept: lower learning_rate"
        )
    checkpoint.save(path, learner.network, learner.optimizer, learner.state)


def _step(learner: Learner, pairs: Pairs, indices: Tensor, steps: int) -> None:
    """One of an epoch's `steps` steps, counted into the state. Raises DivergedError before a bad loss reaches the weights."""
    recipe, state, team, optimizer = learner.recipe, learner.state, learner.team, learner.optimizer
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, ((state.epoch - 1) * steps + state.step) / (recipe.epochs * steps))
    learner.network.train()
    mine, share = team.share(indices)
    degraded, clean = (images.to(team.device) for images in pairs.batch(mine))
    if recipe.symmetries:
        which = int(np.random.default_rng([recipe.seed, 3, state.epoch, state.step]).integers(8))
        degraded, clean = augment.symmetric(degraded, which), augment.symmetric(clean, which)
    mean, accuracy = _scored(learner, degraded, clean, pairs)
    loss, accuracy = _of_all(learner, mean, accuracy, share)
    _refuse_absurd(loss, f"at epoch {state.epoch}, step {state.step + 1}", recipe)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(mean * (share * loss if recipe.loss == "geometric" else share))
    team.add_gradients(learner.network)
    optimizer.step()
    state.loss_sum += loss * len(indices)
    state.accuracy_sum += accuracy * len(indices)
    state.step += 1


def _refuse_absurd(loss: float, where: str, recipe: Recipe) -> None:
    if not loss <= ABSURD_LOSS:  # NaN compares false
        raise DivergedError(
            f"the loss became {loss:.3g} {where}; the last good checkpoint is kept: try a lower learning_rate than {recipe.learning_rate:g}"
        )


def _end_epoch(state: State, validation: tuple[float, float], seen: int) -> None:
    """Write the epoch's row, with its validation loss and accuracy, into the history and move on to the next epoch."""
    row = {
        "epoch": state.epoch,
        "seconds": round(state.seconds, 2),
        "accuracy": state.accuracy_sum / seen,
        "loss": state.loss_sum / seen,
        "val_accuracy": validation[1],
        "val_loss": validation[0],
        "resumed_at": state.resumed_at,
    }
    state.history.append(row)
    state.epoch, state.step, state.loss_sum, state.accuracy_sum, state.seconds, state.resumed_at = state.epoch + 1, 0, 0.0, 0.0, 0.0, None


def _validated(learner: Learner, pairs: Pairs) -> tuple[float, float]:
    learner.network.eval()
    loss_sum = accuracy_sum = 0.0
    with torch.inference_mode():
        for indices in torch.split(torch.arange(len(pairs)), learner.recipe.batch):
            mine, share = learner.team.share(indices)
            degraded, clean = (images.to(learner.team.device) for images in pairs.batch(mine))
            loss, accuracy = _of_all(learner, *_scored(learner, degraded, clean, pairs), share)
            loss_sum += loss * len(indices)
            accuracy_sum += accuracy * len(indices)
    _refuse_absurd(loss_sum / len(pairs), "in validation", learner.recipe)
    return loss_sum / len(pairs), accuracy_sum / len(pairs)


def _scored(learner: Learner, degraded: Tensor, clean: Tensor, pairs: Pairs) -> tuple[Tensor, float]:
    """The mean over a batch of `pairs` that the loss is made of, and its channel accuracy.

    In bf16 the network runs under autocast; the loss is fp32 always.
    """
    with torch.autocast(degraded.device.type, torch.bfloat16, enabled=learner.recipe.precision == "bf16"):
        output = restored(learner.network(degraded)).float()
    with torch.no_grad():
        accuracy = (_brightest(output) == _brightest(clean)).float().mean().item()
    return _mean(pairs.seen(output), clean, learner.recipe.loss), accuracy


def _mean(output: Tensor, clean: Tensor, kind: str) -> Tensor:
    if kind == "l1":
        return functional.l1_loss(output, clean)
    if kind == "mse":
        return functional.mse_loss(output, clean)
    errors = (output - clean).square().mean((1, 2, 3)) + 1e-8
    return errors.pow(0.25).mean() if kind == "root" else errors.log().mean()


def _of_all(learner: Learner, mean: Tensor, accuracy: float, share: float) -> tuple[float, float]:
    """Loss and accuracy of a whole batch, of which this process has `share`. The geometric loss is the exponential of its mean."""
    whole, accuracy = learner.team.sums(share * mean.item(), share * accuracy)
    return math.exp(whole) if learner.recipe.loss == "geometric" else whole, accuracy


def _brightest(images: Tensor) -> Tensor:
    """The first brightest channel of each pixel, N×H×W: what argmax gives, in a fifth of its time on channels-last memory."""
    best, index = images[:, 0], torch.zeros_like(images[:, 0], dtype=torch.uint8)
    for channel in range(1, images.shape[1]):
        index.masked_fill_(images[:, channel] > best, channel)
        best = torch.maximum(best, images[:, channel])
    return index


def learning_rate(recipe: Recipe, done: float) -> float:
    """The learning rate when the share `done` (0–1) of all steps is done.

    "one-cycle" rises along a cosine from a 25th of `learning_rate` over the first `warm_up` (0–1) of them, then falls along a cosine to
    zero (after Smith and Topin, "Super-convergence", 2018).
    """
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if done < recipe.warm_up:
        low = recipe.learning_rate / 25
        return low + (recipe.learning_rate - low) * (1 - math.cos(math.pi * done / recipe.warm_up)) / 2
    return recipe.learning_rate * (1 + math.cos(math.pi * (done - recipe.warm_up) / (1 - recipe.warm_up))) / 2


def history_csv(history: list[Row]) -> str:
    """The history as CSV text, one line an epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in history:
        writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})
    return text.getvalue()


def _standing(state: State, recipe: Recipe, steps: int, images: int) -> tuple[int, int, str]:
    done, total = (state.epoch - 1) * steps + state.step, recipe.epochs * steps
    seen = min(state.step * recipe.batch, images)
    speed = seen / state.seconds if state.seconds else 0.0
    note = f"epoch {state.epoch}/{recipe.epochs} · step {state.step}/{steps} · loss {state.loss_sum / seen:.5f} · {speed:,.0f} images/s"
    return done, total, note


class _Clock:
    """Seconds of training, into the state; and when a minute, or the time allowed, is over, and whether steps take as long as expected."""

    def __init__(self, limits: Limits) -> None:
        self.began = self.ticked = self.saved = time.monotonic()
        allowed = math.inf if limits.minutes is None else 60 * limits.minutes
        self.ends, self.judges = self.began + allowed, self.began + min(JUDGED_AFTER, SHARE * allowed)
        self.expected, self.steps = limits.expected, 0

    def tick(self, state: State) -> None:
        now = time.monotonic()
        state.seconds += now - self.ticked
        self.ticked = now

    def step(self, state: State) -> None:
        self.tick(state)
        self.steps += 1

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return self.ticked - self.began

    @property
    def step_seconds(self) -> float:
        """How long a step has taken so far, with all that goes with it."""
        return self.spent / self.steps

    def is_wrong(self) -> bool:
        """Whether steps take another time than was expected, by more than a half; this is asked once, when enough is known."""
        if self.expected is None or self.ticked < self.judges or self.steps < 3:
            return False
        expected, self.expected = self.expected, None
        return not 1 / WRONG <= self.step_seconds / expected <= WRONG

    def checkpoint_is_due(self) -> bool:
        if self.ticked - self.saved < CHECKPOINT_EVERY:
            return False
        self.saved = self.ticked
        return True

    def time_is_up(self) -> bool:
        return self.ticked >= self.ends


@contextlib.contextmanager
def interruptible(team: Team) -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set, so that the step at hand is finished and kept.

    A second Ctrl-C stops at once, save in a team, where it is the first one again, passed on by torchrun.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # signals reach the main thread alone
        return

    def on_signal(_number: int, _frame: object) -> None:
        event.set()
        if team.size == 1:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
