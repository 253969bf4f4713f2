"""Several processes train what one would, go on from each other's checkpoints, and stop together."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import needs_posix

from burnish.errors import BurnishError
from burnish.training import checkpoint
from burnish.training.image import networks
from burnish.training.parallel import Team

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d", "--rdzv-endpoint"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}

TRAIN = """
import os, sys
from pathlib import Path
from burnish.image import datasets
from burnish.training import loop, parallel, recipe
from burnish.training.image import networks, sources
import torch

pictures, folder, epochs, loss, minutes = sys.argv[1:]
plan = recipe.load("seed", {"loss": loss, "epochs": 3, "batch": 7, "symmetries": True, "learning_rate": 0.002, "schedule": "one-cycle"})
torch.manual_seed(plan.seed)
network = networks.build(plan.network, {})
source = sources.source(datasets.load(pictures, "train"), plan)

class StopError(Exception): pass
def stop(row):
    if row["epoch"] == int(epochs): raise StopError

with parallel.team("cpu") as team:
    limits = loop.Limits(float(minutes) if team.rank == 1 else None)
    try:
        state = loop.train(network, source, plan, Path(folder), limits=limits, team=team, progress=lambda *_: None, log=stop)
        print(f"{team.rank} {team.size} {state.stopped_early} {len(state.history)}\\n", end="")  # in one piece: two processes speak at once
    except StopError:
        pass
tasks = Path("/proc/self/task")
threads = [(task / "comm").read_text() for task in tasks.iterdir()] if tasks.exists() else []
if any("gloo" in name for name in threads):
    sys.exit(f"the process group's threads live on, and may abort the process: {threads}")
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "train.py"
    path.write_text(TRAIN)
    return path


def trained(script: Path, pictures: Path, folder: Path, processes: int, *, until: int = 0, loss: str = "mse", minutes: float = 99) -> str:
    """Train three epochs in `folder`, from its checkpoint if there is one; `until` breaks it off as that epoch is logged."""
    start = [*TORCHRUN, "localhost:0"] if processes == 2 else [sys.executable]
    arguments = [*start, str(script), str(pictures), str(folder), str(until), loss, str(minutes)]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def weights(folder: Path) -> torch.Tensor:
    network = networks.build("seed", {})
    checkpoint.load(folder / "checkpoint.safetensors", network, torch.optim.Adam(network.parameters()))
    return torch.nn.utils.parameters_to_vector([parameter.contiguous() for parameter in network.parameters()]).detach()


def history(folder: Path) -> list[dict[str, str]]:
    if not (folder / "history.csv").exists():
        return []
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def assert_alike(one: Path, two: Path) -> None:
    torch.testing.assert_close(weights(one), weights(two), atol=1e-4, rtol=0)
    assert len(history(one)) == len(history(two)) == 3
    for left, right in zip(history(one), history(two), strict=True):
        assert left["epoch"] == right["epoch"]
        for key in ("loss", "val_loss", "accuracy", "val_accuracy"):
            assert float(left[key]) == pytest.approx(float(right[key]), rel=1e-3)


# 25 pictures and copies train at batch 7: the last batch has 4; 6 validate.


@pytest.mark.parametrize("loss", ["mse", "geometric"])
def test_two_processes_train_what_one_does(script: Path, picture_folder: Path, tmp_path: Path, loss: str) -> None:
    trained(script, picture_folder, tmp_path / "one", 1, loss=loss)
    said = trained(script, picture_folder, tmp_path / "two", 2, loss=loss)
    assert sorted(said.split("\n")) == ["", "0 2 False 3", "1 2 False 3"]
    assert_alike(tmp_path / "one", tmp_path / "two")
    if loss == "mse":
        trained(script, picture_folder, tmp_path / "mixed", 2, until=2)
        trained(script, picture_folder, tmp_path / "mixed", 1)
        assert_alike(tmp_path / "one", tmp_path / "mixed")


def test_when_one_runs_out_of_time_all_stop_and_one_goes_on_alone(script: Path, picture_folder: Path, tmp_path: Path) -> None:
    said = trained(script, picture_folder, tmp_path / "two", 2, minutes=1e-9)
    assert sorted(said.split("\n")) == ["", "0 2 True 1", "1 2 True 1"]
    trained(script, picture_folder, tmp_path / "two", 1)
    trained(script, picture_folder, tmp_path / "one", 1)
    assert_alike(tmp_path / "one", tmp_path / "two")


@needs_posix
def test_the_command_under_torchrun_speaks_once_and_stops_as_one(picture_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train = ["-m", "burnish", "train", "seed", "--data", picture_folder, "--set", "batch=8", "--epochs", "9999", "--out", folder]
    process = subprocess.Popen(
        [*TORCHRUN, "localhost:0", *map(str, train)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    deadline = time.monotonic() + 200
    while len(history(folder)) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=100)
    assert process.returncode != 0
    assert out.count("Training seed") == 1
    assert err.count("burnish: stopped") == 1
    rows = history(folder)
    network = networks.build("seed", {})
    state = checkpoint.load(folder / "checkpoint.safetensors", network, torch.optim.Adam(network.parameters()))
    assert state.epoch - 1 == len(rows)
    assert [int(row["epoch"]) for row in rows] == list(range(1, len(rows) + 1))


def test_a_batch_is_shared_out_and_nobody_is_left_without() -> None:
    indices = torch.tensor([5, 3, 8])
    parts = [Team("cpu", rank, 2).share(indices) for rank in range(2)]
    assert [(part.tolist(), share) for part, share in parts] == [([5, 8], 2 / 3), ([3], 1 / 3)]
    parts = [Team("cpu", rank, 2).share(indices[:1]) for rank in range(2)]
    assert [(part.tolist(), share) for part, share in parts] == [([5], 1.0), ([5], 0.0)]


def test_alone_nothing_is_waited_for() -> None:
    alone = Team("cpu")
    assert alone.leads
    assert alone.sums(1.5, 2) == [1.5, 2]
    assert alone.any(False, True) == [False, True]


def test_a_process_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_total: torch.Tensor) -> None:
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr("burnish.training.parallel.distributed.all_reduce", closed)
    with pytest.raises(BurnishError, match="another process of this run has ended; --resume"):
        Team("cpu", 0, 2).sums(1.0)
