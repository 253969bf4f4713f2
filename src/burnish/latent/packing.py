"""Latents of any model in few bytes: rounded to a step that the bytes allow, and written by a range coder.

How probable a rounded number is follows from how large its channel's numbers are beside the step: a row of a table of whole numbers. The
channels' sizes stand in the head of the latents file, as whole numbers too. So nothing but whole numbers decides how bytes are read, and
every machine reads what another one wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.latent.rangecoder import Decoder, Encoder

SMALLEST, LARGEST = 2, 65_536  # bytes
BITS = 7  # of what says how fine the step is
COARSEST = 40  # the step of fineness 0, in quarter octaves: 2**10
KNOWN_FROM = 64  # images from which each channel's mean is taken; fewer share the mean 0
LEAN = 8  # images' worth of what all channels have in common that a channel's size leans on
ROUNDING = 0.42  # of a step is added before a number is cut: less than half, as small numbers are more probable
SIZES = (-200, 100)  # quarter octaves
# By a channel's mean size beside the step, in quarter octaves from an eighth of it on: that a number is 0, and that a greater one ends
# here, in 256ths. Those of Laplace's distribution.
ZERO = (
    *(254, 251, 246, 240, 231, 220, 206, 192, 176, 159, 143, 128, 113, 99, 86, 75, 64, 55, 47, 41, 35, 29, 25, 21, 18, 15, 13),
    *(11, 9, 8, 6, 5, 5, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
)
ENDS = (
    *(255, 255, 255, 254, 251, 247, 241, 232, 221, 208, 194, 178, 162, 146, 130, 115, 101, 88, 76, 66, 57, 49, 41, 35, 30, 26, 22),
    *(18, 16, 13, 11, 9, 8, 7, 6, 5, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
)
LOWEST = -12  # quarter octaves: channels that are smaller than that beside the step are 0 and cost nothing
FINEST_LEVEL = 40  # no channel is rounded finer than that
MOST = 1 << 14  # steps; a greater number is cut


@dataclass(frozen=True)
class Coding:
    """How a file's latents are written: the latent's `shape`, and of each channel (its first axis) the mean and the mean size of what
    differs from it, in quarter octaves."""

    shape: tuple[int, ...]
    means: tuple[float, ...]
    sizes: tuple[int, ...]

    @staticmethod
    def of(latents: NDArray[np.float32]) -> "Coding":
        """What suits N×shape latents. Raises InputError for values that are not finite."""
        if not np.isfinite(latents).all():
            raise InputError("a latent holds values that are not finite; the model cannot take this image")
        numbers = latents.reshape(*latents.shape[:2], -1).astype(np.float64)
        means = numbers.mean((0, 2)) if len(latents) >= KNOWN_FROM else np.zeros(latents.shape[1])
        sizes = np.abs(numbers - means[:, None]).mean((0, 2))
        sizes = (len(latents) * sizes + LEAN * sizes.mean()) / (len(latents) + LEAN)
        octaves = np.rint(4 * np.log2(np.maximum(sizes, 1e-12))).astype(int).clip(*SIZES)
        return Coding(latents.shape[1:], tuple(float(np.float32(mean)) for mean in means), tuple(octaves.tolist()))

    @staticmethod
    def from_json(told: Any) -> "Coding":
        """The coding as a file has it. Raises ValueError, TypeError or KeyError for what is none."""
        found = Coding(tuple(map(int, told["shape"])), tuple(map(float, told["means"])), tuple(map(int, told["sizes"])))
        if not found.shape or not len(found.means) == len(found.sizes) == found.shape[0] or not np.isfinite(found.means).all():
            raise ValueError("the channels do not fit the latent's shape")
        if min(found.shape) < 1 or np.prod(found.shape, dtype=float) > 1e8 or not all(SIZES[0] <= size <= SIZES[1] for size in found.sizes):
            raise ValueError("no such latent can be")
        return found

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file's head."""
        return {"shape": list(self.shape), "means": list(self.means), "sizes": list(self.sizes)}

    def packed(self, latent: NDArray[np.float32], size: int) -> bytes:
        """A latent in `size` bytes at most, as finely as they allow. Raises InputError for another shape, or values that are not finite."""
        if latent.shape != self.shape:
            raise InputError(f"its latent is {latent.shape}, the others' are {self.shape}; give images of one size, or --size")
        if not np.isfinite(latent).all():
            raise InputError("its latent holds values that are not finite; the model cannot take this image")
        away = latent.reshape(self.shape[0], -1).astype(np.float64) - np.array(self.means)[:, None]
        best = b""
        low, high = 0, min((1 << BITS) - 1, COARSEST + FINEST_LEVEL + LOWEST - max(self.sizes))
        while low <= high:
            fineness = (low + high) // 2
            data = self._written(np.floor(np.abs(away) / step_of(fineness) + ROUNDING).clip(0, MOST) * np.sign(away), fineness, size)
            if data is None:
                high = fineness - 1
            else:
                best, low = data, fineness + 1
        return best.ljust(size, b"\0")

    def numbers(self, data: bytes) -> tuple[NDArray[np.int64], int]:
        """The rounded numbers in the bytes, of the latent's shape, and how fine the step is. Whole numbers only."""
        decoder = Decoder(data)
        fineness = decoder.get_number(BITS)
        levels = self._levels(fineness)
        found = np.zeros((self.shape[0], int(np.prod(self.shape[1:]))), np.int64)
        for channel in self._order():
            level = levels[channel]
            if level < 0:
                break
            for place in range(found.shape[1]):
                if not decoder.get(ZERO[level]):
                    continue
                size = 1
                while size < MOST and decoder.get(ENDS[level]):
                    size += 1
                found[channel, place] = -size if decoder.get(128) else size
        return found.reshape(self.shape), fineness

    def unpacked(self, data: bytes) -> NDArray[np.float32]:
        """The latent in the bytes. Any bytes give some latent: a file's checksum tells whether they are sound."""
        numbers, fineness = self.numbers(data)
        means = np.array(self.means).reshape(-1, *[1] * (len(self.shape) - 1))
        latent: NDArray[np.float32] = (numbers * step_of(fineness) + means).astype(np.float32)
        return latent

    def _written(self, rounded: NDArray[np.float64], fineness: int, size: int) -> bytes | None:
        """The rounded numbers as bytes; None where they take more than `size`."""
        encoder = Encoder()
        encoder.put_number(fineness, BITS)
        levels = self._levels(fineness)
        for channel in self._order():
            level = levels[channel]
            if level < 0:
                break
            for value in rounded[channel].astype(int).tolist():
                encoder.put(int(value != 0), ZERO[level])
                if not value:
                    continue
                for count in range(1, abs(value) + 1):
                    if count < MOST:
                        encoder.put(int(count < abs(value)), ENDS[level])
                encoder.put(int(value < 0), 128)
            if encoder.length > size + 4:
                return None
        data = encoder.finish()
        return data if len(data) <= size else None

    def _levels(self, fineness: int) -> list[int]:
        """Each channel's row of the tables; below 0 its numbers are not written."""
        return [min(len(ZERO) - 1, size - (COARSEST - fineness) - LOWEST) for size in self.sizes]

    def _order(self) -> Sequence[int]:
        """The channels, the largest first."""
        return sorted(range(len(self.sizes)), key=lambda channel: (-self.sizes[channel], channel))


def step_of(fineness: int) -> float:
    """The step on the latent's scale."""
    return float(2.0 ** ((COARSEST - fineness) / 4))


def check_size(size: int) -> None:
    """Raises InputError for a number of bytes that no latent is written in."""
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"{size} bytes: a latent is written in {SMALLEST} to {LARGEST:,}")
