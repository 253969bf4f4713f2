"""Networks with a real bottleneck: an image becomes a few numbers, and those alone become the image again.

Their linear path is solved, not learnt: it begins and stays at what principal components can do. Convolutions on both sides of the
bottleneck learn what those cannot: which numbers to keep of this image, and what a picture of such numbers looks like.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.training.network import Network

CELL = 4  # pixels a side of what the convolutions see as one place
THIN = 8  # numbers of such a place that go into the latent's and come out of them
WAVES, FEWEST = 1.5, 12  # times the root of `numbers`, and at least: the frequencies each way that a whole image's linear path sees
SOLVED_FROM = 20_000  # training images from which the linear path is solved, at most
PATCHES = 20_000  # and patches of them, where the latent is a grid
ROUNDS, SPARE = 4, 16  # of subspace iteration, and directions beyond those that are kept


class Bottleneck(Network):
    """`numbers` for each square of `patch` pixels, and nothing past them.

    With `size` the network takes images of that many pixels a side only, which are one patch: the latent is a vector, N×numbers. With
    `size` = 0 it takes images of any size, and the latent is a grid of vectors, N×numbers×H/patch×W/patch; `patch` is then a multiple of 4.
    """

    name = "bottleneck"
    has_latent = True

    def __init__(self, numbers: int = 64, size: int = 32, patch: int = 0, width: int = 32, channels: int = 3) -> None:
        super().__init__()
        patch = patch or size
        if not 2 <= numbers <= 512:
            raise ValueError(f"numbers = {numbers} goes from 2 to 512")
        if patch < CELL or patch % CELL or (size and patch != size):
            raise ValueError(f"patch = {patch} must be a multiple of {CELL}, and size = {size} either 0 or the same")
        if numbers > channels * patch**2:
            raise ValueError(f"numbers = {numbers} are more than the {channels * patch**2} values of a patch of {patch} pixels")
        self.args = {"numbers": numbers, "size": size, "patch": patch, "width": width, "channels": channels}
        self.channels, self.multiple_of, self.is_vector = channels, patch, size > 0
        self.input_size = [size, size] if size else None
        self.starts_from = SOLVED_FROM
        cells, pixels = patch // CELL, channels * CELL**2
        waves = min(size, max(FEWEST, math.ceil(WAVES * math.sqrt(numbers))))
        seen = channels * waves**2 if size else channels * patch**2
        self.relu = nn.ReLU()
        self.to_cells, self.from_cells = nn.PixelUnshuffle(CELL), nn.PixelShuffle(CELL)
        self.to_patches, self.from_patches = nn.PixelUnshuffle(patch), nn.PixelShuffle(patch)
        self.gathered, self.spread = nn.PixelUnshuffle(cells), nn.PixelShuffle(cells)

        self.enter1 = nn.Conv2d(pixels, width, 3, padding=1)
        self.enter2 = nn.Conv2d(width, width, 3, padding=1)
        self.enter3 = nn.Conv2d(width, THIN, 1)
        self.enter4 = nn.Conv2d(THIN * cells**2, numbers, 1)
        self.linear = nn.Conv2d(seen, numbers, 1, bias=False)
        self.mean = nn.Parameter(torch.zeros(1, seen, 1, 1))
        self.leave1 = nn.Conv2d(numbers, THIN * cells**2, 1)
        self.leave2 = nn.Conv2d(pixels + THIN, width, 3, padding=1)
        self.leave3 = nn.Conv2d(width, width, 3, padding=1)
        self.leave4 = nn.Conv2d(width, width, 3, padding=1)
        self.leave5 = nn.Conv2d(width, width, 3, padding=1)
        self.leave6 = nn.Conv2d(width, width, 3, padding=1)
        self.leave7 = nn.Conv2d(width, pixels, 3, padding=1)
        for layer in (self.enter4, self.leave7):  # so that an untrained network is its linear path
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        for solved in (self.linear.weight, self.mean):
            solved.requires_grad_(False)
        if size:
            self.waves = nn.Parameter(_cosines(waves, size), requires_grad=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.relu(self.enter1(self.to_cells(image)))
        x = self.relu(x + self.enter2(x))
        latent = self.linear(self._seen(image) - self.mean) + self.enter4(self.gathered(self.enter3(x)))
        if self.is_vector:
            latent = latent.flatten(1)
        return self._decoded(latent), latent

    def _decoded(self, latent: Tensor) -> Tensor:
        places = latent[:, :, None, None] if self.is_vector else latent
        linear = self.to_cells(self._shown(functional.conv_transpose2d(places, self.linear.weight) + self.mean))
        x = self.leave2(torch.cat([linear, self.spread(self.leave1(places))], 1))
        x = x + self.leave4(self.relu(self.leave3(self.relu(x))))
        x = x + self.leave6(self.relu(self.leave5(self.relu(x))))
        restored: Tensor = self.from_cells(linear + self.leave7(self.relu(x)))
        return restored

    def _seen(self, image: Tensor) -> Tensor:
        """What the linear path sees of each patch, in the axis of channels: its pixels, or of a whole image the lowest frequencies."""
        if not self.is_vector:
            seen: Tensor = self.to_patches(image)
            return seen
        return (self.waves @ image @ self.waves.T).flatten(1)[:, :, None, None]

    def _shown(self, seen: Tensor) -> Tensor:
        """The image of what the linear path has seen."""
        if not self.is_vector:
            shown: Tensor = self.from_patches(seen)
            return shown
        side = self.waves.shape[0]
        return self.waves.T @ seen.reshape(-1, self.channels, side, side) @ self.waves

    def start(self, degraded: Tensor, clean: Tensor) -> None:  # noqa: ARG002 (it rebuilds what is clean)
        """Solve the linear path: the principal components of the patches of `clean`, N×C×H×W, as many as there are numbers."""
        patches = self._seen(clean.contiguous()).permute(0, 2, 3, 1).flatten(0, 2)
        patches = patches[:: max(1, len(patches) // PATCHES)]
        mean = patches.mean(0)
        numbers = self.args["numbers"]
        rank = min(numbers + SPARE, *patches.shape)
        _, _, vectors = torch.pca_lowrank(patches - mean, rank, center=False, niter=ROUNDS)
        kept = torch.zeros(numbers, patches.shape[1])
        kept[: min(numbers, rank)] = vectors.T[:numbers]
        with torch.no_grad():
            self.linear.weight.copy_(kept[:, :, None, None])
            self.mean.copy_(mean[None, :, None, None])


def _cosines(count: int, length: int) -> Tensor:
    """The first `count` waves of the orthonormal DCT-II of `length` values, one a row."""
    places = (torch.arange(length, dtype=torch.double) + 0.5) / length
    waves = torch.cos(math.pi * torch.arange(count, dtype=torch.double)[:, None] * places) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return waves.float()
