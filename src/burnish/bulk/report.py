"""What bulk work has come to: the outcomes of all shards added up."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from burnish.bulk.places import OWN, Place
from burnish.bulk.shards import Outcome, outcomes_key, parsed, recorded
from burnish.errors import InputError

DONE = ("restored", "unchanged")


@dataclass
class Totals:
    """Files by their status, megapixels and the seconds that one process took for them, and the failures as (input, reason)."""

    files: Counter[str] = field(default_factory=Counter)
    megapixels: float = 0.0
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    shards: int = 0
    unfinished: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one file."""
        self.files[outcome["status"]] += 1
        self.megapixels += outcome["megapixels"]
        self.seconds += outcome["seconds"]
        if outcome["status"] == "failed":
            self.failures.append((outcome["input"], outcome["error"]))

    def counts(self) -> str:
        """The files, in words."""
        told = [
            f"{self.files[each]:,} {each}" for each in ("restored", "unchanged", "skipped", "failed") if self.files[each] or each == DONE[0]
        ]
        return ", ".join(told)

    def words(self) -> str:
        """All but the failures, in a few lines."""
        rate = f"{self.megapixels / self.seconds:.3f} megapixels a second and process" if self.seconds else "no rate yet"
        shards = f"{self.shards:,} shards finished" + (f", {self.unfinished:,} begun" if self.unfinished else "")
        return f"{self.files.total():,} files: {self.counts()}\n{self.megapixels:,.1f} megapixels, {rate}\n{shards}"

    def to_json(self) -> dict[str, Any]:
        """The keys of `burnish bulk --report --json`."""
        return {
            "files": self.files.total(),
            **{each: self.files[each] for each in ("restored", "unchanged", "skipped", "failed")},
            "megapixels": round(self.megapixels, 6),
            "seconds": round(self.seconds, 3),
            "megapixels_per_second": round(self.megapixels / self.seconds, 6) if self.seconds else None,
            "shards": self.shards,
            "unfinished": self.unfinished,
            "failures": [{"input": source, "error": error} for source, error in self.failures],
        }


def report(place: Place) -> Totals:
    """The outcomes in a target, those of unfinished shards too; each file counts once, by what was done with it if anything was.

    Raises InputError for a place where no bulk work has been.
    """
    totals, done = Totals(), set[bytes]()
    others: dict[str, Outcome] = {}
    for outcome in _all(place, totals):
        mark = _mark(outcome)
        if outcome["status"] not in DONE:
            others[outcome["input"]] = outcome
        elif mark not in done:
            done.add(mark)
            totals.add(outcome)
    for outcome in others.values():
        if _mark(outcome) not in done:
            totals.add(outcome)
    if not totals.shards and not totals.unfinished:
        raise InputError(f"{place}: no bulk work is on record there; give the target of one")
    return totals


def _mark(outcome: Outcome) -> bytes:
    """Eight bytes that tell an input from millions of others."""
    return hashlib.blake2b(outcome["input"].encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _all(place: Place, totals: Totals) -> Iterator[Outcome]:
    """All outcomes on record, some more than once; the shards are counted on the way."""
    begun: dict[str, None] = {}
    finished: set[str] = set()
    for key in place.keys(OWN):
        name, _, part = key.removeprefix(f"{OWN}/").partition("/")
        if part:
            begun[name] = None
        else:
            finished.add(name.removesuffix(".jsonl"))
    for name in sorted(finished):
        yield from parsed(place.read(outcomes_key(name)) or b"")
    unfinished = [name for name in begun if name not in finished]
    for name in unfinished:
        yield from recorded(place, name).values()
    totals.shards, totals.unfinished = len(finished), len(unfinished)
