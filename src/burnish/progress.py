"""Progress of long work on stderr: a live line in a terminal, plain lines elsewhere, silence under a second."""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import Protocol

PLAIN_EVERY = 10.0  # seconds between plain lines
LIVE_EVERY = 0.1  # seconds between two looks of the live line
BAR = 24  # letters


class Progress(Protocol):
    """What long work calls as it goes: `done` of `total` units (None: not known), and a word on where it stands."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None: ...


def silent(done: int, total: int | None, note: str = "") -> None:
    """A Progress that shows nothing."""


@contextlib.contextmanager
def shown(label: str) -> Iterator[Progress]:
    """Yield a Progress that shows `label`, the share done, time left and the note on stderr."""
    live = sys.stderr.isatty()
    clock = _Clock()
    last = clock.began + 1 - (LIVE_EVERY if live else PLAIN_EVERY)  # the first line after a second

    def progress(done: int, total: int | None, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        told = clock.told(now, done, total)
        if now - last < (LIVE_EVERY if live else PLAIN_EVERY):
            return
        last = now
        line = " · ".join([label, *told, *([note] if note not in ("", label) else [])])
        if live:
            _line.show(f"{_bar(done, total)} {line}" if total else line)
        else:
            print(line, file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        with aside():
            pass


class _Clock:
    """How far the work is, and how long it will take, from how long it has taken since it was first told of."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._first: int | None = None

    def told(self, now: float, done: int, total: int | None) -> list[str]:
        self._first = done if self._first is None else self._first
        if not total:
            return []
        share = f"{100 * done / total:.0f} %"
        if done <= self._first:
            return [share]
        return [share, f"{_clock((now - self.began) * (total - done) / (done - self._first))} left"]


def _bar(done: int, total: int) -> str:
    full = min(BAR * done // total, BAR)
    return "█" * full + "░" * (BAR - full)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


class _Line:
    """The line of a terminal that is written over again and again: carriage returns and blanks do it, which every terminal knows."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._length = 0

    def show(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]
        with self.lock:
            sys.stderr.write(f"\r{text.ljust(self._length)}")
            sys.stderr.flush()
            self._length = len(text)

    def erase(self) -> None:
        if self._length:
            self.show("")
            sys.stderr.write("\r")
            sys.stderr.flush()


_line = _Line()


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What is printed inside has the terminal to itself: the live line, if there is one, makes room for it and comes back by itself."""
    with _line.lock:
        _line.erase()
        yield
