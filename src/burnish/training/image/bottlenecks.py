"""Networks with a real bottleneck: an image becomes a few numbers, and those alone become the image again.

Their linear path is solved, not learnt: it begins and stays at what principal components can do. Convolutions on both sides of the
bottleneck learn what those cannot: which numbers to keep of this image, and what a picture of such numbers looks like.
"""

import torch
from torch import Tensor, nn

from burnish.training.network import Network

CELL = 4  # pixels a side of what the convolutions see as one place
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
        cells, values = patch // CELL, channels * CELL**2
        self.relu = nn.ReLU()
        self.to_cells, self.from_cells = nn.PixelUnshuffle(CELL), nn.PixelShuffle(CELL)
        self.to_patches, self.from_patches = nn.PixelUnshuffle(patch), nn.PixelShuffle(patch)
        self.gathered = nn.PixelUnshuffle(cells)

        self.enter1 = nn.Conv2d(values, width, 3, padding=1)
        self.enter2 = nn.Conv2d(width, width, 3, padding=1)
        self.enter3 = nn.Conv2d(width * cells**2, numbers, 1)
        self.analysis = nn.Conv2d(channels * patch**2, numbers, 1)
        self.synthesis = nn.Conv2d(numbers, channels * patch**2, 1)
        self.leave1 = nn.Conv2d(values, width, 3, padding=1)
        self.leave2 = nn.Conv2d(width, width, 3, padding=1)
        self.leave3 = nn.Conv2d(width, width, 3, padding=1)
        self.leave4 = nn.Conv2d(width, values, 3, padding=1)
        for layer in (self.enter3, self.leave4):  # so that an untrained network is its linear path
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        for layer in (self.analysis, self.synthesis):
            layer.requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.relu(self.enter1(self.to_cells(image)))
        x = self.relu(x + self.enter2(x))
        latent = self.analysis(self.to_patches(image)) + self.enter3(self.gathered(x))
        if self.is_vector:
            latent = latent.flatten(1)
        return self._decoded(latent), latent

    def _decoded(self, latent: Tensor) -> Tensor:
        places = latent[:, :, None, None] if self.is_vector else latent
        linear = self.to_cells(self.from_patches(self.synthesis(places)))
        x = self.relu(self.leave1(linear))
        x = x + self.leave3(self.relu(self.leave2(x)))
        restored: Tensor = self.from_cells(linear + self.leave4(self.relu(x)))
        return restored

    def start(self, degraded: Tensor, clean: Tensor) -> None:  # noqa: ARG002 (it rebuilds what is clean)
        """Solve the linear path: the principal components of the patches of `clean`, N×C×H×W, as many as there are numbers."""
        patches = self.to_patches(clean.contiguous()).permute(0, 2, 3, 1).flatten(0, 2)
        patches = patches[:: max(1, len(patches) // PATCHES)]
        mean = patches.mean(0)
        numbers = self.args["numbers"]
        rank = min(numbers + SPARE, *patches.shape)
        _, _, vectors = torch.pca_lowrank(patches - mean, rank, center=False, niter=ROUNDS)
        kept = torch.zeros(patches.shape[1], numbers)
        kept[:, : min(numbers, rank)] = vectors[:, :numbers]
        with torch.no_grad():
            self.analysis.weight.copy_(kept.T[:, :, None, None])
            self.synthesis.weight.copy_(kept[:, :, None, None])
            assert self.analysis.bias is not None
            assert self.synthesis.bias is not None
            self.analysis.bias.copy_(-(mean @ kept))
            self.synthesis.bias.copy_(mean)
