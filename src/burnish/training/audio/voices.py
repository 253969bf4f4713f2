"""Made voices, for when there are none: pulses through the resonances of vowels, hiss for what is unvoiced, and pauses.

After the source and filter of speech (Fant, 1960). Nobody would take them for a person, but they have speech's pitch, harmonics, resonances
and rhythm, and they are free and clean.
"""

import numpy as np
from numpy.typing import NDArray

from burnish.audio.frames import RATE

Samples = NDArray[np.float32]

VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
)  # a, i, u, e, o: Peterson and Barney, 1952
WIDTHS = (80, 100, 140)  # of their resonances, Hz
HISS = ((2500, 6000), (4000, 7500), (1500, 4500))  # bands of sh, s, h


def voice(seconds: float, seed: int) -> Samples:
    """So many seconds of a made voice at 16 kHz, another one for each seed."""
    rng = np.random.default_rng(seed)
    pitch, size = rng.uniform(85, 240), rng.uniform(0.9, 1.2)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * RATE:
        chance = rng.random()
        if chance < 0.15:
            parts.append(np.zeros(int(RATE * rng.uniform(0.1, 0.5)), np.float32))
        elif chance < 0.4:
            parts.append(_hiss(int(RATE * rng.uniform(0.05, 0.15)), rng))
        else:
            parts.append(_vowel(int(RATE * rng.uniform(0.08, 0.3)), pitch * rng.uniform(0.85, 1.2), size, rng))
    result = np.concatenate(parts)[: int(seconds * RATE)]
    return result * np.float32(0.3 / max(1e-6, float(np.abs(result).max())))


def _vowel(count: int, pitch: float, size: float, rng: np.random.Generator) -> Samples:
    """Pulses at a pitch that glides, through the resonances of a vowel that turns into another."""
    time = np.arange(count) / RATE
    phase = np.cumsum(pitch * (1 + rng.uniform(-0.15, 0.15) * time / time[-1] + 0.01 * np.sin(2 * np.pi * 5 * time))) / RATE
    first, last = (np.array(VOWELS[int(rng.integers(len(VOWELS)))]) * size for _ in range(2))
    share = time / time[-1]
    result = np.zeros(count)
    for harmonic in range(1, int(7000 / pitch) + 1):
        frequency = harmonic * pitch
        gain = np.full(count, 1e-3)
        for begin, end, width in zip(first, last, WIDTHS, strict=True):
            gain += 1 / (1 + np.square((frequency - begin - (end - begin) * share) / width))
        result += gain / harmonic**0.7 * np.sin(2 * np.pi * harmonic * phase)
    return (result * _envelope(count)).astype(np.float32)


def _hiss(count: int, rng: np.random.Generator) -> Samples:
    low, high = HISS[int(rng.integers(len(HISS)))]
    spectrum = np.fft.rfft(rng.standard_normal(count))
    places = np.arange(len(spectrum)) * RATE / count
    spectrum[(places < low) | (places > high)] = 0
    return (np.fft.irfft(spectrum, count) * _envelope(count) * rng.uniform(0.3, 1)).astype(np.float32)


def _envelope(count: int) -> NDArray[np.float64]:
    ramp = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.02 * RATE)
    result: NDArray[np.float64] = np.minimum(ramp, 1)
    return result
