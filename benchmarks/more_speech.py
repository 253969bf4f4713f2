"""The folders that the shipped `speech` learns from: a set of clean voices and one of noises, and what is added to both here.

    python -m venv decoder && decoder/bin/pip install av numpy
    python benchmarks/more_speech.py SPEECH NOISE OUT --decoder decoder/bin/python [--debian FOLDER]

To SPEECH come sentences of Asterisk's prompts from Debian's packages, in the versions of PACKAGES (fetched with apt-get, not installed; the
script ends where they are not to be had). They are G.722, which PyAV decodes. Letters, digits, tones and silence are left out, and so is
what has a hiss under it: a network that is shown hiss as the truth learns to leave it in. Voices of whom there are a few seconds are added
several times, else they would hardly be heard. To NOISE come made noises of the kinds in KINDS, and the real ones once more, changed in
speed and colour and two at a time.

OUT/speech and OUT/noise hold FLACs of 16 kHz, and LICENSE.txt says whose they are. All of it is the same whenever it is made.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import debian
import numpy as np
import soundfile
from numpy.typing import NDArray

from burnish.audio import folder, noises, rooms
from burnish.audio.frames import RATE
from burnish.audio.noises import Samples
from burnish.training.audio.mixing import coloured, sped

SEED = 20261
VERSION = "1.6.1-1"
LICENCES = {
    "en": "Allison Smith, CC BY-SA 3.0",
    "es": "Allison Smith, CC BY-SA 3.0",
    "fr": "June Wallack, CC BY-SA 3.0",
    "it": "Carlo Flora, CC BY 3.0",
    "ru": "Maxim Topal, CC BY 3.0",
}
WITHOUT = ("beep", "tone", "tt-", "silence", "ascending", "descending")  # prompts that are no speech, or not speech alone
SHORTEST = 1.0  # seconds of a sentence
FLOOR = -35.0  # decibels below the speech that a pause has to lie
MOST = 8.0  # minutes of a language: a few people are not to outweigh all others
TOGETHER = 15.0  # seconds to a recording
FEW, TIMES = 25.0, 4  # a voice of at most so many seconds is added so many times
LASTS = 12.0  # seconds of a made noise

DECODE = """
import sys
from pathlib import Path
import av, numpy
for name in sys.stdin.read().splitlines():
    with av.open(name, format="g722") as file:
        parts = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    numpy.save(Path(sys.argv[1]) / f"{Path(name).stem}.npy", numpy.concatenate(parts or [numpy.zeros(0, numpy.int16)]))
"""


def powers(samples: Samples) -> NDArray[np.float64]:
    """The decibels of each 20 ms."""
    step = RATE // 50
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    return np.asarray(10 * np.log10(np.mean(np.square(whole, dtype=np.float64), 1) + 1e-12))


def trimmed(samples: Samples) -> Samples:
    """The samples without the silence before and after."""
    loud = np.flatnonzero(powers(samples) > powers(samples).max() - 40)
    step = RATE // 50
    return samples[max(0, loud[0] - 2) * step : (loud[-1] + 4) * step]


def floor(samples: Samples) -> float:
    """How far the quietest twentieth of a prompt, the silence at its ends in it, lies from the speech, in decibels."""
    level = powers(samples)
    speech = 10 * np.log10(np.mean(10 ** (level[level > level.max() - 40] / 10)))
    return float(np.percentile(level, 5) - speech)


def sentences(language: str, packages: Path, decoder: Path) -> list[Samples]:
    """The clean sentences of a language's prompts, in the order of their names, evenly out of all if there are many."""
    place = debian.unpacked(f"asterisk-core-sounds-{language}-g722", packages, VERSION)
    if place is None:
        sys.exit(f"asterisk-core-sounds-{language}-g722 {VERSION}: cannot be fetched here")
    files = sorted(place.glob("usr/share/asterisk/sounds/*/*.g722"))
    files = [file for file in files if not any(word in file.name for word in WITHOUT)]
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([decoder, "-c", DECODE, work], input="\n".join(map(str, files)), text=True, check=True)
        decoded = [np.load(Path(work) / f"{file.stem}.npy") / np.float32(32768) for file in files]
    clean = [trimmed(each) for each in decoded if len(each) > RATE and floor(each) < FLOOR]
    spoken = [each for each in clean if len(each) >= SHORTEST * RATE]
    count = min(len(spoken), int(MOST * 60 * RATE / np.mean([len(each) for each in spoken])))
    return [spoken[index * len(spoken) // count] for index in range(count)]


def joined(parts: list[Samples], rng: np.random.Generator) -> list[Samples]:
    """The parts in recordings of about TOGETHER seconds, with short pauses between them."""
    made: list[list[Samples]] = [[]]
    for part in parts:
        if sum(map(len, made[-1])) > TOGETHER * RATE:
            made.append([])
        made[-1] += [noises.normal(part) * np.float32(0.05), np.zeros(int(rng.uniform(0.1, 0.4) * RATE), np.float32)]
    return [np.concatenate(each) for each in made if each]


# --- Made noises ---


def room(length: int, rng: np.random.Generator) -> Samples:
    """Steady noise of any colour that slowly turns into another: air, engines, rain, a street far away."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / RATE), 30) / 30)
    total = np.zeros(length, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        points = rng.normal(0, 7, 10) - rng.uniform(-1, 7) * np.linspace(0, 8.1, 10)
        gain = 10 ** (np.interp(octaves, np.linspace(0, 8.1, 10), points) / 20)
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * gain, length).astype(np.float32)
        total += noises.normal(noise) * noises.swell(length, rng, rng.uniform(0, 0.7), rng.uniform(0.1, 1))
    return noises.normal(total)


def engine(length: int, rng: np.random.Generator) -> Samples:
    """Something that turns, ever a little faster or slower, in a room's noise."""
    pitch = rng.uniform(25, 250) * noises.swell(length, rng, rng.uniform(0, 0.15), 0.4)
    phase = 2 * np.pi * np.cumsum(pitch.astype(np.float64)) / RATE
    total = np.zeros(length, np.float32)
    fall = rng.uniform(0.4, 1.5)
    for harmonic in range(1, min(30, int(6000 / pitch.max())) + 1):
        total += np.float32(rng.uniform(0, 1) / harmonic**fall) * np.sin(harmonic * phase + rng.uniform(0, 6.3)).astype(np.float32)
    return noises.normal(noises.normal(total) * np.float32(rng.uniform(0.2, 1.2)) + room(length, rng))


def clatter(length: int, rng: np.random.Generator) -> Samples:
    """Dishes, steps and doors: strokes on things that ring, in a room."""
    total = np.zeros(length, np.float32)
    for _ in range(int(length / RATE * rng.uniform(1, 6))):
        size = int(RATE * rng.uniform(0.05, 0.3))
        time = np.arange(size) / RATE
        modes = sum(
            rng.uniform(0.1, 1) * np.sin(2 * np.pi * rng.uniform(150, 7000) * time) * np.exp(-time * rng.uniform(15, 200))
            for _ in range(int(rng.integers(2, 7)))
        )
        stroke = modes + rng.uniform(0, 2) * rng.standard_normal(size) * np.exp(-time * rng.uniform(60, 400))
        first = int(rng.integers(length))
        total[first : first + size] += (stroke * 10 ** rng.uniform(-1, 0)).astype(np.float32)[: length - first]
    wet = rooms.heard(total, rooms.response(rng.uniform(0.3, 1), rng))[0]
    return noises.normal(noises.normal(wet) + room(length, rng) * np.float32(10 ** rng.uniform(-1, 0)))


def crowd(length: int, rng: np.random.Generator) -> Samples:
    """Many voices at once, near and far, in a room."""
    voices = noises.bank().voices
    near, far = np.zeros(length, np.float32), np.zeros(length, np.float32)
    for _ in range(int(rng.integers(6, 25))):
        voice = sped(voices[int(rng.integers(len(voices)))], rng.uniform(0.8, 1.25))
        spoken = noises.normal(noises.stretch(voice, length, rng)) * noises.swell(length, rng, 0.5, 0.3)
        (near if rng.random() < 0.3 else far)[:] += spoken * np.float32(10 ** rng.uniform(-0.6, 0))
    total = coloured(rooms.heard(near, rooms.response(rng.uniform(0.3, 0.6), rng))[0], rng)
    total += coloured(rooms.heard(far, rooms.response(rng.uniform(0.6, 1.5), rng))[0], rng)
    other = clatter(length, rng) if rng.random() < 0.4 else room(length, rng)
    return noises.normal(noises.normal(total) + other * np.float32(10 ** rng.uniform(-1.2, -0.2)))


def mixed(length: int, rng: np.random.Generator) -> Samples:
    """Two real noises at once, or one and a made one, at another speed and in another colour."""
    real = noises.bank().noises

    def changed() -> Samples:
        noise = noises.stretch(real[int(rng.integers(len(real)))], 2 * length, rng)
        return coloured(sped(noise, rng.uniform(0.6, 1.6)), rng)

    first, second = changed(), changed()
    other = room(length, rng) if rng.random() < 0.5 else noises.normal(second[:length])
    return noises.normal(noises.normal(first[:length]) + other * np.float32(10 ** rng.uniform(-1, 0)))


KINDS: tuple[tuple[Callable[[int, np.random.Generator], Samples], int], ...] = (
    (room, 50),
    (engine, 25),
    (clatter, 20),
    (crowd, 60),
    (mixed, 60),
)


def written(samples: Samples, file: Path) -> None:
    """Write a FLAC; a peak above full scale is brought below it."""
    samples = samples * np.float32(min(1.0, 0.9 / max(1e-6, float(np.abs(samples).max()))))
    soundfile.write(file, samples, RATE, subtype="PCM_16")


def main(speech: Path, noise: Path, out: Path, packages: Path, decoder: Path) -> None:
    """Fill both folders and say how much they hold."""
    for given, name in ((speech, "speech"), (noise, "noise")):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
        for file in sorted(given.glob("*.flac")):
            if not file.name.startswith("ast-"):  # of the packages too
                shutil.copyfile(file, out / name / file.name)
                if name == "speech" and file.name.startswith(("ls-", "lyra-", "nabu-")) and soundfile.info(file).duration < FEW:
                    for number in range(1, TIMES):
                        shutil.copyfile(file, out / name / f"{file.stem}-again-{number}.flac")
    for number, language in enumerate(LICENCES):
        rng = np.random.default_rng((SEED, number))
        parts = sentences(language, packages, decoder)
        for index, recording in enumerate(joined(parts, rng)):
            written(recording, out / "speech" / f"ast-{language}-{index:03}.flac")
        print(f"{language}: {len(parts)} sentences, {sum(map(len, parts)) / RATE / 60:.1f} minutes", flush=True)
    noises.use(noises.Bank(folder.load(noise).items, folder.load(out / "speech").items))
    for kind, count in KINDS:
        for number in range(count):
            rng = np.random.default_rng((SEED, len(kind.__name__), ord(kind.__name__[0]), number))
            written(kind(int(LASTS * RATE), rng) * np.float32(0.1), out / "noise" / f"made-{kind.__name__}-{number:03}.flac")
    whose = "; ".join(f"ast-{language}: {licence}" for language, licence in LICENCES.items())
    terms = f"As the folder's README says; {whose}. Made noises: CC0 1.0, crowds of these voices.\n"
    for name in ("speech", "noise"):
        (out / name / "LICENSE.txt").write_text(terms, "utf-8")
        found = folder.load(out / name)
        print(f"{name}: {len(found.items)} recordings, {sum(map(len, found.items)) / RATE / 60:.1f} minutes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("speech", type=Path)
    parser.add_argument("noise", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--decoder", type=Path, required=True, help="the Python that has PyAV")
    parser.add_argument("--debian", type=Path, default=Path(tempfile.gettempdir()) / "burnish-debian", help="where packages are unpacked")
    chosen = parser.parse_args()
    main(chosen.speech, chosen.noise, chosen.out, chosen.debian, chosen.decoder)
