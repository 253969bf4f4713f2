"""A kernel's step is orthogonal, as large as one of Adam's; the two ends of a network are Adam's own."""

import copy

import pytest
import torch
from torch import nn

from burnish.training.image.networks import build
from burnish.training.optimizers import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 16), (24, 216), (128, 32), (1, 9)])
def test_orthogonal_brings_every_singular_value_near_one(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(*shape, generator=generator), full_matrices=False)
    spread = torch.logspace(0, -1.5, min(shape))  # one direction thirty times weaker than another
    result = orthogonal(u @ torch.diag(spread) @ v)
    kept = u.T @ result @ v.T  # diagonal where the directions stay
    assert kept.diagonal().min() > 0.5
    assert kept.diagonal().max() < 1.3
    assert (kept - kept.diagonal().diag()).abs().max() < 0.15


def stepped(optimizer_of: type[torch.optim.Optimizer], network: nn.Module, **options: object) -> nn.Module:
    """A copy of the network after one step on one batch."""
    trained = copy.deepcopy(network)
    optimizer = optimizer_of(trained if optimizer_of is Muon else trained.parameters(), lr=1e-2, eps=1e-7, **options)  # type: ignore[call-arg]
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    (trained(image) - image.flip(2)).square().mean().backward()
    optimizer.step()
    return trained


def test_only_inner_kernels_differ_from_adam() -> None:
    torch.manual_seed(0)
    network = build("residual", {"width": 16})
    nn.init.normal_(network.conv3.weight, std=0.1)  # type: ignore[union-attr, arg-type]
    ours, adams = stepped(Muon, network), stepped(torch.optim.Adam, network)
    same = {name for (name, a), b in zip(ours.named_parameters(), adams.parameters(), strict=True) if torch.equal(a, b)}
    assert same == {"conv1.weight", "conv1.bias", "conv2.bias", "conv3.weight", "conv3.bias"}
    moved = ours.conv2.weight - network.conv2.weight  # type: ignore[operator]
    assert 0.1e-2 < moved.square().mean().sqrt() < 0.3e-2, "0.2 of the learning rate, as Adam's typical step"
    values = torch.linalg.svdvals(moved.flatten(1))
    told = values[values > 1e-6]  # a dead ReLU's row says nothing
    assert len(told) >= 12
    assert told.max() < 2.5 * told.min(), "every direction gets about as much"


def test_muon_learns() -> None:
    torch.manual_seed(0)
    network = build("unet", {"width": 8, "outer": 1, "inner": 1, "middle": 1})
    optimizer = Muon(network, lr=3e-3, eps=1e-7)
    image = torch.rand(4, 3, 32, 32)
    losses = []
    for _ in range(30):
        loss = (network(image) - image.mean(1, keepdim=True)).square().mean()  # type: ignore[operator]
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
