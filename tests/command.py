"""Running `burnish` as a person or program does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BURNISH = [sys.executable, "-m", "burnish"]
LITTLE_ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
del sys.argv[1]
from burnish.cli import main
main()
"""


def burnish_(*arguments: str | Path, cwd: Path | None = None, room: int | None = None) -> subprocess.CompletedProcess[str]:
    """What the command did; with `room`, on a disk where no file may grow beyond so many bytes. A traceback is never right."""
    if room is not None:
        pytest.importorskip("resource")
    command = BURNISH if room is None else [sys.executable, "-c", LITTLE_ROOM, str(room)]
    result = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        timeout=300,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert "Traceback" not in result.stderr
    return result


def refused(result: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """One line on stderr with these words, this exit status, nothing on stdout."""
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in result.stderr
