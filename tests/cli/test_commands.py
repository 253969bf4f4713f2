"""Every command as a person or program meets it: its help, wrong usage, and a reader that goes away."""

import subprocess
import sys
from pathlib import Path

import pytest
from command import burnish_


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["degrade"], ["compare"], ["models"], ["show"], ["demo"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    result = burnish_(*command, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout


def test_wrong_usage_is_status_two() -> None:
    for arguments in (["evaluate"], ["train", "--epochs", "0"], ["nonsense"], ["evaluate", "seed", "--data", "photos", "--limit", "x"]):
        result = burnish_(*arguments)
        assert result.returncode == 2
        assert "Usage: " in result.stderr


def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    command = f"{sys.executable} -m burnish models 2> {tmp_path / 'said'} | true"
    subprocess.run(command, shell=True, check=False)
    assert (tmp_path / "said").read_text() == ""
