"""Recordings made here."""

import numpy as np
from numpy.typing import NDArray


def tone(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """Something with rhythm and harmonics, and noise beside it, n×channels, that differs from channel to channel."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 9)) * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1)
    voices = np.stack([voice * (0.2 if channel % 2 else 0.1) for channel in range(channels)], 1)
    result: NDArray[np.float32] = (voices + rng.normal(0, 0.01, voices.shape)).astype(np.float32)
    return result
