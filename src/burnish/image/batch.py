"""Many photos: which become what, a few at a time, with one bad file never in the way of the rest."""

import os
import tempfile
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from burnish.audio.files import holds_sound
from burnish.errors import one_line
from burnish.files import ASIDE, clear_leftovers
from burnish.image import datasets
from burnish.image.model import Model
from burnish.image.restore import Advance, RestoreResult, Settings, Stopped, Work, restored
from burnish.progress import Progress

AT_ONCE = 2  # while one is read or written, the other is restored
SMALL, SMALL_AT_ONCE = 1 << 20, 4  # of files of so many bytes at most, more are waiting for the disk at the same time
SUFFIX = "-restored"

Job = tuple[Path, Path]  # a photo, and the place its result goes to


@dataclass(frozen=True)
class Plan:
    """What is to be restored into what; how many files were passed over since their names are no images'; what else was passed over, each
    in a line; and folders that could not be looked into, as failed."""

    jobs: list[Job]
    passed_over: int = 0
    remarks: list[str] = field(default_factory=list)
    unread: list[RestoreResult] = field(default_factory=list)


def planned(inputs: Sequence[Path], out: Path | None, is_wanted: Callable[[str], bool] = datasets.is_picture) -> Plan:
    """What is to be restored into what: files by their names, folders with all that is in them mirrored under `out`.

    Without `out`, NAME-restored.EXT beside each, and what has such a name already is not restored again; with one input file, `out` may
    name a file. `is_wanted` tells by its name whether a file is one to restore. A folder may be given by a link to it; links to folders
    within a folder are passed over, since they may lead back.
    """
    if out is not None and len(inputs) == 1 and not os.path.isdir(inputs[0]) and not os.path.isdir(out) and is_wanted(out.name):
        return Plan([(inputs[0], out)])
    plan = Plan([])
    passed_over = 0
    for item in inputs:
        if not os.path.isdir(item):
            plan.jobs.append((item, out / item.name if out else _beside(item)))
            continue
        failed = len(plan.unread)
        pictures, others = _found(item, out, plan, is_wanted)
        passed_over += others
        if not pictures and len(plan.unread) == failed:
            plan.remarks.append(one_line(f"{item}: holds no image"))
        plan.jobs.extend((each, out / each.relative_to(item) if out else _beside(each)) for each in pictures if out or not _is_result(each))
    return Plan(list(dict.fromkeys(plan.jobs)), passed_over, plan.remarks, plan.unread)


def _found(folder: Path, out: Path | None, plan: Plan, is_wanted: Callable[[str], bool]) -> tuple[list[Path], int]:
    """The images under a folder, those under `out` left out, and how many files are none; the plan gets what is not gone into."""

    def closed(error: OSError) -> None:
        place = Path(error.filename)
        target = out / place.relative_to(folder) if out else place
        words = one_line(f"{place}: cannot be looked into ({error.strerror}); check its permissions")
        plan.unread.append(RestoreResult(place, target, "failed", error=words))

    pictures, others = [], 0
    for place, folders, files in os.walk(folder, onerror=closed):
        inside = [Path(place) / name for name in sorted(folders)]
        plan.remarks.extend(
            one_line(f"{each}: is a link to a folder, which is passed over; give it by itself to have it restored")
            for each in inside
            if each.is_symlink()
        )
        folders[:] = [each.name for each in inside if not each.is_symlink() and not (out and _same_folder(each, out))]
        names = [name for name in sorted(files) if is_wanted(name)]
        pictures += [Path(place) / name for name in names]
        others += len(files) - len(names)
    return pictures, others


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _beside(photo: Path) -> Path:
    return photo.with_name(f"{photo.stem}{SUFFIX}{photo.suffix}")


def _is_result(photo: Path) -> bool:
    return photo.stem.endswith(SUFFIX) and os.path.exists(photo.with_name(photo.stem.removesuffix(SUFFIX) + photo.suffix))


def restore_all(
    plan: Plan,
    model: Model | None,
    settings: Settings,
    progress: Progress,
    tell: Callable[[RestoreResult], None],
    threads: int | None = None,
    sounds: Callable[[Path, Path, Advance, Advance], RestoreResult] | None = None,
) -> list[RestoreResult]:
    """Restore the photos and `tell` what became of each, in their order. Ctrl-C leaves no half-written file behind.

    `sounds` restores what is a recording by its content, and is told where from, where to, and what counts its samples. `model` may be
    None where nothing else is to be restored. With `threads` of 1, one photo comes after the other; else, while one is read or written,
    another is restored.
    """
    jobs = plan.jobs
    for folder in {target.parent for _, target in jobs}:
        clear_leftovers(folder)
    clashes = _clashes(jobs)
    lengths = [_length(source) for source, _ in jobs]
    counter = _Counter(progress, "" if model is None else "megapixels")
    shares = [counter.share(source, length) for (source, _), length in zip(jobs, lengths, strict=True)]

    def restore(job: Job, share: "_Share") -> RestoreResult:
        if sounds and holds_sound(job[0]):
            result = sounds(*job, share.begin, share.advance)
        else:
            assert model is not None
            result = restored(Work(*job, model, settings, share.begin, share.advance))
        share.end()
        return result

    results: list[RestoreResult] = []
    with ThreadPoolExecutor(1 if threads == 1 else SMALL_AT_ONCE if max(lengths, default=0) <= SMALL else AT_ONCE) as pool:
        waiting: list[Future[RestoreResult] | RestoreResult] = [
            clashes.get(index) or pool.submit(restore, job, share) for index, (job, share) in enumerate(zip(jobs, shares, strict=True))
        ]
        try:
            for each in [*plan.unread, *waiting]:
                results.append(each if isinstance(each, RestoreResult) else each.result())
                tell(results[-1])
        except BaseException:
            counter.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _length(path: Path) -> int:
    """A file's bytes; 0 for one that cannot be asked, which will be said when its turn comes."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


class _Counter:
    """Pixels done, by whichever thread, of as many as there seem to be.

    How many pixels wait is told from the lengths of their files and from how many pixels a byte has had so far, in files of that ending:
    to open each beforehand would take as long as to restore some.
    """

    def __init__(self, progress: Progress, unit: str) -> None:
        self.unit = unit  # of a million pixels; "" where they are samples of sound
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.waiting: Counter[str] = Counter()  # bytes not opened yet, by ending
        self.opened: Counter[str] = Counter()  # bytes opened
        self.pixels: Counter[str] = Counter()  # pixels in them
        self.done = 0
        self.photos = self.ended = 0
        self._progress = progress

    def share(self, source: Path, length: int) -> "_Share":
        """What counts for one photo."""
        share = _Share(self, source.suffix.lower(), length)
        self.waiting[share.ending] += length
        self.photos += 1
        return share

    def show(self) -> None:
        """Tell how far it is; the lock is held."""
        known, opened = self.pixels.total(), self.opened.total()
        total = known
        for ending, length in self.waiting.items():
            like = ending if self.opened[ending] else None
            total += length * (self.pixels[ending] if like else known) // max(1, self.opened[ending] if like else opened)
        files = f"{self.ended} of {self.photos} {'photos' if self.unit else 'recordings'}"
        self._progress(min(self.done, total), total, f"{self.done / 1e6:,.1f} {self.unit}, {files}" if self.unit else files)


class _Share:
    """One photo's part in the count."""

    def __init__(self, counter: _Counter, ending: str, length: int) -> None:
        self.ending = ending
        self._counter, self._length = counter, length
        self._pixels: int | None = None
        self._done = 0

    def begin(self, pixels: int) -> None:
        """The photo is open, and has so many pixels."""
        counter, self._pixels = self._counter, pixels
        with counter.lock:
            counter.waiting[self.ending] -= self._length
            counter.opened[self.ending] += self._length
            counter.pixels[self.ending] += pixels

    def advance(self, pixels: int) -> None:
        """So many more are done; raises Stopped once all is to stop."""
        counter = self._counter
        if counter.stop.is_set():
            raise Stopped
        with counter.lock:
            pixels = min(pixels, (self._pixels or 0) - self._done)  # some may be told twice
            self._done += pixels
            counter.done += pixels
            counter.show()

    def end(self) -> None:
        """No more comes, whatever became of it."""
        counter = self._counter
        with counter.lock:
            counter.ended += 1
            if self._pixels is None:
                counter.waiting[self.ending] -= self._length
            else:
                counter.done += self._pixels - self._done
                counter.show()


def _clashes(jobs: Sequence[Job]) -> dict[int, RestoreResult]:
    """The jobs whose results would take the place of an earlier one's, or of a photo that is to be restored itself, by their index, as
    failed."""
    photos = {os.path.realpath(source): source for source, _ in jobs}
    taken: dict[str, Job] = {}
    failed = {}
    for index, (source, target) in enumerate(jobs):
        place = str(target.absolute())
        first, its_target = taken.setdefault(unicodedata.normalize("NFC", place).casefold(), (source, target))
        victim = photos.get(os.path.realpath(target), source)
        if first is not source and (str(its_target.absolute()) == place or _ignores_case(target.parent)):
            why = f"would become {target}, as {first} does; restore one of them elsewhere"
        elif victim is not source:
            why = f"would take the place of {victim}, which is to be restored too; choose another place with -o"
        else:
            continue
        failed[index] = RestoreResult(source, target, "failed", error=one_line(f"{source}: {why}"))
    return failed


def _ignores_case(folder: Path) -> bool:
    """Whether names that differ in case alone are one file in that folder: tried, with a file that is gone at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=f"{ASIDE}case-", suffix="a", dir=folder) as probe:
            path = Path(probe.name)
            return path.with_name(path.name.upper()).exists()
    except OSError:
        return False
