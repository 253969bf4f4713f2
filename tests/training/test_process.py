"""What the command line does to its own process, and never to another's."""

import os
import subprocess
import sys

import pytest

from burnish.training import process

HELPER = {"TORCHELASTIC_RUN_ID": "1", "RANK": "1"}


def python(code: str, **environment: str) -> str:
    plain = {key: value for key, value in os.environ.items() if key not in (*process.PASSIVE, *HELPER)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=plain | environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_threads_wait_asleep_unless_the_user_says_otherwise_and_torch_is_not_loaded_for_it() -> None:
    code = """
import os, sys
from burnish.training import process
process.prepare()
print(os.environ["OMP_WAIT_POLICY"], os.environ["KMP_BLOCKTIME"], "torch" in sys.modules)
"""
    assert python(code) == "passive 0 False"
    assert python(code, OMP_WAIT_POLICY="active") == "active 0 False"


def test_a_program_that_imports_the_training_keeps_its_environment_and_allocator() -> None:
    code = """
import os
from burnish.training import process
process._keep_freed_memory = lambda: print("touched")
from burnish.training import fit
print("OMP_WAIT_POLICY" in os.environ)
"""
    assert python(code) == "False"


def test_another_c_library_is_only_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_name: str) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(process.ctypes, "CDLL", none)
    for name in process.PASSIVE:
        monkeypatch.setenv(name, "as it was")
    process.prepare()
    assert all(os.environ[name] == "as it was" for name in process.PASSIVE)


@pytest.mark.parametrize(
    ("environment", "helps"),
    [({}, False), ({"RANK": "1"}, False), (HELPER, True), (HELPER | {"RANK": "0"}, False), ({"TORCHELASTIC_RUN_ID": "1"}, False)],
)
def test_a_helper_is_one_that_torchrun_has_started(environment: dict[str, str], helps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HELPER:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert process.is_helper() is helps
