"""A small network that tells drawn defects from normal places by what the denoiser sees there; it is learnt in NumPy, in seconds."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from burnish.latent.planes import Floats

HIDDEN = 64
BATCH, RATE, DECAY = 1024, 3e-3, 1e-2
FARTHEST = 6.0  # spreads: what lies farther off is taken to lie there
DRAWN, UNTOUCHED = 120, 250  # places of a drawn image that are learnt from, at most
PASSES = 30  # through all places, at most; more of them learn single places by heart
BLUR = 0.3  # spreads: noise on what is learnt from, so that nothing hangs on a single number
WEIGHT = 0.7  # of the drawn places together, beside the untouched ones


def in_context(numbers: Floats, usual: Floats) -> Floats:
    """A place's numbers (…×F), and beside them how far they lie from what is `usual` (F) in its image; …×2F."""
    return np.concatenate([numbers, numbers - usual], axis=-1)


def usual(numbers: Floats) -> Floats:
    """The median over an image of each of its h×w×F numbers."""
    return np.asarray(np.median(numbers[::2, ::2], axis=(0, 1)), np.float32)


@dataclass
class Samples:
    """Places to learn from: numbers in context, which of them were drawn on (0 or 1), and how much each counts."""

    numbers: list[Floats] = field(default_factory=list)
    drawn: list[Floats] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)

    def add(self, numbers: Floats, cover: Floats, rng: np.random.Generator) -> None:
        """Take some places of an image whose numbers are h×w×F; `cover` (h×w) says what share of each was drawn on."""
        places = in_context(numbers, usual(numbers)).reshape(cover.size, -1)
        share = cover.ravel()
        drawn = rng.permutation(np.flatnonzero(share > 0.3))[:DRAWN]
        left = rng.permutation(np.flatnonzero(share == 0))[:UNTOUCHED]
        self.numbers.append(places[np.concatenate([drawn, left])].astype(np.float16))
        self.drawn.append(np.repeat(np.array([1, 0], np.float32), [len(drawn), len(left)]))
        each = WEIGHT * DRAWN / max(len(drawn), DRAWN / 2)  # small defects count nearly as much as large ones
        self.weights.append(np.repeat(np.array([each, 1], np.float32), [len(drawn), len(left)]))


@dataclass(frozen=True)
class Outliner:
    """Two hidden layers: `middle` and `spread` of the 2F numbers in context, then weights and biases of each layer in turn."""

    middle: Floats
    spread: Floats
    layers: tuple[Floats, ...]

    @staticmethod
    def learnt(samples: Samples, steps: int, seed: int, scale: tuple[Floats, Floats] | None = None) -> "Outliner":
        """What tells drawn places from others, after `steps` steps at most of Adam (Kingma and Ba, 2015) on the logistic loss, weights
        decaying. `scale` is another's `middle` and `spread`, to share its inputs."""
        rng = np.random.default_rng(seed)
        numbers, drawn, weights = (np.concatenate(part) for part in (samples.numbers, samples.drawn, samples.weights))
        steps = min(steps, max(1, PASSES * len(numbers) // BATCH))
        some = numbers[:: max(1, len(numbers) // 20_000)].astype(np.float32)
        middle, spread = scale or (some.mean(0), some.std(0) + np.float32(1e-3))
        sizes = [numbers.shape[1], HIDDEN, HIDDEN, 1]
        layers: list[Floats] = []
        for inputs, outputs in pairwise(sizes):
            layers += [(rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32), np.zeros(outputs, np.float32)]
        first, second = [np.zeros_like(each) for each in layers], [np.zeros_like(each) for each in layers]
        for step in range(steps):
            chosen = rng.integers(len(numbers), size=BATCH)
            inputs = np.clip((numbers[chosen].astype(np.float32) - middle) / spread, -FARTHEST, FARTHEST)
            inputs += BLUR * rng.standard_normal(inputs.shape, dtype=np.float32)
            slopes = _slopes(inputs, drawn[chosen], weights[chosen], layers)
            rate = RATE * (1 - step / steps) + 1e-5
            for place, slope in enumerate(slopes):
                first[place] += 0.1 * (slope - first[place])
                second[place] += 0.001 * (slope**2 - second[place])
                ahead = first[place] / (1 - 0.9 ** (step + 1)) / (np.sqrt(second[place] / (1 - 0.999 ** (step + 1))) + 1e-8)
                layers[place] = layers[place] - np.float32(rate) * (ahead + DECAY * layers[place])
        return Outliner(middle, spread, tuple(each.astype(np.float32) for each in layers))

    def inputs(self, numbers: Floats) -> Floats:
        """What the first layer takes of h×w×F numbers, h·w×2F."""
        inputs = in_context(numbers.reshape(-1, numbers.shape[-1]), usual(numbers))
        inputs -= self.middle
        inputs /= self.spread
        return np.clip(inputs, -FARTHEST, FARTHEST, out=inputs)

    def heat(self, inputs: Floats) -> Floats:
        """The logit that each of these places belongs to a drawn defect, h·w."""
        return np.asarray(_through(inputs, self.layers)[-1][:, 0], np.float32)


def _through(inputs: Floats, layers: tuple[Floats, ...] | list[Floats]) -> list[Floats]:
    """What each layer gives, the last without its rectifier."""
    values = [inputs]
    for place in range(0, len(layers), 2):
        result = values[-1] @ layers[place] + layers[place + 1]
        values.append(result if place == len(layers) - 2 else np.maximum(result, 0))
    return values


def _slopes(inputs: Floats, drawn: Floats, weights: NDArray[np.float32], layers: list[Floats]) -> list[Floats]:
    """The gradient of the mean weighted logistic loss for each of the layers."""
    values = _through(inputs, layers)
    slope = ((1 / (1 + np.exp(-np.clip(values[-1][:, 0], -30, 30))) - drawn) * weights / len(drawn))[:, None]
    slopes: list[Floats] = []
    for place in range(len(layers) - 2, -1, -2):
        before = values[place // 2]
        slopes = [before.T @ slope, slope.sum(0), *slopes]
        slope = (slope @ layers[place].T) * (before > 0)
    return slopes
