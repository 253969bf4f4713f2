"""The folder for temporary files: private, and gone however the server ends."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import needs_posix
from serving import wait

from burnish.errors import InputError
from burnish.serve import scratch
from burnish.serve.scratch import Scratch

HELD = """
import sys
from burnish.serve.scratch import Scratch
scratch = Scratch()
with scratch.folder() as folder:
    (folder / "file").write_bytes(b"x")
    print(scratch.path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go in these tests."""
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_private_and_goes_with_what_is_in_it(place: Path) -> None:
    made = Scratch()
    with made.folder() as folder:
        (folder / "file").write_bytes(b"x")
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0 or sys.platform == "win32"
    assert not folder.exists()
    made.close()
    assert not list(place.iterdir())


@needs_posix
def test_kill_9_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(place))
    server = subprocess.Popen([sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    folder = Path(server.stdout.readline().strip())
    assert folder.parent == place
    assert len(list(folder.iterdir())) == 2
    server.send_signal(signal.SIGKILL)
    server.communicate()
    wait(lambda: not list(place.iterdir()))


@needs_posix
def test_what_others_left_goes_at_the_next_start_and_what_they_use_stays(place: Path) -> None:
    living = Scratch()
    left = place / f"{scratch.PREFIX}left"
    left.mkdir()
    (left / scratch.LOCK).touch()
    mine = place / "burnish-serve"
    mine.mkdir()
    other = Scratch()
    assert not left.exists()
    assert mine.exists()
    assert living.path.exists()
    living.close()
    other.close()


def test_no_place_for_temporary_files_is_one_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(place / "none"))
    with pytest.raises(InputError, match="TMPDIR"):
        Scratch()
