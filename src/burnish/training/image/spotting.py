"""A small U-Net learns to tell drawn defects from normal images: what it has never seen drawn on a normal stands out later."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.latent.defects import spoilt
from burnish.latent.planes import Floats, sampled
from burnish.progress import Progress
from burnish.training import graph
from burnish.training.network import placed

CROP = 128  # pixels on a side
BATCH = 12
CLEAN = 4  # of so many crops, one stays without defects
RATE = 3e-3
WIDTH = 24
ALIGNED = 0.5  # of the images' directions: with less, they lie at any angle
HARD = 1.5  # the focal loss's exponent (Lin et al., 2017)


class Spotter(nn.Module):
    """N×C×H×W on 0–1 (H and W multiples of 16) to N×1×H×W logits: a U of 3×3 convolutions at a half to a sixteenth of the scale."""

    middle: Tensor
    spread: Tensor

    def __init__(self, channels: int, middle: float, spread: float, width: int = WIDTH) -> None:
        super().__init__()
        self.register_buffer("middle", torch.tensor(middle))
        self.register_buffer("spread", torch.tensor(spread))
        self.unshuffle = nn.PixelUnshuffle(2)
        self.encode1 = nn.Sequential(_layer(4 * channels, width), _layer(width, width))
        self.encode2 = nn.Sequential(_layer(width, 2 * width, 2), _layer(2 * width, 2 * width))
        self.encode3 = nn.Sequential(_layer(2 * width, 4 * width, 2), _layer(4 * width, 4 * width))
        self.encode4 = nn.Sequential(_layer(4 * width, 4 * width, 2), _layer(4 * width, 4 * width))
        self.up3, self.decode3 = nn.ConvTranspose2d(4 * width, 4 * width, 2, 2), _layer(4 * width, 4 * width)
        self.up2, self.decode2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2), _layer(2 * width, 2 * width)
        self.up1, self.decode1 = nn.ConvTranspose2d(2 * width, width, 2, 2), _layer(width, width)
        self.leave = nn.Conv2d(width, 4, 1)
        self.shuffle = nn.PixelShuffle(2)
        assert self.leave.bias is not None
        nn.init.constant_(self.leave.bias, -3)  # few pixels belong to a defect

    def forward(self, image: Tensor) -> Tensor:
        half = self.encode1(self.unshuffle((image - self.middle) / self.spread))
        quarter = self.encode2(half)
        eighth = self.encode3(quarter)
        x = self.decode3(self.up3(self.encode4(eighth)) + eighth)
        x = self.decode2(self.up2(x) + quarter)
        x = self.decode1(self.up1(x) + half)
        logits: Tensor = self.shuffle(self.leave(x))
        return logits


class Pair(nn.Module):
    """The two halves' spotters beside each other: N×2×H×W logits."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, image: Tensor) -> Tensor:
        return torch.cat([self.first(image), self.second(image)], 1)


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def learnt(halves: Sequence[Sequence[Floats]], seconds: float, seed: int, progress: Progress) -> bytes:
    """An ONNX graph from `image` (N×C×H×W on 0–1) to `logits` (N×2×H×W), each channel learnt from one half of normal images (H×W×C).

    Takes about `seconds` of the clock. Ctrl-C raises KeyboardInterrupt.
    """
    every = [image for half in halves for image in half]
    turns = not _aligned(every)
    spotters = []
    for place, images in enumerate(halves):
        torch.manual_seed(seed + place)
        network = placed(Spotter(images[0].shape[2], _mean(every), _spread(every)), "cpu", torch.channels_last)
        share = seconds / len(halves)
        _train(network, _Crops(images, turns, seed + place), share, partial(_told, progress, place * share, seconds))
        spotters.append(placed(network.eval(), "cpu", torch.contiguous_format))
    return _exported(Pair(*spotters), every[0].shape[2])


def _told(progress: Progress, before: float, seconds: float, spent: float) -> None:
    progress(round(before + spent), max(1, round(seconds)))


def _mean(images: Sequence[Floats]) -> float:
    return float(np.mean([image.mean() for image in images]))


def _spread(images: Sequence[Floats]) -> float:
    return max(0.02, float(np.sqrt(np.mean([np.square(image - _mean(images)).mean() for image in images]))))


def _aligned(images: Sequence[Floats]) -> bool:
    """Whether the images' edges run in the same direction, so that one that is turned would be odd itself.

    The direction of an image is the mean of its gradients', doubled angles being averaged, as in the structure tensor.
    """
    directions = []
    for image in images[:64]:
        down, right = np.gradient(image.mean(2))
        twice = complex(np.square(right).sum() - np.square(down).sum(), 2 * (right * down).sum())
        directions.append(twice / max(abs(twice), 1e-9))
    return bool(abs(np.mean(directions)) >= ALIGNED)


class _Crops:
    """Crops of normal images, mirrored, a little lighter or darker, at any angle where the images are; and what is drawn on them."""

    def __init__(self, images: Sequence[Floats], turns: bool, seed: int) -> None:
        self.images, self.turns = images, turns
        self.rng = np.random.default_rng(seed)

    def batch(self) -> tuple[Tensor, Tensor]:
        """N×C×CROP×CROP, and where something was drawn, N×1×CROP×CROP of 0 and 1."""
        pictures, labels = [], []
        for place in range(BATCH):
            crop = np.clip(self._crop() * (1 + self.rng.uniform(-0.15, 0.15)) + self.rng.uniform(-0.05, 0.05), 0, 1).astype(np.float32)
            label = np.zeros(crop.shape[:2], bool)
            if place % CLEAN:
                crop, label = spoilt(crop, self._crop(), self.rng)
            pictures.append(crop.transpose(2, 0, 1))
            labels.append(label[None])
        return torch.from_numpy(np.stack(pictures)), torch.from_numpy(np.stack(labels).astype(np.float32))

    def _crop(self) -> Floats:
        """A crop from where there is something to see, rather than from what lies behind an object: the one of three that varies most."""
        crops = [self._any() for _ in range(3 if self.rng.random() < 0.7 else 1)]
        return max(crops, key=lambda crop: float(crop.std()))

    def _any(self) -> Floats:
        image = self.images[int(self.rng.integers(len(self.images)))]
        height, width = image.shape[:2]
        y, x = (int(self.rng.integers(max(0, length - CROP) + 1)) for length in (height, width))
        if self.turns and self.rng.random() < 0.6:
            angle, scale = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(0.9, 1.1)
            down, right = np.mgrid[:CROP, :CROP].astype(np.float32) - CROP / 2
            rows = (np.cos(angle) * down + np.sin(angle) * right) * scale + y + CROP / 2
            columns = (-np.sin(angle) * down + np.cos(angle) * right) * scale + x + CROP / 2
            return sampled(image, rows.astype(np.float32), columns.astype(np.float32))
        crop = image[y : y + CROP, x : x + CROP]
        crop = np.pad(crop, ((0, CROP - crop.shape[0]), (0, CROP - crop.shape[1]), (0, 0)), mode="symmetric")
        crop = np.rot90(crop, int(self.rng.integers(4))) if self.turns else crop
        return crop[:: int(self.rng.choice([-1, 1])), :: int(self.rng.choice([-1, 1]))]


def _train(network: Spotter, crops: _Crops, seconds: float, tell: Callable[[float], None]) -> None:
    """Train for so many seconds: a short rise of the learning rate, then a cosine down to nothing."""
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        share = spent / seconds
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, share / 0.1) * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5
        pictures, labels = crops.batch()
        loss = _loss(network(pictures.contiguous(memory_format=torch.channels_last)), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        tell(spent)


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Focal loss for each pixel, and Dice for how well the whole is outlined."""
    each = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    focal = (each * (1 - torch.exp(-each)) ** HARD).mean()
    drawn = logits.sigmoid()
    dice = 1 - (2 * (drawn * labels).sum() + 1) / (drawn.sum() + labels.sum() + 1)
    return 4 * focal + 0.3 * dice


def _exported(network: nn.Module, channels: int) -> bytes:
    sizes = {0: torch.export.Dim("n"), 2: 16 * torch.export.Dim("h"), 3: 16 * torch.export.Dim("w")}
    proto = graph.exported(network.eval(), (torch.zeros(2, channels, 64, 80),), ["image"], ["logits"], (sizes,))
    serialised: bytes = proto.SerializeToString()
    return serialised
