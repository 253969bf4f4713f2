"""The engine `ray`, where Ray is installed: a cluster of two processes on this machine, one of which is killed, and a poisonous file."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import gallery
import pytest
from command import BURNISH, burnish_
from conftest import needs_posix

from burnish.bulk.engines import _fetched, _join
from burnish.bulk.shards import Shard
from burnish.bulk.sources import Item
from burnish.errors import StoreError

HOOK = """
import os, pathlib, signal
import burnish.bulk.shards as shards
import burnish.image.restore as restore
shards.FLUSH_SECONDS = 0
place = pathlib.Path({place!r})
once, write = restore.restored, shards._Run._write
def poisoned(work):
    if work.source.name == "15.png": os.kill(os.getpid(), signal.SIGKILL)
    return once(work)
def killed(self, batch):
    write(self, batch)
    if len(list(place.glob("died-*"))) < 2:
        (place / f"died-{{os.getpid()}}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
restore.restored, shards._Run._write = poisoned, killed
"""


def test_the_engine_says_what_it_needs(tmp_path: Path) -> None:
    command = ["bulk", str(tmp_path), "-o", "out", "--engine", "ray"]
    code = f"import sys; sys.modules['ray'] = None\nfrom burnish.cli import main\nmain({command})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False, cwd=tmp_path)
    assert result.returncode == 1
    assert "pip install 'burnish[ray]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("address", "words"), [("ray://10.0.0.1:10001", "check RAY_ADDRESS"), (None, "less busy")])
def test_a_cluster_that_is_not_there_is_told_in_a_line(address: str | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ray:
        def init(self, **_: object) -> None:
            raise ConnectionError("timed out\nduring startup")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if address:
        monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(StoreError, match=words) as told:
        _join(Ray(), 2)
    assert (address or "at hand") in str(told.value)
    assert "timed out during startup" in str(told.value)


class Cluster:
    """A cluster whose tasks come to nothing but this error."""

    def __init__(self, error: Exception) -> None:
        self.exceptions = importlib.import_module("ray").exceptions
        self._error = error

    def get(self, reference: str) -> None:
        assert reference == "task"
        raise self._error


def test_a_shard_that_is_given_up_is_left_for_later_and_a_cluster_without_burnish_stops_the_work() -> None:
    ray = pytest.importorskip("ray")
    shard = Shard((Item("a.png", "a.png"), Item("b.png", "b.png")), "name")
    lost = _fetched(Cluster(ray.exceptions.WorkerCrashedError()), "task", shard)
    assert (lost.outcomes, lost.stop, len(lost.held_up)) == ([], None, 1)
    assert lost.held_up[0].startswith("shard name, from a.png on: its process was lost 4 times (The worker died")
    told = "Traceback (most recent call last):\n  File ...\nModuleNotFoundError: No module named 'burnish'\n"
    missing = _fetched(Cluster(ray.exceptions.RayTaskError("_alone", told, ModuleNotFoundError())), "task", shard)
    assert (missing.outcomes, missing.held_up) == ([], [])
    assert missing.stop is not None
    assert "failed on the cluster (ModuleNotFoundError: No module named 'burnish')" in missing.stop


@needs_posix
def test_a_cluster_does_each_file_once_whoever_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (plain,) = gallery.write(tmp_path / "photos", "plain.png")
    for index in range(40):
        (tmp_path / "photos" / f"{index:02d}.png").write_bytes(plain.read_bytes())
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK.format(place=str(tmp_path)))
    path = os.pathsep.join([str(tmp_path / "hook"), str(Path(__file__).parents[2] / "src")])
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"} | {"PYTHONPATH": path, "PYTHONUTF8": "1"}
    out = tmp_path / "out"
    command = [*BURNISH, "bulk", str(tmp_path / "photos"), "-o", str(out), "-m", "tiny-blind", "--engine", "ray", "--processes", "2"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment, timeout=500)
    assert result.returncode == 1, result.stderr
    assert len(list(tmp_path.glob("died-*"))) == 2
    assert "40 restored, 1 failed" in result.stderr
    assert "15.png: ended the process that restored it, 3 times (signal 9)" in result.stderr
    assert burnish_("restore", plain, "-o", tmp_path / "one.png", "-m", "tiny-blind").returncode == 0
    made = {file.name: file.read_bytes() for file in out.glob("*.png")}
    assert len(made) == 40
    assert set(made.values()) == {(tmp_path / "one.png").read_bytes()}
    outcomes = [json.loads(line) for file in (out / ".burnish").glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    assert sorted(Path(each["input"]).name for each in outcomes) == sorted(file.name for file in (tmp_path / "photos").iterdir())
    assert {each["status"] for each in outcomes} == {"restored", "failed"}
