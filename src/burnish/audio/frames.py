"""Frames: samples → spectra of short overlapping stretches, and back, at any rate.

A frame is 32 ms long and begins 16 ms after the one before. Both windows, before and after, are the square root of Hann's, so that what
is not changed comes back as it was. At 16 kHz that makes 512 samples and 257 bins, 31.25 Hz apart, and this is what models take. At other
rates the frame is as long, near enough, and its first 257 bins stand for the same frequencies: a model needs no recording resampled. What
lies above 8 kHz has bins of its own, which the models do not see.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Spectra = NDArray[np.complex64]

RATE = 16_000  # samples a second that models work at
HOP = 256  # samples from frame to frame at that rate
BINS = HOP + 1  # of a frame's spectrum, 0 to 8 kHz
TAPS = 3  # frames that a restored one is made of: the one before, itself, the one after
LOWEST, HIGHEST = 4_000, 400_000  # rates in Hz


def hop(rate: int) -> int:
    """Samples from frame to frame at `rate`: 16 ms, moved by at most 1 % to a number whose transforms are quick (705.6 becomes 704)."""
    ideal = HOP * rate / RATE
    reach = max(1, int(ideal * 0.01))
    near = [each for each in range(max(1, round(ideal) - reach), round(ideal) + reach + 1) if _is_smooth(each)]
    return min(near or [round(ideal)], key=lambda each: (abs(each - ideal) > 0.003 * ideal, _cost(each), abs(each - ideal)))


def _cost(number: int) -> int:
    """The sum of its prime factors: what a transform of that length takes of each sample, roughly."""
    total, factor = 0, 2
    while number > 1:
        while number % factor == 0:
            number //= factor
            total += factor
        factor += 1
    return total


def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5, 7, 11):
        while number % factor == 0:
            number //= factor
    return number == 1


@cache
def window(length: int) -> NDArray[np.float32]:
    """The square root of Hann's window, periodic, of `length` samples: its square and that shifted by half add up to one."""
    return np.sin(np.pi * np.arange(length) / length).astype(np.float32)


def spectra(samples: NDArray[np.float32], step: int) -> Spectra:
    """The spectra of frames that begin every `step` samples: (…, n·step) → (…, n − 1, step + 1).

    They are on the scale that the same sound has at 16 kHz, whatever the rate.
    """
    count = samples.shape[-1] // step
    halves = samples[..., : count * step].reshape(*samples.shape[:-1], count, step)
    frames = np.concatenate([halves[..., :-1, :], halves[..., 1:, :]], -1) * window(2 * step)
    result: Spectra = np.fft.rfft(frames, axis=-1).astype(np.complex64, copy=False)
    if step != HOP:
        result *= np.float32(HOP / step)
    return result


def samples(frames: Spectra, step: int) -> NDArray[np.float32]:
    """The samples whose `spectra` these are: (…, n − 1, step + 1) → (…, n·step); the first and last `step` samples lack a frame."""
    pieces = np.fft.irfft(frames, 2 * step, axis=-1).astype(np.float32, copy=False) * window(2 * step)
    if step != HOP:
        pieces *= np.float32(step / HOP)
    count = frames.shape[-2] + 1
    result = np.zeros((*frames.shape[:-2], count, step), np.float32)
    result[..., :-1, :] += pieces[..., :step]
    result[..., 1:, :] += pieces[..., step:]
    return result.reshape(*frames.shape[:-2], count * step)
