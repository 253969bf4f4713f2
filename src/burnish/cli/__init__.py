"""The commands: each a few lines over the functions that it calls. Results go to stdout, what is said on the way to stderr.

A file beside this one holds each group of commands. It imports what it calls inside the command, so that `burnish --help` stays quick.
"""

import importlib
import os
import sys
import time
import warnings
from typing import Any

import click

from burnish import __version__
from burnish.cli.words import complain
from burnish.errors import BurnishError, DegradationError, RecipeError

COMMANDS = {  # in the order in which the help lists them, and the module beside this one that holds each
    "restore": "restore",
    "train": "train",
    "evaluate": "evaluate",
    "degrade": "degrade",
    "models": "models",
    "show": "models",
    "compare": "compare",
    "demo": "demo",
}


class Commands(click.Group):
    """Refusals become one line on stderr and an exit status; a traceback never reaches the user."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"burnish.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        warnings.showwarning = lambda message, *_where: complain(str(message))
        try:
            return super().invoke(ctx)
        except BurnishError as error:
            if _is_helper():
                time.sleep(60)  # the first process meets the same and tells it; torchrun ends this one with it
            else:
                complain(str(error))
            ctx.exit(2 if isinstance(error, RecipeError | DegradationError) else 1)
        except KeyboardInterrupt:
            if not _is_helper():
                complain("stopped")
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # who read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except MemoryError:
            complain("the memory is used up; take fewer or smaller pictures")
            ctx.exit(1)
        except Exception as error:
            complain(f"this should not have happened, please report it: {type(error).__name__}: {error}")
            ctx.exit(1)


def _is_helper() -> bool:
    """Whether torchrun has started this process to help another, which speaks for both."""
    return os.environ.get("RANK", "0") != "0"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="burnish")
def main() -> None:
    """Burnish restores blurred, noisy or compressed pictures with small autoencoders, trains them, and tells the truth about them."""
