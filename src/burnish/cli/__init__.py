"""The commands: each a few lines over the functions that it calls. Results go to stdout, what is said on the way to stderr.

A file beside this one holds each group of commands. It imports what it calls inside the command, so that `burnish --help` stays quick.
The exit status is 0 when all is done, 1 when an input failed, 2 for wrong usage, and 3, only with `--check`, when the answer is no.
"""

import contextlib
import importlib
import io
import os
import sys
import time
import traceback
import warnings
from typing import Any

import click

from burnish import __version__
from burnish.cli.words import OutputError, complain
from burnish.errors import BurnishError, DegradationError, RecipeError, UnknownModelError
from burnish.training import process

COMMANDS = {  # in the order in which the help lists them, and the module beside this one that holds each
    "restore": "restore",
    "train": "train",
    "evaluate": "evaluate",
    "degrade": "degrade",
    "models": "models",
    "recipes": "models",
    "show": "models",
    "compare": "compare",
    "demo": "demo",
    "encode": "encode",
    "decode": "encode",
    "map": "map",
    "anomalies": "anomalies",
    "bulk": "bulk",
    "serve": "serve",
    "site": "serve",
}
WRONG_USAGE = (RecipeError, DegradationError, UnknownModelError)


class Commands(click.Group):
    """Refusals become one line on stderr and an exit status; a traceback never reaches the user."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"burnish.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if "" in args:  # as a path it would be the folder at hand
            ctx.fail("an argument is empty; name a file or a value (is a variable of the shell unset?)")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _open_streams()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="plain")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # help or a complaint about usage, which are printed before there is a command
            _give_up_output(error)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        warnings.showwarning = lambda message, *_where: complain(str(message))
        try:
            return self._traced(ctx)
        except BurnishError as error:
            if process.is_helper():
                time.sleep(60)  # the first process meets the same and tells it; torchrun ends this one with it
            else:
                complain(str(error))
            ctx.exit(2 if isinstance(error, WRONG_USAGE) else 1)
        except KeyboardInterrupt:
            if not process.is_helper():
                complain("stopped")
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OutputError as error:
            _give_up_output(error.why)
            ctx.exit(1)
        except MemoryError:
            complain("the memory is used up; take fewer or smaller images")
            ctx.exit(1)
        except Exception as error:
            complain(f"this should not have happened, please report it: {type(error).__name__}: {error}")
            ctx.exit(1)

    def _traced(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
            raise
        except Exception:
            if os.environ.get("BURNISH_DEBUG") == "1":
                traceback.print_exc()
            raise


def _open_streams() -> None:
    """Let the standard streams that the caller has closed lead nowhere: else the next file that is opened would be taken for one."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _give_up_output(error: OSError) -> None:
    """Say that stdout takes nothing any more, unless its reader has just seen enough, and let what is still to come lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        with contextlib.suppress(OSError):
            complain(f"the output cannot be written ({error.strerror}); send it elsewhere")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="burnish")
def main() -> None:
    """Burnish restores blurred, noisy or compressed images with small autoencoders, trains them, and tells the truth about them."""
