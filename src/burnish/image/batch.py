"""Many photos: which become what, two at a time, with one bad file never in the way of the rest."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from burnish.errors import BurnishError
from burnish.files import clear_leftovers
from burnish.image import datasets
from burnish.image import files as image_files
from burnish.image.restore import Outcome, Settings, Stopped, restored
from burnish.model.file import Model
from burnish.progress import Progress

AT_ONCE = 2  # while one is read or written, the other is restored
SUFFIX = "-restored"


@dataclass(frozen=True)
class Plan:
    """Photos with the places their results go to, how many files were passed over since their endings are no picture's, and folders that
    could not be looked into, as failed."""

    jobs: list[tuple[Path, Path]]
    passed_over: int = 0
    unread: list[Outcome] = field(default_factory=list)


def planned(inputs: Sequence[Path], out: Path | None) -> Plan:
    """What is to be restored into what: files by their names, folders with all that is in them mirrored under `out`.

    Without `out`, NAME-restored.EXT beside each, and what has such a name already is not restored again; with one input file, `out` may
    name a file.
    """
    if out is not None and len(inputs) == 1 and not inputs[0].is_dir() and not out.is_dir() and datasets.is_picture(out.name):
        return Plan([(inputs[0], out)])
    jobs: list[tuple[Path, Path]] = []
    passed_over = 0
    unread: list[Outcome] = []
    for item in inputs:
        if not item.is_dir():
            jobs.append((item, out / item.name if out else _beside(item)))
            continue
        pictures, others = _found(item, out, unread)
        passed_over += others
        jobs += [(each, out / each.relative_to(item) if out else _beside(each)) for each in pictures if out or not _is_result(each)]
    return Plan(list(dict.fromkeys(jobs)), passed_over, unread)


def _found(folder: Path, out: Path | None, unread: list[Outcome]) -> tuple[list[Path], int]:
    """The pictures under a folder, those under `out` left out, and how many files are none; `unread` gets what is closed to us."""

    def closed(error: OSError) -> None:
        place = Path(error.filename)
        target = out / place.relative_to(folder) if out else place
        unread.append(Outcome(place, target, error=f"{place}: cannot be looked into ({error.strerror}); check its permissions"))

    pictures, others = [], 0
    for place, folders, files in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not (out and out.exists() and (Path(place) / name).samefile(out)))
        names = [name for name in sorted(files) if datasets.is_picture(name)]
        pictures += [Path(place) / name for name in names]
        others += len(files) - len(names)
    return pictures, others


def _beside(photo: Path) -> Path:
    return photo.with_name(f"{photo.stem}{SUFFIX}{photo.suffix}")


def _is_result(photo: Path) -> bool:
    return photo.stem.endswith(SUFFIX) and photo.with_name(photo.stem.removesuffix(SUFFIX) + photo.suffix).exists()


def restore_all(plan: Plan, model: Model, settings: Settings, progress: Progress, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Restore the photos and `tell` what became of each, in their order. Ctrl-C leaves no half-written file behind."""
    jobs = plan.jobs
    for folder in {target.parent for _, target in jobs}:
        clear_leftovers(folder)
    clashes = _clashes(jobs)
    total = sum(_pixels(source, settings) for source, target in jobs if settings.overwrite or not target.exists())
    counter = _Counter(total, progress)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: list[Future[Outcome] | Outcome] = [
            clashes.get(index) or pool.submit(restored, source, target, model, settings, counter.advance)
            for index, (source, target) in enumerate(jobs)
        ]
        try:
            for each in [*plan.unread, *waiting]:
                outcomes.append(each if isinstance(each, Outcome) else each.result())
                tell(outcomes[-1])
        except BaseException:
            counter.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return outcomes


class _Counter:
    """Pixels done, by whichever thread."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._done, self._total, self._progress = 0, total, progress

    def advance(self, pixels: int) -> None:
        """Count them; raises Stopped once `stop` is set."""
        if self.stop.is_set():
            raise Stopped
        with self._lock:
            self._done += pixels
            self._progress(min(self._done, self._total), self._total, f"{self._done / 1e6:,.1f} of {self._total / 1e6:,.1f} megapixels")


def _pixels(path: Path, settings: Settings) -> int:
    try:
        return image_files.open_photo(path, settings.max_pixels).pixels
    except BurnishError:
        return 0  # it will fail when its turn comes, and say why


def _clashes(jobs: Sequence[tuple[Path, Path]]) -> dict[int, Outcome]:
    """The jobs whose results would take the place of an earlier one's, or of a photo that is to be restored itself, by their index, as
    failed."""
    photos = {os.path.realpath(source): source for source, _ in jobs}
    taken: dict[Path, Path] = {}
    failed = {}
    for index, (source, target) in enumerate(jobs):
        first = taken.setdefault(target.absolute(), source)
        victim = photos.get(os.path.realpath(target), source)
        if first is not source:
            why = f"would become {target}, as {first} does; restore one of them elsewhere"
        elif victim is not source:
            why = f"would take the place of {victim}, which is to be restored too; choose another place with -o"
        else:
            continue
        failed[index] = Outcome(source, target, error=f"{source}: {why}")
    return failed
