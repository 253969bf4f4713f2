"""Who does the shards: processes of this machine, all shards or every n-th."""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from queue import SimpleQueue

from burnish.bulk import shards as bulk_shards
from burnish.bulk.places import placed
from burnish.bulk.shards import Ended, Job, Outcome, Shard
from burnish.bulk.sources import Remark, items
from burnish.bulk.worker import Worker
from burnish.errors import BurnishError
from burnish.progress import Progress

AHEAD = 2  # shards that wait for each process; all others are not listed yet


def shards_of(source: str, job: Job, share: tuple[int, int], remark: Remark) -> Iterator[Shard]:
    """The shards of a source; of (i, n) those whose number leaves the remainder i modulo n."""
    index, count = share
    return islice(bulk_shards.cut(items(source, placed(job.target), remark), job), index % count, None, count)


def local(shards: Iterable[Shard], job: Job, processes: int, tell: Callable[[Outcome], None]) -> Generator[Ended, None, None]:
    """What became of each shard, in the order in which they end; `tell` is told each file's outcome, from several threads.

    Broken off (Ctrl-C, or closed), what is restored is written and put on record, and nothing else is.
    """
    crew = [Worker(job.model) for _ in range(processes)]
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in crew:
        free.put(worker)

    def one(shard: Shard) -> Ended:
        worker = free.get()
        try:
            return bulk_shards.run(shard, job, worker, tell)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(processes) as pool:
        try:
            yield from _in_windows(shards, lambda shard: pool.submit(one, shard), AHEAD * processes)
        finally:
            for worker in crew:
                worker.stop()
            pool.shutdown(cancel_futures=True)
            for worker in crew:
                worker.close()


def _in_windows(shards: Iterable[Shard], submit: Callable[[Shard], "Future[Ended]"], window: int) -> Iterator[Ended]:
    """What is submitted, as it ends; never more than a window of it waits."""
    running: set[Future[Ended]] = set()
    for shard in shards:
        running.add(submit(shard))
        while len(running) >= window:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in ended)
    while running:
        ended, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (each.result() for each in ended)


class Counter:
    """Files and megapixels done, told to a Progress. How many files there are is counted beside the work, since a list may be long."""

    def __init__(self, progress: Progress, listed: Callable[[], Iterable[Shard]]) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._total: int | None = None
        self._files, self._before, self._pixels = 0, 0, 0.0
        threading.Thread(target=self._count, args=(listed,), daemon=True).start()

    def _count(self, listed: Callable[[], Iterable[Shard]]) -> None:
        with contextlib.suppress(BurnishError):  # the work meets the same, and tells it
            self._total = sum(len(shard.items) for shard in listed())

    def tell(self, outcome: Outcome) -> None:
        """One more is done."""
        with self._lock:
            self._files += 1
            self._pixels += outcome["megapixels"]
            total = self._total and max(self._total - self._before, self._files)
            self._progress(self._files, total, f"{self._files:,} of {f'{total:,}' if total else '?'} files, {self._pixels:,.1f} megapixels")

    def before(self, files: int) -> None:
        """So many of the files were done before, and tell nothing of the time that is left."""
        with self._lock:
            self._before += files
