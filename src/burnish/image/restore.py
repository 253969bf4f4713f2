"""One photo restored: read, judged by what the model makes of it, run in tiles as a stream, and written whole or not at all."""

import contextlib
import math
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from burnish.audio.files import holds_sound
from burnish.errors import BurnishError, InputError, ModelError, TakenError, one_line
from burnish.files import atomic, keep_attributes
from burnish.image import files as image_files
from burnish.image import gate
from burnish.image.files import Photo
from burnish.image.model import Model, load
from burnish.image.run import Trial, restored_rows, tried
from burnish.image.survey import Range, Survey, surveyed
from burnish.image.taken import Look, Taken
from burnish.origin import ATTRIBUTE, Origin

if TYPE_CHECKING:
    from burnish.audio.model import Model as SoundModel

Status = Literal["restored", "unchanged", "skipped", "failed"]
Advance = Callable[[int], None]  # is told a number of pixels


class Stopped(Exception):  # noqa: N818 - no error: somebody pressed Ctrl-C
    """What `advance` raises to stop the work."""


@dataclass(frozen=True)
class Settings:
    """How photos are restored; `restore_file` says what each means. Raises InputError for a value that is none."""

    strength: float = 1.0
    tile: int | None = None
    value_range: Range | None = None
    max_pixels: int = image_files.MAX_PIXELS
    overwrite: bool = False
    gate: bool = True

    def __post_init__(self) -> None:
        span = self.value_range
        checks = (
            (0 <= self.strength <= 1, f"strength = {self.strength} must be on 0–1: 0 as it was, 1 as restored"),
            (self.tile is None or self.tile >= 16, f"tile = {self.tile} must be at least 16 pixels; leave it out to have it chosen"),
            (
                span is None or (all(map(math.isfinite, span)) and span[0] < span[1]),
                f"value_range = {span} must be two numbers, black below white, such as (0, 4095)",
            ),
            (self.max_pixels >= 1, f"max_pixels = {self.max_pixels} must be at least 1"),
        )
        for right, words in checks:
            if not right:
                raise InputError(words)


@dataclass(frozen=True)
class RestoreResult:
    """What became of a photo. `notes`: what the result lacks, or why it is unchanged or skipped; `error`: why it failed; `seconds`: how
    long it took; `megapixels`: its size, 0 where nothing was written.

    `noise`: the noise in flat areas before and after, as sigma on the 0–255 scale, None where there is no flat area; `jpeg`: whether
    JPEG's traces were found, and whether the result has less of them. Both are None where nothing was written.

    `status` is "restored", "unchanged" (the result is a copy), "skipped" (there is a file at that place already) or "failed" (nothing is
    written).
    """

    input: Path
    output: Path
    status: Status
    seconds: float = 0.0
    megapixels: float = 0.0
    notes: tuple[str, ...] = ()
    error: str | None = None
    noise: tuple[float, float] | None = None
    jpeg: tuple[bool, bool] | None = None

    def to_json(self) -> dict[str, Any]:
        """The keys of `burnish restore --json`. The bytes of a name that is no UTF-8 are lone surrogates in it, as Python has them."""
        return {
            "input": str(self.input),
            "output": str(self.output),
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "megapixels": round(self.megapixels, 6),
            "noise": self.noise and {"before": round(self.noise[0], 2), "after": round(self.noise[1], 2)},
            "jpeg": self.jpeg and {"found": self.jpeg[0], "lessened": self.jpeg[1]},
            "error": self.error,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Work:
    """A photo to restore: from where, to where, with what and how. `begin` is told its pixels when it is open, `advance` those that are
    done, some of them twice, and may raise Stopped."""

    source: Path
    target: Path
    model: Model
    settings: Settings
    begin: Advance
    advance: Advance

    def result(self, status: Status, *notes: str, error: str | None = None) -> RestoreResult:
        """What became of it."""
        return RestoreResult(self.source, self.target, status, notes=notes, error=error)


def restore_file(
    src: str | Path,
    dst: str | Path,
    model: "str | Path | Model | SoundModel" = "photo",
    *,
    strength: float = 1.0,
    tile: int | None = None,
    value_range: Range | None = None,
    max_pixels: int = image_files.MAX_PIXELS,
    threads: int | None = None,
    gate: bool = False,
    overwrite: bool = False,
) -> RestoreResult:
    """Restore the image file `src` (of any size, in any format that `burnish restore` takes) into the file `dst`, with all it carries.

    - `model`: a shipped model's name, a model file, or a loaded model.
    - `strength`: 0–1, from 0 (as it was) to 1 (as restored).
    - `tile`: the side of the tiles in pixels, 16 or more; smaller ones take less memory, and the result is the same. None: chosen.
    - `value_range`: the values that are black and white in photos of 16 bits and floats, such as (0, 4095). None: told from the data.
    - `max_pixels`: photos with more, all pages together, are refused.
    - `threads`: CPU threads that compute, 1 or more. None: all this process may use. A loaded model has its own.
    - `gate`: leave alone what the model was not made for or would not improve, and write no result that cannot be right, as the command
      does. Without it all is restored.
    - `overwrite`: replace a file that is at `dst`. Without it there is no harm done: the result's status is "skipped".

    A recording is restored by `speech` where no other model is named, and `tile`, `value_range` and `max_pixels` do not matter.

    Returns what became of it: "restored", "unchanged" (a copy was written) or "skipped". Raises InputError for a file that is no image or
    broken, a place that cannot be written to, or a value out of range; ModelError for a model that cannot be loaded or cannot take the
    photo. Nothing is written then.
    """
    if _is_sound(Path(src), model):
        from burnish.audio import restore as sound

        if isinstance(model, Model):
            raise InputError(f"{src}: is a recording, which {model.card.name} does not restore; name a model for sound, such as speech")
        named = "speech" if model == "photo" else model
        return sound.restore_file(src, dst, named, strength=strength, threads=threads, gate=gate, overwrite=overwrite)
    assert isinstance(model, str | Path | Model)
    settings = Settings(strength, tile, value_range, max_pixels, overwrite, gate)
    if threads is not None and (threads < 1 or isinstance(model, Model)):
        raise InputError(f"threads = {threads} must be at least 1, and a loaded model has its own: load(name, threads)")
    loaded = model if isinstance(model, Model) else load(model, threads)
    loaded.check_restores()
    return done(Work(Path(src), Path(dst), loaded, settings, _unseen, _unseen))


def _is_sound(source: Path, model: "str | Path | Model | SoundModel") -> bool:
    """Whether it is a recording that is to be restored, or a model for them that is to do it."""
    return holds_sound(source) or not isinstance(model, str | Path | Model)


def _unseen(pixels: int) -> None:
    """Nobody looks how far it is."""


def done(work: Work) -> RestoreResult:
    """What became of one photo. Raises what `restore_file` does, and Stopped where `advance` does."""
    began = time.monotonic()
    with _refusals(work.source):
        result = _restored(work)
    return replace(result, seconds=time.monotonic() - began)


def restored(work: Work) -> RestoreResult:
    """What became of one photo, failures included, whatever they are. Raises only what says that all is to stop."""
    began = time.monotonic()
    try:
        return done(work)
    except Stopped:
        raise
    except BurnishError as error:
        result = work.result("failed", error=str(error))
    except Exception as error:  # one photo must not stop the rest
        result = work.result("failed", error=one_line(f"{work.source}: {type(error).__name__}: {error}; please report this"))
    return replace(result, seconds=time.monotonic() - began)


@contextlib.contextmanager
def _refusals(source: Path) -> Iterator[None]:
    """What the system refuses, as InputError."""
    try:
        yield
    except MemoryError as error:
        raise InputError(f"{source}: the memory is used up; give --tile 256") from error
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}; check the file and the disk it is on") from error


def _restored(work: Work) -> RestoreResult:
    """The way of a photo: opened, surveyed, tried and judged; then restored into its place, or copied there."""
    settings, advance = work.settings, work.advance
    if work.model.card.kind != "image":
        raise ModelError(f"{work.source}: is an image, and {work.model.card.name} restores sound; name a model for images")
    origin = _origin(work)
    if _is_there(work.target):
        if _same_file(work.source, work.target):
            raise InputError(f"{work.source}: would be overwritten by its own result; choose another place with -o")
        if work.target.is_dir():
            raise InputError(f"{work.target}: is a folder, in whose place no file can be written; choose another name or place with -o")
        if not settings.overwrite:
            return work.result("skipped", *_doubts(work.target, origin))
    photo = image_files.open_photo(work.source, settings.max_pixels)
    work.begin(photo.pixels)
    kind = image_files.format_for(photo, work.target)
    shape = photo.height, photo.width
    layout = work.model.layout(photo.bands, alpha=photo.alpha, shape=shape, inks=photo.inks, extra=photo.extra, nodata=photo.nodata)
    survey = surveyed(photo, layout, settings.value_range, lambda: advance(0))
    trial = tried(survey, work.model, settings.tile, advance) if settings.gate else None
    if trial:
        _refuse_harm(photo, trial.verdict.harm)
    try:
        if trial and not trial.verdict.restore:
            status: Status = "unchanged"
            notes = _leave(work, photo, kind, origin, trial.verdict.why)
            told = _told(trial.verdict.taken, 0.0)
        else:
            status = "restored"
            look = None if trial else Look(photo.pixels)
            notes = _write(work, survey, kind, origin, trial, look)
            told = _told(trial.verdict.taken, settings.strength) if trial else _told(look.taken(), 1.0) if look else {}
    except TakenError:
        return work.result("skipped", "another run has written it meanwhile")
    return replace(work.result(status, *notes), megapixels=photo.pixels / 1e6, **told)


def _told(taken: Taken, strength: float) -> dict[str, Any]:
    """What a result says of the noise and of JPEG's traces, where what was taken away at full strength is blended in at this strength."""
    before, after = taken.sigma(0.0), taken.sigma(strength)
    return {
        "noise": None if before is None or after is None else (before, after),
        "jpeg": (taken.shows_jpeg, taken.lessens_jpeg(strength)),
    }


def _origin(work: Work) -> Origin:
    try:
        status = work.source.stat()
    except OSError as error:
        raise InputError(f"{work.source}: cannot be read ({error.strerror}); check the path") from error
    settings = work.settings
    changing = {"strength": settings.strength, "range": settings.value_range and list(settings.value_range), "force": not settings.gate}
    return Origin(status.st_size, status.st_mtime_ns, work.model.card.name, work.model.digest, changing)


def _is_there(target: Path) -> bool:
    """Whether anything stands at that place. Raises InputError for a name that cannot be there."""
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{target}: could not be written ({why}); choose another name or place with -o") from error
    return True


def _same_file(source: Path, target: Path) -> bool:
    try:
        return source.samefile(target)
    except OSError:
        return False


def _doubts(target: Path, origin: Origin) -> list[str]:
    doubts = origin.differences(target)
    return [*doubts, "--overwrite makes it anew"] if doubts else []


# --- Writing ---


def _write(work: Work, survey: Survey, kind: str, origin: Origin, trial: Trial | None, look: Look | None) -> list[str]:
    """Restore the photo into its place, shown to `look` on the way; returns what the result lacks, in words."""
    photo, settings = survey.photo, work.settings
    watch = gate.Comparison(trial.verdict.finding, photo.pixels) if trial and trial.whole is None else None
    if trial and trial.whole is not None and settings.strength == 1:
        rows = iter([trial.whole])
    else:
        rows = restored_rows(survey, work.model, settings.strength, settings.tile, watch, work.advance, look)
    with atomic(work.target, private=True, replace=settings.overwrite) as temporary:
        lost = image_files.save(photo, temporary, kind, rows)
        if watch:
            _refuse_harm(photo, watch.residual().harm)
        lost += _finished(photo, temporary, origin)
    return _lacking(lost)


def _refuse_harm(photo: Photo, harm: str | None) -> None:
    if harm:
        raise InputError(f"{photo.path}: not written, since {harm}; --force writes it anyway")


def _leave(work: Work, photo: Photo, kind: str, origin: Origin, why: str) -> list[str]:
    """The photo as it is, byte for byte; in another format if the target's ending asks for one. Returns why, and what it lacks."""
    lost: list[str] = []
    with atomic(work.target, private=True, replace=work.settings.overwrite) as temporary:
        if kind == photo.format:
            shutil.copyfile(photo.path, temporary)
            photo.check_unchanged()
        else:
            lost = image_files.save(photo, temporary, kind, photo.rows())
        lost += _finished(photo, temporary, origin)
    return [f"{why}; --force restores it anyway", *_lacking(lost)]


def _finished(photo: Photo, temporary: Path, origin: Origin) -> list[str]:
    """Add all that belongs to the file beside its bytes; returns what could not be kept, in words."""
    origin.note(temporary)
    return keep_attributes(photo.path, temporary, besides=ATTRIBUTE)


def _lacking(lost: list[str]) -> list[str]:
    return [f"the result lacks {each}" for each in lost]
