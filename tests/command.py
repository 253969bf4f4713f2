"""Running `burnish` as a person or program does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

BURNISH = [sys.executable, "-m", "burnish"]


def burnish_(*arguments: str | Path, cwd: Path | None = None, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """What the command did. A traceback is never right."""
    result = subprocess.run(
        [*BURNISH, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, timeout=300, preexec_fn=before
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
