"""Progress of long work on stderr: a live bar in a terminal, plain lines elsewhere, silence under a second."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

PLAIN_EVERY = 10.0  # seconds between plain lines


class Progress(Protocol):
    """What long work calls as it goes: `done` of `total` units (None: not known), and a word on where it stands."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None: ...


def silent(done: int, total: int | None, note: str = "") -> None:
    """A Progress that shows nothing."""


@contextlib.contextmanager
def shown(label: str) -> Iterator[Progress]:
    """Yield a Progress that shows `label`, the share done, time left and the note on stderr."""
    with _live(label) if sys.stderr.isatty() else _plain(label) as progress:
        yield progress


@contextlib.contextmanager
def _live(label: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, note="", visible=False)
        began = time.monotonic()

        def progress(done: int, total: int | None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note, visible=time.monotonic() - began > 1)

        yield progress


@contextlib.contextmanager
def _plain(label: str) -> Iterator[Progress]:
    began = time.monotonic()
    first: int | None = None
    printed = began - PLAIN_EVERY + 1  # the first line after a second

    def progress(done: int, total: int | None, note: str = "") -> None:
        nonlocal first, printed
        first = done if first is None else first
        now = time.monotonic()
        if now - printed < PLAIN_EVERY:
            return
        printed = now
        parts = [label]
        if total:
            parts.append(f"{100 * done / total:.0f} %")
            if done > first:
                parts.append(f"{_clock((now - began) * (total - done) / (done - first))} left")
        print(" · ".join([*parts, note] if note else parts), file=sys.stderr, flush=True)

    yield progress


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
