"""One recording restored: looked at as a whole, judged, run through the model as a stream, and written whole or not at all."""

import contextlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from burnish.audio import files as audio_files
from burnish.audio import gate
from burnish.audio.files import Block, Sound
from burnish.audio.model import Model, load
from burnish.audio.survey import Survey
from burnish.errors import BurnishError, InputError, TakenError, one_line
from burnish.files import atomic, keep_attributes
from burnish.image.restore import RestoreResult, Stopped
from burnish.origin import ATTRIBUTE, Origin

Advance = Callable[[int], None]  # is told a number of samples


@dataclass(frozen=True)
class Settings:
    """How recordings are restored; `restore_file` says what each means. Raises InputError for a value that is none."""

    strength: float = 1.0
    overwrite: bool = False
    gate: bool = True
    residual: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise InputError(f"strength = {self.strength} must be on 0–1: 0 as it was, 1 as restored")


@dataclass(frozen=True)
class SoundResult(RestoreResult):
    """What became of a recording: as a RestoreResult, with its `duration` in seconds (0 where nothing was written) for `megapixels`."""

    duration: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The keys of `burnish restore --json`."""
        values = super().to_json()
        return {
            ("duration" if key == "megapixels" else key): (round(self.duration, 6) if key == "megapixels" else value)
            for key, value in values.items()
            if key not in ("noise", "jpeg")  # of images
        }


@dataclass(frozen=True)
class Work:
    """A recording to restore: from where, to where, with what and how. `begin` is told its samples when it is open, `advance` those that
    are done, and may raise Stopped."""

    source: Path
    target: Path
    model: Model
    settings: Settings
    begin: Advance
    advance: Advance

    def result(self, status: Any, *notes: str, error: str | None = None) -> SoundResult:
        """What became of it."""
        return SoundResult(self.source, self.target, status, notes=notes, error=error)


def restore_file(
    src: str | Path,
    dst: str | Path,
    model: str | Path | Model = "speech",
    *,
    strength: float = 1.0,
    threads: int | None = None,
    gate: bool = False,
    residual: str | Path | None = None,
    overwrite: bool = False,
) -> SoundResult:
    """Restore the recording in the file `src` (in any format that `burnish restore` takes) into the file `dst`, with all it carries.

    - `model`: a shipped model's name, a model file, or a loaded model.
    - `strength`: 0–1, from 0 (as it was) to 1 (as restored).
    - `threads`: CPU threads that compute, 1 or more. None: all this process may use. A loaded model has its own.
    - `gate`: leave alone what holds no speech, and speech that is clean, as the command does. Without it all is restored.
    - `residual`: a file to write what is taken away to (WAV or FLAC, by its ending).
    - `overwrite`: replace a file that is at `dst`. Without it there is no harm done: the result's status is "skipped".

    Returns what became of it: "restored", "unchanged" (a copy was written) or "skipped". Raises InputError for a file that is no recording
    or broken, a place that cannot be written to, or a value out of range; ModelError for a model that cannot be loaded. Nothing is written
    then.
    """
    settings = Settings(strength, overwrite, gate, Path(residual) if residual else None)
    if threads is not None and (threads < 1 or isinstance(model, Model)):
        raise InputError(f"threads = {threads} must be at least 1, and a loaded model has its own: load(name, threads)")
    loaded = model if isinstance(model, Model) else load(model, threads)
    return done(Work(Path(src), Path(dst), loaded, settings, _unseen, _unseen))


def _unseen(samples: int) -> None:
    """Nobody looks how far it is."""


def done(work: Work) -> SoundResult:
    """What became of one recording. Raises what `restore_file` does, and Stopped where `advance` does."""
    began = time.monotonic()
    with _refusals(work.source):
        result = _restored(work)
    return replace(result, seconds=time.monotonic() - began)


def restored(work: Work) -> SoundResult:
    """What became of one recording, failures included, whatever they are. Raises only what says that all is to stop."""
    began = time.monotonic()
    try:
        return done(work)
    except Stopped:
        raise
    except BurnishError as error:
        result = work.result("failed", error=str(error))
    except Exception as error:  # one recording must not stop the rest
        result = work.result("failed", error=one_line(f"{work.source}: {type(error).__name__}: {error}; please report this"))
    return replace(result, seconds=time.monotonic() - began)


@contextlib.contextmanager
def _refusals(source: Path) -> Iterator[None]:
    """What the system refuses, as InputError."""
    try:
        yield
    except MemoryError as error:
        raise InputError(f"{source}: the memory is used up; close other programs") from error
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}; check the file and the disk it is on") from error


def _restored(work: Work) -> SoundResult:
    """The way of a recording: opened, surveyed and judged; then restored into its place, or copied there."""
    settings = work.settings
    origin = _origin(work)
    if (standing := _standing(work, origin)) is not None:
        return standing
    sound = audio_files.open_sound(work.source)
    kind = audio_files.format_for(sound, work.target)
    work.begin(sound.samples)
    survey = gate.surveyed(sound, lambda: work.advance(0))
    verdict = gate.judged(sound, survey, work.model) if settings.gate else gate.Verdict(True)
    try:
        with atomic(work.target, private=True, replace=settings.overwrite) as temporary:
            if verdict.restore:
                lost = _write(work, sound, survey, temporary, kind)
                notes = []
            else:
                lost = _leave(work, sound, temporary, kind)
                notes = [f"{verdict.why}; --force restores it anyway"]
                notes += ["nothing was taken away, so nothing is written to --residual"] if settings.residual else []
            sound.check_unchanged()
            origin.note(temporary)
            lost += keep_attributes(work.source, temporary, besides=ATTRIBUTE)
    except TakenError:
        return work.result("skipped", "another run has written it meanwhile")
    notes += [f"the result lacks {each}" for each in lost]
    return replace(work.result("restored" if verdict.restore else "unchanged", *notes), duration=sound.seconds)


def _origin(work: Work) -> Origin:
    try:
        status = work.source.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{work.source}: cannot be read ({getattr(error, 'strerror', None) or error}); check the path") from error
    changing = {"strength": work.settings.strength, "force": not work.settings.gate}
    return Origin(status.st_size, status.st_mtime_ns, work.model.card.name, work.model.digest, changing)


def _standing(work: Work, origin: Origin) -> SoundResult | None:
    """What is said of a place where something stands already; None where nothing does, or it may be replaced."""
    target = work.target
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{target}: could not be written ({why}); choose another name or place with -o") from error
    with contextlib.suppress(OSError):
        if work.source.samefile(target):
            raise InputError(f"{work.source}: would be overwritten by its own result; choose another place with -o")
    if target.is_dir():
        raise InputError(f"{target}: is a folder, in whose place no file can be written; choose another name or place with -o")
    if work.settings.overwrite:
        return None
    doubts = origin.differences(target)
    return work.result("skipped", *([*doubts, "--overwrite makes it anew"] if doubts else []))


# --- Writing ---


def _leave(work: Work, sound: Sound, temporary: Path, kind: str) -> list[str]:
    """The recording as it is, byte for byte; in another format if the target's ending asks for one. Returns what it lacks."""
    if kind == sound.format:
        shutil.copyfile(sound.path, temporary)
        work.advance(sound.samples)
        return []
    return audio_files.save(sound, temporary, kind, sound.blocks())


def _write(work: Work, sound: Sound, survey: Survey, temporary: Path, kind: str) -> list[str]:
    """Restore the recording into its place; returns what the result lacks, in words."""
    residual = work.settings.residual
    if residual is None:
        return audio_files.save(sound, temporary, kind, _through(work, sound, survey, None))
    if residual.suffix.lower() not in (".wav", ".flac"):
        raise InputError(f"{residual}: what is taken away is written as WAV or FLAC; choose such an ending")
    import soundfile

    with atomic(residual, replace=work.settings.overwrite) as aside:
        subtype = "FLOAT" if residual.suffix.lower() == ".wav" else "PCM_24"
        form = residual.suffix[1:].upper()
        with soundfile.SoundFile(aside, "w", sound.rate, sound.channels, subtype, format=form) as file:
            return audio_files.save(sound, temporary, kind, _through(work, sound, survey, file.write))


def _through(work: Work, sound: Sound, survey: Survey, taken: Callable[[Block], None] | None) -> Iterator[Block]:
    """The restored samples, block by block; `taken` receives what was taken away from each."""
    stream = work.model.stream(survey, work.settings.strength)
    waiting: deque[Block] = deque()

    def done(block: Block) -> Block:
        if taken is not None:
            before = np.concatenate(waiting)
            taken(before[: len(block)] - block)
            waiting.clear()
            waiting.append(before[len(block) :])
        return block

    for block in sound.blocks():
        if taken is not None:
            waiting.append(block)
        yield done(stream.push(block))
        stream.forget()
        work.advance(len(block))
    yield done(stream.finish())
