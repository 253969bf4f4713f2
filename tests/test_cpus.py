"""The number of processors is told whatever the platform lacks."""

import os
import re
from pathlib import Path

import pytest

import burnish
from burnish.cpus import available_cpus


def test_it_is_what_this_process_is_bound_to() -> None:
    assert available_cpus() == len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0))


def test_without_what_only_some_platforms_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cpus() == os.cpu_count()
    assert burnish.load("seed").card.name == "seed"
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus() == 1


def test_nothing_else_asks_the_platform() -> None:
    source = Path(burnish.__file__).parent
    asking = [file.name for file in source.rglob("*.py") if re.search("cpu_count|sched_getaffinity", file.read_text("utf-8"))]
    assert asking == ["cpus.py"]


def test_newer_pythons_are_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert available_cpus() == 3
