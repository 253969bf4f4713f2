"""libvips, loaded so that it cannot end the process."""

import os
import threading
from functools import cache

_ONE = threading.Lock()  # several threads may each open the first image


def load() -> None:
    """Have libvips log nothing; once, before the first image is opened.

    pyvips hands what libvips logs to Python. While that runs, garbage may be collected, other images among it, whose end libvips has
    something to say about too; and GLib ends a process that logs while it logs. What matters of a file comes as errors anyway.
    """
    with _ONE:
        _load()


@cache
def _load() -> None:
    os.environ.setdefault("VIPS_WARNING", "0")  # libvips reads it when pyvips is imported first: no line of it on stderr either
    import pyvips

    pyvips._remove_log_handler()
