"""Every command as a person or program meets it: its help, wrong usage, faults, what it prints where, and a reader that goes away."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import skimage
from command import BURNISH, burnish_, refused
from conftest import needs_posix

from burnish.cli import COMMANDS, main

PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "rocket.jpg"
HELP = [["--help"], *([command, "--help"] for command in COMMANDS)]


def called(arguments: list[str], monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command run in this process, with its output in that encoding."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            main(arguments, prog_name="burnish")
    told = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]  # type: ignore[attr-defined]
    return int(ended.value.code or 0), told[0], told[1]


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_every_command_explains_itself_with_an_example(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, told, complaints = called(arguments, monkeypatch)
    assert (status, complaints) == (0, "")
    assert told.startswith("Usage: burnish")
    if len(arguments) == 2:
        assert "Example" in told
        assert f"burnish {arguments[0]}" in told.split("Example")[1]
    else:
        assert all(f"\n  {command} " in told for command in COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_an_unknown_option_is_wrong_usage(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, told, complaints = called([*([command] if command else []), "--nonsense"], monkeypatch)
    assert (status, told) == (2, "")
    assert "No such option '--nonsense'" in complaints or "No such option: --nonsense" in complaints
    assert "Traceback" not in complaints


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate"],
        ["train", "--epochs", "0"],
        ["nonsense"],
        ["evaluate", "seed", "--data", "photos", "--limit", "x"],
        ["restore"],
        ["restore", "a.png", "--range", "5"],
        ["degrade", "a.png", "-o", "out"],
        ["compare"],
        ["show"],
        ["restore", ""],
        ["train", ""],
        ["evaluate", "seed", "--data", ""],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_two(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, told, complaints = called(arguments, monkeypatch)
    assert (status, told) == (2, "")
    assert "Usage: " in complaints


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "-m", "sead", "a.png"],
        ["restore", "-m", "none/model.onnx", "a.png"],
        ["evaluate", "sead", "--data", "photos"],
        ["evaluate", "seed", "--data", "photos", "--degrade", "fog:1"],
        ["degrade", "a.png", "--degrade", "fog:1", "-o", "out"],
        ["train", "sead"],
        ["train", "seed", "--set", "epochs=many"],
        ["train", "--from", "sead", "--data", "photos"],
        ["show", "sead"],
    ],
    ids=" ".join,
)
def test_a_name_or_value_that_there_is_none_of_is_wrong_usage_too(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    status, told, complaints = called(arguments, monkeypatch)
    assert (status, told, complaints.count("\n")) == (2, "", 1), complaints
    assert complaints.startswith("burnish: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
@pytest.mark.parametrize(
    "arguments",
    [
        *HELP,
        ["models"],
        ["recipes"],
        ["show", "photo"],
        ["show", "naïve-−-☂.onnx"],
        ["restore", "naïve-−-☂-\udcff.png"],
        ["evaluate", "seed", "--data", "photos", "--no-baselines"],
    ],
    ids=lambda arguments: ascii(" ".join(arguments)),
)
def test_output_that_is_not_utf_8_is_no_fault(arguments: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as ended:
        main(arguments, prog_name="burnish")
    told, complaints = (stream.buffer.getvalue() for stream in (out, err))  # type: ignore[attr-defined]
    assert b"this should not have happened" not in complaints
    assert told or complaints
    if arguments[0] == "evaluate" and "--help" not in arguments:
        assert not ended.value.code
        assert b"does not help" in told
        assert b" -2." in told  # the loss keeps its sign


def test_output_that_is_not_utf_8_is_no_fault_of_a_program_of_its_own() -> None:
    told = subprocess.run(
        [*BURNISH, "models"], capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    )
    assert told.returncode == 0
    assert told.stderr == b""
    assert told.stdout.isascii()
    assert b"parameters" in told.stdout


@pytest.mark.parametrize("arguments", [["show", "sead"], ["restore", "-m", "sead", "a.png"]], ids=" ".join)
def test_a_traceback_is_shown_to_who_asks_for_it(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_DEBUG", "1")
    status, _, complaints = called(arguments, monkeypatch)
    assert status == 2
    assert complaints.startswith("Traceback")
    assert complaints.splitlines()[-1].startswith("burnish: ")
    monkeypatch.delenv("BURNISH_DEBUG")
    assert "Traceback" not in called(arguments, monkeypatch)[2]


def test_what_should_not_have_happened_is_one_line_and_with_burnish_debug_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from burnish.model import file

    monkeypatch.setattr(file, "shipped", lambda: 1 / 0)
    status, told, complaints = called(["models"], monkeypatch)
    assert (status, told) == (1, "")
    assert complaints == "burnish: this should not have happened, please report it: ZeroDivisionError: division by zero\n"
    monkeypatch.setenv("BURNISH_DEBUG", "1")
    assert "Traceback" in called(["models"], monkeypatch)[2]


def test_only_torchruns_helpers_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setenv("RANK", "1")  # a job scheduler's, say
    assert "sead" in called(["show", "sead"], monkeypatch)[2]
    assert slept == []
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert called(["show", "sead"], monkeypatch) == (2, "", "")
    assert slept
    monkeypatch.setenv("RANK", "0")
    assert "sead" in called(["show", "sead"], monkeypatch)[2]


def test_a_refusal_of_a_program_of_its_own_is_one_line() -> None:
    refused(burnish_("show", "none.onnx"), 2, "none.onnx", "cannot be read as a model")


@needs_posix
def test_a_reader_that_goes_away_is_no_bug(tmp_path: Path) -> None:
    command = f"{sys.executable} -m burnish models 2> {tmp_path / 'said'} | true"
    subprocess.run(command, shell=True, check=False)
    assert (tmp_path / "said").read_text("utf-8") == ""


@needs_posix
def test_streams_that_are_closed_are_no_fault_and_no_file_takes_their_place(tmp_path: Path) -> None:
    """Closed by the shell, as services and schedulers do it: what is opened next would have their numbers."""
    burnish = f"{sys.executable} -m burnish"
    restored = f"{burnish} restore {PHOTOGRAPH} -o {tmp_path / 'out.jpg'} -m tiny-deblur --force"
    assert subprocess.run(f"{restored} <&- >&- 2>&-", shell=True, check=False).returncode == 0
    assert (tmp_path / "out.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert subprocess.run(f"{burnish} show nothing >&- 2>&-", shell=True, check=False).returncode == 2
    told = subprocess.run(f"{burnish} models --json 2>&-", shell=True, check=True, capture_output=True, text=True)
    assert json.loads(told.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", ["models", "--help"])
def test_output_that_cannot_be_written_is_one_line(arguments: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m burnish {arguments} > /dev/full", shell=True, check=False, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "burnish: the output cannot be written (No space left on device); send it elsewhere\n"
