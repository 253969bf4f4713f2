"""First, do no harm: whether a model was made for an image, and whether what it took away is noise, JPEG's traces or the picture.

The result is what is judged. Noise is there in flat areas too; harm sits on edges and texture only; dots of print and a weave repeat
themselves. What nobody would see is not written at all. An estimate made from the input tells only whether an image lies outside what the
card says: noise from the flattest blocks (the operator of Immerkær, "Fast noise variance estimation", 1996), blur from how much the
strongest edges lose when they are blurred once more (Zhuo and Sim, "Defocus map estimation from a single image", 2011); tests hold both
to photographs degraded by known amounts.

How often that is right, with the `photo` that ships and whole files (benchmarks/gate_rates.py): of 38 photographs of real cameras all are
restored, and all nearer to the truth; of 12 photographs under JPEG of quality 10, 75 and 90, 12, 8 and 4 are; under white noise of sigma 2,
5 and 25, 11, 12 and 12. Of 108 clean files 4 are changed: a photograph of sand, two cartoons, a screenshot; the least alike of these
results is 42.7 dB from its input. The sand is made worse under weak noise too, by 2.8 dB at sigma 2, and under JPEG of quality 90 and 95.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.degradation import Degradation
from burnish.image.blocks import block_means, noise_response
from burnish.image.stages import blurred
from burnish.image.taken import Taken
from burnish.model.card import Card

Floats = NDArray[np.float32]

BLOCK = 16  # pixels a side of the blocks whose flattest tell the noise
FLATTEST = 0.05  # share of blocks that are as flat or flatter than the one that tells
LOW_BIAS = 0.91  # what that one shows of the true noise
PROBE = 1.0  # sigma of the blur that edges are probed with
EDGES = 0.002  # share of pixels taken for the strongest edges
# Noise two pixels apart, and how many times that of neighbours, from which it is a sensor's, spread by demosaicking: the weaker, the
# clearer.
GRAINS = ((1.5, 3.5), (4.0, 2.5))
SHARP = 0.85  # pixels

UNSEEN = 2.5  # levels of 255, at the 99.9th percentile: a change that nobody sees
NOISE = 1.0  # sigma on the 0–255 scale in flat areas, from which what was taken away is noise,
AREA, EVEN = 0.06, 0.02  # if this share of what is not constant is flat, or less than this share of all is constant, as a photograph's,
# and the change at the 99.9th percentile is at most so many sigmas: it is 3.3 for white noise, up to 7 for most of a camera's, 12 and more
# where edges and texture were taken for noise
TAIL = 8.0
BLOCKS = 0.6  # how much steps between JPEG's blocks stand out from which on to lessen them is worth while: at quality 75 and below, mostly,
RINGING = 60.0  # and how many levels of change, at the 99.9th percentile, each step by which they stood out explains
SCREEN, PATTERN = 3.0, 0.25  # from this sigma and this repetition of the residual on, it was a screen's dots, a dither or a weave,
REGULAR, STRONG = 1.0, 8.0  # unless JPEG's blocks stand out so much, which repeat themselves too, but are not as strong as this sigma

PATCH = 64  # pixels a side of the blocks in which a result is compared with its input
BINS = 4096
MANY = 1 << 20


@dataclass(frozen=True)
class Finding:
    """What an image shows: noise as sigma on the 0–255 scale (`grain`: noise that neighbours share, as demosaicking leaves it, 0 when
    there is none), blur as sigma in pixels; None where it is too small or too even to tell."""

    noise: float | None
    grain: float
    blur: float | None


@dataclass(frozen=True)
class Residual:
    """What a model has taken away from an image, or parts of it. `change`: how much at the 99.9th percentile, as a share of the range;
    `harm`: why the result cannot be right, in words, None when it can."""

    change: float
    harm: str | None


@dataclass(frozen=True)
class Verdict:
    """Whether an image is to be restored, and if not, `why`, in words; with what that rests on. `harm`: why the result cannot be right,
    in words, where the image is one to restore otherwise."""

    restore: bool
    why: str
    harm: str | None
    finding: Finding
    residual: Residual
    taken: Taken


def judge(finding: Finding, residual: Residual, taken: Taken, card: Card) -> Verdict:
    """Whether to restore an image that shows this, with the model of this card, which takes that away from it."""
    unfit = refusal(finding, card)
    harm = None if unfit else residual.harm
    why = unfit or ("" if harm else needless(finding, residual.change, taken, card) or "")
    return Verdict(not why, why, harm, finding, residual, taken)


def examine(samples: list[Floats]) -> Finding:
    """The noise and blur of an image, from samples of it, each h×w×C on 0–1, NaN where nothing is seen."""
    near, far = _noise_levels(samples, 1), _noise_levels(samples, 2)
    noise = float(np.quantile(near, FLATTEST)) / LOW_BIAS if near.size else None
    floor = float(np.quantile(near, 0.01)) if near.size else None
    grain = float(np.quantile(far, 0.01)) if far.size else 0.0
    grain = grain if any(grain > least and grain > ratio * (floor or 0.0) for least, ratio in GRAINS) else 0.0
    grey = [sample.mean(axis=2) for sample in samples]
    return Finding(noise, grain, _edge_blur(grey, max(noise or 0.0, grain)))


def _noise_levels(samples: list[Floats], step: int) -> NDArray[np.float64]:
    """The noise in each block that is neither black nor white, between pixels `step` apart, as sigma on the 0–255 scale."""
    levels = [np.empty(0)]
    for sample in samples:
        if min(sample.shape[:2]) < BLOCK + 2 * step:
            continue
        sigmas = np.sqrt(block_means(noise_response(sample, step).astype(np.float64) ** 2, BLOCK))
        means = block_means(sample[step:-step, step:-step], BLOCK)
        inside = (means > 0.04) & (means < 0.96)  # where noise is clipped there seems to be less
        for channel in range(sample.shape[2]):
            own, within = sigmas[..., channel], inside[..., channel]
            levels.append(own[within] if within.any() else own[np.isfinite(own)])
    return np.concatenate(levels) * 255


def _edge_blur(samples: list[Floats], noise: float) -> float | None:
    """The blur of the sharpest of the strongest edges: at an edge of width s, a blur p divides the slope by sqrt(1 + p² / s²)."""
    pairs = []
    for sample in samples:
        if min(sample.shape) >= BLOCK + 2:
            both = sample, blurred(sample[..., None], PROBE)[..., 0]
            pairs.append(np.stack([np.hypot(*np.gradient(each)).ravel() for each in both]))
    if not pairs:
        return None
    slopes = np.concatenate(pairs, axis=1)
    before, after = slopes[:, np.isfinite(slopes).all(axis=0)]
    if not after.size:
        return None
    strong = after >= max(np.quantile(after, 1 - EDGES), 0.02 + noise / 255)
    if np.count_nonzero(strong) < 20:
        return None
    ratio = float(np.quantile(before[strong] / after[strong], 0.75))
    return PROBE / float(np.sqrt(max(ratio**2 - 1, 1e-3)))


# --- Before: is the model made for such an image? ---

# The stages whose traces `examine` finds. What a model learnt to undo beside them, an image that looks clean may be in need of.
TRACED = {"blur", "noise", "camera", "poisson", "jpeg", "8bit"}


@functools.cache
def _trained(spec: str) -> Degradation:
    return Degradation.parse(spec)


def refusal(finding: Finding, card: Card) -> str | None:
    """Why the image lies outside what the card says the model was trained for, in words; None when it does not, as far as can be told."""
    trained = _trained(card.degradation)
    if trained.is_own:
        return None
    blur, noise = trained.span("blur"), _noise_span(trained)
    name = card.name
    if finding.blur is not None and blur:
        told = f"(blur about {finding.blur:.1f} pixels)"
        if finding.blur < 0.8 * np.hypot(blur[0], 0.35):
            return f"sharper than anything {name} was trained on {told}" if blur[0] else None
        if finding.blur > 1.25 * np.hypot(blur[1], 0.5):
            return f"more blurred than anything {name} was trained on {told}"
    seen = max(finding.noise or 0.0, finding.grain)
    if seen > 1.3 * noise[1] + 1.5:
        return f"noisier than anything {name} was trained on (sigma about {seen:.0f} of 255)"
    if finding.noise is not None and seen < 0.5 * noise[0]:
        return f"cleaner than anything {name} was trained on (noise of sigma about {seen:.1f} of 255)"
    return None


def _noise_span(trained: Degradation) -> tuple[float, float]:
    """The noise that a degradation brings, from least to most, as sigma on the 0–255 scale, the sensor's and the photons' roughly."""
    low, high = trained.span("noise") or (0.0, 0.0)
    camera, photons = trained.span("camera"), trained.span("poisson")
    return low, max(high, 5 * camera[1] if camera else 0.0, 255 / np.sqrt(max(photons[0], 1.0)) if photons else 0.0)


# --- After: was it noise? ---


def needless(finding: Finding, change: float, taken: Taken, card: Card) -> str | None:
    """Why the image is better left as it is, now that one sees what the model takes away, in words; None when it is not.

    `change` is how much it changes the image at the 99.9th percentile, as a share of the range.
    """
    trained = _trained(card.degradation)
    if not trained.names <= TRACED:
        return None
    if trained.span("blur") and (finding.blur is None or finding.blur >= SHARP):
        return None  # what sharpening adds sits on edges, as it should
    if change * 255 <= UNSEEN:
        return f"clean: {card.name} would change it by less than one sees"
    noise, blocks = taken.noise or 0.0, taken.blocks[0]
    if taken.pattern >= PATTERN and noise >= (SCREEN if blocks < REGULAR else STRONG):
        return f"what {card.name} would take away repeats itself, as the dots of print or a weave do, and noise does not"
    if blocks >= BLOCKS and taken.lessens_jpeg(1.0) and change * 255 <= UNSEEN + max(TAIL * noise, RINGING * blocks):
        return None
    if noise < NOISE or (taken.flat < AREA and taken.constant > EVEN):
        return f"what {card.name} would take away is not noise: there is none of it in flat areas"
    if change * 255 > UNSEEN + TAIL * noise:
        return f"{card.name} would change edges and texture by far more than the noise that it found in flat areas"
    return None


# --- After: can the result be right? ---


class Comparison:
    """What a model changed, gathered as the rows come: `add` them, then ask. Values are on 0–1.

    Of an image of many `pixels` every second row and column will do: looking at them all took a twentieth of a restoration's time.
    """

    def __init__(self, finding: Finding, pixels: int) -> None:
        self.every = 2 if pixels > MANY else 1
        self._noise = max(finding.noise or 0.0, finding.grain) / 255
        self._changes = np.zeros(BINS, np.int64)
        self._patches = self._wrong = self._emptied = 0

    def add(self, before: Floats, after: Floats) -> None:
        """H×W×C rows of the input and of the result, `every` so many of them, of `PATCH` of the image's at most."""
        patch = PATCH // self.every
        change = np.abs(after - before)
        self._changes += np.bincount(np.minimum(change * (BINS - 1), BINS - 1).astype(np.int64).ravel(), minlength=BINS)
        contrast = _deviation(before, patch)
        # A residual as strong as the noise and the detail together is what a denoiser or a deblurrer at its worst leaves behind.
        explained = 0.08 + 2 * self._noise + contrast
        self._wrong += int(np.count_nonzero(np.sqrt(block_means(change**2, patch)) > explained))
        self._emptied += int(np.count_nonzero((contrast > 0.02 + 2 * self._noise) & (_deviation(after, patch) == 0)))
        self._patches += contrast.size

    def _change(self) -> float:
        total = int(self._changes.sum())
        return float(np.searchsorted(np.cumsum(self._changes), 0.999 * total)) / (BINS - 1) if total else 0.0

    def residual(self) -> "Residual":
        """What was seen so far."""
        harm = None
        if self._emptied:
            harm = "the model gave an empty area where the image has something"
        elif self._wrong > 0.02 * self._patches:
            harm = "the model changed the image by more than the noise and blur in it explain"
        return Residual(self._change(), harm)


def _deviation(picture: Floats, side: int) -> NDArray[np.float64]:
    means = block_means(picture, side)
    deviation: NDArray[np.float64] = np.sqrt(np.maximum(block_means(picture.astype(np.float64) ** 2, side) - means**2, 0))
    return np.where(deviation < 1e-6, 0, deviation)
