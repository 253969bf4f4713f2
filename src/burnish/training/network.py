"""What a network declares of itself, whatever its medium."""

from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """A torch module that restores: what the rest of the house may ask of one. Each network is a subclass that fills this in.

    It maps N×C×H×W (audio: N×C×T) to the same shape, restored; one with a bottleneck to the pair (restored, latent). Non-linearities are
    modules, never functions, so that the halo can be measured on a copy without them.
    """

    name: str
    """What recipes and cards call it: "unet"."""
    args: dict[str, int]
    """What it was built with, to build it again: {"width": 32}."""
    channels: int
    """How many channels it takes and gives: 3."""
    multiple_of: int
    """What H and W (T) must be multiples of: 8."""
    has_latent: bool
    """Whether it has a bottleneck, and returns the latent too."""
    input_size: list[int] | None = None
    """The only size that it takes, height and width in pixels: [32, 32]; None: any that `multiple_of` allows."""
    starts_from: int = 0
    """How many training pairs, at most, `start` solves weights from; 0: it has none to solve."""

    def forward(self, item: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """The restored batch, or (restored, latent)."""
        raise NotImplementedError

    def start(self, degraded: Tensor, clean: Tensor) -> None:
        """Solve what can be solved in closed form, before training, from pairs N×C×H×W."""


AnyModule = TypeVar("AnyModule", bound=nn.Module)


def restored(output: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """What is restored out of what a network returns, with or without a latent."""
    return output[0] if isinstance(output, tuple) else output


def placed(network: AnyModule, device: str | torch.device, memory_format: torch.memory_format) -> AnyModule:
    """The network itself, its weights moved to `device` and laid out as `memory_format`."""
    moved = cast(Any, network).to(device=device, memory_format=memory_format)  # torch's types do not say that `to` takes both
    return cast(AnyModule, moved)
