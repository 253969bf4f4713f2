"""Who is let in, and whose turn it is: a bounded number of files inside, few of them worked on at once, the rest waiting."""

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from burnish.image.restore import Stopped
from burnish.serve.job import Job, Outcome
from burnish.serve.refusals import Refused
from burnish.serve.settings import Limits

FIRST_GUESS = 2.0  # seconds that a file takes, until some have been seen
LONGEST_RETRY = 600  # seconds


class House:
    """The files inside; to be used from the event loop alone. Threads work on them, `at_once` at a time, in the order of their coming."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.at_once, thread_name_prefix="restoring")
        self._seconds = FIRST_GUESS  # that a file takes: a running mean
        self.inside = 0  # files on their way in, waiting, at work or on their way out
        self.jobs = 0  # files waiting or at work

    @property
    def working(self) -> int:
        """How many files are worked on."""
        return min(self.jobs, self._limits.at_once)

    @property
    def waiting(self) -> int:
        """How many files wait for their turn."""
        return self.jobs - self.working

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """One more file is inside. Raises Refused when there are too many."""
        self._check(self.inside >= self._limits.clients)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def restored(self, job: Job, gone: "asyncio.Future[None]") -> Outcome:
        """What becomes of the file, when its turn has come. Raises Refused, and Stopped as soon as `gone` is done: nobody wants it then.

        However this ends, nothing works on the file any more.
        """
        self._check(False)
        self.jobs += 1
        running = self._pool.submit(self._timed, job)
        future = asyncio.wrap_future(running)
        try:
            waited: list[asyncio.Future[Any]] = [future, gone]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise Stopped
            outcome, seconds = future.result()
            self._seconds += (seconds - self._seconds) / 8
            return outcome
        finally:
            if not running.cancel():
                job.stop()
                with contextlib.suppress(Stopped, Refused, Exception):
                    await asyncio.shield(future)
            self.jobs -= 1

    @staticmethod
    def _timed(job: Job) -> tuple[Outcome, float]:
        began = time.monotonic()
        return job.work(), time.monotonic() - began

    def _check(self, full: bool) -> None:
        """Raises Refused when there are too many inside already, or too many wait."""
        if full or self.waiting >= self._limits.queue:
            wait = math.ceil(self.jobs * self._seconds / self._limits.at_once)
            headers = {"Retry-After": str(max(1, min(LONGEST_RETRY, wait)))}
            raise Refused("queue-full", f"{self.jobs} files wait already; try again later, as Retry-After says", headers)

    def close(self) -> None:
        """No more threads, once those at work have ended."""
        self._pool.shutdown(wait=False, cancel_futures=True)
