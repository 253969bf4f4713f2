"""The loop: a run broken off anywhere ends as the unbroken one, bit for bit; a diverging one stops with what was good."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from burnish.errors import DivergedError, InputError
from burnish.image.datasets import PictureSet
from burnish.training import checkpoint, loop
from burnish.training.checkpoint import State
from burnish.training.image import networks, sources
from burnish.training.network import restored
from burnish.training.parallel import Team
from burnish.training.recipe import Recipe, from_mapping

PLAN: dict[str, Any] = {
    "name": "test",
    "summary": "a test",
    "network": "seed",
    "degradation": "blur:1.0+noise:0-20",
    "copies": 0.3,
    "batch": 8,
    "epochs": 3,
    "learning_rate": 1e-2,
    "schedule": "one-cycle",
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class StopError(Exception):
    """Stands for a machine that goes away."""


def run(
    folder: Path, images: NDArray[np.uint8], limits: loop.Limits | None = None, stop_at: int = 0, **changes: Any
) -> tuple[dict[str, Tensor], State]:
    """Train in `folder`, from its checkpoint if there is one; `stop_at` breaks it off after that many steps of the whole schedule."""
    plan: Recipe = from_mapping(PLAN | changes, "test")
    torch.manual_seed(plan.seed)
    network: nn.Module = networks.build(plan.network, plan.network_args)

    def progress(done: int, total: int | None, note: str = "") -> None:  # noqa: ARG001 (the protocol's name)
        assert total is not None
        assert 0 < done <= total
        if done == stop_at:
            raise StopError

    source = sources.source(PictureSet("test", images, [str(i) for i in range(len(images))], "none"), plan)
    state = loop.train(network, source, plan, folder, limits=limits or loop.Limits(), team=Team("cpu"), progress=progress, log=loop.no_log)
    return network.state_dict(), state


def assert_same(one: dict[str, Tensor], two: dict[str, Tensor]) -> None:
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name


def without_time(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("seconds", "resumed_at")} for row in history]


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_broken_off_in_mid_epoch_and_resumed_ends_as_never_stopped(
    tmp_path: Path, small_pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    unbroken, state = run(tmp_path / "a", small_pictures, optimizer=optimizer)
    assert [row["epoch"] for row in state.history] == [1, 2, 3]
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    for stop_at in (3, 12, 20):  # three breaks, each in another epoch: 66 training images make 9 steps an epoch
        with pytest.raises(StopError):
            run(tmp_path / "b", small_pictures, stop_at=stop_at, optimizer=optimizer)
    resumed, after = run(tmp_path / "b", small_pictures, optimizer=optimizer)
    assert_same(unbroken, resumed)
    assert without_time(after.history) == without_time(state.history)
    with (tmp_path / "b" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [bool(row["resumed_at"]) for row in rows] == [True, True, True]


def test_broken_off_between_checkpoints_loses_at_most_the_epoch(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    unbroken, state = run(tmp_path / "a", small_pictures)
    with pytest.raises(StopError):
        run(tmp_path / "b", small_pictures, stop_at=13)
    resumed, after = run(tmp_path / "b", small_pictures)
    assert_same(unbroken, resumed)
    assert without_time(after.history) == without_time(state.history)
    assert [row["resumed_at"] for row in after.history] == [None, 0, None]


def test_out_of_time_stops_with_a_row_and_resumes_to_the_same_weights(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    unbroken, state = run(tmp_path / "a", small_pictures)
    _, stopped = run(tmp_path / "b", small_pictures, limits=loop.Limits(minutes=1e-9))
    assert stopped.stopped_early
    assert len(stopped.history) == 1
    resumed, after = run(tmp_path / "b", small_pictures)
    assert not after.stopped_early
    assert_same(unbroken, resumed)
    assert without_time(after.history) == without_time(state.history)


def test_a_finished_run_trains_no_further(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    first, _ = run(tmp_path, small_pictures)
    again, state = run(tmp_path, small_pictures)
    assert_same(first, again)
    assert len(state.history) == 3


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        ("mse", lambda errors: (errors**2).mean()),
        ("l1", lambda errors: abs(errors).mean()),
        ("geometric", lambda errors: np.exp(np.log((errors**2).mean((1, 2, 3))).mean())),
        ("root", lambda errors: ((errors**2).mean((1, 2, 3)) ** 0.25).mean()),
    ],
)
def test_a_loss_is_what_the_recipe_says(
    tmp_path: Path, small_pictures: NDArray[np.uint8], loss: str, formula: Callable[[NDArray[np.float64]], float]
) -> None:
    changes: dict[str, Any] = {"loss": loss, "epochs": 1, "learning_rate": 1e-9, "batch": 64}
    weights, state = run(tmp_path, small_pictures, **changes)
    plan = from_mapping(PLAN | changes, "test")
    network = networks.build(plan.network, plan.network_args)
    network.load_state_dict(weights)
    kept_out = sources.source(PictureSet("test", small_pictures, [str(i) for i in range(64)], "none"), plan).validation
    degraded, clean = kept_out.batch(torch.arange(len(kept_out)))
    with torch.inference_mode():
        errors = (restored(network.eval()(degraded)) - clean).double().numpy()
    assert state.history[0]["val_loss"] == pytest.approx(formula(errors), rel=1e-3)


def test_training_learns(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    _, state = run(tmp_path, small_pictures, network="residual", degradation="blur:1.0+8bit", epochs=30, learning_rate=5e-3)
    plan = from_mapping(PLAN | {"degradation": "blur:1.0+8bit"}, "test")
    kept_out = sources.source(PictureSet("test", small_pictures, [str(i) for i in range(64)], "none"), plan).validation
    degraded, clean = kept_out.batch(torch.arange(len(kept_out)))
    untouched = (degraded - clean).square().mean().item()
    assert state.history[-1]["val_loss"] < 0.75 * untouched  # a network that only copies its input stays at 1
    assert all(0 <= row["val_accuracy"] <= 1 for row in state.history)


def test_divergence_stops_with_the_last_good_checkpoint(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    run(tmp_path / "a", small_pictures, network="residual", epochs=1)
    with pytest.raises(DivergedError, match=r"the loss became .* try a lower learning_rate than 100"):
        run(tmp_path / "b", small_pictures, network="residual", learning_rate=100.0, schedule="constant")
    broken = run_until_diverged(tmp_path / "a", small_pictures)
    assert all(torch.isfinite(value).all() for value in broken.values())


def run_until_diverged(folder: Path, images: NDArray[np.uint8]) -> dict[str, Tensor]:
    """Go on from a good checkpoint with an absurd rate; what the checkpoint holds afterwards."""
    with pytest.raises(DivergedError):
        run(folder, images, network="residual", learning_rate=100.0, schedule="constant", epochs=9)
    network = networks.build("residual", {})
    checkpoint.load(folder / "checkpoint.safetensors", network, torch.optim.Adam(network.parameters()))
    return network.state_dict()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "other network"])
def test_a_damaged_checkpoint_is_refused_in_one_line(tmp_path: Path, small_pictures: NDArray[np.uint8], damage: str) -> None:
    run(tmp_path, small_pictures, epochs=1)
    path = tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) // 2], "garbage": b"\x00" * 100, "empty": b"", "other network": whole}[damage])
    with pytest.raises(InputError, match="not a checkpoint of this run") as caught:
        run(tmp_path, small_pictures, network="residual" if damage == "other network" else "seed")
    assert "\n" not in str(caught.value)


def test_patience_ends_a_run_that_no_longer_gets_better_with_the_best_epochs_weights(
    tmp_path: Path, small_pictures: NDArray[np.uint8]
) -> None:
    stalling: dict[str, Any] = {"schedule": "constant", "learning_rate": 3e-2, "batch": 16, "seed": 1}
    network, state = run(tmp_path / "a", small_pictures, epochs=60, patience=2, **stalling)
    losses = [row["val_loss"] for row in state.history]
    best = losses.index(min(losses)) + 1
    assert len(losses) == best + 2 < 60
    wanted, _ = run(tmp_path / "b", small_pictures, epochs=best, **stalling)
    assert_same(network, wanted)
    for stop_at in (1, best * 5 + 2):  # in the first epoch, and after the best one
        with pytest.raises(StopError):
            run(tmp_path / "c", small_pictures, epochs=60, patience=2, stop_at=stop_at, **stalling)
    resumed, after = run(tmp_path / "c", small_pictures, epochs=60, patience=2, **stalling)
    assert_same(network, resumed)
    assert without_time(after.history) == without_time(state.history)
    finished, _ = run(tmp_path / "c", small_pictures, epochs=60, patience=2, stop_at=1, **stalling)  # trains no further
    assert_same(network, finished)


def test_patience_that_is_not_used_up_still_keeps_the_best_epoch(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    kept, state = run(tmp_path, small_pictures, patience=50, epochs=6, schedule="constant", learning_rate=3e-2, batch=16)
    row = loop.best_row(state.history)
    assert len(state.history) == 6
    network = networks.build("seed", {})
    checkpoint.load(tmp_path / "best.safetensors", network, torch.optim.Adam(network.parameters()))
    assert_same(kept, network.state_dict())
    assert row["val_loss"] == min(each["val_loss"] for each in state.history)


def test_infinite_weights_never_replace_a_good_checkpoint(
    tmp_path: Path, small_pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, small_pictures, epochs=1)
    good = (tmp_path / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr(loop, "learning_rate", lambda _recipe, _done: float("inf"))
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 0.0)
    with pytest.raises(DivergedError, match="the last good checkpoint is kept"):
        run(tmp_path, small_pictures, epochs=2)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == good


def test_a_step_at_a_time_is_kept_when_a_minute_is_over(
    tmp_path: Path, small_pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[int] = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda path, *rest: (saves.append(rest[-1].step), save(path, *rest)))
    now = iter(range(0, 10_000, 25))  # a step takes 25 seconds by this clock
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(now)))
    run(tmp_path, small_pictures, epochs=1)
    assert saves == [3, 6, 9, 0]  # every minute, and at the epoch's end


def test_one_cycle_rises_then_falls_to_zero() -> None:
    plan = from_mapping(PLAN, "test")
    rates = [loop.learning_rate(plan, done / 1000) for done in range(1001)]
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert max(rates) == pytest.approx(1e-2)
    assert rates.index(max(rates)) == 200
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    short = from_mapping(PLAN | {"warm_up": 0.05}, "test")
    assert loop.learning_rate(short, 0.05) == pytest.approx(1e-2)
    assert loop.learning_rate(from_mapping(PLAN | {"warm_up": 0}, "test"), 0) == pytest.approx(1e-2)


def test_bf16_learns_what_fp32_learns(tmp_path: Path, small_pictures: NDArray[np.uint8]) -> None:
    _, exact = run(tmp_path / "a", small_pictures, epochs=10)
    _, fast = run(tmp_path / "b", small_pictures, epochs=10, precision="bf16")
    assert fast.history[-1]["val_loss"] == pytest.approx(exact.history[-1]["val_loss"], rel=0.05)


@pytest.fixture
def _a_second_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100_000))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(now)))


@pytest.mark.usefixtures("_a_second_a_step")
@pytest.mark.parametrize("expected", [0.5, 1.9])
def test_a_schedule_for_another_speed_is_told_after_a_tenth_of_the_time(
    tmp_path: Path, small_pictures: NDArray[np.uint8], expected: float
) -> None:
    with pytest.raises(loop.MisjudgedError) as caught:
        run(tmp_path, small_pictures, loop.Limits(minutes=1, expected=expected))
    assert 0.9 < caught.value.seconds < 1.2
    assert 6 <= caught.value.spent <= 8


@pytest.mark.usefixtures("_a_second_a_step")
@pytest.mark.parametrize("expected", [0.8, 1.3, None])
def test_a_schedule_that_is_about_right_is_kept(tmp_path: Path, small_pictures: NDArray[np.uint8], expected: float | None) -> None:
    _, state = run(tmp_path, small_pictures, loop.Limits(minutes=1, expected=expected))
    assert len(state.history) == 3
