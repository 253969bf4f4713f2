"""A shard: about 1,000 files, restored by whoever gets it, to the end or until it dies; somebody else then goes on.

What is known of a shard stands in the target, under `.burnish/`:

- `NAME.jsonl`, its outcomes, an object a file, as `burnish restore --json` has them: the shard is finished;
- `NAME/RUN-N.jsonl`, outcomes of some of its files, while it is not. They are written before these files are, so that every file that
  stands in the target has its outcome on record, however its writer ended, and whoever else is at work on the same shard.

No clock, lock or message is needed: a file is done when its key is taken, and a key is taken once.
"""

import contextlib
import errno
import hashlib
import json
import math
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from burnish.bulk.places import OWN, Place, create_bytes, fetched, placed
from burnish.bulk.sources import Item
from burnish.bulk.worker import Worker
from burnish.errors import BurnishError, InputError, StoreError, TakenError

MOST, FEWEST = 1024, 4  # files of a shard
SHARDS = 64  # a small source is cut into so many at least, so that all processors have some
FLUSH_SECONDS, FLUSH_BYTES = 5.0, 1 << 28  # results wait no longer, and take no more of the temporary disk, before they are written
REFUSALS = 3  # so many in a row, and the shard is left for later
ROOM = 1 << 20  # bytes beyond a file's own that its result may take
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Outcome = dict[str, Any]  # as `burnish restore --json` has it


@dataclass(frozen=True)
class Job:
    """What is the same for all shards: the target (a path or URL), the model (a name or file), and the model's digest."""

    target: str
    model: str
    digest: str


@dataclass(frozen=True)
class Shard:
    """Some files, and a name that says which, and with which model."""

    items: tuple[Item, ...]
    name: str


def cut(items: Iterable[Item], job: Job) -> Iterator[Shard]:
    """The items in shards, in their order, as a stream: of 1,024 files, of fewer where there are fewer than 65,536 in all."""
    stream = iter(items)
    head = list(islice(stream, SHARDS * MOST))
    size = max(FEWEST, min(MOST, 1 << int(math.log2(max(1, len(head) / SHARDS)))))
    rest = chain(head, stream)
    while batch := tuple(dict.fromkeys(islice(rest, size))):
        written = "\n".join([job.digest, *(f"{item.source}\n{item.key}" for item in batch)])
        yield Shard(batch, hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:20])


@dataclass
class Ended:
    """What became of a shard: an outcome a file; files that could not be had now, with the reason, which are left for later; whether all
    was done before; and why the work should stop, if it should."""

    outcomes: list[Outcome]
    held_up: list[str] = field(default_factory=list)
    before: bool = False
    stop: str | None = None


def run(shard: Shard, job: Job, worker: Worker, tell: Callable[[Outcome], None]) -> Ended:
    """Do what is left of the shard; `tell` is told the outcome of each file. Raises InterruptedError once the worker is stopped."""
    place = placed(job.target)
    try:
        if (done := _finished(place, shard.name)) is not None:
            return Ended(done, before=True)
        with tempfile.TemporaryDirectory(dir=worker.folder, ignore_cleanup_errors=True) as folder:
            return _Run(shard, place, worker, Path(folder), tell).ended()
    except BurnishError as error:
        return Ended([], stop=str(error))


def _finished(place: Place, name: str) -> list[Outcome] | None:
    """The outcomes of a shard that is finished."""
    done = place.read(outcomes_key(name))
    if done is None:
        return None
    with contextlib.suppress(StoreError):  # tidiness, for which a store may not give the right
        for key in list(place.keys(f"{OWN}/{name}")):
            place.remove(key)
    return parsed(done)


def outcomes_key(name: str) -> str:
    """Where a finished shard's outcomes stand in the target."""
    return f"{OWN}/{name}.jsonl"


def parsed(lines: bytes) -> list[Outcome]:
    """Outcomes as they were written."""
    return [json.loads(line) for line in lines.splitlines()]


def recorded(place: Place, name: str) -> dict[str, Outcome]:
    """The outcomes of a shard that are on record so far, by the files' paths or URLs. Of several, the last of a run counts; of runs, one
    that did something."""
    runs: dict[str, dict[str, Outcome]] = {}
    for key in sorted(place.keys(f"{OWN}/{name}")):
        for outcome in parsed(place.read(key) or b""):
            runs.setdefault(key.rpartition("/")[2].partition("-")[0], {})[outcome["input"]] = outcome
    found: dict[str, Outcome] = {}
    for outcome in chain.from_iterable(each.values() for each in runs.values()):
        if found.setdefault(outcome["input"], outcome)["status"] in ("skipped", "failed"):
            found[outcome["input"]] = outcome
    return found


class _Run:
    """One attempt at a shard: a file is fetched while another is restored, and results are written some at a time, meanwhile too."""

    def __init__(self, shard: Shard, place: Place, worker: Worker, folder: Path, tell: Callable[[Outcome], None]) -> None:
        self._shard, self._place, self._worker, self._folder, self._tell = shard, place, worker, folder, tell
        self._earlier = recorded(place, shard.name)
        self._own: dict[str, Outcome] = {}
        self._keys: dict[str, str] = {}  # and whose they are
        self._held_up: list[str] = []
        self._refusals = 0
        self._run, self._parts = secrets.token_hex(4), 0
        self._waiting: list[tuple[Item, Outcome]] = []  # restored, or failed, and not written yet
        self._bytes, self._flushed = 0, time.monotonic()
        self._written: Future[None] | None = None

    def ended(self) -> Ended:
        """Do all that can be done. If nothing is held up, the shard ends with its outcomes in one file."""
        with ThreadPoolExecutor(1) as fetcher, ThreadPoolExecutor(1) as writer:
            try:
                for item, brought in _ahead(fetcher, self._brought, self._shard.items):
                    self._take(item, brought, writer)
                    if self._refusals == REFUSALS:
                        break
            finally:
                self._flush(writer)
                self._wait()
        if self._held_up:
            stop = self._held_up[-1] if self._refusals == REFUSALS else None
            return Ended(list(self._own.values()), self._held_up, stop=stop)
        known = self._own | recorded(self._place, self._shard.name)
        outcomes = [known[item.source] for item in self._shard.items]
        with contextlib.suppress(TakenError):  # another run has finished the same shard, and knows the same of it
            self._create(outcomes_key(self._shard.name), outcomes)
        return Ended(_finished(self._place, self._shard.name) or outcomes)

    def _brought(self, item: Item) -> Path | Outcome | StoreError:
        """The file, on this machine; or its outcome, if that is known without it; or why it cannot be had now."""
        if (first := self._keys.setdefault(item.key, item.source)) != item.source:
            why = f"would become {self._place.url(item.key)}, as {first} does; give one of them another target"
            return self._outcome(item, "failed", f"{item.source}: {why}")
        try:
            known = self._earlier.get(item.source)
            if known and (known["status"] == "failed" or self._place.exists(item.key)):
                return known
            if self._place.exists(item.key):
                return self._outcome(item, "skipped", note="a file is there already")
        except StoreError:
            raise  # the target is the same for all
        except InputError as error:
            return self._outcome(item, "failed", f"{item.source}: cannot be written: {error}")
        try:
            return fetched(item.source, self._folder / f"in-{secrets.token_hex(4)}{Path(item.key).suffix}")
        except StoreError as error:
            return error
        except InputError as error:
            return self._outcome(item, "failed", str(error))

    def _take(self, item: Item, brought: Path | Outcome | StoreError, writer: ThreadPoolExecutor) -> None:
        """Restore what was brought, and have it written when its time comes."""
        if isinstance(brought, StoreError):
            self._hold(str(brought), refusal=not isinstance(brought.__cause__, PermissionError))
            return
        outcome = self._restored(item, brought) if isinstance(brought, Path) else brought
        if isinstance(brought, Path) and self._has_no_room(outcome, brought):
            self._flush(writer)
            self._wait()
            outcome = self._restored(item, brought)
            if self._has_no_room(outcome, brought):
                room = f"the disk for temporary files has no room ({tempfile.gettempdir()}); free some, or set TMPDIR to another folder"
                self._hold(f"{item.source}: {room}", refusal=True)
                return
        if isinstance(brought, Path) and brought.parent == self._folder:
            brought.unlink(missing_ok=True)
        self._refusals = 0
        self._own[item.source] = outcome
        if outcome is self._earlier.get(item.source) or outcome["status"] == "skipped":
            self._tell(outcome)
            return
        self._waiting.append((item, outcome))
        if outcome["status"] != "failed":
            self._bytes += self._result(item).stat().st_size
        if self._bytes >= FLUSH_BYTES or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush(writer)

    def _hold(self, why: str, *, refusal: bool) -> None:
        self._held_up.append(why)
        self._refusals += refusal

    def _result(self, item: Item) -> Path:
        """Where a file's result waits."""
        return self._folder / f"out-{hashlib.sha256(item.key.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}{Path(item.key).suffix}"

    def _restored(self, item: Item, source: Path) -> Outcome:
        target = self._result(item)
        outcome = self._worker.restored(source, target)

        def named(text: str) -> str:
            return text.replace(str(source), item.source).replace(str(target), self._place.url(item.key))

        outcome |= {"input": item.source, "output": self._place.url(item.key), "notes": [named(each) for each in outcome["notes"]]}
        outcome["error"] = outcome["error"] and named(outcome["error"])
        return outcome

    def _has_no_room(self, outcome: Outcome, source: Path) -> bool:
        """Whether a result was not written for want of room: tried, since those who write do not always say why they could not."""
        if "could not be written" not in (outcome["error"] or ""):
            return False
        probe = self._folder / "probe"
        try:
            probe.write_bytes(bytes(source.stat().st_size + ROOM))
        except OSError as error:
            return error.errno in FULL
        finally:
            probe.unlink(missing_ok=True)
        return False

    def _outcome(self, item: Item, status: str, error: str | None = None, note: str | None = None) -> Outcome:
        empty = {"seconds": 0.0, "megapixels": 0.0, "error": error, "notes": [note] if note else []}
        return {"input": item.source, "output": self._place.url(item.key), "status": status} | empty

    # --- Writing ---

    def _flush(self, writer: ThreadPoolExecutor) -> None:
        """Have all written that waits."""
        self._wait()
        batch, self._waiting, self._bytes, self._flushed = self._waiting, [], 0, time.monotonic()
        if batch:
            self._written = writer.submit(self._write, batch)

    def _wait(self) -> None:
        written, self._written = self._written, None
        if written:
            written.result()

    def _write(self, batch: list[tuple[Item, Outcome]]) -> None:
        """First the outcomes, then the files; then, if some came out otherwise, those outcomes again."""
        self._record([outcome for _, outcome in batch])
        otherwise = []
        for item, outcome in batch:
            if outcome["status"] != "failed":
                changed = self._put(item)
                if changed:
                    outcome.update(changed)
                    otherwise.append(outcome)
            self._tell(outcome)
        if otherwise:
            self._record(otherwise)

    def _put(self, item: Item) -> Outcome | None:
        """Write a result to its key; returns what became of it if it was not written."""
        result = self._result(item)
        try:
            self._place.create(item.key, result)
        except TakenError:  # by another run with the same, or by the store, which had it and asked again; or else
            if self._place.read(item.key) != result.read_bytes():
                return self._outcome(item, "skipped", note="another program has written a file there meanwhile")
        except StoreError:
            raise
        except InputError as error:
            return self._outcome(item, "failed", str(error))
        result.unlink()
        return None

    def _record(self, outcomes: list[Outcome]) -> None:
        self._parts += 1
        self._create(f"{OWN}/{self._shard.name}/{self._run}-{self._parts:06d}.jsonl", outcomes)

    def _create(self, key: str, outcomes: list[Outcome]) -> None:
        create_bytes(self._place, key, "".join(json.dumps(each) + "\n" for each in outcomes).encode(), self._folder)


def _ahead(pool: ThreadPoolExecutor, bring: Callable[[Item], Any], items: Iterable[Item]) -> Iterator[tuple[Item, Any]]:
    """Each item with what is brought for it, while the one before is worked on."""
    before: tuple[Item, Future[Any]] | None = None
    for item in items:
        now = item, pool.submit(bring, item)
        if before:
            yield before[0], before[1].result()
        before = now
    if before:
        yield before[0], before[1].result()
