"""A process that restores one file after another, so that a file that kills it kills nothing else.

Jobs and results go through its stdin and stdout as JSON, a line each. It ends when its stdin does, and then removes the folder that it
was last told of: whoever gave it work is gone.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from burnish.errors import BurnishError

TRIES = 3  # a file is given up once it has ended its process so often


class Worker:
    """The process, and a folder of its own for what is on its way; started when it is first needed, and anew when it has died."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self.closed = False

    @property
    def folder(self) -> Path:
        """For what is on its way. The process knows it, since it outlives whoever is killed, and removes it then."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="burnish-bulk-"))
            if self._process is None:
                self._start(self._folder)
            else:
                self._send({"folder": str(self._folder)})
        return self._folder

    def leave(self) -> None:
        """Remove the folder; the process stays, and gets another when it is needed."""
        folder, self._folder = self._folder, None
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def restored(self, source: Path, target: Path) -> dict[str, Any]:
        """What became of a file, as `burnish restore --json` tells it. Raises InterruptedError once the worker is closed."""
        status, folder = 0, self.folder
        for _ in range(TRIES):
            if self._process is None:
                self._start(folder)
            answer = self._asked({"source": str(source), "target": str(target)})
            if self.closed:
                raise InterruptedError
            if answer is not None:
                return answer
            status = self._ended()
            target.unlink(missing_ok=True)
        how = f"signal {-status}" if status < 0 else f"status {status}"
        error = (
            f"{source}: ended the process that restored it, {TRIES} times ({how}); look whether it is whole, and whether memory sufficed"
        )
        return {"status": "failed", "seconds": 0.0, "megapixels": 0.0, "error": error, "notes": []}

    def stop(self) -> None:
        """End the process, whatever it is at, from whichever thread; whoever waits for an answer gets InterruptedError."""
        self.closed = True
        if process := self._process:
            process.kill()

    def close(self) -> None:
        """End the process and remove the folder."""
        self.stop()
        self._ended()
        self.leave()

    def _ended(self) -> int:
        """The status of the process, which is dying or dead."""
        process, self._process = self._process, None
        if process is None:
            return 0
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # it cannot be talked with, and lives
            process.kill()
        with contextlib.suppress(OSError), process:  # closes the pipes
            pass
        return process.returncode

    def _start(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "burnish.bulk.worker", self._model, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"VIPS_CONCURRENCY": "1"},
            start_new_session=True,  # Ctrl-C is for who gives the work
        )
        if self.closed:
            self._process.kill()
        if self._read() is None and not self.closed:
            raise BurnishError(f"a process that restores files could not start with {self._model}; try burnish restore on one of them")

    def _asked(self, job: dict[str, str]) -> dict[str, Any] | None:
        """The answer; None when the process has died."""
        self._send(job)
        return self._read()

    def _send(self, line: dict[str, str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has died, and will have no answer
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()

    def _read(self) -> dict[str, Any] | None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        with contextlib.suppress(ValueError):  # half a line, of one that died while it wrote
            answer: dict[str, Any] = json.loads(line)
            return answer
        return None


def main(model: str, folder: str) -> None:
    """Answer job after job, until there is nobody to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there are no sessions (Windows)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    from burnish.image.restore import Settings, Work, restored
    from burnish.model import file as model_file

    loaded = model_file.load(model, 1)
    answers.write("{}\n")
    answers.flush()
    with contextlib.suppress(BrokenPipeError):
        for line in sys.stdin:
            job = json.loads(line)
            if "folder" in job:
                folder = job["folder"]
                continue
            result = restored(Work(Path(job["source"]), Path(job["target"]), loaded, Settings(), _unseen, _unseen))
            answers.write(json.dumps(result.to_json()) + "\n")
            answers.flush()
    shutil.rmtree(folder, ignore_errors=True)


def _unseen(pixels: int) -> None:
    """Nobody looks how far one file is."""


if __name__ == "__main__":
    main(*sys.argv[1:])
