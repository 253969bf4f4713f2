"""Rooms: the impulse responses of simulated ones, and what a voice sounds like in them."""

import numpy as np
from numpy.typing import NDArray

from burnish.audio.frames import RATE

Samples = NDArray[np.float32]

EARLY = 0.05  # seconds after the direct sound whose echoes belong to the voice rather than to the room
SOUND = 343.0  # metres a second


def response(seconds: float, rng: np.random.Generator) -> Samples:
    """The impulse response of a room in which sound falls by 60 dB in so many `seconds`, at 16 kHz. The direct sound comes first, with 1.

    The first echoes are those off the walls of a shoebox (image sources up to the second order, Allen and Berkley, 1979), what follows is
    noise that dies away, the high frequencies first.
    """
    length = max(int(RATE * min(seconds * 1.2, 2.0)), RATE // 50)
    result = np.zeros(length, np.float64)
    size = rng.uniform((2.5, 2.5, 2.2), (10, 8, 4))
    voice, ear = rng.uniform(0.15, 0.85, 3) * size, rng.uniform(0.15, 0.85, 3) * size
    volume, surface = float(np.prod(size)), 2 * float(size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    reflected = np.sqrt(max(0.05, 1 - min(0.95, 0.161 * volume / (seconds * surface))))  # Sabine's formula
    direct = float(np.linalg.norm(voice - ear))
    for x in range(-2, 3):
        for y in range(-2, 3):
            for z in range(-2, 3):
                order = abs(x) + abs(y) + abs(z)
                if not 0 < order <= 2:
                    continue
                image = np.array([n * s + (v if n % 2 == 0 else s - v) for n, s, v in zip((x, y, z), size, voice, strict=True)])
                distance = float(np.linalg.norm(image - ear))
                place = int((distance - direct) / SOUND * RATE)
                if 0 <= place < length:
                    result[place] += reflected**order * direct / distance
    time = np.arange(length) / RATE
    tail = rng.standard_normal(length) * 10 ** (-3 * time / seconds)
    low = np.convolve(tail, np.ones(4) / 4)[:length]
    shade = np.minimum(time / max(seconds, 0.1), 1)
    tail = (1 - shade) * tail + shade * low
    tail[: int(0.01 * RATE)] = 0
    strength = reflected * direct / np.sqrt(volume) * rng.uniform(0.5, 1.5)
    result += tail * strength * 0.3
    result[0] = 1
    return result.astype(np.float32)


def heard(samples: Samples, room: Samples) -> tuple[Samples, Samples]:
    """The voice in the room, and the voice with its early echoes only, both as long as it was and without delay."""
    early = room.copy()
    fade = int(0.01 * RATE)
    first = int(EARLY * RATE)
    early[first:] = 0
    early[first - fade : first] *= np.linspace(1, 0, fade, dtype=np.float32)[: len(early[first - fade : first])]
    size = 1 << (len(samples) + len(room) - 1).bit_length()
    spectrum = np.fft.rfft(samples, size)
    return tuple(np.fft.irfft(spectrum * np.fft.rfft(each, size), size)[: len(samples)].astype(np.float32) for each in (room, early))  # type: ignore[return-value]
