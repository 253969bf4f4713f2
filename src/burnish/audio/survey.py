"""A look at a whole recording before it is restored: how its channels go together, how loud it is and where something is to be heard."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from burnish.audio import frames

Block = NDArray[np.float32]

FLOOR = 1e-7  # root mean square, of a full scale of 1, under which all is silence: a bit of 24
ACTIVE = 1e-3  # of the power of the loudest stretches: 30 dB below them, nobody speaks
LOUDEST = 0.98  # share of the stretches that are not among those


@dataclass
class Survey:
    """What is known of a recording at `rate` of so many `channels` once all of it was added, n×channels at a time."""

    rate: int
    channels: int
    samples: int = 0
    """How many there are."""
    peak: float = 0.0
    """The farthest from zero."""
    _products: NDArray[np.float64] = field(init=False)
    _powers: list[NDArray[np.float64]] = field(init=False, default_factory=list)
    _rest: Block = field(init=False)

    def __post_init__(self) -> None:
        self._products = np.zeros((self.channels, self.channels))
        self._rest = np.zeros((0, self.channels), np.float32)

    @property
    def step(self) -> int:
        """Samples from frame to frame."""
        return frames.hop(self.rate)

    def add(self, block: Block) -> None:
        """What follows of the recording, n×channels."""
        self.samples += len(block)
        if len(block):
            self.peak = max(self.peak, float(block.max()), -float(block.min()))
        block = np.concatenate([self._rest, block])
        whole = len(block) // self.step * self.step
        stretches = block[:whole].reshape(-1, self.step, self.channels)
        if whole:
            self._products += block[:whole].astype(np.float64).T @ block[:whole]
            self._powers.append(np.square(stretches).mean((1, 2), dtype=np.float64))
        self._rest = block[whole:]

    @property
    def powers(self) -> NDArray[np.float64]:
        """The mean square of each stretch of `step` samples, over channels; the last, shorter one included."""
        rest = [np.array([np.square(self._rest).mean(dtype=np.float64)])] if len(self._rest) else []
        return np.concatenate([*self._powers, *rest, np.zeros(0)])

    @property
    def is_silent(self) -> bool:
        """Whether nothing can be heard anywhere."""
        return not bool((self.powers > FLOOR**2).any())

    def weights(self) -> Block:
        """What each channel adds to the mix that is listened to: their sizes add up to one.

        They are those of the strongest common signal (the first principal component), so that channels in opposite phase do not cancel
        and silent ones do not count.
        """
        products = self._products + self._rest.astype(np.float64).T @ self._rest
        if not np.trace(products) > 0:
            return np.full(self.channels, 1 / self.channels, np.float32)
        main = np.linalg.eigh(products)[1][:, -1]
        main *= np.sign(main[np.argmax(np.abs(main))])
        weights: Block = (main / np.abs(main).sum()).astype(np.float32)
        return weights

    def active(self) -> NDArray[np.bool_]:
        """Which stretches of `step` samples are within 30 dB of the loudest ones."""
        powers = self.powers
        if not len(powers):
            return np.zeros(0, bool)
        loud = float(np.sort(powers)[int(LOUDEST * (len(powers) - 1))])
        return powers >= max(ACTIVE * loud, FLOOR**2) if loud > FLOOR**2 else powers > FLOOR**2

    def level(self) -> float:
        """The root mean square of the channels where they are active; 0 for silence."""
        active = self.active()
        return float(np.sqrt(self.powers[active].mean())) if active.any() else 0.0
