"""`burnish serve` under load: many clients at once, every answer compared with that of `burnish restore`, the server's memory watched.

    python benchmarks/serve_load.py [--clients 100] [--seconds 120] [--model photo-fast] [--largest 12]

Photographs of 0.1 to 12 megapixels with noise are made as JPEG. The command restores all of them, some times over, and its megapixels a
second are measured from start to exit. Then the server starts, and each client sends one photograph after the other, drawn evenly; where it
is told to (429, 503) it stays away. Memory and speed are taken from the end of the warm-up on, a quarter of the time.

Prints a table and writes serve_load.json. Ends with status 1 where an answer was wrong, a status was none of 200, 429 and 503, memory grew
by more than a tenth after the warm-up, or the speed was less than 0.9 of the command's.
"""

import argparse
import contextlib
import http.client
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import common
import numpy as np
import pyvips
from skimage import data

MEGAPIXELS = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0)
OVER = 3  # times that the command restores all photographs, so that its start weighs little
GROWTH, SPEED = 0.1, 0.9  # the most and the least that will do
AGAIN = 10.0  # seconds for which a client stays away at most


@dataclass
class Load:
    """What the clients met; threads add to it."""

    photos: dict[str, tuple[bytes, bytes, float]]  # by name: as sent, as the command restored it, megapixels
    port: int
    end: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    done: list[tuple[float, float]] = field(default_factory=list)  # when, and how many megapixels

    def client(self, seed: int) -> None:
        """One client, until the end."""
        drawn = random.Random(seed)
        names = sorted(self.photos)
        while time.monotonic() < self.end:
            sent, wanted, megapixels = self.photos[drawn.choice(names)]
            status, body, again = self._asked(sent)
            with self.lock:
                self.statuses[status] += 1
                if status == 200:
                    self.wrong += body != wanted
                    self.done.append((time.monotonic(), megapixels))
            if status in (429, 503):
                time.sleep(min(AGAIN, again, max(0.0, self.end - time.monotonic())))

    def _asked(self, sent: bytes) -> tuple[int, bytes, float]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            try:
                connection.request("POST", "/restore?force=true", sent)
                response = connection.getresponse()
                return response.status, response.read(), float(response.getheader("Retry-After", "0"))
            except (OSError, http.client.HTTPException):
                return 0, b"", 0.0  # no answer, which is wrong


def photos(folder: Path, largest: float) -> dict[str, float]:
    """Makes them; returns their megapixels by name."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    originals = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    made = {}
    for index, megapixels in enumerate(each for each in MEGAPIXELS if each <= largest):
        original = pyvips.Image.new_from_array(originals[index % len(originals)])
        width, height = (round((megapixels * 1e6 * ratio) ** 0.5) for ratio in (4 / 3, 3 / 4))
        picture = original.thumbnail_image(width, height=height, size="force").numpy()
        noisy = np.clip(picture + rng.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
        name = f"{megapixels}.jpg"
        pyvips.Image.new_from_array(noisy).jpegsave(str(folder / name), Q=92)
        made[name] = width * height / 1e6
    return made


def commands_speed(folder: Path, out: Path, model: str, megapixels: float) -> float:
    """Restores all into `out`; returns the command's megapixels a second."""
    many = folder.with_name("many")
    for turn in range(OVER):
        (many / str(turn)).mkdir(parents=True)
        for path in folder.iterdir():
            (many / str(turn) / path.name).write_bytes(path.read_bytes())
    began = time.monotonic()
    command = [sys.executable, "-m", "burnish", "restore", str(many), "-o", str(out), "-m", model, "--force"]
    subprocess.run(command, check=True, capture_output=True)
    return OVER * megapixels / (time.monotonic() - began)


def memory(pid: int) -> float:
    """Megabytes that the process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def loaded(options: argparse.Namespace, pairs: dict[str, tuple[bytes, bytes, float]]) -> tuple[Load, list[tuple[float, float]], float]:
    """The load, the server's memory by time, and when the warm-up ended."""
    command = [sys.executable, "-m", "burnish", "serve", "--port", "0", "-m", options.model]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout
    try:
        port = int(server.stdout.readline().strip().strip("/").rpartition(":")[2])
        warm = time.monotonic() + options.seconds / 4
        load = Load(pairs, port, time.monotonic() + options.seconds)
        clients = [threading.Thread(target=load.client, args=(number,)) for number in range(options.clients)]
        for client in clients:
            client.start()
        held = []
        while any(client.is_alive() for client in clients):
            held.append((time.monotonic(), memory(server.pid)))
            time.sleep(0.5)
        return load, held, warm
    finally:
        server.terminate()
        server.communicate()


def table(options: argparse.Namespace, load: Load, speeds: tuple[float, float], memory: tuple[float, float]) -> str:
    """What came of it, for a page of Markdown."""
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(load.statuses.items()))
    rows = [
        ("clients, seconds, model", f"{options.clients}, {options.seconds:g}, {options.model}"),
        ("answers", statuses),
        ("results that differ from the command's", f"{load.wrong:,}"),
        ("megapixels a second: command, server", f"{speeds[0]:.2f}, {speeds[1]:.2f} ({speeds[1] / speeds[0]:.2f} of it)"),
        ("the server's memory: after the warm-up, at the end", f"{memory[0]:.0f} MB, {memory[1]:.0f} MB"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> None:
    """Measures, judges and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--model", default="photo-fast")
    parser.add_argument("--largest", type=float, default=MEGAPIXELS[-1])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "photos", Path(name) / "out"
        sizes = photos(folder, options.largest)
        command = commands_speed(folder, out, options.model, sum(sizes.values()))
        pairs = {each: ((folder / each).read_bytes(), (out / "0" / each).read_bytes(), size) for each, size in sizes.items()}
        load, held, warm = loaded(options, pairs)
    after = [megabytes for when, megabytes in held if when > warm]
    if len(after) < 2 or not any(when > warm for when, _ in load.done):
        parser.error(f"nothing was answered after the warm-up ({dict(load.statuses)}); give it more seconds")
    middle = len(after) // 2
    growth = max(after[middle:]) / max(after[:middle]) - 1
    speed = sum(size for when, size in load.done if when > warm) / (max(when for when, _ in load.done) - warm)
    common.write(
        "serve_load",
        {
            "clients": options.clients,
            "seconds": options.seconds,
            "model": options.model,
            "megapixels": sorted(round(size, 2) for size in sizes.values()),
            "answers": {str(status): count for status, count in sorted(load.statuses.items())},
            "wrong": load.wrong,
            "megapixels_per_second": {"restore": round(command, 3), "serve": round(speed, 3), "share": round(speed / command, 3)},
            "server_megabytes": {"warm": round(max(after[:middle])), "end": round(max(after[middle:])), "growth": round(growth, 3)},
        },
    )
    print(table(options, load, (command, speed), (max(after[:middle]), max(after[middle:]))))
    bad = load.wrong or set(load.statuses) - {200, 429, 503} or growth > GROWTH or speed < SPEED * command
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
