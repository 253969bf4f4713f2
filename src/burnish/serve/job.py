"""One file's way through the restorer, in a thread of its own, which can be told to stop."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.audio import files as audio_files
from burnish.audio import restore as audio_restore
from burnish.audio.restore import SoundResult
from burnish.errors import BurnishError, InputError
from burnish.image import files as image_files
from burnish.image import headers, opening
from burnish.image import restore as image_restore
from burnish.image.restore import RestoreResult, Stopped
from burnish.serve.refusals import Refused
from burnish.serve.settings import Limits
from burnish.wording import counted

IMAGES, SOUNDS = "JPEG, PNG, WebP, TIFF, AVIF or GIF", audio_files.FORMATS


@dataclass(frozen=True)
class Asked:
    """What a client wants: the model's name (None: the first one that restores what is sent), the strength, whether to restore what the
    model was not made for, and what its file is called."""

    model: str | None
    strength: float
    force: bool
    name: str


@dataclass(frozen=True)
class Outcome:
    """What became of a file: the restorer's word, the result's format, a key of media.FORMATS, and the name of the model."""

    result: RestoreResult | SoundResult
    format: str
    model: str


class Job:
    """A file that was sent, in a folder of its own, and what is wanted of it."""

    def __init__(self, folder: Path, asked: Asked, models: Mapping[str, Any], limits: Limits) -> None:
        self.source, self.target = folder / "sent", folder / "result"  # names without an ending: the result's format is the file's own
        self.name = asked.name
        self._asked, self._models, self._limits = asked, models, limits
        self._stop = threading.Event()
        self._deadline = 0.0

    def stop(self) -> None:
        """Have the work end soon, from whichever thread."""
        self._stop.set()

    def work(self) -> Outcome:
        """Restore the file, as `burnish restore` does. Raises Refused, and Stopped after `stop`."""
        self._deadline = time.monotonic() + self._limits.max_seconds
        try:
            return self._image() if opening.format_of(self.source) else self._sound()
        except BurnishError as error:
            raise self._refusal(error) from error
        except MemoryError as error:
            raise _no_room("memory") from error
        except OSError as error:
            raise _no_room(error.strerror or str(error)) from error

    def _image(self) -> Outcome:
        """An image, unless its header says that it is more than is taken."""
        photo, limits = image_files.open_photo(self.source), self._limits
        if photo.pages > limits.max_frames:
            told = f"holds {counted(photo.pages, 'frame')} or pages, more than the {limits.max_frames:,} that this server takes"
            raise Refused("too-many-frames", f"{self.name}: {told}; send them in parts")
        if photo.pixels > limits.max_pixels:
            told = f"holds {photo.pixels:,} pixels, more than the {limits.max_pixels:,} that this server takes"
            raise Refused("too-many-pixels", f"{self.name}: {told}; cut it, or use burnish restore")
        model = self._model("image")
        settings = image_restore.Settings(self._asked.strength, gate=not self._asked.force)
        work = image_restore.Work(self.source, self.target, model, settings, self._alive, self._alive)
        return Outcome(image_restore.done(work), photo.format, model.card.name)

    def _sound(self) -> Outcome:
        """A recording, unless its header says that it is longer than is taken."""
        if audio_files.format_of(self.source) is None:
            raise Refused("wrong-type", f"{self.name}: is no {IMAGES}, and no {SOUNDS}; convert it to one of them")
        sound, longest = audio_files.open_sound(self.source), self._limits.max_duration
        if sound.seconds > longest:
            told = f"lasts {sound.seconds:,.0f} seconds, more than the {longest:,g} that this server takes"
            raise Refused("too-many-seconds", f"{self.name}: {told}; send it in parts, or use burnish restore")
        model = self._model("audio")
        settings = audio_restore.Settings(self._asked.strength, gate=not self._asked.force)
        work = audio_restore.Work(self.source, self.target, model, settings, self._alive, self._alive)
        return Outcome(audio_restore.done(work), sound.format, model.card.name)

    def _model(self, kind: str) -> Any:
        """The model that is asked for; without a wish, the first of that kind. Raises Refused where it restores something else."""
        fitting = {name: model for name, model in self._models.items() if model.card.kind == kind}
        words = {"image": "an image", "audio": "a recording"}[kind]
        if not fitting:
            raise Refused("wrong-type", f"{self.name}: is {words}, and no model of this server restores such")
        wanted = self._asked.model or next(iter(fitting))
        if wanted not in fitting:
            raise Refused("wrong-parameter", f"{self.name}: is {words}, which {wanted} does not restore; there are {', '.join(fitting)}")
        return fitting[wanted]

    def _alive(self, _done: int) -> None:
        """Called as the work goes on; ends it when its time is over or nobody wants it any more."""
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            told = f"took longer than the {self._limits.max_seconds:g} seconds that this server works on one file"
            raise Refused("too-long", f"{self.name}: {told}; send a smaller one, or name a faster model", {"Retry-After": "60"})

    def _refusal(self, error: BurnishError) -> Refused:
        """A refusal of the restorer as an answer."""
        cause = error.__cause__
        if isinstance(cause, MemoryError):
            return _no_room("memory")
        if isinstance(error, InputError) and isinstance(cause, OSError) and cause.errno:
            return _no_room(os.strerror(cause.errno))
        return Refused("wrong-type" if self._is_of_no_use() else "not-restored", self.told(str(error)))

    def _is_of_no_use(self) -> bool:
        """Whether the file is of a kind that is known, and not read here: HEIC, sound in MPEG-4."""
        return self.source.is_file() and (headers.is_heic(self.source) or audio_files.format_of(self.source) == "mp4")

    def told(self, line: str) -> str:
        """A line of the restorer in the words of the API."""
        for path in (self.source, self.target):
            line = line.replace(str(path), self.name)
        return line.replace("--force", "force=true")


def _no_room(why: str) -> Refused:
    return Refused("no-room", f"the server could not finish this ({why}); try again later", {"Retry-After": "30"})
