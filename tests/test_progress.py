"""Progress: plain lines where stderr is no terminal, a bar where it is, nothing for what takes no time."""

import os
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


ASIDE = """
import time
from burnish.cli.words import say
from burnish import progress
with progress.shown("work") as shown:
    for step in range(1, 26):
        time.sleep(0.05)
        shown(step, 26, "a note that is longer than the words of the result")
    say("a result")
    time.sleep(0.1)
    shown(26, 26)
"""


def terminal(code: str) -> bytes:
    """What a terminal is sent by a program whose stdout and stderr it is."""
    pty = pytest.importorskip("pty")
    outer, inner = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=inner, stderr=inner, env=os.environ | {"COLUMNS": "70"})
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
    return shown


def screen(sent: bytes) -> list[str]:
    """The lines that stand on the terminal in the end."""
    lines = []
    for line in sent.decode("utf-8").split("\r\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


def test_a_terminal_gets_a_live_line_that_is_gone_in_the_end() -> None:
    sent = terminal(WORK)
    looks = sent.decode("utf-8").split("\r")
    assert any(look.startswith("██") and "░ work · " in look and "% · 0:0" in look and "step 2" in look for look in looks)
    assert max(map(len, looks)) < 70
    assert sent.count(b"\n") == 0
    assert screen(sent) == [""]


def test_a_result_has_a_line_of_its_own_above_the_live_one() -> None:
    sent = terminal(ASIDE)
    assert sent.count(b"work") >= 3
    assert screen(sent) == ["a result", ""]


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
