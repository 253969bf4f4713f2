"""TensorBoard's event files: every epoch once, in what any reader of the format sees."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import MissingExtraError
from burnish.training import tensorboard

event_pb2: Any = pytest.importorskip("tensorboardX.proto.event_pb2")


def row(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "seconds": 1.5, "accuracy": 0.5, "loss": 1 / epoch, "val_accuracy": 0.4, "val_loss": 2 / epoch}


def events(folder: Path) -> list[Any]:
    """The events of all files in the folder, in the order of their writing: length, its checksum, event, its checksum."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            found.append(event_pb2.Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, value.simple_value) for event in events(folder) for value in event.summary.value if value.tag == tag]


def test_every_epoch_is_there(tmp_path: Path) -> None:
    with tensorboard.log(tmp_path / "logs") as write:
        for epoch in (1, 2, 3):
            write(row(epoch))
    assert scalars(tmp_path / "logs", "loss/validation") == [(1, 2.0), (2, 1.0), (3, pytest.approx(2 / 3))]
    assert [step for step, _ in scalars(tmp_path / "logs", "accuracy/training")] == [1, 2, 3]


def test_a_resumed_run_takes_the_place_of_what_it_trains_again(tmp_path: Path) -> None:
    with tensorboard.log(tmp_path) as write:
        write(row(2))
    starts = [event for event in events(tmp_path) if event.session_log.status == 1]
    assert [event.step for event in starts] == [2]  # what a reader drops everything from epoch 2 on by


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'burnish\[tensorboard\]'"), tensorboard.log(tmp_path):
        pass
