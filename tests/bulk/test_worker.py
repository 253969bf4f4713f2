"""The process that restores file after file, and its folder."""

import os
import signal
from pathlib import Path

import gallery
import pytest
from conftest import needs_posix

from burnish.bulk.worker import Worker


@needs_posix
def test_its_folder_goes_with_the_shard_and_with_whoever_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (photo,) = gallery.write(tmp_path / "photos", "plain.png")
    worker = Worker("tiny-blind")

    def restores() -> bool:
        return bool(worker.restored(photo, worker.folder / f"{os.urandom(4).hex()}.png")["status"] == "restored")

    first, process = worker.folder, worker._process
    assert process
    assert restores()
    worker.leave()
    assert not first.exists()
    assert worker.folder != first
    assert restores()
    assert worker._process is process, "it stays for the next shard"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    worker.leave()
    last = worker.folder
    assert restores(), "by another process"
    assert worker._process
    assert worker._process.stdin
    worker._process.stdin.close()  # as when this process dies
    assert worker._process.wait() == 0
    assert not last.exists()
    worker.close()
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
