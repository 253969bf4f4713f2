"""From a score to how rarely a normal item reaches it: counted where there are normals, extrapolated beyond most of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TAIL = 0.2  # share of the normals that the tail is fitted to
FEWEST = 8  # of them, at least


@dataclass(frozen=True)
class Tail:
    """The scores of normals, sorted, and a generalised Pareto tail over the highest of them.

    `start` is where the tail begins, `share` what part of the normals lies beyond it, `scale` and `shape` are the tail's. The shape is
    never below 0: a tail that ends somewhere would rank nothing beyond its end.
    """

    sorted: NDArray[np.float64]
    start: float
    share: float
    scale: float
    shape: float

    @staticmethod
    def fitted(scores: NDArray[np.float64]) -> "Tail":
        """The tail of the scores of normals, at least FEWEST of them, by probability-weighted moments (Hosking and Wallis, 1987)."""
        ordered = np.sort(np.asarray(scores, np.float64))
        count = min(len(ordered), max(FEWEST, round(TAIL * len(ordered))))
        start = float(ordered[-count - 1]) if count < len(ordered) else float(ordered[0])
        excess = ordered[-count:] - start
        first = float(excess.mean())
        weights = (count - np.arange(1, count + 1)) / (count - 1)  # the largest counts for nothing
        second = float((weights * excess).mean())
        small = 1e-9 * max(1.0, abs(start))
        if first <= small or first - 2 * second <= small:
            return Tail(ordered, start, count / (len(ordered) + 1), max(first, small), 0.0)
        shape = 2 - first / (first - 2 * second)
        scale = 2 * first * second / (first - 2 * second)
        if shape <= 0:  # an exponential with the mean of what lies beyond the start
            shape, scale = 0.0, first
        return Tail(ordered, start, count / (len(ordered) + 1), max(scale, small), min(shape, 0.5))

    @staticmethod
    def robust(scores: NDArray[np.float64]) -> "Tail":
        """The tail of scores among which anomalies may be: an exponential that passes through their median and their 80th percentile, so
        that the highest fifth has no say."""
        ordered = np.sort(np.asarray(scores, np.float64))
        middle, high = np.quantile(ordered, [0.5, 0.8])
        return Tail(
            ordered, float(middle), 0.5, max(float(high - middle) / float(np.log(0.5 / 0.2)), 1e-9 * max(1.0, abs(float(middle)))), 0.0
        )

    def rarity(self, scores: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """−log10 of the share of normals that would score as high: 2 is one in a hundred. Strictly rising from the lowest normal on:
        what scores between two normals is as rare as a number between theirs."""
        values = np.atleast_1d(np.asarray(scores, np.float64))
        count = len(self.sorted)
        reached = (count + 1 - np.arange(count)) / (count + 1)  # by the share of normals that each normal leaves at or above itself
        counted = np.interp(values, self.sorted, -np.log10(np.maximum(reached, self.share)))
        excess = np.maximum(values - self.start, 0) / self.scale
        beyond = np.log1p(self.shape * excess) / self.shape if self.shape > 1e-6 else excess
        return np.where(values > self.start, -np.log10(self.share) + beyond / np.log(10), counted)
