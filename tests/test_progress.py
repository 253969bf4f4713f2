"""Progress: plain lines where stderr is no terminal, a bar where it is, nothing for what takes no time."""

import os
import pty
import subprocess
import sys

import pytest

from burnish import progress

WORK = """
import time
from burnish import progress
progress.PLAIN_EVERY = 0.2
with progress.shown("work") as shown:
    for step in range(1, 31):
        time.sleep(0.05)
        shown(step, 30, f"step {step}")
"""


def test_plain_lines_tell_share_time_left_and_note() -> None:
    result = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    lines = result.stderr.splitlines()
    assert 2 <= len(lines) <= 10
    assert result.stdout == ""
    for line in lines[1:]:
        parts = line.split(" · ")
        assert parts[0] == "work"
        assert parts[1].endswith(" %")
        assert parts[2].endswith(" left")
        assert parts[3].startswith("step ")


def test_a_terminal_gets_a_live_bar() -> None:
    outer, inner = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", WORK], stderr=inner, env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"})
    os.close(inner)
    shown = b""
    while True:
        try:
            chunk = os.read(outer, 4096)
        except OSError:  # the other side closed: the end of a terminal
            break
        if not chunk:
            break
        shown += chunk
    assert process.wait() == 0
    os.close(outer)
    assert b"\x1b[" in shown
    assert b"work" in shown
    assert b"step 30" in shown


def test_short_work_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown("quick") as shown:
        for step in range(100):
            shown(step + 1, 100)
    assert capsys.readouterr().err == ""


def test_an_unknown_total_is_told_without_a_share(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    with progress.shown("reading") as shown:
        shown(1, None, "")
        progress.time.sleep(1.1)
        shown(2, None, "2 files")
    assert capsys.readouterr().err.splitlines()[-1] == "reading · 2 files"


def test_the_clock_reads_as_people_write_it() -> None:
    assert [progress._clock(seconds) for seconds in (0, 9.6, 61, 3599.9, 3600, 7384)] == [
        "0:00",
        "0:10",
        "1:01",
        "1:00:00",
        "1:00:00",
        "2:03:04",
    ]
