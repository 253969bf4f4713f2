"""Long recordings: nothing drifts in ten hours, and memory does not grow with them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from recordings import tone

from burnish.audio.frames import BINS, TAPS
from burnish.audio.stream import Stream
from burnish.audio.survey import Survey

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the most memory a process had so")
RATE = 4000
HOURS = 10
PEAK = """
import sys
from burnish.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


class Untouching:
    """A model that leaves everything as it is."""

    def start(self) -> NDArray[np.float32]:
        return np.zeros(1, np.float32)

    def run(self, spectrum: NDArray[np.complex64], state: NDArray[np.float32]) -> tuple[Any, ...]:
        filters = np.zeros((len(spectrum), TAPS, BINS), np.complex64)
        filters[:, 1] = 1
        return filters, np.zeros(len(spectrum), np.float32), state


def test_ten_hours_do_not_drift() -> None:
    rng = np.random.default_rng(0)
    piece = rng.normal(0, 0.1, (RATE * 61 + 7, 1)).astype(np.float32)
    survey = Survey(RATE, 1)
    survey.add(piece)
    stream = Stream(Untouching(), survey)  # type: ignore[arg-type]
    times = HOURS * 3600 * RATE // len(piece) + 1
    waiting, count = np.zeros((0, 1), np.float32), 0
    for _ in range(times):
        waiting = np.concatenate([waiting, piece])
        done = stream.push(piece)
        stream.forget()
        assert np.abs(done - waiting[: len(done)]).max() < 1e-5
        waiting = waiting[len(done) :]
        count += len(done)
        assert len(waiting) < RATE / 10
    count += len(stream.finish())
    assert count == times * len(piece)


def restored(source: Path, *options: str) -> tuple[str, int]:
    """What the command said, and the most memory it had in MB."""
    command = [sys.executable, "-c", PEAK, "restore", str(source), "--threads", "1", *options]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=600)
    return result.stdout, int(result.stderr.strip().splitlines()[-1]) // 1024


@needs_proc
def test_memory_is_bounded_by_no_length(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 48000, 2, "PCM_16") as file:
        for _ in range(12):
            file.write(tone(10.0, 48000, 2))
    said, megabytes = restored(tmp_path / "a.wav", "--force")
    assert ": restored" in said
    assert megabytes < 300


@needs_proc
def test_ten_hours_with_nothing_but_a_click(tmp_path: Path) -> None:
    path = tmp_path / "night.wav"
    soundfile.write(path, np.zeros(8), RATE, subtype="PCM_16")
    head, size = path.read_bytes()[:44], 2 * RATE * 3600 * HOURS
    with path.open("wb") as file:  # a hole, which takes no place on the disk
        file.write(head[:4] + (size + 36).to_bytes(4, "little") + head[8:40] + size.to_bytes(4, "little"))
        file.truncate(44 + size)
        file.seek(44 + size // 2 * 2 - 20000)
        file.write(b"\0\x60")
    said, megabytes = restored(path)
    assert ": unchanged; no speech was found" in said
    assert megabytes < 300
    assert (tmp_path / "night-restored.wav").stat().st_size == path.stat().st_size
