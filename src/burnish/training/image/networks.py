"""The networks of images: each one readable in one screen, made of plain torch modules.

A network maps images N×C×H×W on 0–1 to the restored ones. What else it declares of itself says burnish.training.network.Network.
"""

import inspect

import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.errors import RecipeError
from burnish.training.image.bottlenecks import Bottleneck
from burnish.training.network import Network


class SameTranspose(nn.ConvTranspose2d):
    """A 3×3 transposed convolution of stride 2 with Keras's "same": of the 2n + 1 rows and columns it makes of n, the first 2n stay."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, stride=2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002 (the parent's signature)
        if torch.compiler.is_exporting():
            return super().forward(x)[..., :-1, :-1]
        # The same numbers, written as what the CPU's kernels are quickest at: a training step of the seed takes 100 ms, not 190, in fp32.
        if x.dtype == torch.bfloat16:
            return self._by_phases(x)
        # A leading row and column of zeros in the kernel moves the crop into `padding`.
        return functional.conv_transpose2d(x, functional.pad(self.weight, (1, 0, 1, 0)), self.bias, stride=2, padding=1)

    def _by_phases(self, x: Tensor) -> Tensor:
        """A 2×2 convolution gives the four output pixels of each input pixel: an even row is made of kernel row 0 here and row 2 above."""
        n, inputs, height, width = x.shape
        kernel = functional.pad(self.weight, (0, 1, 0, 1)).view(inputs, -1, 2, 2, 2, 2).flip(2, 4)
        kernel = kernel.permute(3, 5, 1, 0, 2, 4).reshape(-1, inputs, 2, 2)
        assert self.bias is not None
        pixels = functional.conv2d(functional.pad(x, (1, 0, 1, 0)), kernel, self.bias.repeat(4)).permute(0, 2, 3, 1)
        pixels = pixels.reshape(n, height, width, 2, -1).permute(0, 1, 3, 2, 4).reshape(n, 2 * height, 2 * width, -1)
        return pixels.permute(0, 3, 1, 2)


class Seed(Network):
    """The classic exercise: a convolutional autoencoder with an 8×8×16 bottleneck at 32×32; 6,467 parameters, Keras's layer for layer."""

    name = "seed"
    channels = 3
    multiple_of = 4
    has_latent = True

    def __init__(self) -> None:
        super().__init__()
        self.args = {}
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
                _zero_bias(layer)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        # Pooling before the ReLU gives the same numbers as after it, on a quarter of the pixels.
        x = self.relu(self.pool1(self.conv1(image)))
        latent = self.relu(self.pool2(self.conv2(x)))
        x = self.relu(self.deconv1(latent))
        x = self.relu(self.deconv2(x))
        return self.sigmoid(self.conv_out(x)), latent


class Residual(Network):
    """Three 3×3 convolutions on 2×2-unshuffled pixels that predict what to add to the image; 5,804 parameters at width 16.

    The last layer starts at zero, so that an untrained network leaves the image alone.
    """

    name = "residual"
    multiple_of = 2
    has_latent = False

    def __init__(self, width: int = 16, channels: int = 3) -> None:
        super().__init__()
        self.args = {"width": width, "channels": channels}
        self.channels = channels
        self.unshuffle = nn.PixelUnshuffle(2)
        self.conv1 = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 4 * channels, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.relu = nn.ReLU()
        nn.init.zeros_(self.conv3.weight)
        _zero_bias(self.conv3)

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu(self.conv1(self.unshuffle(image)))
        x = self.relu(self.conv2(x))
        restored: Tensor = image + self.shuffle(self.conv3(x))
        return restored


class Unrolled(Network):
    """A linear filter, then the same small correction again and again; 6,173 parameters at width 16, whatever the number of steps.

    `linear` inverts the blur as well as one filter can: `start` solves it in closed form before training. Each step is shown the estimate
    so far and by how much it would differ from what was seen if it were blurred again (`blur`), and predicts a correction. Sharing the
    steps' weights buys depth for no parameters (after Gregor and LeCun, "Learning fast approximations of sparse coding", 2010).
    """

    name = "unrolled"
    channels = 3
    multiple_of = 8  # mirroring at the edges takes REACH rows
    has_latent = False
    starts_from = 1024
    REACH = 6  # of the linear filter, pixels

    def __init__(self, width: int = 16, steps: int = 2) -> None:
        super().__init__()
        self.args = {"width": width, "steps": steps}
        self.steps = steps
        self.linear = nn.Conv2d(1, 1, 2 * self.REACH + 1, bias=False)
        self.blur = nn.Conv2d(1, 1, 7, bias=False)
        self.enter = nn.Conv2d(6, width, 3, padding=1)
        self.middle1 = nn.Conv2d(width, width, 3, padding=1)
        self.middle2 = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, 3, 3, padding=1)
        self.relu = nn.ReLU()
        nn.init.dirac_(self.linear.weight)
        gaussian = torch.exp(-0.5 * torch.arange(-3.0, 4.0) ** 2)
        with torch.no_grad():
            self.blur.weight.copy_(torch.outer(gaussian, gaussian) / gaussian.sum() ** 2)
        nn.init.zeros_(self.leave.weight)
        _zero_bias(self.leave)

    def forward(self, image: Tensor) -> Tensor:
        x = _each_channel(self.linear, image)
        for _ in range(self.steps):
            excess = _each_channel(self.blur, x) - image
            hidden = self.relu(self.enter(torch.cat([x, 8 * excess], 1)))
            hidden = self.relu(self.middle2(self.relu(self.middle1(hidden))))
            x = x + self.leave(hidden)
        return x

    def start(self, degraded: Tensor, clean: Tensor) -> None:
        """Solve `linear` by least squares, so that it takes `degraded` (N×C×H×W) as near to `clean` as one filter can."""
        side = 2 * self.REACH + 1
        products, sums = torch.zeros(side**2, side**2, dtype=torch.double), torch.zeros(side**2, dtype=torch.double)
        for seen, wanted in zip(torch.split(degraded, 64), torch.split(clean, 64), strict=True):
            planes = mirrored(seen.reshape(-1, 1, *seen.shape[2:]), self.REACH)
            patches = functional.unfold(planes, side).transpose(0, 1).reshape(side**2, -1)
            products += (patches @ patches.T).double()
            sums += (patches @ wanted.reshape(-1)).double()
        ridge = 1e-6 * products.diagonal().mean() * torch.eye(side**2, dtype=torch.double)
        solved = torch.linalg.solve(products + ridge, sums).float()
        with torch.no_grad():
            self.linear.weight.copy_(solved.reshape(1, 1, side, side))


def _each_channel(filtered: nn.Conv2d, image: Tensor) -> Tensor:
    """One filter on every channel, edges mirrored; in fp32 always, since inverting a blur amplifies what bf16 rounds away."""
    n, channels, height, width = image.shape
    with torch.autocast(image.device.type, enabled=False):
        planes = image.to(filtered.weight.dtype).reshape(n * channels, 1, height, width)
        result: Tensor = filtered(mirrored(planes, filtered.kernel_size[0] // 2)).reshape(n, channels, height, width)
        return result


def mirrored(image: Tensor, reach: int) -> Tensor:
    """The image with `reach` more pixels on each side, d c b a | a b c d."""
    image = torch.cat([image[:, :, :reach].flip(2), image, image[:, :, -reach:].flip(2)], 2)
    return torch.cat([image[..., :reach].flip(3), image, image[..., -reach:].flip(3)], 3)


class UNet(Network):
    """Residual convolutions at a half, a quarter and an eighth of the image's scale, joined as a U; it predicts what to add to the image.

    `outer`, `inner` and `middle` count the 3×3 convolutions of each level's branch, at `width`, 2 `width` and 4 `width` channels. No bias
    anywhere, so that a noise level is restored like any other, scaled (Mohan et al., "Robust and interpretable blind image denoising via
    bias-free convolutional neural networks", 2020). After Ronneberger et al. (2015) and, for unshuffled pixels, FFDNet (2018).
    """

    name = "unet"
    multiple_of = 8
    has_latent = False

    def __init__(self, width: int = 32, outer: int = 2, inner: int = 2, middle: int = 4, channels: int = 3) -> None:
        super().__init__()
        self.args = {"width": width, "outer": outer, "inner": inner, "middle": middle, "channels": channels}
        self.channels = channels
        self.unshuffle = nn.PixelUnshuffle(2)
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1, bias=False)
        self.encode1 = Branch(width, outer)
        self.down1 = nn.Conv2d(width, 2 * width, 2, stride=2, bias=False)
        self.encode2 = Branch(2 * width, inner)
        self.down2 = nn.Conv2d(2 * width, 4 * width, 2, stride=2, bias=False)
        self.body = Branch(4 * width, middle)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2, bias=False)
        self.decode2 = Branch(2 * width, inner)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2, bias=False)
        self.decode1 = Branch(width, outer)
        self.leave = nn.Conv2d(width, 4 * channels, 3, padding=1, bias=False)
        self.shuffle = nn.PixelShuffle(2)
        nn.init.zeros_(self.leave.weight)

    def forward(self, image: Tensor) -> Tensor:
        half = self.encode1(self.enter(self.unshuffle(image)))
        quarter = self.encode2(self.down1(half))
        x = self.body(self.down2(quarter))
        x = self.decode2(self.up2(x) + quarter)
        x = self.decode1(self.up1(x) + half)
        restored: Tensor = image + self.shuffle(self.leave(x))
        return restored


class Branch(nn.Module):
    """`count` 3×3 convolutions, a ReLU before each, whose result is added to what came in."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(count):
            layers += [nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.layers(x)
        return result


def _zero_bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


NETWORKS: dict[str, type[Network]] = {"seed": Seed, "residual": Residual, "unrolled": Unrolled, "unet": UNet, "bottleneck": Bottleneck}


def build(name: str, args: dict[str, int]) -> Network:
    """The network called `name`, freshly initialised from torch's random state. Raises RecipeError for an unknown name or argument."""
    if name not in NETWORKS:
        raise RecipeError(f"network: there is no network {name!r}; choose one of {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**args)
    except (TypeError, ValueError, RuntimeError) as error:
        raise RecipeError(f"network_args: the network {name!r} cannot be built with {args} ({error})") from error


def takes_channels(name: str) -> bool:
    """Whether the network called `name` can be built for images of other than three channels."""
    return name in NETWORKS and "channels" in inspect.signature(NETWORKS[name]).parameters
