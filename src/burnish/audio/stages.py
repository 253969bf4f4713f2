"""The stages of sound: what each word of the degradation language does to a recording.

    noise:0-20      noise at that signal-to-noise ratio in dB, out of the noises in use, or made: coloured, fans, wind, keyboards
    babble:5-15     several voices at once at that ratio, out of the voices in use, or made
    hum:50          mains hum of that frequency in Hz with its harmonics, at 0 to 25 dB
    reverb:0.2-0.8  a simulated room in which sound falls by 60 dB in so many seconds; compared with the voice and its early echoes
    clip:0.1-0.5    cut off at that share of the peak
    opus:6-24       through the Opus codec at that many kilobits a second
    mp3:16-64       through the MP3 codec, likewise
    loss:1-10       that percentage of packets of 20 ms lost, silence in their place
    bandlimit:4000  nothing above that frequency in Hz
    gain:-30-0      louder or softer by that many dB; compared with the same change
    own             whatever degraded somebody's own pairs: a model learnt it from them, it cannot be made

A recording is one channel at 16 kHz, float32, full scale at 1, and stays as long as it is. Signal-to-noise ratios count the signal where it
is there: stretches 40 dB below the loudest do not count. Noises and voices are those of burnish.audio.noises.bank().

To add a stage: write its function, give it a row in STAGES and a line in the list above.
"""

import io
import math

import numpy as np
from numpy.typing import NDArray

from burnish.audio import noises, rooms
from burnish.audio.frames import RATE
from burnish.degradation import OWN, Kind, Stage
from burnish.errors import DegradationError

Samples = NDArray[np.float32]

PACKET = RATE // 50
SILENT = 1e-9  # root mean square


def active_level(samples: Samples) -> float:
    """The root mean square of a recording where something is there: over its 32 ms stretches within 40 dB of the loudest one."""
    step = 2 * 256
    if len(samples) < step:
        return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    power = np.mean(np.square(samples[: len(samples) // step * step].reshape(-1, step), dtype=np.float64), 1)
    return float(np.sqrt(power[power >= power.max() * 1e-4].mean()))


def _added(samples: Samples, noise: Samples, ratio: float) -> Samples:
    """The samples with noise at a ratio in dB; to silence it is added as it is, at −30 dB."""
    signal, level = active_level(samples), float(np.sqrt(np.mean(np.square(noise, dtype=np.float64)))) if len(noise) else 0.0
    if level < SILENT:
        return samples
    wanted = signal * 10 ** (-ratio / 20) if signal > SILENT else 10**-1.5
    return samples + noise * np.float32(wanted / level)


def _noise(samples: Samples, stage: Stage) -> Samples:
    rng = np.random.default_rng(stage.seed)
    found = noises.bank().noises
    if found and rng.random() < 0.8:
        noise = noises.stretch(found[int(rng.integers(len(found)))], len(samples), rng)
        for _ in range(5):  # rather than a pause between two barks
            if noises.normal(noise).any() and active_level(noise) > SILENT:
                break
            noise = noises.stretch(found[int(rng.integers(len(found)))], len(samples), rng)
    else:
        noise = noises.made(len(samples), rng)
    return _added(samples, noise, stage.value or 0.0)


def _babble(samples: Samples, stage: Stage) -> Samples:
    rng = np.random.default_rng(stage.seed)
    voices = noises.bank().voices
    if not voices:
        return _added(samples, noises.murmur(len(samples), rng), stage.value or 0.0)
    total = np.zeros(len(samples), np.float32)
    for _ in range(int(rng.integers(3, 9))):
        voice = noises.stretch(voices[int(rng.integers(len(voices)))], len(samples), rng)
        total += noises.normal(voice) * np.float32(rng.uniform(0.4, 1))
    if rng.random() < 0.6:
        total = rooms.heard(total, rooms.response(rng.uniform(0.3, 0.8), rng))[0]
    return _added(samples, total, stage.value or 0.0)


def _hum(samples: Samples, stage: Stage) -> Samples:
    rng = np.random.default_rng(stage.seed)
    return _added(samples, noises.hum(len(samples), rng, stage.value or 50.0), rng.uniform(0, 25))


def _reverb_pair(samples: Samples, stage: Stage) -> tuple[Samples, Samples]:
    return rooms.heard(samples, rooms.response(stage.value or 0.3, np.random.default_rng(stage.seed)))


def _reverb(samples: Samples, stage: Stage) -> Samples:
    return _reverb_pair(samples, stage)[0]


def _clip(samples: Samples, stage: Stage) -> Samples:
    limit = np.float32((stage.value or 1.0) * (np.abs(samples).max() if len(samples) else 0.0))
    return np.clip(samples, -limit, limit)


def _opus(samples: Samples, stage: Stage) -> Samples:
    # libsndfile's scale of Opus goes from 256 kbit/s a channel at 0 to 6 at 1.
    return _coded(samples, "OGG", "OPUS", (256 - (stage.value or 6)) / 250)


def _mp3(samples: Samples, stage: Stage) -> Samples:
    return _coded(samples, "MP3", "MPEG_LAYER_III", (160 - (stage.value or 32)) / 152)


def _coded(samples: Samples, form: str, subtype: str, level: float) -> Samples:
    """Through a codec, at the same loudness, and moved to where it was: codecs delay."""
    import soundfile

    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    if peak < SILENT:
        return samples
    stored = io.BytesIO()
    mode = {"bitrate_mode": "CONSTANT"} if form == "MP3" else {}
    try:
        soundfile.write(
            stored, samples * (0.7 / peak), RATE, format=form, subtype=subtype, compression_level=min(0.999, max(0.0, level)), **mode
        )
        stored.seek(0)
        decoded = soundfile.read(stored, dtype="float32")[0]
    except soundfile.LibsndfileError as error:
        raise DegradationError(f"{form.lower()}: this machine's libsndfile cannot write it ({error}); install a newer soundfile") from error
    aligned = _aligned(decoded, samples)
    return aligned * np.float32(peak / 0.7)


def _aligned(moved: Samples, samples: Samples) -> Samples:
    """`moved`, shifted to where `samples` is by their correlation and made as long."""
    size = 1 << (len(moved) + len(samples)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(moved, size) * np.conj(np.fft.rfft(samples, size)), size)
    shift = int(np.argmax(correlation[: RATE // 4]))
    return np.pad(moved[shift:], (0, max(0, len(samples) - len(moved) + shift)))[: len(samples)]


def _loss(samples: Samples, stage: Stage) -> Samples:
    rng = np.random.default_rng(stage.seed)
    count = len(samples) // PACKET + 1
    kept = np.ones(count, np.float32)
    kept[rng.permutation(count)[: math.ceil(count * (stage.value or 0.0) / 100)]] = 0
    return samples * np.repeat(kept, PACKET)[: len(samples)]


def bandlimited(samples: Samples, frequency: float) -> Samples:
    """Nothing above `frequency` in Hz; it falls over a tenth of that."""
    spectrum = np.fft.rfft(samples)
    places = np.arange(len(spectrum)) * (RATE / max(1, len(samples)))
    spectrum *= np.clip((frequency * 1.1 - places) / (0.1 * frequency), 0, 1)
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _bandlimit(samples: Samples, stage: Stage) -> Samples:
    return bandlimited(samples, stage.value or 8000.0) if len(samples) else samples


def _gain(samples: Samples, stage: Stage) -> Samples:
    return samples * np.float32(10 ** ((stage.value or 0.0) / 20))


def _gain_pair(samples: Samples, stage: Stage) -> tuple[Samples, Samples]:
    louder = _gain(samples, stage)
    return louder, louder


def _own(_samples: Samples, _stage: Stage) -> Samples:
    raise DegradationError(
        "own: what degraded somebody's own pairs cannot be made; give the degraded ones, or name stages such as noise:0-20"
    )


STAGES = {
    "noise": Kind("noise:0-20", _noise, low=-20, high=100),
    "babble": Kind("babble:5-15", _babble, low=-20, high=100),
    "hum": Kind("hum:50", _hum, low=20, high=1000),
    "reverb": Kind("reverb:0.2-0.8", _reverb, low=0.05, high=5, pair=_reverb_pair),
    "clip": Kind("clip:0.1-0.5", _clip, low=0.01, high=1, is_random=False),
    "opus": Kind("opus:6-24", _opus, low=6, high=256, is_random=False),
    "mp3": Kind("mp3:16-64", _mp3, low=8, high=160, is_random=False),
    "loss": Kind("loss:1-10", _loss, high=100),
    "bandlimit": Kind("bandlimit:4000", _bandlimit, low=100, high=8000, is_random=False),
    "gain": Kind("gain:-30-0", _gain, low=-60, high=20, is_random=False, pair=_gain_pair),
    OWN: Kind(OWN, _own),
}
