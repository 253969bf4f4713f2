"""How near a recording is to the truth: SI-SDR, PESQ-WB and STOI, at 16 kHz."""

import importlib.util

import numpy as np
from numpy.typing import NDArray

from burnish.audio.frames import RATE

Samples = NDArray[np.float32]

HIGHEST, TINY = 100.0, 1e-12


def si_sdr(restored: Samples, truth: Samples) -> float:
    """The scale-invariant signal-to-distortion ratio in dB, capped at ±100 (Le Roux et al., "SDR – half-baked or well done?", 2019)."""
    x, s = restored.astype(np.float64), truth.astype(np.float64)
    target = s * (float(x @ s) / max(float(s @ s), TINY))
    ratio = max(float(target @ target), TINY) / max(float((target - x) @ (target - x)), TINY)
    return float(np.clip(10 * np.log10(ratio), -HIGHEST, HIGHEST))


def pesq(restored: Samples, truth: Samples) -> float:
    """Wide-band PESQ (ITU-T P.862.2), 1 to 4.64; not a number where it finds no speech."""
    from pesq import NoUtterancesError
    from pesq import pesq as measured

    try:
        return float(measured(RATE, truth, restored, "wb"))
    except (NoUtterancesError, ValueError):
        return float("nan")


def stoi(restored: Samples, truth: Samples) -> float:
    """Short-time objective intelligibility, up to 1 (Taal et al., 2011)."""
    from pystoi import stoi as measured

    return float(measured(truth, restored, RATE))


def installed() -> bool:
    """Whether the packages that PESQ and STOI need are there."""
    return all(importlib.util.find_spec(name) for name in ("pesq", "pystoi"))
