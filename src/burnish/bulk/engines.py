"""Who does the shards: processes of this machine, or a Ray cluster; all shards or every n-th."""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from queue import SimpleQueue
from typing import Any

from burnish.bulk import shards as bulk_shards
from burnish.bulk.places import placed
from burnish.bulk.shards import Ended, Job, Outcome, Shard, recorded
from burnish.bulk.sources import Remark, items
from burnish.bulk.worker import Worker
from burnish.cpus import available_cpus
from burnish.errors import BurnishError, MissingExtraError, StoreError, one_line
from burnish.progress import Progress

AHEAD = 2  # shards that wait for each process; all others are not listed yet
RETRIES = 3  # of a shard whose process is lost, on Ray, which retries for ever where it is not told
LOOK_EVERY = 10.0  # seconds between looks at what a cluster has on record


def shards_of(source: str, job: Job, share: tuple[int, int], remark: Remark) -> Iterator[Shard]:
    """The shards of a source; of (i, n) those whose number leaves the remainder i modulo n."""
    index, count = share
    return islice(bulk_shards.cut(items(source, placed(job.target), remark), job), index % count, None, count)


def local(shards: Iterable[Shard], job: Job, processes: int | None, tell: Callable[[Outcome], None]) -> Generator[Ended, None, None]:
    """What became of each shard, in the order in which they end; `tell` is told each file's outcome, from several threads.

    Broken off (Ctrl-C, or closed), what is restored is written and put on record, and nothing else is.
    """
    processes = processes or available_cpus()
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


def on_ray(shards: Iterable[Shard], job: Job, processes: int | None, tell: Callable[[Outcome], None]) -> Generator[Ended, None, None]:
    """What became of each shard, done by a Ray cluster: that of RAY_ADDRESS, or one that is started here with so many processes.

    Keys go through Ray, never pixels. A shard whose process or machine is lost is given to another, three times; then it is left for later.
    """
    ray = _ray()
    joined_here = not ray.is_initialized()
    if joined_here:
        _join(ray, processes)
    task = ray.remote(num_cpus=1, max_retries=RETRIES)(_alone)
    running: dict[Any, tuple[Shard, set[str]]] = {}  # their first keys, for Ray has all; the files of which has been told
    window = AHEAD * int(ray.cluster_resources().get("CPU", 1))
    rest, place, told = iter(shards), placed(job.target), time.monotonic()
    try:
        while True:
            while len(running) < window and (shard := next(rest, None)):
                running[task.remote(shard, job)] = Shard(shard.items[:1], shard.name), set()
            if not running:
                return
            done, _ = ray.wait(list(running), timeout=LOOK_EVERY)
            for reference in done:
                shard, known = running.pop(reference)
                ended = _fetched(ray, reference, shard)
                if not ended.before:
                    _tell_new(ended.outcomes, known, tell)
                yield ended
            if time.monotonic() - told >= LOOK_EVERY:
                began = time.monotonic()
                for shard, known in running.values():
                    _tell_new(recorded(place, shard.name).values(), known, tell)
                told = time.monotonic() + 10 * (time.monotonic() - began)  # looking takes a tenth of the driver's time at most
    finally:
        for reference in running:
            ray.cancel(reference)
        with contextlib.suppress(Exception):  # what is restored is written before they end
            ray.wait(list(running), num_returns=len(running), timeout=LOOK_EVERY)
        if joined_here:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(f"the engine ray needs a package that is not installed ({error}): pip install 'burnish[ray]'") from error
    return ray


def _join(ray: Any, processes: int | None) -> None:
    """Join the cluster of RAY_ADDRESS, or start one here. Raises StoreError when there is none, or none starts."""
    address = os.environ.get("RAY_ADDRESS")
    count = None if address else processes or available_cpus()
    try:
        ray.init(num_cpus=count, include_dashboard=False, log_to_driver=False, logging_level="error")
    except Exception as error:  # of many kinds
        advice = "check RAY_ADDRESS" if address else "when this machine is less busy, give the same command again"
        raise StoreError(f"no Ray cluster at {address or 'hand'} ({one_line(str(error))}); {advice}") from error


def _alone(shard: Shard, job: Job) -> Ended:
    """Do a shard; what Ray runs, shard after shard in the same few processes, so that each has one worker for all."""
    worker = _worker(job.model)
    try:
        return bulk_shards.run(shard, job, worker, lambda _: None)
    except BaseException:  # a worker that was broken off still has an answer to give
        worker.close()
        _worker.cache_clear()
        raise
    finally:
        worker.leave()  # at its end Ray kills all that its processes have started


@functools.cache
def _worker(model: str) -> Worker:
    return Worker(model)


def _fetched(ray: Any, reference: Any, shard: Shard) -> Ended:
    """What a task has come to; one that Ray has given up is left for later."""
    where = f"shard {shard.name}, from {shard.items[0].source} on"
    try:
        ended: Ended = ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # it could not be begun, or met what nobody expects
        why = str(error).strip().splitlines()[-1]
        return Ended([], stop=one_line(f"{where}: failed on the cluster ({why}); look whether its machines have this Burnish"))
    except ray.exceptions.RayError as error:
        why = str(error).strip().splitlines()[0]
        return Ended([], [one_line(f"{where}: its process was lost {RETRIES + 1} times ({why})")])
    return ended


def _tell_new(outcomes: Iterable[Outcome], known: set[str], tell: Callable[[Outcome], None]) -> None:
    for outcome in outcomes:
        if outcome["input"] not in known:
            known.add(outcome["input"])
            tell(outcome)


class Counter:
    """Files and megapixels done, told to a Progress. How many files there are is counted beside the work, since a list may be long."""

    def __init__(self, progress: Progress, listed: Callable[[], Iterable[Shard]]) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._total: int | None = None
        self._files, self._before, self._pixels = 0, 0, 0.0
        self._counting = threading.Thread(target=self._count, args=(listed,), daemon=True)

    def _count(self, listed: Callable[[], Iterable[Shard]]) -> None:
        with contextlib.suppress(BurnishError):  # the work meets the same, and tells it
            self._total = sum(len(shard.items) for shard in listed())

    def tell(self, outcome: Outcome) -> None:
        """One more is done."""
        with self._lock:
            if not self._files:  # not before: a store's listing takes memory, and the work has just made one
                self._counting.start()
            self._files += 1
            self._pixels += outcome["megapixels"]
            total = self._total and max(self._total - self._before, self._files)
            self._progress(self._files, total, f"{self._files:,} of {f'{total:,}' if total else '?'} files, {self._pixels:,.1f} megapixels")

    def before(self, files: int) -> None:
        """So many of the files were done before, and tell nothing of the time that is left."""
        with self._lock:
            self._before += files


ENGINES = {"local": local, "ray": on_ray}
