"""More than one processor: processes that each take a share of every batch and together make the step that one alone would.

`torchrun --nproc-per-node N -m burnish train …` starts them. Every process holds the images and the network; process 0 alone writes and
speaks. What one process computes of a batch is weighted by its share, so that sums over the processes are means over the batch.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from burnish.errors import BurnishError
from burnish.training import process

PATIENCE = timedelta(days=1)  # with a process that is busy; torchrun ends all when one fails


@dataclass(frozen=True)
class Team:
    """The processes of a run, seen from one of them: `rank` of `size`, at work on the torch `device`."""

    device: str
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, indices: Tensor) -> tuple[Tensor, float]:
        """This process's part of a batch, never empty, and which share of the batch (0–1) it stands for."""
        mine = indices[self.rank :: self.size]
        return (mine, len(mine) / len(indices)) if len(mine) else (indices[:1], 0.0)

    def sums(self, *values: float) -> list[float]:
        """Each value summed over the processes."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.double, device=self.device)
        _add_up(total)
        return total.tolist()

    def any(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is up in any process: all act on it together."""
        return [count > 0 for count in self.sums(*flags)]

    def add_gradients(self, network: nn.Module) -> None:
        """Replace every gradient by its sum over the processes."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        total = torch.cat([gradient.flatten() for gradient in gradients])
        _add_up(total)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, summed in zip(gradients, torch.split(total, sizes), strict=True):
            gradient.copy_(summed.view_as(gradient))

    @contextlib.contextmanager
    def leader_first(self) -> Iterator[None]:
        """What stands inside is done by process 0, then by the others: a download is there for them, a refusal is told once."""
        if not self.leads:
            self.sums(0)
        yield
        if self.leads:
            self.sums(0)


def _add_up(total: Tensor) -> None:
    try:
        distributed.all_reduce(total)
    except RuntimeError as error:
        raise BurnishError("another process of this run has ended; --resume goes on from the last checkpoint") from error


@contextlib.contextmanager
def team(device: str) -> Iterator[Team]:
    """Yield the team that torchrun started this process in, or one of this process alone. `device` is "cpu" or "cuda"."""
    if not process.is_launched():
        yield Team(device)
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    # torch's optimisers import this module at their first step, and its functions have the group of that moment as a default value. Then
    # the group would outlive its destruction, and its threads would abort the process now and then as the interpreter ends.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=PATIENCE)
    try:
        yield Team(device, distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside, torch has so many threads (at most those that it has; 0: all of them), and afterwards what it had."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(count or before, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
