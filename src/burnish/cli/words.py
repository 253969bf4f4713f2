"""What all commands share: how they speak, and how they read a value that several of them take."""

import contextlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

SRC = "cifar10, photos, a CIFAR-10 archive or its folder, or a folder of pictures"


def complain(line: str) -> None:
    """A line on stderr: what went wrong, or what somebody should know beside the result."""
    click.echo(f"burnish: {line}", err=True)


def say(line: str) -> None:
    """A line of the result, on stdout."""
    click.echo(line)
    sys.stdout.flush()  # a long training's lines are read while it runs, through a pipe too


def print_boards(boards: Sequence[Any]) -> None:
    """The scoreboard in words."""
    from burnish.scoreboard.board import table

    click.echo("\n" + table(boards))


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
