"""What all commands share: how they speak, and how they read a value that several of them take."""

import codecs
import contextlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from burnish import progress
from burnish.errors import InputError

SRC = "cifar10, photos, a CIFAR-10 archive or its folder, or a folder of images"


PLAIN = {
    "−": "-",
    "–": "-",
    "×": "x",
    "·": "-",
    "…": "...",
    "’": "'",
    "“": '"',
    "”": '"',
    "█": "#",
    "░": ".",
}  # in another encoding than UTF-8


def complain(line: str) -> None:
    """A line on stderr: what went wrong, or what somebody should know beside the result."""
    with progress.aside():
        print(f"burnish: {line}", file=sys.stderr, flush=True)


class OutputError(Exception):
    """Stdout takes nothing any more: its disk is full, or its reader has gone. `why` is what the system says."""

    def __init__(self, why: OSError) -> None:
        super().__init__(str(why))
        self.why = why


def say(line: str) -> None:
    """A line of the result, on stdout. Raises OutputError when it cannot be written."""
    with progress.aside():
        try:
            print(line, flush=True)  # a long training's lines are read while it runs, through a pipe too
        except OSError as error:
            raise OutputError(error) from error


def print_boards(boards: Sequence[Any]) -> None:
    """The scoreboard in words."""
    from burnish.scoreboard.board import table

    say("\n" + table(boards))


def plainly(error: UnicodeError) -> tuple[str, int]:
    """What is printed for letters that an output in another encoding than UTF-8 cannot take; a minus stays a minus."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


codecs.register_error("plain", plainly)


def refuse_to_replace(file: Path | None, overwrite: bool) -> None:
    """Raise InputError, before any work is done, for a file that is to be written and exists already."""
    if file is not None and file.exists() and not overwrite:
        raise InputError(f"{file}: exists already; choose another name, or let it be replaced with --overwrite")


def value_range_of(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """LOW-HIGH as two numbers."""
    if value is None:
        return None
    number = r"(-?[\d.]+(?:e-?\d+)?)"
    match = re.fullmatch(f"{number}-{number}", value, re.IGNORECASE)
    with contextlib.suppress(ValueError):
        low, high = (float(each) for each in match.groups()) if match else (0.0, 0.0)
        if low < high:
            return low, high
    raise click.BadParameter(f"{value!r} is no range; write black and white, such as 0-4095")
