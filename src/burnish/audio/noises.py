"""What recordings are spoilt with: noises and voices out of a folder, or made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.audio.frames import RATE

Samples = NDArray[np.float32]

TABLE = 8192  # samples of a period


@dataclass(frozen=True)
class Bank:
    """Recordings at 16 kHz, one channel, that the stages `noise` and `babble` draw from; where there are none they make their own."""

    noises: tuple[Samples, ...] = ()
    voices: tuple[Samples, ...] = ()


_bank = Bank()


def bank() -> Bank:
    """What the stages draw from now."""
    return _bank


def use(new: Bank) -> None:
    """Let the stages draw from `new` from now on."""
    global _bank
    _bank = new


def stretch(recording: Samples, length: int, rng: np.random.Generator) -> Samples:
    """`length` samples of a recording from a random place on, begun anew where it ends (faded over 20 ms, so that no click is heard)."""
    if len(recording) > length:
        first = int(rng.integers(len(recording) - length))
        return recording[first : first + length]
    fade = min(RATE // 50, len(recording) // 4)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    once = recording.copy()
    if fade:
        once[:fade] *= ramp
        once[-fade:] *= ramp[::-1]
    period = len(once) - fade
    result = np.zeros(length + len(once), np.float32)
    for start in range(-int(rng.integers(period)), length, period):
        head = max(0, -start)
        result[start + head : start + len(once)] += once[head:]
    return result[:length]


# --- Made noises ---


def coloured(length: int, rng: np.random.Generator, slope: float) -> Samples:
    """Noise whose power falls by `slope` × 3 dB an octave (0 white, 1 pink, 2 brown, −1 blue), of root mean square 1."""
    spectrum = np.fft.rfft(rng.standard_normal(length).astype(np.float32))
    frequency = np.maximum(np.arange(len(spectrum)) / length, 20 / RATE)
    return normal(np.fft.irfft(spectrum * frequency ** (-slope / 2), length).astype(np.float32))


def fan(length: int, rng: np.random.Generator) -> Samples:
    """A machine that turns: coloured noise and the harmonics of its turning, slowly louder and softer."""
    noise = coloured(length, rng, rng.uniform(0.5, 2))
    strengths = [rng.uniform(0, 1) / harmonic for harmonic in range(1, int(rng.integers(3, 12)))]
    tone = tones(length, rng, rng.uniform(30, 200), strengths)
    return normal(noise + tone * rng.uniform(0, 1)) * swell(length, rng, 0.3)


def wind(length: int, rng: np.random.Generator) -> Samples:
    """Wind on a microphone: noise below a few hundred hertz, in gusts."""
    return normal(coloured(length, rng, rng.uniform(2, 3)) * swell(length, rng, 1.5, rate=1.5))


def clicks(length: int, rng: np.random.Generator) -> Samples:
    """A keyboard, or things put on a table: short resonant strokes at uneven times."""
    result = coloured(length, rng, 1) * np.float32(0.01)
    for _ in range(1 + int(length / RATE * rng.uniform(1, 10))):
        size = int(RATE * rng.uniform(0.01, 0.08))
        place = int(rng.integers(max(1, length - size)))
        time = np.arange(size) / RATE
        stroke = rng.standard_normal(size) + 2 * np.sin(2 * np.pi * rng.uniform(300, 5000) * time)
        piece = (stroke * np.exp(-time * rng.uniform(60, 400)) * rng.uniform(0.2, 1)).astype(np.float32)
        result[place : place + size] += piece[: length - place]
    return normal(result)


def hum(length: int, rng: np.random.Generator, frequency: float) -> Samples:
    """Mains hum: `frequency` in Hz, a little off, and its harmonics, odd ones the stronger."""
    fall = rng.uniform(0.3, 1.2)
    strengths = [rng.uniform(0.2, 1) * (1 if n % 2 else 0.5) / n**fall for n in range(1, int(rng.integers(5, 25)))]
    return normal(tones(length, rng, frequency * rng.uniform(0.998, 1.002), strengths))


def tones(length: int, rng: np.random.Generator, frequency: float, strengths: Sequence[float]) -> Samples:
    """A tone of `frequency` in Hz and its harmonics, as strong as `strengths` has them, out of a table of one period."""
    phases = rng.uniform(0, 1, len(strengths))
    period = np.arange(TABLE) / TABLE
    table = sum(
        (s * np.sin(2 * np.pi * (n * period + p)) for n, (s, p) in enumerate(zip(strengths, phases, strict=True), 1)), np.zeros(TABLE)
    )
    places = np.arange(length) * (frequency / RATE * TABLE)
    return table.astype(np.float32)[places.astype(np.int64) % TABLE]


def music(length: int, rng: np.random.Generator) -> Samples:
    """Something like music: chords of plucked or held notes on a beat, and now and then a drum."""
    result = np.zeros(length, np.float32)
    beat = rng.uniform(0.2, 0.7)
    root = rng.uniform(80, 300)
    scale = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 19, 24]
    held, bright = rng.random() < 0.4, rng.uniform(0.5, 2)
    for number in range(int(length / RATE / beat) + 1):
        place = int(number * beat * RATE)
        size = min(int(RATE * beat * rng.uniform(1, 4)), length - place)
        if size < 100:
            continue
        time = np.arange(size, dtype=np.float32) / RATE
        for _ in range(int(rng.integers(1, 4))):
            pitch = root * 2 ** (scale[int(rng.integers(len(scale)))] / 12)
            envelope = (
                np.minimum(time / 0.05, 1) * np.minimum((size / RATE - time) / 0.05, 1) if held else np.exp(-time * rng.uniform(2, 8))
            )
            note = np.zeros(size, np.float32)
            for harmonic in range(1, min(10, int(7500 / pitch) + 1)):
                note += np.sin(2 * np.pi * pitch * harmonic * time + rng.uniform(0, 6.28)) * (harmonic**-bright * rng.uniform(0.3, 1))
            result[place : place + size] += note * envelope.astype(np.float32)
        if rng.random() < 0.3:
            result[place : place + size] += rng.standard_normal(size).astype(np.float32) * np.exp(-time * rng.uniform(10, 60))
    return normal(result)


def birds(length: int, rng: np.random.Generator) -> Samples:
    """Something like birdsong: whistles that glide and warble, in phrases that come again, and a rustle under them."""
    result = coloured(length, rng, rng.uniform(0.5, 1.5)) * np.float32(10 ** rng.uniform(-2.5, -0.7))
    for _ in range(int(rng.integers(1, 4))):
        low, high = sorted(rng.uniform(1500, 7000, 2))
        calls = [(_call(low, high, rng), int(RATE * rng.uniform(0.01, 0.15))) for _ in range(int(rng.integers(1, 6)))]
        loud = np.float32(rng.uniform(0.2, 1))
        place = int(rng.integers(-RATE, RATE))
        while place < length:
            for call, pause in calls:
                first, last = max(0, place), min(length, place + len(call))
                if first < last:
                    result[first:last] += loud * call[first - place : last - place]
                place += len(call) + pause
            place += int(RATE * rng.uniform(0.1, 1.5))
    return normal(result)


def _call(low: float, high: float, rng: np.random.Generator) -> Samples:
    """A whistle of a bird, between two frequencies in Hz."""
    size = int(RATE * rng.uniform(0.03, 0.4))
    time = np.arange(size) / RATE
    glide = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, 4), rng.uniform(low, high, 4))
    warble = 1 + rng.uniform(0, 0.1) * np.sin(2 * np.pi * rng.uniform(10, 60) * time)
    phase = 2 * np.pi * np.cumsum(glide * warble) / RATE
    tone = np.sin(phase) + rng.uniform(0, 0.4) * np.sin(2 * phase) * (2 * glide < RATE / 2)
    flutter = 1 - rng.uniform(0, 0.9) * np.square(np.sin(np.pi * rng.uniform(5, 40) * time))
    return (tone * flutter * np.sin(np.pi * np.arange(size) / size) ** 0.5).astype(np.float32)


def signals(length: int, rng: np.random.Generator) -> Samples:
    """Test tones: one that is held, one that glides through all frequencies, or one that beeps."""
    time = np.arange(length) / RATE
    chance = rng.random()
    low, high = np.sort(np.exp(rng.uniform(np.log(60), np.log(7000), 2)))
    frequency = low * (high / low) ** (time * rng.uniform(0.1, 1) % 1) if chance < 0.3 else np.full(length, low)
    tone = np.sin(2 * np.pi * np.cumsum(frequency) / RATE) + rng.uniform(0, 0.3) * np.sin(6 * np.pi * np.cumsum(frequency) / RATE)
    beeps = 1 if chance < 0.6 else (time * rng.uniform(0.5, 4)) % 1 < rng.uniform(0.2, 0.7)
    return normal((tone * beeps).astype(np.float32) + coloured(length, rng, 1) * np.float32(10 ** rng.uniform(-4, -1)))


def murmur(length: int, rng: np.random.Generator) -> Samples:
    """Many voices at once, made of noise: it has speech's spectrum and rhythm, and no words."""
    return normal(coloured(length, rng, 1.2) * swell(length, rng, 0.8, rate=4))


def swell(length: int, rng: np.random.Generator, depth: float, rate: float = 0.5) -> Samples:
    """A gain that wanders by `depth` nepers, about `rate` times a second."""
    points = rng.standard_normal(max(2, int(length / RATE * rate * 2) + 2))
    return np.exp(depth * np.interp(np.linspace(0, len(points) - 1, length), np.arange(len(points)), points)).astype(np.float32)


MADE: tuple[Callable[[int, np.random.Generator], Samples], ...] = (fan, wind, clicks, murmur, birds)


def made(length: int, rng: np.random.Generator) -> Samples:
    """A noise of some kind: coloured half of the time, else one of MADE."""
    if rng.random() < 0.5:
        return coloured(length, rng, rng.uniform(-0.5, 2.2))
    return MADE[int(rng.integers(len(MADE)))](length, rng)


def normal(samples: Samples) -> Samples:
    """The samples scaled to a root mean square of 1; silence stays silent."""
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples / np.float32(level) if level > 1e-9 else samples
