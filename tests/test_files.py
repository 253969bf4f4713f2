"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import needs_posix

from burnish.errors import InputError
from burnish.files import atomic, write_text


def test_a_written_file_is_there_with_the_usual_rights(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    write_text(path, "grün\n")
    assert path.read_text("utf-8") == "grün\n"
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert os.listdir(path.parent) == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(ValueError, match="mine"), atomic(path) as temporary:
        temporary.write_text("half of the n")
        raise ValueError("mine")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(InputError, match=r"a\.txt: could not be written \(No space left") as caught, atomic(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_place_under_a_file_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "x")
    with pytest.raises(InputError, match="could not be written"):
        write_text(tmp_path / "a" / "b", "x")


@needs_posix
def test_killed_in_mid_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = f"""
        from pathlib import Path
        from burnish.files import atomic
        with atomic(Path({str(path)!r})) as temporary:
            temporary.write_text("half of the new")
            print("written", flush=True)
            import time; time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_text() == "old"
