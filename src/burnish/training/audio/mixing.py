"""What a network learns from: voices at changing speeds and in changing colours, degraded anew each time they come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.audio import frames, noises
from burnish.audio.frames import BINS, HOP, RATE
from burnish.audio.noises import Bank
from burnish.degradation import Degradation

Samples = NDArray[np.float32]

SPEEDS = (1.0, 5 / 6, 10 / 11, 10 / 9, 6 / 5)  # pitch and pace together
# Those, and resonances so many times as high: the voices of more people than there are, since pitch does not tell how long a throat is.
THROATS = ((1.0, 1.0), (5 / 6, 1.06), (10 / 11, 1.0), (10 / 9, 1.0), (6 / 5, 0.9), (1.0, 0.87), (1.0, 1.14))
QUEFRENCIES = 32  # of a spectrum's shape without its harmonics: up to a pitch of 500 Hz
LEVEL = 0.05  # root mean square of what a network hears, of a full scale of 1: a recording is brought there first
SPREAD = 8.0  # decibels by which that is missed in training
NOTHING = 0.1  # share of examples without any voice
CLEAN = 0.08  # and of voices without noise
ALONE = (noises.music, noises.birds, noises.signals)  # what is easily taken for a voice
EASILY = 0.5  # share of those without a voice that are of such a kind


@dataclass(frozen=True)
class Mixer:
    """Makes pairs of stretches of `length` samples, degraded and clean, at 16 kHz, out of clean `voices` by `degradation`."""

    voices: tuple[Samples, ...]
    degradation: Degradation
    length: int

    @staticmethod
    def of(bank: Bank, degradation: Degradation, length: int) -> "Mixer":
        """One that knows each voice as several people would have it."""
        voices = tuple(with_resonances(sped(voice, speed), times) for speed, times in THROATS for voice in bank.voices)
        return Mixer(voices, degradation, length)

    def batch(self, count: int, seed: tuple[int, ...]) -> tuple[Samples, Samples]:
        """Degraded and clean stretches, `count`×`length` each, drawn by `seed`."""
        rng = np.random.default_rng(seed)
        pairs = [self._pair(rng) for _ in range(count)]
        return np.stack([degraded for degraded, _ in pairs]), np.stack([clean for _, clean in pairs])

    def _pair(self, rng: np.random.Generator) -> tuple[Samples, Samples]:
        chance = rng.random()
        if chance < NOTHING:
            noise = ALONE[int(rng.integers(len(ALONE)))](self.length, rng) if rng.random() < EASILY else self._noise(rng)
            return noises.normal(noise) * _level(rng), np.zeros(self.length, np.float32)
        voice = coloured(self._voice(rng), rng)
        if chance < NOTHING + CLEAN:
            degraded = clean = voice
        else:
            degraded, clean = self.degradation.pair(voice, int(rng.integers(2**31)))
        now = float(np.sqrt(np.mean(np.square(degraded, dtype=np.float64))))
        gain = _level(rng) / np.float32(max(now, 1e-6))
        return degraded * gain, clean * gain

    def _noise(self, rng: np.random.Generator) -> Samples:
        found = noises.bank().noises
        if found and rng.random() < 0.5:
            return noises.stretch(found[int(rng.integers(len(found)))], self.length, rng)
        return noises.made(self.length, rng)

    def _voice(self, rng: np.random.Generator) -> Samples:
        """A stretch of voice, put together of several recordings if one is short, now and then with a pause in it."""
        result = np.zeros(self.length, np.float32)
        place = int(rng.integers(self.length // 2)) if rng.random() < 0.15 else 0
        lengths = np.array([len(voice) for voice in self.voices], np.float64)
        while place < self.length:
            voice = self.voices[int(rng.choice(len(self.voices), p=lengths / lengths.sum()))]
            first = int(rng.integers(max(1, len(voice) - RATE // 2)))
            piece = voice[first : first + self.length - place]
            result[place : place + len(piece)] = piece
            place += len(piece) + int(rng.integers(RATE // 4))
        return result


@dataclass(frozen=True)
class Pairs:
    """Makes pairs of stretches of `length` samples, degraded and clean, at 16 kHz, out of longer ones."""

    pairs: tuple[tuple[Samples, Samples], ...]
    length: int

    @staticmethod
    def of(pairs: Sequence[tuple[Samples, Samples]], length: int) -> "Pairs":
        """One that knows each pair at several speeds too."""
        return Pairs(tuple((sped(degraded, speed), sped(clean, speed)) for speed in SPEEDS for degraded, clean in pairs), length)

    def batch(self, count: int, seed: tuple[int, ...]) -> tuple[Samples, Samples]:
        """Degraded and clean stretches, `count`×`length` each, drawn by `seed`."""
        rng = np.random.default_rng(seed)
        pairs = [self._pair(rng) for _ in range(count)]
        return np.stack([degraded for degraded, _ in pairs]), np.stack([clean for _, clean in pairs])

    def _pair(self, rng: np.random.Generator) -> tuple[Samples, Samples]:
        lengths = np.array([len(clean) for _, clean in self.pairs], np.float64)
        degraded, clean = self.pairs[int(rng.choice(len(self.pairs), p=lengths / lengths.sum()))]
        first = int(rng.integers(max(1, len(clean) - self.length)))
        colour = int(rng.integers(2**31))  # both alike
        stretches = [np.pad(part := each[first : first + self.length], (0, self.length - len(part))) for each in (degraded, clean)]
        degraded, clean = (coloured(each, np.random.default_rng(colour)) for each in stretches)
        if rng.random() < CLEAN:
            degraded = clean
        now = float(np.sqrt(np.mean(np.square(degraded, dtype=np.float64))))
        gain = _level(rng) / np.float32(max(now, 1e-6))
        return degraded * gain, clean * gain


def _level(rng: np.random.Generator) -> np.float32:
    return np.float32(LEVEL * 10 ** (rng.uniform(-SPREAD, SPREAD) / 20))


def sped(samples: Samples, speed: float) -> Samples:
    """The recording played `speed` times as fast, its pitch as much higher."""
    if speed == 1:
        return samples
    before = -(-len(samples) // 3960) * 3960  # a multiple of what the transforms of both lengths are quick with
    after = round(before / speed)
    spectrum = np.fft.rfft(samples, before)
    kept = spectrum[: after // 2 + 1] if after < before else np.pad(spectrum, (0, after // 2 + 1 - len(spectrum)))
    return (np.fft.irfft(kept, after) * (after / before)).astype(np.float32)[: round(len(samples) / speed)]


def with_resonances(samples: Samples, times: float) -> Samples:
    """The voice with its resonances so many times as high, its pitch and pace as they were, as of a shorter or a longer throat."""
    if times == 1 or len(samples) < 4 * HOP:
        return samples
    spectra = frames.spectra(np.pad(samples, (HOP, HOP + -len(samples) % HOP)), HOP)
    logs = np.log(np.abs(spectra) + 1e-5)
    cepstra = np.fft.irfft(logs, 2 * HOP, axis=-1)
    cepstra[:, QUEFRENCIES : 2 * HOP - QUEFRENCIES + 1] = 0
    shape = np.fft.rfft(cepstra, axis=-1).real
    # What lies above the highest frequency has the shape that it has there.
    places = np.minimum(np.arange(BINS) / times, BINS - 1)
    low = np.minimum(places.astype(np.int64), BINS - 2)
    moved = shape[:, low] + (places - low) * (shape[:, low + 1] - shape[:, low])
    gain = np.exp(np.clip(moved - shape, -2.5, 2.5)).astype(np.float32)
    return frames.samples((spectra * gain).astype(np.complex64), HOP)[HOP : HOP + len(samples)]


def coloured(samples: Samples, rng: np.random.Generator) -> Samples:
    """As another microphone hears it: a smooth change of colour by some decibels, and sometimes a band as narrow as a telephone's."""
    spectrum = np.fft.rfft(samples)
    octaves = np.log2(np.maximum(np.arange(len(spectrum)) * (RATE / len(samples)), 30) / 30)
    points = rng.normal(0, 3, 6)
    gain = 10 ** (np.interp(octaves, np.linspace(0, 8.1, 6), points) / 20)
    if rng.random() < 0.12:
        limit = rng.uniform(3000, 7500)
        places = np.arange(len(spectrum)) * (RATE / len(samples))
        gain *= np.clip((limit * 1.1 - places) / (0.1 * limit), 0, 1)
    if rng.random() < 0.2:
        gain *= np.clip(octaves / rng.uniform(0.5, 3), 0, 1)
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


def whole_frames(seconds: float) -> int:
    """The number of samples of the stretch of whole frames next to so many seconds."""
    return max(2, round(seconds * RATE / HOP)) * HOP
