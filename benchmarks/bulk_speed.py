"""What the engines of `burnish bulk` keep of the speed of `burnish restore`: the same photos, on the same processors, in turn.

    python benchmarks/bulk_speed.py [--count 32] [--rounds 1] [--model photo-fast] [--engines local ray]

Photos of 1 megapixel with noise, as JPEG, are made and restored as whole commands are, from start to exit. How long starting up takes is
measured by one photo alone, and a share is told with it and without it: over a million photos it is nothing. Rounds alternate, so that
other work on the machine falls on all. Writes bulk_speed.json: megapixels a second, and shares of restore's, a median with its lowest and
highest over the rounds; and the memory of all processes of a command together (their proportional set
sizes, in MB) in the middle of each quarter of its time: flat or not.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np
import pyvips
from skimage import data

SIDE = 1024  # pixels

SAMPLE_EVERY = 1.0  # seconds


def photos(folder: Path, count: int) -> float:
    """Makes them; returns their megapixels."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    originals = [pyvips.Image.new_from_array(picture).thumbnail_image(SIDE, height=SIDE, crop="centre").numpy() for picture in sources()]
    for index in range(count):
        original = np.roll(originals[index % len(originals)], 37 * index, (0, 1))
        noisy = np.clip(original + rng.normal(0, 12, original.shape), 0, 255).astype(np.uint8)
        pyvips.Image.new_from_array(noisy).jpegsave(str(folder / f"{index:04d}.jpg"), Q=92)
    return count * SIDE * SIDE / 1e6


def sources() -> list[np.ndarray]:
    """Real photographs."""
    return [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]


def timed(*arguments: str | Path) -> tuple[float, list[int]]:
    """How many seconds the command takes, and the memory of its processes in MB at the middles of four quarters of them."""
    with tempfile.TemporaryFile() as said:
        began, seen = time.monotonic(), []
        command = subprocess.Popen([sys.executable, "-m", "burnish", *map(str, arguments)], stdout=said, stderr=said)
        while command.poll() is None:
            seen.append(sum(map(memory, family(command.pid))))
            with contextlib.suppress(subprocess.TimeoutExpired):
                command.wait(SAMPLE_EVERY)
        took = time.monotonic() - began
        if command.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode())
    return took, [seen[len(seen) * eighth // 8] for eighth in (1, 3, 5, 7)]


def memory(pid: int) -> int:
    """The memory of a process in MB, what it shares with others counted in parts."""
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(told.split("Pss:")[1].split()[0]) // 1000
    return 0


def family(root: int) -> set[int]:
    """The process and all that it has started, and these have."""
    rows = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout.split()
    parents = dict(zip(map(int, rows[::2]), map(int, rows[1::2]), strict=True))
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", default="photo-fast")
    parser.add_argument("--engines", nargs="+", default=["local", "ray"])
    options = parser.parse_args()
    names = ["restore", *options.engines]
    took: dict[str, list[float]] = {name: [] for name in names}
    memories: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos(folder / "one", 1)
        megapixels = photos(folder / "photos", options.count)
        starting = {
            engine: timed(*order(engine), folder / "one", "-o", folder / f"one-{engine}", "-m", options.model)[0] for engine in names
        }
        for turn in range(options.rounds):
            for engine in names:
                out = folder / f"{engine}-{turn}"
                seconds, memories[engine] = timed(*order(engine), folder / "photos", "-o", out, "-m", options.model)
                took[engine].append(seconds)
                print(f"{engine}: {seconds:.1f} s, of which {starting[engine]:.1f} s before the second photo", flush=True)
                same(folder / f"restore-{turn}", out)
            for engine in names:
                shutil.rmtree(folder / f"{engine}-{turn}")
    common.write("bulk_speed", found(options, megapixels, starting, took, memories))


def order(engine: str) -> list[str]:
    """The command of an engine, or of `restore`."""
    return ["restore"] if engine == "restore" else ["bulk", "--engine", engine]


def found(
    options: argparse.Namespace, megapixels: float, starting: dict[str, float], took: dict[str, list[float]], memories: dict[str, list[int]]
) -> dict[str, Any]:
    """What is written."""
    later = {engine: [seconds - starting[engine] for seconds in each] for engine, each in took.items()}

    def shares(of: dict[str, list[float]]) -> dict[str, Any]:
        return {
            engine: common.spread([restore / bulk for bulk, restore in zip(of[engine], of["restore"], strict=True)], 3)
            for engine in options.engines
        }

    return {
        "photos": options.count,
        "megapixels": round(megapixels, 1),
        "model": options.model,
        "megapixels_per_second": {engine: common.spread([megapixels / seconds for seconds in each], 3) for engine, each in took.items()},
        "seconds_until_one_photo_is_done": {engine: round(seconds, 1) for engine, seconds in starting.items()},
        "share_of_restore": shares(took),
        "share_of_restore_once_started": shares(later),
        "memory_mb": memories,
    }


def same(one: Path, other: Path) -> None:
    """Raises ValueError where the second folder has other images than the first."""
    for path in one.iterdir():
        if path.read_bytes() != (other / path.name).read_bytes():
            raise ValueError(f"{path.name} differs")


if __name__ == "__main__":
    main()
