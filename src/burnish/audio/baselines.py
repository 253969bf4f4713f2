"""Classical methods that take noise out of speech: what a model has to be better than."""

import numpy as np
from numpy.typing import NDArray

from burnish.audio import frames
from burnish.audio.frames import HOP

Samples = NDArray[np.float32]
Powers = NDArray[np.float64]

QUIET = 0.1  # share of the frames that are taken for noise alone
LESS, FLOOR = 4.0, 0.05  # Berouti's over-subtraction at 0 dB, and how much of the noise stays
SMOOTH, WINDOW = 0.85, 63  # of the power spectrum's tracking; frames (a second) within which speech pauses once in every bin
BIAS = 1.6  # a minimum lies below the mean by about as much
TRUST = 0.98  # Ephraim and Malah's alpha: how much the a-priori ratio keeps of the frame before
LOWEST = 10 ** (-15 / 20)  # gain
TINY = 1e-12


def spectral_subtraction(samples: Samples) -> Samples:
    """The mean power spectrum of the quietest frames, subtracted (Boll, 1979), the more the worse the ratio is (Berouti et al., 1979)."""
    spectra = _spectra(samples)
    power = np.square(np.abs(spectra), dtype=np.float64)
    total = power.sum(1)
    noise = power[total <= np.quantile(total, QUIET)].mean(0)
    ratio = 10 * np.log10((total / max(noise.sum(), TINY)).clip(TINY))
    factor = np.clip(LESS - 0.15 * ratio, 1, 5)[:, None]
    left = np.maximum(power - factor * noise, FLOOR * np.minimum(noise, power))
    return _samples(spectra * np.sqrt(left / power.clip(TINY)), len(samples))


def wiener(samples: Samples) -> Samples:
    """Wiener's gain from the a-priori ratio that Ephraim and Malah (1984) estimate, decision-directed, over a noise that is tracked by its
    minima (Martin, 2001, without his time-varying bias)."""
    spectra = _spectra(samples)
    power = np.square(np.abs(spectra), dtype=np.float64)
    noise = _noise(power)
    gains = np.empty_like(power)
    before = np.zeros(power.shape[1])
    for t in range(len(power)):
        after = power[t] / noise[t].clip(TINY)
        prior = TRUST * before / noise[t].clip(TINY) + (1 - TRUST) * np.maximum(after - 1, 0)
        gains[t] = np.maximum(prior / (1 + prior), LOWEST)
        before = np.square(gains[t]) * power[t]
    return _samples(spectra * gains, len(samples))


def _noise(power: Powers) -> Powers:
    """The noise's power in each bin of each frame: the least of the smoothed power in the second before."""
    smooth = np.empty_like(power)
    level = power[: min(len(power), 8)].mean(0)
    for t in range(len(power)):
        level = SMOOTH * level + (1 - SMOOTH) * power[t]
        smooth[t] = level
    padded = np.concatenate([np.repeat(smooth[:1], WINDOW - 1, 0), smooth])
    result: Powers = BIAS * np.lib.stride_tricks.sliding_window_view(padded, WINDOW, 0).min(-1)
    return result


def _spectra(samples: Samples) -> NDArray[np.complex64]:
    missing = -len(samples) % HOP
    return frames.spectra(np.pad(samples, (HOP, HOP + missing)), HOP)


def _samples(spectra: NDArray[np.complex64], count: int) -> Samples:
    return frames.samples(spectra.astype(np.complex64), HOP)[HOP : HOP + count]


METHODS = {"spectral_subtraction": spectral_subtraction, "wiener": wiener}
SETTINGS = {"spectral_subtraction": "Boll, Berouti", "wiener": "Ephraim and Malah"}
