"""How this machine trains fastest: measured on the network at hand, since what kind of machine it is does not tell.

bf16 takes half the time where a CPU has instructions for it, and ten times as much where it has none. Two threads are quicker than one,
unless another program has one of the two cores.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from burnish.training import loop
from burnish.training.image import networks
from burnish.training.network import placed, restored
from burnish.training.parallel import threads
from burnish.training.recipe import Recipe

ROUNDS = 5  # in which each choice takes a step, in turn, so that what else the machine does meets all alike
BETTER = 0.9  # of the first choice's time is what another one may take to be chosen
HOPELESS = 3  # times longer than the best at the first step, and a choice is not tried again
PIXELS = 1 << 16  # of a batch that is tried, at most

Choice = TypeVar("Choice")
Seen = Callable[[Tensor], Tensor]


def settled(plan: Recipe, size: tuple[int, int], device: str, *, alone: bool, seen: Seen) -> Recipe:
    """The recipe with what it leaves open of its speed as this machine is fastest: threads (for a CPU, in a process alone), and precision.

    `size` is height × width of a batch's images, and `seen` as in `Pairs`.
    """
    batch = max(1, min(plan.batch, PIXELS // (size[0] * size[1])))
    if not plan.threads and alone and device == "cpu":
        first = "bf16" if plan.precision == "bf16" else "fp32"
        most = torch.get_num_threads()
        step = stepper(plan, (batch, *size), device, seen)
        fewer = sorted({most // 2, 1} - {0, most}, reverse=True)
        plan = replace(plan, threads=quickest({count: _with_threads(count, step, first) for count in (most, *fewer)}))
    if plan.precision == "auto":
        with threads(plan.threads):
            step = stepper(plan, (batch, *size), device, seen)
            plan = replace(plan, precision=quickest({name: partial(step, name) for name in ("fp32", "bf16")}))
    return plan


def step_seconds(plan: Recipe, size: tuple[int, int], device: str, seen: Seen) -> float:
    """How long a step of the optimiser takes on a whole batch: the middle one of a few, after one that warms up."""
    step = stepper(plan, (plan.batch, *size), device, seen)
    with threads(plan.threads):
        step(plan.precision)
        return float(np.median([_seconds(lambda: step(plan.precision)) for _ in range(ROUNDS)]))


def stepper(plan: Recipe, shape: tuple[int, int, int], device: str, seen: Seen) -> Callable[[str], None]:
    """A function that makes a training step in the precision that it is given, on N×H×W images of chance."""
    network = placed(networks.build(plan.network, plan.network_args), device, torch.channels_last)
    optimizer = loop.OPTIMIZERS[plan.optimizer](network, plan.learning_rate, plan.epsilon)
    pictures = torch.rand(shape[0], network.channels, *shape[1:], device=device).to(memory_format=torch.channels_last)

    def step(precision: str) -> None:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bf16"):
            output = restored(network(pictures)).float()
        optimizer.zero_grad()
        torch.autograd.backward(functional.mse_loss(seen(output), pictures))
        optimizer.step()
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    return step


def quickest(steps: Mapping[Choice, Callable[[], None]]) -> Choice:
    """Which of the steps is the quickest: the first, unless another one's middle time of several is lower by a tenth."""
    default = next(iter(steps))
    if len(steps) == 1:
        return default
    steps[default]()  # what comes first in a process takes longest
    warm = {choice: _seconds(step) for choice, step in steps.items()}
    tried = [choice for choice in steps if warm[choice] <= HOPELESS * min(warm.values())]
    taken: dict[Choice, list[float]] = {choice: [] for choice in tried}
    for _ in range(ROUNDS if len(tried) > 1 else 0):
        for choice in tried:
            taken[choice].append(_seconds(steps[choice]))
    middle = {choice: float(np.median(taken.get(choice) or warm[choice])) for choice in steps}
    best = min(tried, key=lambda choice: middle[choice])
    return best if middle[best] < BETTER * middle[default] else default


def _with_threads(count: int, step: Callable[[str], None], precision: str) -> Callable[[], None]:
    def limited() -> None:
        with threads(count):
            step(precision)

    return limited


def _seconds(step: Callable[[], None]) -> float:
    began = time.monotonic()
    step()
    return time.monotonic() - began
