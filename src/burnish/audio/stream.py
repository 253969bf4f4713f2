"""A recording restored as it comes, in pieces of any size, with what is needed of the past carried along."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.audio import frames
from burnish.audio.frames import BINS, TAPS, Spectra
from burnish.audio.survey import Survey

if TYPE_CHECKING:
    from burnish.audio.model import Model

Block = NDArray[np.float32]

LEVEL = 0.05  # root mean square of what a model hears where something is to be heard: recordings are brought there for it
MOST_GAIN = 1e4  # and made louder for it by at most 80 dB
AT_ONCE = 256  # frames that go through a model in one run
DEEP = slice(3, 33)  # bins, 94 Hz to 1 kHz, in which voices have their pitch and their first resonance, and birds have nothing
LEADS = slice(160, 240)  # bins, 5 to 7.5 kHz, whose fate those above the model's share: s, sh and hiss reach up from there
TINY = np.float32(1e-20)
SLOW = 0.7  # of that share a frame keeps so much of the one before: the ear hears gains that flutter


class Stream:
    """A recording on its way through a model: `push` its samples, n×C, in pieces of any size, and take what is done; `finish` gives the
    rest.

    As many samples come out as went in, at their places. What a model filters is the mix of all channels at the level that it learnt at;
    the filters are then applied to each channel, so that all keep their relation. The bins above the model's, at rates over 16 kHz, get the
    gain that the highest of the model's own have on the whole. `speech` holds how likely speech is in each frame so far, `deep` which share
    of what was left of it lies below 1 kHz.
    """

    def __init__(self, model: "Model", survey: Survey, strength: float = 1.0) -> None:
        self.speech: list[NDArray[np.float32]] = []
        self.deep: list[NDArray[np.float32]] = []
        self._model, self._strength = model, np.float32(strength)
        self._step, self._weights = survey.step, survey.weights()
        self._gain = np.float32(min(MOST_GAIN, LEVEL / max(survey.level(), 1e-12)))
        self._limit = np.float32(max(survey.peak, 1e-12))
        self._state = model.start()
        self._upper = np.float32(1)
        channels, step = survey.channels, self._step
        self._waiting = np.zeros((channels, step), np.float32)  # samples not in a whole frame yet; a recording begins with silence
        self._before: Spectra = np.zeros((channels, TAPS - 1, step + 1), np.complex64)  # the frames before the next one
        self._tail = np.zeros((channels, step), np.float32)  # the half of the last restored frame that the next one will cover
        self._skipped = 2 * step  # restored samples that come before the recording's first: that silence, and what looks ahead
        self._taken = self._given = 0

    def push(self, block: Block) -> Block:
        """What is done once these samples, n×C, have come too."""
        self._taken += len(block)
        self._waiting = np.concatenate([self._waiting, block.T], 1)
        done = []
        while (count := min(AT_ONCE, self._waiting.shape[1] // self._step - 1)) > 0:
            done.append(self._frames(self._waiting[:, : (count + 1) * self._step]))
            self._waiting = self._waiting[:, count * self._step :]
        return self._out(done)

    def finish(self) -> Block:
        """The samples that are left, once all have come."""
        missing = self._taken - self._given
        self._taken -= 3 * self._step  # silence is no part of the recording
        done = self.push(np.zeros((3 * self._step, len(self._weights)), np.float32))
        return done[:missing]

    def forget(self) -> None:
        """Empty `speech` and `deep`, which would grow with the recording."""
        self.speech.clear()
        self.deep.clear()

    def _out(self, parts: list[Block]) -> Block:
        """The restored parts, C×n each, as n×C, without what comes before the recording."""
        done = np.concatenate(parts, 1).T if parts else np.zeros((0, len(self._weights)), np.float32)
        skipped = min(self._skipped, len(done))
        self._skipped -= skipped
        self._given += len(done) - skipped
        return done[skipped:]

    def _frames(self, samples: Block) -> Block:
        """The next frames, which begin every step of the samples C×((T + 1)·step): C×(T·step) restored samples, two steps late."""
        spectra = frames.spectra(samples, self._step)
        filters = self._filters((np.tensordot(self._weights, spectra, 1) * self._gain).astype(np.complex64))
        history = np.concatenate([self._before, spectra], 1)
        time = spectra.shape[1]
        restored = sum(
            (history[:, TAPS - 1 - tap : TAPS - 1 - tap + time, : filters.shape[2]] * filters[:, tap] for tap in range(1, TAPS)),
            history[:, TAPS - 1 : TAPS - 1 + time, : filters.shape[2]] * filters[:, 0],
        )
        powers = np.square(np.abs(restored[..., :BINS])).sum(0)
        self.deep.append(powers[:, DEEP].sum(1) / np.maximum(powers.sum(1), TINY))
        before = history[:, TAPS - 2 : TAPS - 2 + time]
        self._before = history[:, -(TAPS - 1) :]
        if self._strength < 1:
            restored = before[..., : restored.shape[2]] + self._strength * (restored - before[..., : restored.shape[2]])
        pieces = frames.samples(restored.astype(np.complex64, copy=False), self._step)
        pieces[:, : self._step] += self._tail
        self._tail = pieces[:, -self._step :].copy()
        return np.clip(pieces[:, : -self._step], -self._limit, self._limit)

    def _filters(self, mix: Spectra) -> Spectra:
        """The filters, T×3×(step + 1), that the mix T×(step + 1) asks for."""
        time, bins = mix.shape
        seen = mix[:, :BINS] if bins >= BINS else np.pad(mix, ((0, 0), (0, BINS - bins)))
        filters, speech, self._state = self._model.run(seen, self._state)
        self.speech.append(speech)
        if bins <= BINS:
            return filters[:, :, :bins]
        upper = np.zeros((time, TAPS, bins - BINS), np.complex64)
        gains = np.abs(filters[:, 1, LEADS]).mean(1)
        for index, gain in enumerate(gains):
            self._upper = np.float32(SLOW) * self._upper + np.float32(1 - SLOW) * min(gain, np.float32(1))
            upper[index, 1] = self._upper
        return np.concatenate([filters, upper], 2)
