"""Files appear whole or not at all."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path

import pytest
from conftest import needs_posix

from burnish import files
from burnish.errors import InputError, TakenError
from burnish.files import ASIDE, atomic, clear_leftovers, keep_attributes, write_text


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


# --- A place that is taken, and what belongs to a file beside its bytes ---


@pytest.mark.parametrize("links", [True, False], ids=["hard-links", "none"])
def test_what_is_not_to_be_replaced_stays(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.delattr(os, "link")
    with atomic(tmp_path / "a.txt", replace=False) as temporary:
        temporary.write_text("first")
    with pytest.raises(TakenError, match=r"a\.txt: is there already"), atomic(tmp_path / "a.txt", replace=False) as temporary:
        temporary.write_text("second")
    assert (tmp_path / "a.txt").read_text() == "first"
    assert os.listdir(tmp_path) == ["a.txt"]
    with atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("third")
    assert (tmp_path / "a.txt").read_text() == "third"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_writer_may_put_a_file_of_its_own_there(tmp_path: Path) -> None:
    with atomic(tmp_path / "a.txt") as temporary:
        (tmp_path / "other").write_text("new")
        (tmp_path / "other").replace(temporary)
    assert (tmp_path / "a.txt").read_text() == "new"


def test_the_usual_rights_follow_the_umask_without_touching_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda _mask: pytest.fail("the whole process would see it"))
        write_text(tmp_path / "a.txt", "x")
    finally:
        monkeypatch.undo()
        os.umask(before)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")
def test_a_private_file_is_so_from_its_first_byte(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("secret")
    source.chmod(0o600)
    os.utime(source, ns=(10**18, 10**18 + 7))
    with atomic(tmp_path / "copy", private=True) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        temporary.write_text("secret")
        assert keep_attributes(source, temporary) == []
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert (tmp_path / "copy").stat().st_mtime_ns == 10**18 + 7
    source.chmod(0o444)
    with atomic(tmp_path / "copy", private=True) as temporary:
        keep_attributes(source, temporary)
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o444


@pytest.mark.skipif(os.name != "posix", reason="groups are POSIX's")
def test_another_group_may_do_no_more_than_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.touch()
    target.touch()
    source.chmod(0o664)
    status = source.stat()
    names = ("st_mode", "st_uid", "st_atime_ns", "st_mtime_ns")
    other = types.SimpleNamespace(st_gid=status.st_gid + 1, **{name: getattr(status, name) for name in names})
    monkeypatch.setattr(Path, "stat", lambda path, **_more: other if path == source else os.stat(path))

    def refuse(*_arguments: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chown", refuse)
    keep_attributes(source, target)
    monkeypatch.undo()
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_extended_attributes_are_kept_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.touch()
    target.touch()
    if not hasattr(os, "setxattr"):
        pytest.skip("no extended attributes here")
    try:
        os.setxattr(source, "user.tag", b"holiday")
        os.setxattr(source, "user.own", b"of the source")
        os.setxattr(target, "user.own", b"mine")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    assert keep_attributes(source, target, besides="user.own") == []
    assert os.getxattr(target, "user.tag") == b"holiday"
    assert os.getxattr(target, "user.own") == b"mine"

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "setxattr", refuse)
    assert keep_attributes(source, target, besides="user.own") == ["its extended attribute user.tag"]
    monkeypatch.delattr(os, "listxattr")
    monkeypatch.delattr(os, "chown")
    assert keep_attributes(source, target) == [], "what the platform lacks is not asked for"


# --- What killed writers leave behind ---

WRITER = """
import sys, time
from pathlib import Path
from burnish.files import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    sys.stdin.readline()
"""


def writer(path: Path, *before: str) -> "subprocess.Popen[str]":
    """A process that writes at `path` until its stdin says something, and has printed the temporary name."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def unshared() -> list[str]:
    """The command that gives a process a process table of its own, as a container does; skips where that may not be."""
    command = ["unshare", "--pid", "--fork"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no namespaces for us here")
    return command


@pytest.mark.parametrize("container", [False, True], ids=["process", "container"])
def test_what_another_is_at_work_on_is_no_leftover(container: bool, tmp_path: Path) -> None:
    process = writer(tmp_path / "a.txt", *(unshared() if container else []))
    assert process.stdout
    temporary = Path(process.stdout.readline().strip())
    clear_leftovers(tmp_path)
    assert temporary.exists()
    _, said = process.communicate("\n")
    assert process.returncode == 0, said
    assert (tmp_path / "a.txt").read_text() == "half"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform has no SIGKILL")
@pytest.mark.parametrize("container", [False, True], ids=["process", "container"])
def test_what_the_killed_leave_is_cleared(container: bool, tmp_path: Path) -> None:
    process = writer(tmp_path / "a.txt", *([*unshared(), "--kill-child"] if container else []))
    assert process.stdout
    temporary = Path(process.stdout.readline().strip())
    process.kill()
    for _ in range(500):  # the container's child ends a moment after it; its stdin stays open meanwhile, or it would finish its work
        clear_leftovers(tmp_path)
        if not temporary.exists():
            break
        time.sleep(0.01)
    process.communicate()
    assert os.listdir(tmp_path) == []


def test_leftovers_of_other_systems_go_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{ASIDE}elsewhere-1.png").write_bytes(b"half")
    (tmp_path / "mine.png").write_bytes(b"whole")
    (tmp_path / f"{ASIDE}folder").mkdir()
    clear_leftovers(tmp_path)
    assert len(os.listdir(tmp_path)) == 3
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90_000)
    clear_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [f"{ASIDE}folder", "mine.png"]
    clear_leftovers(tmp_path / "nowhere")


def test_without_locks_files_are_written_and_cleared_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("to Windows, signal 0 is Ctrl-C"))
    handles = []
    closed, renamed = os.close, os.replace
    monkeypatch.setattr(os, "close", lambda handle: (handles.append("closed"), closed(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda path, target: (handles.append("renamed"), renamed(path, target))[1])
    write_text(tmp_path / "a.txt", "new")
    assert handles == ["closed", "renamed"], "an open file has no new name there"
    (left,) = (tmp_path / f"{ASIDE}{files._system()}-1.txt",)
    left.write_text("half")
    clear_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["a.txt"]
