"""A small encoder learns to place images on a plane, those that are alike beside each other.

It sees what burnish.latent.outlines makes of an image, and is taught by the images' neighbours: of two images that are near by that, turned
and moved a little, the places must be nearer than those of chance pairs, with the heavy-tailed kernel of t-SNE. The loss is InfoNC-t-SNE's
(Damrich et al., "From t-SNE to UMAP with contrastive learning", 2022), the network that gives the place is parametric as in van der Maaten
(2009).
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from burnish.latent import outlines
from burnish.progress import Progress
from burnish.training import graph

BATCH = 512  # pairs
RATE = 3e-3
ITSELF = 0.15  # share of the pairs that are two views of one image
VIEWS = 4  # of each image: itself, and moved a little
TURN, MOVE, SCALE, SHEAR = 10.0, 0.08, 0.08, 0.12  # degrees, and shares of half the image's side
HIDDEN, FEATURES = 256, 128
CHUNK = 2048  # images described at a time


class Placer(nn.Module):
    """N×704 numbers to the place, N×2, and the features it is read off, N×128."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm1d(outlines.VALUES)]
        for inputs, outputs in ((outlines.VALUES, HIDDEN), (HIDDEN, FEATURES)):
            layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
        self.encode = nn.Sequential(*layers)
        self.place = nn.Linear(FEATURES, 2)

    def forward(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encode(numbers)
        return self.place(features), features


def learnt(images: NDArray[np.uint8], near: NDArray[np.int64], steps: int, seed: int, progress: Progress) -> bytes:
    """An ONNX graph from `numbers` (N×704, of burnish.latent.outlines) to `place` and `features`, learnt from N×32×32×C images.

    `near` holds each image's nearest others, N×k. The same images in the same order give the same encoder on the same machine.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    views = _views(images)
    network = Placer()
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    count, size = len(images), min(BATCH, len(images))
    for step in range(steps):
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / max(1.0, 0.05 * steps)) * (1 - share) + 1e-5
        one = rng.choice(count, size, replace=count < 2 * size)
        other = np.where(rng.random(size) < ITSELF, one, near[one, rng.integers(0, near.shape[1], size)])
        numbers = views[np.concatenate([one, other]), rng.integers(0, VIEWS, 2 * size)].astype(np.float32)
        places, _ = network(torch.from_numpy(numbers))
        loss = _loss(places[:size], places)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        progress(step + 1, steps)
    return _exported(network.eval())


def _views(images: NDArray[np.uint8]) -> NDArray[np.float16]:
    """N×4×704: what each image is described by, itself first, then turned and moved a little, each its own way."""
    views = np.empty((len(images), VIEWS, outlines.VALUES), np.float16)
    for first in range(0, len(images), CHUNK):
        part = images[first : first + CHUNK]
        views[first : first + CHUNK, 0] = outlines.described(part)
        planes = torch.from_numpy(part.transpose(0, 3, 1, 2)).float()
        for view in range(1, VIEWS):
            moved = _moved(planes).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
            views[first : first + CHUNK, view] = outlines.described(moved)
    return views


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


def _exported(network: nn.Module) -> bytes:
    example = torch.zeros(2, outlines.VALUES)
    proto = graph.exported(network, (example,), ["numbers"], ["place", "features"], ({0: torch.export.Dim("n")},))
    serialised: bytes = proto.SerializeToString()
    return serialised
