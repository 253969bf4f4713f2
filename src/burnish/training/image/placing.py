"""A small encoder learns to place images on a plane, those that are alike beside each other.

It is taught by the images' neighbours: of two images that are near in their pixels, turned and moved a little, the places must be nearer
than those of chance pairs, with the heavy-tailed kernel of t-SNE. The loss is InfoNC-t-SNE's (Damrich et al., "From t-SNE to UMAP with
contrastive learning", 2022), the network that gives the place is parametric as in van der Maaten (2009).
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from burnish.progress import Progress
from burnish.training import graph
from burnish.training.network import placed

BATCH = 512  # pairs
RATE = 2e-3
ITSELF = 0.15  # share of the pairs that are two views of one image
TURN, MOVE, SCALE, SHEAR = 12.0, 0.16, 0.1, 0.15  # degrees, and shares of half the image's side
WIDTH = 16
FEATURES = 128


class Placer(nn.Module):
    """N×C×32×32 on 0–1 to the place, N×2, and the features it is read off, N×128."""

    def __init__(self, channels: int, width: int = WIDTH) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((channels, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.Flatten(), nn.Linear(64 * width, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.ReLU()]
        self.encode = nn.Sequential(*layers)
        self.place = nn.Linear(FEATURES, 2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encode(image)
        return self.place(features), features


def learnt(images: NDArray[np.uint8], near: NDArray[np.int64], steps: int, seed: int, progress: Progress) -> bytes:
    """An ONNX graph from `image` (N×C×32×32 on 0–1) to `place` and `features`, learnt from N×32×32×C images.

    `near` holds each image's nearest others, N×k. The same images in the same order give the same encoder on the same machine.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = placed(Placer(images.shape[3]), "cpu", torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    count, size = len(images), min(BATCH, len(images))
    for step in range(steps):
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / max(1.0, 0.05 * steps)) * (1 - share) + 1e-5
        one = rng.choice(count, size, replace=count < 2 * size)
        other = np.where(rng.random(size) < ITSELF, one, near[one, rng.integers(0, near.shape[1], size)])
        batch = torch.from_numpy(images[np.concatenate([one, other])].transpose(0, 3, 1, 2)).float() / 255
        places, _ = network(_moved(batch).contiguous(memory_format=torch.channels_last))
        loss = _loss(places[:size], places)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        progress(step + 1, steps)
    return _exported(network.eval(), images.shape[3])


def _loss(ours: Tensor, every: Tensor) -> Tensor:
    """How poorly each of the first half's places (N×2) is told by its partner's among all (2N×2)."""
    count = len(ours)
    kernel = -torch.log1p(torch.cdist(ours, every).pow(2))
    own = torch.eye(count, 2 * count, dtype=torch.bool)
    kernel = kernel.masked_fill(own, -1e9)
    partner = kernel[torch.arange(count), count + torch.arange(count)]
    return (torch.logsumexp(kernel, 1) - partner).mean()


def _moved(images: Tensor) -> Tensor:
    """The images turned, scaled, sheared and moved a little, each its own way."""
    count = len(images)
    drawn = torch.rand(count, 5) * 2 - 1
    angle, scale, shear = drawn[:, 0] * TURN * math.pi / 180, 1 + SCALE * drawn[:, 1], SHEAR * drawn[:, 2]
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0], turn[:, 0, 1] = scale * angle.cos(), -scale * angle.sin() + shear
    turn[:, 1, 0], turn[:, 1, 1] = scale * angle.sin(), scale * angle.cos()
    turn[:, :, 2] = MOVE * drawn[:, 3:]
    grid = functional.affine_grid(turn, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _exported(network: nn.Module, channels: int) -> bytes:
    network, example = placed(network, "cpu", torch.contiguous_format), torch.zeros(2, channels, 32, 32)
    proto = graph.exported(network, (example,), ["image"], ["place", "features"], ({0: torch.export.Dim("n")},))
    serialised: bytes = proto.SerializeToString()
    return serialised
