"""What a command that may show its progress says when it refuses."""

import subprocess


def told(result: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """This exit status, nothing on stdout, and a line on stderr with all these words."""
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert any(all(word in line for word in words) for line in result.stderr.splitlines()), result.stderr
