"""One file's way through the restorer, in a thread of its own, which can be told to stop."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from burnish.errors import BurnishError, InputError
from burnish.image import files as image_files
from burnish.image import headers, opening
from burnish.image.files import Photo
from burnish.image.model import Model
from burnish.image.restore import RestoreResult, Settings, Stopped, Work, done
from burnish.serve.refusals import Refused
from burnish.serve.settings import Limits
from burnish.wording import counted

ENDINGS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "tiff": ".tif", "avif": ".avif", "gif": ".gif"}


@dataclass(frozen=True)
class Outcome:
    """What became of a file, and the result's format, a key of ENDINGS."""

    result: RestoreResult
    format: str


class Job:
    """A file that was sent, in a folder of its own, and what is to be done with it; `name` is what its sender calls it."""

    def __init__(self, folder: Path, name: str, model: Model, settings: Settings, limits: Limits) -> None:
        self.source, self.target = folder / "sent", folder / "result"  # names without an ending: the result's format is the file's own
        self.name = name
        self._model, self._settings, self._limits = model, settings, limits
        self._stop = threading.Event()
        self._deadline = 0.0

    def stop(self) -> None:
        """Have the work end soon, from whichever thread."""
        self._stop.set()

    def work(self) -> Outcome:
        """Restore the file, as `burnish restore` does. Raises Refused, and Stopped after `stop`."""
        self._deadline = time.monotonic() + self._limits.max_seconds
        try:
            photo = self._admitted()
            return Outcome(done(Work(self.source, self.target, self._model, self._settings, self._alive, self._alive)), photo.format)
        except BurnishError as error:
            raise self._refusal(error) from error
        except MemoryError as error:
            raise _no_room("memory") from error
        except OSError as error:
            raise _no_room(error.strerror or str(error)) from error

    def _admitted(self) -> Photo:
        """The photo, whose header says that it is no more than is taken."""
        if opening.format_of(self.source) is None:
            raise Refused("no-image", f"{self.name}: is no JPEG, PNG, WebP, TIFF, AVIF or GIF; convert it to one of them")
        photo = image_files.open_photo(self.source)
        limits = self._limits
        if photo.pages > limits.max_frames:
            told = f"holds {counted(photo.pages, 'frame')} or pages, more than the {limits.max_frames:,} that this server takes"
            raise Refused("too-many-frames", f"{self.name}: {told}; send them in parts")
        if photo.pixels > limits.max_pixels:
            told = f"holds {photo.pixels:,} pixels, more than the {limits.max_pixels:,} that this server takes"
            raise Refused("too-many-pixels", f"{self.name}: {told}; cut it, or use burnish restore")
        return photo

    def _alive(self, _pixels: int) -> None:
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
        code = "no-image" if self.source.is_file() and headers.is_heic(self.source) else "not-restored"
        return Refused(code, self.told(str(error)))

    def told(self, line: str) -> str:
        """A line of the restorer in the words of the API."""
        for path in (self.source, self.target):
            line = line.replace(str(path), self.name)
        return line.replace("--force", "force=true")


def _no_room(why: str) -> Refused:
    return Refused("no-room", f"the server could not finish this ({why}); try again later", {"Retry-After": "30"})
