"""One photo restored: read, examined, run in tiles as a stream, compared with what it was, and written whole or not at all."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.errors import BurnishError, InputError
from burnish.files import atomic
from burnish.image import channels, gate, headers
from burnish.image import files as image_files
from burnish.image.channels import Layout
from burnish.image.files import Photo
from burnish.image.tiling import streamed
from burnish.model.file import Model, load

Range = tuple[float, float]
Status = Literal["restored", "unchanged", "skipped", "failed"]

SAMPLES, SAMPLE_SIDE = 24, 256  # what is looked at of a large picture to tell its noise and blur
STRIP = 1 << 24  # bytes of the rows that are held at once, as far as the model's halo allows
DEPTHS = (10, 12, 14, 16)  # bits that cameras and microscopes put into 16


class Stopped(Exception):  # noqa: N818 - no error: somebody pressed Ctrl-C
    """What `advance` raises to stop the work."""


@dataclass(frozen=True)
class Settings:
    """How photos are restored. `value_range`: what counts as black and white, told from the data when None; `gate`: leave photos alone
    that the model was not made for, and refuse results that cannot be right."""

    strength: float = 1.0
    tile: int | None = None
    value_range: Range | None = None
    max_pixels: int = image_files.MAX_PIXELS
    overwrite: bool = False
    gate: bool = True


@dataclass
class Outcome:
    """What became of a photo. `notes`: what the result lacks, or why it is unchanged; `error`: why it failed."""

    input: Path
    output: Path
    status: Status = "failed"
    seconds: float = 0.0
    megapixels: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The promised keys, and `notes`."""
        return {
            "input": str(self.input),
            "output": str(self.output),
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "megapixels": round(self.megapixels, 6),
            "error": self.error,
            "notes": self.notes,
        }


def restore_file(
    source: str | Path,
    target: str | Path,
    model: str | Path | Model = "photo",
    *,
    strength: float = 1.0,
    tile: int | None = None,
    gate: bool = False,
    overwrite: bool = False,
) -> Outcome:
    """Restore the picture file `source` (of any size, in any format that `burnish restore` takes) into `target`.

    `model`: a shipped model's name, a model file or a loaded model; `strength` 0–1 blends with the input; `tile` in pixels, chosen when
    None; `gate`: leave alone what the model was not made for, as the command does. Returns the Outcome, `restored`, `unchanged` (a copy
    was written) or `skipped` (there is one already). Raises BurnishError where it would be `failed`.
    """
    loaded = model if isinstance(model, Model) else load(model)
    outcome = Outcome(Path(source), Path(target))
    with _timed(outcome):
        _restore(outcome, loaded, Settings(strength=strength, tile=tile, gate=gate, overwrite=overwrite), lambda _pixels: None)
    return outcome


def restored(source: Path, target: Path, model: Model, settings: Settings, advance: Callable[[int], None]) -> Outcome:
    """What became of one photo, failures included; `advance` is told the pixels done, and may raise to stop."""
    outcome = Outcome(source, target)
    try:
        with _timed(outcome):
            _restore(outcome, model, settings, advance)
    except BurnishError as error:
        outcome.status, outcome.error = "failed", str(error)
    except MemoryError:
        outcome.status, outcome.error = "failed", f"{source}: the memory is used up; give --tile 256"
    except Exception as error:  # one photo must not stop the rest
        if isinstance(error, Stopped):
            raise
        outcome.status, outcome.error = "failed", f"{source}: {type(error).__name__}: {error}; please report this"
    return outcome


@contextmanager
def _timed(outcome: Outcome) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        outcome.seconds = time.monotonic() - began


def _restore(outcome: Outcome, model: Model, settings: Settings, advance: Callable[[int], None]) -> None:
    source, target = outcome.input, outcome.output
    if not settings.overwrite and target.exists() and not _same_file(source, target):
        outcome.status = "skipped"
        return
    if _same_file(source, target):
        raise InputError(f"{source}: would be overwritten by its own result; choose another place with -o")
    photo = image_files.open_photo(source, settings.max_pixels)
    outcome.megapixels = photo.pixels / 1e6
    kind = image_files.format_for(photo, target)
    layout = model.layout(photo.bands, alpha=photo.alpha, shape=(photo.height, photo.width), inks=photo.inks)
    span, samples = _surveyed(photo, layout, settings, advance)
    finding = gate.examine(samples)
    why = gate.refusal(finding, model.card) if settings.gate else None
    if why:
        _leave(outcome, photo, kind, f"{why}; --force restores it anyway")
        advance(photo.pixels)
        return
    watch = gate.Comparison(finding, photo.pixels)
    rows = _restored_rows(photo, model, layout, span, settings, watch, advance)

    def verdict() -> None:
        """Asked when every row has passed and nothing is in place yet."""
        if settings.gate and (failure := watch.failure()):
            raise InputError(f"{source}: not written, since {failure}; --force writes it anyway")
        if settings.gate and settings.strength and (why := gate.needless(finding, model.card, watch.change() / settings.strength)):
            raise _GoodEnoughError(why)

    try:
        image_files.save(photo, target, kind, rows, verdict)
    except _GoodEnoughError as reason:
        _leave(outcome, photo, kind, f"{reason}; --force restores it anyway")
        return
    outcome.status = "restored"
    outcome.notes = _lacking(photo, kind)


class _GoodEnoughError(Exception):
    """The picture has little or nothing to take away, and the model would take more."""


def _leave(outcome: Outcome, photo: Photo, kind: str, why: str) -> None:
    """The photo as it is, byte for byte; in another format if the target's ending asks for one."""
    outcome.status = "unchanged"
    outcome.notes = [why]
    if kind != photo.format:
        image_files.save(photo, outcome.output, kind, photo.rows(), lambda: None)
        outcome.notes += _lacking(photo, kind)
        return
    with atomic(outcome.output) as temporary:
        shutil.copyfile(photo.path, temporary)
        with suppress(OSError):
            shutil.copystat(photo.path, temporary)
        photo.check_unchanged()


def _lacking(photo: Photo, kind: str) -> list[str]:
    return [f"the result lacks {lost}" for lost in image_files.losses(photo, kind)]


def _same_file(source: Path, target: Path) -> bool:
    try:
        return source.samefile(target)
    except OSError:
        return False


# --- The first pass: is it whole, what is its range, what does it show ---


def _surveyed(photo: Photo, layout: Layout, settings: Settings, advance: Callable[[int], None]) -> tuple[Range, list[channels.Floats]]:
    """The photo's range of values, and samples of its colours on that range. Reads the file to its end, so that a broken one fails here."""
    colours = [channel for channel in range(photo.bands) if not (photo.alpha and channel == photo.bands - 1)]
    told = (0.0, 255.0) if photo.dtype == np.uint8 else settings.value_range
    kept: dict[tuple[int, int], list[NDArray[Any]]] = {place: [] for place in _places(photo)}
    low, high, top = np.inf, -np.inf, 0
    for rows in photo.rows():
        advance(0)
        if told is None:
            low, high = min(low, float(rows[..., colours].min())), max(high, float(rows[..., colours].max()))
        if photo.dtype.kind == "f" and not np.isfinite(rows).all():
            raise InputError(f"{photo.path}: holds values that are no numbers (NaN or infinite); replace them first")
        for (y, x), parts in kept.items():
            first, last = max(y, top), min(y + SAMPLE_SIDE, _page_end(y, photo), top + len(rows))
            if first < last:
                parts.append(rows[first - top : last - top, x : x + SAMPLE_SIDE].copy())
        top += len(rows)
    span = told or _range(photo, low, high)
    samples = []
    for parts in kept.values():
        planes = channels.unit(layout.planes(np.concatenate(parts)), *span)
        if layout.alpha:
            planes[:, planes[-1] <= 0] = np.nan
        samples.append((1 - planes if layout.inverted else planes)[: len(colours)].transpose(1, 2, 0))
    return span, samples


def _places(photo: Photo) -> list[tuple[int, int]]:
    """Where samples are taken: evenly, each within a page, on the grid of JPEG's blocks where the pages are."""
    every = [
        (page * photo.height + y, x)
        for page in range(photo.pages)
        for y in range(0, max(1, photo.height - SAMPLE_SIDE // 2), SAMPLE_SIDE)
        for x in range(0, max(1, photo.width - SAMPLE_SIDE // 2), SAMPLE_SIDE)
    ]
    return [every[round(index)] for index in np.linspace(0, len(every) - 1, min(SAMPLES, len(every)))]


def _page_end(y: int, photo: Photo) -> int:
    return (y // photo.height + 1) * photo.height


def _range(photo: Photo, low: float, high: float) -> Range:
    """Black and white in a photo of more than 8 bits, told from the type, the tags and the data."""
    if photo.dtype.kind == "f":
        return (low, high) if low < high and not (low >= 0 and high <= 1) else (min(0.0, low), max(1.0, high))
    tagged = headers.tiff_packing(photo.path).top if photo.format == "tiff" else None
    if tagged and high <= tagged:
        return 0.0, float(tagged)
    if photo.format != "tiff":  # PNG and AVIF say in the file what they hold, and are scaled to 16 bits
        return 0.0, 65535.0
    return 0.0, next(2.0**bits - 1 for bits in DEPTHS if high < 2**bits)


# --- The second pass ---


def _restored_rows(
    photo: Photo,
    model: Model,
    layout: Layout,
    span: Range,
    settings: Settings,
    watch: gate.Comparison,
    advance: Callable[[int], None],
) -> Iterator[NDArray[Any]]:
    """The photo's rows restored, page by page; each page is a picture of its own."""
    run = model.runner(layout, *span, settings.strength)
    most = STRIP // (photo.width * photo.bands * photo.dtype.itemsize)
    tile = (settings.tile, settings.tile) if settings.tile else model.tile(layout, photo.height, photo.width, most)
    read = _Rows(photo.rows())
    colours = sorted({channel for group in layout.groups for channel in group})
    for _page in range(photo.pages):
        pending: deque[NDArray[Any]] = deque()
        bands = _noted(read, photo.height, layout, pending)
        waiting = _Rows(pending.popleft() for _ in repeat(None))
        for planes in streamed(run, bands, photo.height, tile, model.halo(layout), model.card.multiple_of):
            for top in range(0, planes.shape[1], gate.PATCH):
                band = planes[:, top : top + gate.PATCH]
                before = waiting.take(band.shape[1])
                after = layout.picture(band, before)
                watch.add(*(channels.unit(each[:: watch.every, :: watch.every, colours], *span) for each in (before, after)))
                advance(len(after) * photo.width)
                yield after


def _noted(read: "_Rows", height: int, layout: Layout, pending: deque[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """One page's rows as planes; the rows themselves go into `pending`."""
    while height:
        rows = read.up_to(height)
        height -= len(rows)
        pending.append(rows)
        yield layout.planes(rows)


class _Rows:
    """Rows that come in portions of their own, taken in portions of ours."""

    def __init__(self, source: Iterator[NDArray[Any]]) -> None:
        self._source = source
        self._rest: NDArray[Any] | None = None

    def up_to(self, count: int) -> NDArray[Any]:
        """The next rows, `count` at most, as they lie."""
        rows = next(self._source) if self._rest is None else self._rest
        self._rest = rows[count:] if len(rows) > count else None
        return rows[:count]

    def take(self, count: int) -> NDArray[Any]:
        """The next `count` rows."""
        parts = [self.up_to(count)]
        while (missing := count - sum(map(len, parts))) > 0:
            parts.append(self.up_to(missing))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
