"""The degradation language: what spoils a picture, as text.

Stages are joined by `+` and applied left to right; `a-b` is drawn per picture, uniformly; `|` between whole chains picks one per picture:

    blur:1.0        Gaussian, sigma in pixels, support to 6 sigma, edges reflected as d c b a | a b c d
    noise:25        Gaussian, independent per pixel and channel, sigma on the 0–255 scale, not clipped; noise:25g the same in all channels
    poisson:30      photon noise, that many photons at white
    camera:0.2-3    signal-dependent noise in linear light through a Bayer mosaic; strength 1 is about a phone at ISO 1600
    motion:5-15     straight motion blur of that length in pixels, random angle
    jpeg:40-95      through a real codec at that quality, 4:2:0
    8bit            round and clip to 8 bit
    own             whatever spoilt somebody's own pairs of pictures: a model learnt it from them, it cannot be made

Pictures are H×W×C, worked on as float32 on the 0–1 scale. What is drawn for a picture depends on the seed and on the picture's own content,
not on its place in a list.
"""

import difflib
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import DegradationError

Image = NDArray[np.float32]

SLAB = 4096  # pictures of a batch worked on at a time, so that memory stays low


@dataclass(frozen=True)
class Kind:
    """A kind of stage: a right example, and the range its value may have (None: it takes none)."""

    example: str
    low: float = 0.0
    high: float | None = None
    whole: bool = False


KINDS = {
    "blur": Kind("blur:1.0", 0, 50),
    "noise": Kind("noise:25", 0, 255),
    "poisson": Kind("poisson:30", 0.1, 1e6),
    "camera": Kind("camera:1.0", 0, 100),
    "motion": Kind("motion:5-15", 0, 200),
    "jpeg": Kind("jpeg:75", 1, 100, whole=True),
    "8bit": Kind("8bit"),
    "own": Kind("own"),
}


@dataclass(frozen=True)
class Stage:
    """One stage with its value drawn. `seed` feeds the noise or angle of this stage on this picture."""

    name: str
    value: float | None
    grey: bool = False
    seed: int = 0

    def apply(self, image: Image) -> Image:
        """The H×W×C (for blur and 8bit also N×H×W×C) picture after this stage."""
        return _APPLY[self.name](image, self)


@dataclass(frozen=True)
class Chain:
    """What was drawn for one picture: stages with definite values."""

    stages: tuple[Stage, ...]

    @property
    def is_grey(self) -> bool:
        """Whether some of its noise is the same in all channels."""
        return any(stage.grey for stage in self.stages)

    def apply(self, image: NDArray[Any]) -> Image:
        """The degraded picture, H×W×C float32 on 0–1, not clipped unless a stage does; `image` is uint8, uint16 or float on 0–1."""
        result = _to_unit(image)
        for stage in self.stages:
            result = stage.apply(result)
        return result


@dataclass(frozen=True)
class _Span:
    """A stage as written: its values are drawn from low–high."""

    name: str
    low: float | None
    high: float | None
    grey: bool

    def text(self) -> str:
        if self.low is None or self.high is None:
            return self.name
        value = f"{self.low:g}" if self.low == self.high else f"{self.low:g}-{self.high:g}"
        return f"{self.name}:{value}{'g' if self.grey else ''}"

    def draw(self, rng: np.random.Generator) -> Stage:
        value = self.low
        if self.low is not None and self.high is not None and self.low != self.high:
            whole = KINDS[self.name].whole
            value = float(rng.integers(round(self.low), round(self.high) + 1)) if whole else float(rng.uniform(self.low, self.high))
        return Stage(self.name, value, self.grey, int(rng.integers(2**63)))


@dataclass(frozen=True)
class Degradation:
    """A degradation, parsed. `spec` is its text; `is_random` tells whether two seeds may give two results."""

    spec: str
    chains: tuple[tuple[_Span, ...], ...]

    @staticmethod
    def parse(spec: str) -> "Degradation":
        """The degradation that `spec` describes. Raises DegradationError naming the stage that is wrong and showing a right one."""
        chains = tuple(tuple(_parse_stage(stage) for stage in chain.split("+")) for chain in spec.split("|"))
        return Degradation("|".join("+".join(span.text() for span in chain) for chain in chains), chains)

    @property
    def is_own(self) -> bool:
        """Whether it stands for what somebody's own pairs show."""
        return any(span.name == "own" for chain in self.chains for span in chain)

    @property
    def is_random(self) -> bool:
        fixed = all(span.name in ("blur", "jpeg", "8bit") and span.low == span.high for span in self.chains[0])
        return len(self.chains) > 1 or not fixed

    @property
    def is_eight_bit(self) -> bool:
        """Whether every result lies on the 256 levels of 8 bit."""
        return all(chain[-1].name in ("8bit", "jpeg") for chain in self.chains)

    def span(self, name: str) -> tuple[float, float] | None:
        """The smallest and the largest value that stage `name` may have, 0 where a chain goes without it; None when all do."""
        values = [[(stage.low or 0.0, stage.high or 0.0) for stage in chain if stage.name == name] or [(0.0, 0.0)] for chain in self.chains]
        if not any(stage.name == name for chain in self.chains for stage in chain):
            return None
        return min(low for each in values for low, _ in each), max(high for each in values for _, high in each)

    def draw(self, image: NDArray[Any], seed: int = 0) -> Chain:
        """The chain for this picture: every value that is a range drawn, from the seed and the picture's content."""
        rng = np.random.default_rng(_content_seed(image, seed))
        chain = self.chains[int(rng.integers(len(self.chains)))]
        return Chain(tuple(span.draw(rng) for span in chain))

    def apply(self, image: NDArray[Any], seed: int = 0) -> Image:
        """The degraded H×W×C picture (uint8, uint16, or float on 0–1) as float32 on 0–1, not clipped unless a stage does."""
        return self.draw(image, seed).apply(image)

    def apply_all(self, images: NDArray[Any], seed: int = 0) -> Image:
        """Every picture of N×H×W×C degraded: what `apply` gives for each, faster where nothing is drawn."""
        result = np.empty(images.shape, np.float32)
        in_slabs = not self.is_random and all(span.name in ("blur", "8bit") for span in self.chains[0])
        step = SLAB if in_slabs else 1
        for start in range(0, len(images), step):
            part = images[start : start + step]
            result[start : start + step] = self.draw(part[0], seed).apply(part if in_slabs else part[0])
        return result


# --- Reading the language ---


def _parse_stage(text: str) -> _Span:
    name, colon, value = text.strip().partition(":")
    name = name.strip()
    if name not in KINDS:
        close = difflib.get_close_matches(name, KINDS, n=1)
        hint = (
            f"did you mean {KINDS[close[0]].example}?" if close else f"write stages such as {', '.join(k.example for k in KINDS.values())}"
        )
        raise DegradationError(f"{text.strip() or 'an empty stage'}: no such stage; {hint}")
    kind = KINDS[name]
    if kind.high is None:
        if colon:
            raise DegradationError(f"{text.strip()}: {name} takes no value; write {kind.example}")
        return _Span(name, None, None, False)
    grey = name == "noise" and value.strip().endswith("g")
    numbers = value.strip().removesuffix("g") if grey else value.strip()
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)(?:\s*-\s*(\d+\.?\d*|\.\d+))?", numbers)
    if not match:
        raise DegradationError(f"{text.strip()}: {numbers!r} is no number or range; write {kind.example}")
    low = float(match[1])
    high = float(match[2]) if match[2] else low
    if not kind.low <= low <= high <= kind.high:
        why = "runs backwards" if low > high else f"is outside {kind.low:g} to {kind.high:g}"
        raise DegradationError(f"{text.strip()}: {numbers} {why}; write {kind.example}")
    if kind.whole and not (low.is_integer() and high.is_integer()):
        raise DegradationError(f"{text.strip()}: {numbers} must be whole; write {kind.example}")
    return _Span(name, low, high, grey)


def _content_seed(image: NDArray[Any], seed: int) -> int:
    """A seed from the picture's values on the 8- or 16-bit or float scale they come in, and `seed`."""
    digest = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16, salt=(seed % 2**64).to_bytes(8, "little"))
    digest.update(str((image.shape, image.dtype.str)).encode())
    return int.from_bytes(digest.digest(), "little")


def _to_unit(image: NDArray[Any]) -> Image:
    if image.dtype.kind == "u":
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return image.astype(np.float32)


# --- What each stage does ---


def blurred(image: Image, sigma: float) -> Image:
    """H×W×C or N×H×W×C pictures under a Gaussian of `sigma` pixels: the stage `blur`."""
    radius = int(6 * sigma + 0.5)
    if radius == 0:
        return image
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    # In float64 throughout: rounding to 8 bit afterwards must not see the sum's own error.
    exact = _along(image.astype(np.float64), taps, image.ndim - 3)
    return _along(exact, taps, image.ndim - 2).astype(np.float32)


def _along(image: NDArray[np.float64], taps: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The symmetric kernel `taps` along one axis, edges reflected."""
    radius = len(taps) // 2
    padding = [(radius, radius) if each == axis else (0, 0) for each in range(image.ndim)]
    padded = np.moveaxis(np.pad(image, padding, mode="symmetric"), axis, 0)
    length = image.shape[axis]
    total = padded[radius : radius + length] * taps[radius]
    for offset in range(1, radius + 1):
        total += (padded[radius - offset : radius - offset + length] + padded[radius + offset : radius + offset + length]) * taps[
            radius + offset
        ]
    return np.moveaxis(total, 0, axis)


def _blur(image: Image, stage: Stage) -> Image:
    return blurred(image, stage.value or 0.0)


def _noise(image: Image, stage: Stage) -> Image:
    shape = (*image.shape[:-1], 1) if stage.grey else image.shape
    draws = np.random.default_rng(stage.seed).standard_normal(shape, np.float32)
    return image + draws * np.float32((stage.value or 0.0) / 255)


def _poisson(image: Image, stage: Stage) -> Image:
    photons = stage.value or 1.0
    draws = np.random.default_rng(stage.seed).poisson(np.clip(image, 0, None).astype(np.float64) * photons)
    return (draws / photons).astype(np.float32)


def _camera(image: Image, stage: Stage) -> Image:
    """A sensor's noise: the picture taken back to linear light x, mosaicked (RGGB), x + sqrt(s·x + r²)·n with n standard normal,
    demosaicked bilinearly and returned to sRGB. At strength k: s = 0.002·k photons' share, r = 0.003·k of full scale, after the
    Poisson–Gaussian model of Foi, Trimeche, Katkovnik and Egiazarian (2008). A picture of one channel has no mosaic.
    """
    strength = stage.value or 0.0
    linear = _to_linear(np.clip(image, 0, 1))
    channels = image.shape[-1]
    masks = _bayer_masks(*image.shape[:2]) if channels == 3 else np.ones((*image.shape[:2], channels), np.float32)
    noise = np.random.default_rng(stage.seed).standard_normal((*image.shape[:2], 1 if channels == 3 else channels), np.float32)
    noisy = linear + np.sqrt(0.002 * strength * linear + (0.003 * strength) ** 2) * noise
    if channels == 3:
        noisy = _neighbours(noisy * masks) / _neighbours(masks)
    return _to_srgb(np.clip(noisy, 0, 1)).astype(np.float32)


def _bayer_masks(height: int, width: int) -> Image:
    masks = np.zeros((height, width, 3), np.float32)
    masks[0::2, 0::2, 0] = masks[0::2, 1::2, 1] = masks[1::2, 0::2, 1] = masks[1::2, 1::2, 2] = 1
    return masks


def _neighbours(planes: Image) -> Image:
    """Each pixel's neighbourhood summed with the weights of bilinear demosaicking; divided by the same of the mask it interpolates.

    Red and blue stand on every second row and column: weights 1 2 1 both ways. Green stands on a checkerboard: itself and its four
    neighbours.
    A pixel that was sampled keeps its value, since no neighbour within reach was.
    """
    mode = "reflect" if min(planes.shape[:2]) > 1 else "symmetric"  # "reflect" carries the mosaic's order on beyond the edge
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)), mode=mode)  # type: ignore[call-overload]
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    sums: Image = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    inner = padded[1:-1]
    sums[..., 1] = (4 * planes + padded[:-2, 1:-1] + padded[2:, 1:-1] + inner[:, :-2] + inner[:, 2:])[..., 1]
    return np.maximum(sums, np.float32(1e-12))


def _to_linear(srgb: Image) -> Image:
    """IEC 61966-2-1."""
    linear: Image = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear


def _to_srgb(linear: Image) -> Image:
    srgb: Image = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    return srgb


def _motion(image: Image, stage: Stage) -> Image:
    """The mean of the picture along a line of `value` pixels centred on each pixel, sampled every half pixel, bilinear between pixels."""
    length = stage.value or 0.0
    angle = np.random.default_rng(stage.seed).uniform(0, math.pi)
    offsets = np.linspace(-length / 2, length / 2, max(1, 2 * math.ceil(length) + 1))
    radius = math.ceil(length / 2) + 1
    height, width = image.shape[:2]
    padded = np.pad(image, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    weights: dict[tuple[int, int], float] = {}
    for offset in offsets:
        y, x = offset * math.sin(angle), offset * math.cos(angle)
        for row in (math.floor(y), math.floor(y) + 1):
            for column in (math.floor(x), math.floor(x) + 1):
                share = (1 - abs(y - row)) * (1 - abs(x - column)) / len(offsets)
                weights[row, column] = weights.get((row, column), 0.0) + share
    total = np.zeros(image.shape, np.float64)
    for (row, column), weight in weights.items():
        total += weight * padded[radius + row : radius + row + height, radius + column : radius + column + width]
    return total.astype(np.float32)


def _jpeg(image: Image, stage: Stage) -> Image:
    import pyvips

    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    encoded = pyvips.Image.new_from_array(pixels).jpegsave_buffer(Q=int(stage.value or 75), subsample_mode="on")
    decoded = pyvips.Image.new_from_buffer(encoded, "").numpy().reshape(image.shape)
    floats: Image = decoded.astype(np.float32) / np.float32(255)
    return floats


def _eight_bit(image: Image, _stage: Stage) -> Image:
    rounded: Image = np.rint(np.clip(image, 0, 1) * np.float32(255)) / np.float32(255)
    return rounded


def _own(_image: Image, _stage: Stage) -> Image:
    raise DegradationError("own: stands for what somebody's own pairs of pictures show, and cannot be made; give one such as noise:25")


_APPLY: dict[str, Callable[[Image, Stage], Image]] = {
    "blur": _blur,
    "noise": _noise,
    "poisson": _poisson,
    "camera": _camera,
    "motion": _motion,
    "jpeg": _jpeg,
    "8bit": _eight_bit,
    "own": _own,
}
