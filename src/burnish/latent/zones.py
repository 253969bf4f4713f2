"""What is normal in each part of the image: borders differ from the middle, a screw's head from its thread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from burnish.latent.planes import Floats, enlarged

MOST = 12  # zones on a side
STEADY = 0.5  # of the median spread: no zone is taken to vary less, so that one in which nothing happened to happen stays calm


@dataclass(frozen=True)
class Zones:
    """Mean and spread of a heat in each zone of a grid over the image, both G×G."""

    middle: Floats
    spread: Floats

    def measured(self, heat: Floats) -> Floats:
        """The heat, h×w, as so many spreads above the mean of normals there."""
        return np.asarray((heat - enlarged(self.middle, *heat.shape)) / enlarged(self.spread, *heat.shape), np.float32)


class Sums:
    """What zones are made from: sums over each normal's heat, so that each can be measured by the zones of all others."""

    def __init__(self, heats: Sequence[Floats]) -> None:
        self.side = int(np.clip(round(1.4 * np.sqrt(len(heats))), 2, MOST))
        self.sums = np.stack([self._summed(heat) for heat in heats])
        self.total = self.sums.sum(0)

    def _summed(self, heat: Floats) -> Floats:
        """Count, sum and sum of squares of the heat in each zone."""
        rows, columns = (np.minimum((np.arange(length) + 0.5) * self.side / length, self.side - 1).astype(int) for length in heat.shape)
        place = (rows[:, None] * self.side + columns).ravel()
        values = heat.ravel().astype(np.float64)
        parts = [np.bincount(place, weights, self.side**2) for weights in (np.ones(len(values)), values, values**2)]
        return np.stack(parts).reshape(3, self.side, self.side)

    def zones(self, without: int | None = None) -> Zones:
        """The zones of all normals, or of all but one."""
        count, first, second = self.total - (0 if without is None else self.sums[without])
        few = np.maximum(count, 1)
        middle = first / few
        spread = np.sqrt(np.maximum(second / few - middle**2, 0))
        overall = float(first.sum() / count.sum())
        middle, spread = np.where(count > 0, middle, overall), np.maximum(spread, max(STEADY * float(np.median(spread)), 1e-6))
        return Zones(middle.astype(np.float32), spread.astype(np.float32))
