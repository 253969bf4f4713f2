"""The networks: each one readable in one screen, made of plain torch modules.

A network maps an image N×C×H×W in 0–1 to the restored image of the same shape; one with a bottleneck (`has_latent`) returns the pair
(restored, latent). It declares what the rest of the house must know of it: `name` and `args` to build it again, `channels`, and
`multiple_of`, which H and W must be multiples of. Non-linearities are modules, never functions, so that the halo can be measured on a copy
without them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.errors import RecipeError


class SameTranspose(nn.ConvTranspose2d):
    """A 3×3 transposed convolution of stride 2 with Keras's "same": of the 2n + 1 rows and columns it makes of n, the first 2n stay."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, stride=2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002 (the parent's signature)
        if torch.compiler.is_exporting():
            return super().forward(x)[..., :-1, :-1]
        # The same numbers with no cropped copy: a leading row and column of zeros in the kernel moves the crop into `padding`.
        # Measured on two cores, a training step of the seed: 131 ms against 192 ms in fp32, 77 ms against 227 ms in bf16.
        return functional.conv_transpose2d(x, functional.pad(self.weight, (1, 0, 1, 0)), self.bias, stride=2, padding=1)


class Seed(nn.Module):
    """The classic exercise: a convolutional autoencoder with an 8×8×16 bottleneck at 32×32; 6,467 parameters, Keras's layer for layer."""

    name = "seed"
    channels = 3
    multiple_of = 4
    has_latent = True

    def __init__(self) -> None:
        super().__init__()
        self.args: dict[str, int] = {}
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.pool2 = nn.MaxPool2d(2)
        self.deconv1 = SameTranspose(16, 16)
        self.deconv2 = SameTranspose(16, 16)
        self.conv_out = nn.Conv2d(16, 3, 3, padding=1)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight)  # Keras's default, "Glorot uniform"
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        # Pooling before the ReLU gives the same numbers as after it, on a quarter of the pixels.
        x = self.relu(self.pool1(self.conv1(image)))
        latent = self.relu(self.pool2(self.conv2(x)))
        x = self.relu(self.deconv1(latent))
        x = self.relu(self.deconv2(x))
        return self.sigmoid(self.conv_out(x)), latent


class Residual(nn.Module):
    """Three 3×3 convolutions on 2×2-unshuffled pixels that predict what to add to the image; 5,804 parameters at width 16.

    The last layer starts at zero, so that an untrained network leaves the image alone.
    """

    name = "residual"
    channels = 3
    multiple_of = 2
    has_latent = False

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.args = {"width": width}
        self.unshuffle = nn.PixelUnshuffle(2)
        self.conv1 = nn.Conv2d(12, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 12, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.relu = nn.ReLU()
        nn.init.zeros_(self.conv3.weight)
        nn.init.zeros_(self.conv3.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu(self.conv1(self.unshuffle(image)))
        x = self.relu(self.conv2(x))
        restored: Tensor = image + self.shuffle(self.conv3(x))
        return restored


NETWORKS: dict[str, type[Seed] | type[Residual]] = {"seed": Seed, "residual": Residual}


def build(name: str, args: dict[str, int]) -> Seed | Residual:
    """The network called `name`, freshly initialised from torch's random state. Raises RecipeError for an unknown name or argument."""
    if name not in NETWORKS:
        raise RecipeError(f"network: there is no network {name!r}; choose one of {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**args)
    except (TypeError, ValueError, RuntimeError) as error:
        raise RecipeError(f"network_args: the network {name!r} cannot be built with {args} ({error})") from error


def restored(output: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """The restored image out of what a network returns, with or without a latent."""
    return output[0] if isinstance(output, tuple) else output
