"""Mutated image files through the reader and everything that `burnish restore` does with them: no crash, no hang, no part of a file.

    python tests/fuzz.py [COUNT] [FIRST]        (10,000 in about ten minutes on two idle cores)

Every kind of file in `gallery.py` is damaged in ways that depend on nothing but a number, so that each finding can be repeated with
`python tests/fuzz.py 1 NUMBER`. The work is done in a process of its own, since what is looked for could take the process along.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from select import select
from typing import Any

import gallery
import numpy as np

CPU_LIMIT, WALL_LIMIT = 10.0, 100.0  # seconds for one file; the second for what hangs without working
EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x1_0000, 100_000]
Mutation = Callable[[bytearray, np.random.Generator], None]


def mutated(original: bytes, rng: np.random.Generator) -> bytes:
    """The file's bytes damaged one to eight times, half of the damage near its start, where the headers are."""
    data = bytearray(original)
    for _ in range(rng.integers(1, 9)):
        if len(data) > 16:
            MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    return bytes(data)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(min(len(data), 600) if rng.random() < 0.5 else len(data)))


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _overwrite(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at : at + 8] = rng.bytes(min(8, len(data) - at))


def _extreme(data: bytearray, rng: np.random.Generator) -> None:
    at, size = _place(data, rng), int(rng.choice([1, 2, 4]))
    value = int(rng.choice(EXTREMES)) & (1 << 8 * size) - 1
    data[at : at + size] = value.to_bytes(size, "big" if rng.random() < 0.5 else "little")


def _remove(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 64))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at:at] = data[at : at + int(rng.integers(1, 64))]


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(len(data))) :]


def _blank(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at : at + 200] = bytes(len(data[at : at + 200]))


MUTATIONS: list[Mutation] = [_flip, _flip, _overwrite, _extreme, _extreme, _remove, _repeat, _cut, _blank]


def work(folder: Path) -> None:
    """In the process that may die: for each number on stdin, damage a file, restore it, and print what became of it."""
    import burnish
    from burnish.image import batch
    from burnish.image import files as image_files
    from burnish.image.restore import Settings

    originals = [(name, (folder / name).read_bytes()) for name in gallery.KINDS]
    model = burnish.load("seed", 1)
    out = folder / "out"
    for number in map(int, sys.stdin):
        rng = np.random.default_rng(number)
        name, original = originals[rng.integers(len(originals))]
        source = folder / f"{number}-{name}"
        source.write_bytes(mutated(original, rng))
        began = time.process_time()
        plan = batch.planned([source], out)
        (outcome,) = batch.restore_all(plan, model, Settings(gate=bool(number % 2)), lambda *_: None, lambda _: None)
        spent = time.process_time() - began
        left = [path for path in out.iterdir() if path != outcome.output] if out.exists() else []
        found = None
        if "please report this" in (outcome.error or ""):
            found = outcome.error
        elif left or (outcome.status == "failed") == outcome.output.exists():
            found = f"{outcome.status}, but there is {[path.name for path in out.iterdir()]}"
        elif spent > CPU_LIMIT:
            found = f"took {spent:.1f} s"
        elif outcome.status == "restored":
            image_files.open_photo(outcome.output)
        for path in (source, outcome.output, *left):
            path.unlink(missing_ok=True)
        print(json.dumps({"kind": name, "status": outcome.status, "found": found}), flush=True)


class Worker:
    """The process that does the work, started anew when it dies."""

    def __init__(self, folder: Path) -> None:
        self._command = [sys.executable, __file__, "--work", str(folder)]
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, number: int) -> dict[str, Any]:
        """What became of that file; a crash or hang is a finding."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        ready = select([self._process.stdout], [], [], WALL_LIMIT)[0]
        line = self._process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process.kill()
        _, said = self._process.communicate()
        found = f"hung over {WALL_LIMIT} s" if not ready else f"died with {self._process.returncode}: {said.strip()[-500:]}"
        self._process = self._started()
        return {"kind": "?", "status": "died", "found": found}

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def fuzz(count: int, first: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbers with what became of their files."""
    with tempfile.TemporaryDirectory() as folder:
        gallery.write(Path(folder))
        worker = Worker(Path(folder))
        try:
            for number in range(first, first + count):
                yield number, worker.ask(number)
        finally:
            worker.close()


def main(count: int = 10_000, first: int = 0) -> None:
    """Run, print findings as they come and a summary; exit status 1 if there are any."""
    counts: Counter[str] = Counter()
    findings = 0
    for number, answer in fuzz(count, first):
        counts[answer["status"]] += 1
        if answer["found"]:
            findings += 1
            print(f"{number} ({answer['kind']}): {answer['found']}", flush=True)
        if (number - first + 1) % 1000 == 0:
            print(f"{number - first + 1:,} files: {dict(counts)}", flush=True)
    print(f"{count:,} mutated files, {findings} findings; {dict(counts)}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
