"""What is measured of the machine, and what is chosen by it."""

import time
from collections.abc import Callable

import pytest
import torch

from burnish.training import recipe, speed
from burnish.training.image.pairs import as_it_is
from burnish.training.parallel import threads

SMALL = {"network": "residual", "network_args": {"width": 4}, "batch": 2, "crop": 16, "optimizer": "adam"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which moves only when a step says so."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def taking(clock: list[float], *seconds: float) -> tuple[Callable[[], None], list[float]]:
    """A step that takes these seconds in turn, the last ones again and again, and what it has taken so far."""
    taken: list[float] = []

    def step() -> None:
        taken.append(seconds[min(len(taken), len(seconds) - 1)])
        clock[0] += taken[-1]

    return step, taken


def test_the_quickest_is_chosen_and_the_first_if_it_is_nearly_so(clock: list[float]) -> None:
    assert speed.quickest({"fp32": taking(clock, 1.0)[0], "bf16": taking(clock, 0.6)[0]}) == "bf16"
    assert speed.quickest({"fp32": taking(clock, 1.0)[0], "bf16": taking(clock, 0.95)[0]}) == "fp32"
    assert speed.quickest({2: taking(clock, 1.0)[0], 1: taking(clock, 0.05)[0]}) == 1


def test_first_steps_and_single_slow_ones_decide_nothing(clock: list[float]) -> None:
    assert speed.quickest({"fp32": taking(clock, 9.0, 1.0)[0], "bf16": taking(clock, 2.0)[0]}) == "fp32"
    assert speed.quickest({"fp32": taking(clock, 1.0)[0], "bf16": taking(clock, 0.5, 9.0, 9.0, 0.5)[0]}) == "bf16"


def test_what_is_hopeless_is_tried_once(clock: list[float]) -> None:
    step, taken = taking(clock, 25.0)
    assert speed.quickest({"fp32": taking(clock, 1.0)[0], "bf16": step}) == "fp32"
    assert taken == [25.0]


def test_what_is_settled_stays() -> None:
    plan = recipe.load("photo-fast", SMALL | {"precision": "bf16", "threads": 3})
    assert speed.settled(plan, (16, 16), "cpu", alone=True, seen=as_it_is) == plan


@pytest.mark.parametrize("faster", ["fp32", "bf16"])
def test_precision_and_threads_are_those_that_are_measured_to_be_fastest(faster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def quickest(steps: dict[object, Callable[[], None]]) -> object:
        for step in steps.values():
            step()
        asked.append(list(steps))
        return faster if faster in steps else list(steps)[-1]

    monkeypatch.setattr(speed, "quickest", quickest)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    plan = speed.settled(recipe.load("photo-fast", SMALL), (16, 16), "cpu", alone=True, seen=as_it_is)
    assert (plan.precision, plan.threads) == (faster, 1)
    assert asked == [[4, 2, 1], ["fp32", "bf16"]]
    together = speed.settled(recipe.load("photo-fast", SMALL), (16, 16), "cpu", alone=False, seen=as_it_is)
    assert together.threads == 0  # torchrun gives each process its own


def test_threads_are_given_back_and_never_more_than_there_are() -> None:
    before = torch.get_num_threads()
    with threads(1):
        assert torch.get_num_threads() == 1
        with threads(99):
            assert torch.get_num_threads() == 1
    with threads(0):
        assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="wrong"), threads(1):
        raise ValueError("wrong")
    assert torch.get_num_threads() == before
