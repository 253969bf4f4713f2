"""How fast recordings are restored and in how much memory: an hour of 48 kHz stereo through `burnish restore`, on one thread.

    python benchmarks/audio_speed.py [--minutes 60]

The recording is made here: something like a voice in noise, at a quarter of full scale. What is printed is JSON: seconds of sound, seconds
taken, the real-time factor (taken by sound), and the most memory that the process had.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE, CHANNELS = 48_000, 2


def write(path: Path, seconds: int) -> None:
    """A recording of so many seconds, made ten seconds at a time."""
    rng = np.random.default_rng(0)
    moment = np.arange(10 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 130 * n * moment) / n for n in range(1, 20)) * np.clip(np.sin(2 * np.pi * 3 * moment), 0, 1) * 0.1
    with soundfile.SoundFile(path, "w", RATE, CHANNELS, "PCM_16") as file:
        for _ in range(0, seconds, 10):
            file.write(np.stack([voice, 0.7 * voice], 1) + rng.normal(0, 0.02, (len(voice), CHANNELS)))


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    seconds = 60 * parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "hour.wav"
        write(source, seconds)
        began = time.monotonic()
        command = [sys.executable, "-m", "burnish", "restore", str(source), "--threads", "1", "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken = time.monotonic() - began
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    factor = round(taken / seconds, 4)
    print(json.dumps({"sound_s": seconds, "taken_s": round(taken, 1), "real_time_factor": factor, "memory_mb": round(most)}))


if __name__ == "__main__":
    main()
