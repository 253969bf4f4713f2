"""What a model took away from an image: noise, JPEG's traces, or a part of the picture.

Noise is there in flat areas too, while harm sits on edges and fine detail. So the noise is read from the residual (the input less the
result) in those blocks that the result shows to be flat. JPEG's traces are read from the steps between its blocks of 8×8 pixels, before
and after. A screen's dots and a weave repeat themselves; noise does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LOOKED, WINDOW = 32, 256  # windows of an image that are looked at, spread evenly, and how many columns each has at most
BLOCK = 8  # pixels a side; JPEG's, too
DARK, BRIGHT = 8.0, 247.0  # levels of 255 beyond which noise is cut off, so that only an image that has nothing else is judged there
FLAT, SHARE = 2.0, 0.5  # what the result still shows in a flat block: so many levels, or this share of what was taken away, added
FEW = 4  # flat blocks that are too few to tell anything
STEEP = 40.0  # levels: a larger step is an edge, and a row of 8 with one tells nothing of JPEG
STILL, BUSY = 0.1, 5  # levels, and how many of the 8 must be larger
SCARCE = 0.05  # share of such rows that tells nothing: JPEG's traces lie over all of an image
DOUBT = 12.0  # over the root of the number of such rows: how much the steps at one place may stand out by chance
TRACES, LESSENED = 0.15, 0.7  # from which on steps between JPEG's blocks stand out, and what share may be left where that was lessened
LAGS = 4, 24  # pixels between which a pattern that repeats itself is looked for


@dataclass(frozen=True)
class Taken:
    """What was taken away at full strength.

    `noise`: that in the flat areas, as sigma on the 0–255 scale, and `left`: that which the result still has there; None where there is
    no flat area. `flat`: the share of flat areas in what is neither constant nor black or white; `constant`: the share of areas that are
    constant to the last bit. `blocks`: by how much the steps between JPEG's blocks stand out from all others, before and after; 0 is not
    at all, 1 is twice as large. `pattern`: how far the residual repeats itself, 0–1.
    """

    noise: float | None
    left: float | None
    flat: float
    constant: float
    blocks: tuple[float, float]
    pattern: float

    def sigma(self, strength: float) -> float | None:
        """The noise that an image has which is restored with this strength, as sigma on the 0–255 scale; 0: as it was."""
        return None if self.noise is None or self.left is None else float(np.hypot(self.left, (1 - strength) * self.noise))

    @property
    def shows_jpeg(self) -> bool:
        """Whether JPEG's traces were found."""
        return self.blocks[0] >= TRACES

    def lessens_jpeg(self, strength: float) -> bool:
        """Whether JPEG's traces were found, and this strength lessens them."""
        before, after = self.blocks
        return self.shows_jpeg and before + strength * (after - before) <= LESSENED * before


class Look:
    """A look at windows of an image and of what a model made of it: for every band of rows, take the `windows` and `add` them."""

    def __init__(self, pixels: int) -> None:
        """`pixels`: how many will come by, so that the windows are spread evenly over them."""
        self._every = max(1, round(pixels / (64 * WINDOW * LOOKED)))
        self._passed = 0
        self._found: list[NDArray[np.float64]] = []  # of each block that is not constant: the residual's deviation, the result's, its mean
        self._constant = self._blocks = 0
        self._steps = np.zeros((2, 2, BLOCK))  # before and after, across and down: the sum of steps at each place within 8 pixels,
        self._rows = self._all_rows = 0  # in so many rows of 8, of so many
        self._patterns: list[tuple[float, float]] = []

    def windows(self, width: int) -> list[slice]:
        """The columns to be looked at in the next band of rows."""
        count = -(-width // WINDOW)
        chosen = [slice(at * WINDOW, (at + 1) * WINDOW) for at in range(count) if (self._passed + at) % self._every == 0]
        self._passed += count
        return chosen

    def add(self, before: Floats, after: Floats) -> None:
        """One window of the input and of the result, h×w×C on 0–1, beginning on the grid of 8 pixels. One of less than 8 tells nothing."""
        if min(before.shape[:2]) < BLOCK:
            return
        before, after = before * np.float32(255), after * np.float32(255)
        residual = before - after
        blocks = _blocks(before)
        told = (blocks.min(axis=2) < blocks.max(axis=2)).any(axis=1)
        self._blocks += told.size
        self._constant += told.size - int(np.count_nonzero(told))
        blocks = _blocks(after)[told]
        deviation = np.sqrt(_blocks(residual)[told].var(axis=2).mean(axis=1))
        self._found.append(np.stack([deviation, _roughness(blocks), blocks.mean(axis=(1, 2))]))
        self._add_steps(before.mean(axis=2), after.mean(axis=2))
        plane = residual.mean(axis=2)
        strength = float(np.square(plane).mean())
        if strength > 0 and min(plane.shape) > LAGS[1]:
            self._patterns.append((strength, _repetition(plane)))

    def _add_steps(self, before: Floats, after: Floats) -> None:
        for axis, pair in enumerate(((before, after), (before.T, after.T))):
            steps = [_steps(each) for each in pair]
            busy = (np.count_nonzero(steps[0] > STILL, axis=1) >= BUSY) & (steps[0].max(axis=1, initial=0) < STEEP)
            self._rows += int(np.count_nonzero(busy))
            self._all_rows += busy.size
            for when, each in enumerate(steps):
                self._steps[when, axis] += each[busy].sum(axis=0)

    def taken(self) -> Taken:
        """What was seen so far."""
        found = np.concatenate([np.empty((3, 0)), *self._found], axis=1)
        inside = (found[2] > DARK) & (found[2] < BRIGHT)
        residuals, results, _ = found[:, inside] if np.count_nonzero(inside) >= FEW else found
        flat = results <= FLAT + SHARE * residuals
        many = np.count_nonzero(flat) >= FEW
        weights = sum(strength for strength, _ in self._patterns)
        pattern = sum(strength * found for strength, found in self._patterns) / (weights or 1.0)
        return Taken(
            float(np.median(residuals[flat])) if many else None,
            float(np.quantile(results[flat], 0.1)) if many else None,
            float(flat.mean()) if flat.size else 0.0,
            self._constant / max(1, self._blocks),
            self._blockiness(),
            pattern,
        )

    def _blockiness(self) -> tuple[float, float]:
        """By how much steps at one place in 8 stand out, from the next largest that it does not touch; the mean of across and down."""
        if self._rows < SCARCE * self._all_rows:
            return 0.0, 0.0
        told = []
        for before, after in zip(*self._steps, strict=True):
            place = int(np.argmax(before))
            others = [(place + step) % BLOCK for step in range(2, BLOCK - 1)]  # the steps beside it have a part in it
            told.append([(each[place] - each[others].max()) / (each[others].mean() or 1.0) for each in (before, after)])
        found, remaining = np.maximum(np.mean(told, axis=0) - DOUBT / np.sqrt(max(1, self._rows)), 0)
        return float(found), float(remaining)


def _blocks(window: Floats) -> Floats:
    """h×w×C as N×C×64, what is left at an end left out."""
    rows, columns = (length // BLOCK for length in window.shape[:2])
    cut = window[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, -1)
    return cut.transpose(0, 2, 4, 1, 3).reshape(rows * columns, -1, BLOCK**2)


def _roughness(blocks: Floats) -> NDArray[np.float64]:
    """The deviation of each block from a plane laid through it."""
    ramp = np.arange(BLOCK) - (BLOCK - 1) / 2
    ramps = np.stack([np.tile(ramp, BLOCK), np.repeat(ramp, BLOCK)], axis=1).astype(np.float32)
    slopes = np.square(blocks @ ramps).sum(axis=2) / np.square(ramps[:, 0]).sum()
    squares = blocks.var(axis=2) - slopes / BLOCK**2
    roughness: NDArray[np.float64] = np.sqrt(np.maximum(squares.mean(axis=1), 0))
    return roughness


def _steps(plane: Floats) -> Floats:
    """The third differences along rows, in groups of 8: between pixels 1 and 2 of the first eight, between 2 and 3, …"""
    count = (plane.shape[1] - 3) // BLOCK * BLOCK
    steps: Floats = np.abs(plane[:, 3:] - 3 * plane[:, 2:-1] + 3 * plane[:, 1:-2] - plane[:, :-3])[:, :count]
    return steps.reshape(-1, BLOCK)


def _repetition(residual: Floats) -> float:
    """The largest autocorrelation of an h×w residual at distances from 4 to 24 pixels; that of noise is about 0."""
    height, width = residual.shape
    spectrum = np.fft.rfft2(residual - residual.mean(), s=(2 * height, 2 * width))
    alike = np.fft.irfft2(np.square(np.abs(spectrum)))
    near, far = LAGS
    down, across = np.arange(-far, far + 1), np.arange(far + 1)
    overlap = np.outer(height - np.abs(down), width - across) / (height * width)
    found = alike[np.ix_(down, across)] / (overlap * max(alike[0, 0], 1e-9))
    return float(found[np.hypot(down[:, None], across) >= near].max())
