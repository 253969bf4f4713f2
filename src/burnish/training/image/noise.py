"""How strong the noise of images is, at which brightness, and whether neighbouring pixels share it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from burnish.arrays import centre, evenly, to_unit
from burnish.errors import InputError
from burnish.image.blocks import block_means, noise_response
from burnish.image.datasets import PictureSet
from burnish.image.stages import blurred

Floats = NDArray[np.float32]

LOOKED_AT, SIDE = 24, 512  # images whose middles tell the noise
BLOCK = 16  # pixels a side of the blocks whose flattest tell it
BINS = 8  # of brightness, as many blocks in each
# The share of blocks in a bin as flat as the one that tells, and what that one shows of the true variance: less, for being the flattest.
FLATTEST, SHOWN = 0.05, 0.76
CHANCE = 0.09  # correlation of neighbours that independent noise shows in them, for the same reason
CUT, ENOUGH = 0.05, 0.05  # share of black and white pixels from which a block's noise seems to be less; share of other blocks that tell it
AROUND = 2.0  # sigma of the blur that shows the brightness around a pixel
CORRELATED = 0.15  # correlation of neighbours from which noise cannot be called independent
LEAST = 1e-10  # variance, to divide by
LEVELS = 1024  # of brightness, for which the variance that is left is tabled


@dataclass(frozen=True)
class Noise:
    """Noise of variance `floor` + `slope` × brightness (on 0–1).

    `sigmas` are its least and greatest standard deviation at the brightness that the images have, on the 0–255 scale; `correlation` is
    that of neighbouring pixels. Images are whole numbers from black to white, which cut off what would lead out of them.
    """

    slope: float
    floor: float
    sigmas: tuple[float, float]
    correlation: float

    @property
    def spec(self) -> str:
        """It in the degradation language, as nearly as that has words for it."""
        low, high = (f"{min(float(f'{sigma:.2g}'), 255):.4f}".rstrip("0").rstrip(".") for sigma in self.sigmas)
        return f"noise:{low}" if low == high else f"noise:{low}-{high}"

    def seen(self, clean: Tensor) -> Tensor:
        """What images with it look like in the mean, where the clean one has the values `clean` (about 0–1): black looks grey."""
        black, white = self._at_the_ends
        return black * _mean_over_zero(clean / black) - white * _mean_over_zero((clean - 1) / white)

    def variance(self, image: Floats) -> Floats:
        """Its variance, as black and white leave it, at each pixel of an H×W×C image that has it; the brightness is that around."""
        black, white = self._at_the_ends
        clean = torch.linspace(0, 1, LEVELS, dtype=torch.double)
        left = (self.floor * _variance_over_zero(clean / black) + self.slope * clean) * _variance_over_zero((1 - clean) / white)
        at_pixels: Floats = np.interp(blurred(image, AROUND), self.seen(clean).numpy(), left.numpy()).astype(np.float32)
        return at_pixels

    @property
    def _at_the_ends(self) -> tuple[float, float]:
        """Its standard deviations at black and at white. At black there is no light, and what comes with it is never negative."""
        return max(self.floor, LEAST) ** 0.5, max(self.floor + self.slope, LEAST) ** 0.5


def measured(pictures: PictureSet) -> Noise:
    """The noise that all the images have, told from the flattest blocks of each brightness in the middles of some of them."""
    samples = []
    for index in evenly(len(pictures.images), LOOKED_AT):
        try:
            samples.append(to_unit(centre(pictures.images[index], SIDE)))
        except InputError:
            continue  # it will be named when its turn comes
    return of_samples(samples)


def of_samples(samples: list[Floats]) -> Noise:
    """The noise of images H×W×C on 0–1."""
    means, variances, products, cut = (
        (np.concatenate(each) for each in zip(*map(_blocks, samples), strict=True)) if samples else [np.empty(0)] * 4
    )
    if not len(means):
        raise InputError(f"the images are all under {BLOCK + 3} pixels a side, too small to tell their noise; give larger ones")
    whole = cut < CUT
    if whole.mean() > ENOUGH:
        means, variances, products = means[whole], variances[whole], products[whole]
    else:
        left = variances
        means, variances = _before_the_cut(means, left)
        products = products * variances / np.maximum(left, LEAST)
    points: list[tuple[float, float]] = []
    flat: list[int] = []
    for chosen in np.array_split(np.argsort(means, kind="stable"), BINS):
        if len(chosen):
            level = float(np.quantile(variances[chosen], FLATTEST))
            points.append((float(means[chosen].mean()), level / SHOWN))
            flat.extend(chosen[variances[chosen] <= np.quantile(variances[chosen], 4 * FLATTEST)])
    slope, floor = _line(np.array(points))
    sigmas = [255 * float(np.sqrt(slope * brightness + floor)) for brightness, _ in (points[0], points[-1])]
    share = float(products[flat].sum() / max(variances[flat].sum(), 1e-12))
    # Of noise whose neighbours have the correlation k, second differences have variance 6 − 8k and at distance one −4 + 7k.
    return Noise(slope, floor, (sigmas[0], sigmas[1]), float(np.clip((6 * share + 4) / (7 + 8 * share) - CHANCE, -1, 1)))


def in_equal_channels(image: Floats, drawn: Floats) -> Floats:
    """What was drawn for each value of an H×W×C image; where its channels are all one, so is their noise, and so is this."""
    is_grey = (image == image[..., :1]).all()
    return np.broadcast_to(drawn[..., :1], drawn.shape) if is_grey else drawn


def _before_the_cut(means: NDArray[np.float64], variances: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance that blocks would have if black or white, whichever is nearer, had not cut their noise off."""
    distance = torch.linspace(0, 8, LEVELS, dtype=torch.double)  # from there to the clean value, in standard deviations
    mean, variance = _mean_over_zero(distance), _variance_over_zero(distance)
    seen = np.minimum(means, 1 - means)
    ratio = seen / np.sqrt(np.maximum(variances, LEAST))
    found = variances / np.interp(ratio, mean / variance.sqrt(), variance)
    shift = np.sqrt(found) * np.interp(ratio, mean / variance.sqrt(), mean - distance)
    return np.where(means < 0.5, means - shift, means + shift), found


def _mean_over_zero(value: Tensor) -> Tensor:
    """The mean of `value` with normal noise of variance 1, what is negative of it set to zero."""
    mean: Tensor = value * torch.special.ndtr(value) + torch.exp(-0.5 * value**2) / (2 * torch.pi) ** 0.5
    return mean


def _variance_over_zero(value: Tensor) -> Tensor:
    """Its variance."""
    mean = _mean_over_zero(value)
    variance: Tensor = value * mean + torch.special.ndtr(value) - mean**2
    return variance


def _blocks(sample: Floats) -> tuple[NDArray[np.float64], ...]:
    """Of each block: its mean, the noise's variance by Immerkær's operator, the same times its neighbours on the right and below, and the
    share of its pixels that are black or white."""
    found: list[list[NDArray[np.float64]]] = [[], [], [], []]
    for plane in sample.astype(np.float64).transpose(2, 0, 1):
        if min(plane.shape) < BLOCK + 3:
            continue
        response = noise_response(plane)
        beside = (response[:-1, :-1] * response[:-1, 1:] + response[:-1, :-1] * response[1:, :-1]) / 2
        inner = plane[1:-2, 1:-2]
        for values, each in zip(found, (inner, response[:-1, :-1] ** 2, beside, (inner == 0) | (inner == 1)), strict=True):
            values.append(_whole_block_means(each))
    return tuple(np.concatenate(each) if each else np.empty(0) for each in found)


def _whole_block_means(plane: NDArray[Any]) -> NDArray[np.float64]:
    height, width = (length // BLOCK * BLOCK for length in plane.shape)
    return block_means(plane[:height, :width], BLOCK).ravel()


def _line(points: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and floor, neither negative, of variance against brightness; points far above the line are texture and are left out."""
    brightness, variance = points.T
    kept = np.ones(len(points), bool)
    for _ in range(3):
        slope, floor = _fit(brightness[kept], variance[kept])
        below = variance <= 1.3 * (slope * brightness + floor)
        if np.count_nonzero(below) < 2:
            break
        kept = below
    return slope, floor


def _fit(brightness: NDArray[np.float64], variance: NDArray[np.float64]) -> tuple[float, float]:
    spread = brightness - brightness.mean()
    if spread.std() < 0.1 * brightness.mean():  # too even to tell a slope
        return 0.0, float(variance.mean())
    slope = max(0.0, float((spread * variance).sum() / max((spread**2).sum(), 1e-12)))
    floor = float(variance.mean()) - slope * float(brightness.mean())
    if floor < 0:
        return max(0.0, float((brightness * variance).sum() / max((brightness**2).sum(), 1e-12))), 0.0
    return slope, floor
