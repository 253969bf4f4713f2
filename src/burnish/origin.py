"""What a result was made of: kept beside the file's bytes, so that a later run knows whether it would make the same again.

It stands in an extended attribute of the file, where the platform and the file system have such (Linux): a note inside the file would add
a tag that the source had not, one beside it would be litter among the results. Where there are none, or a copy has lost it, the times
tell: a result has its source's. Nothing is overwritten because of what is found; it is said.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ATTRIBUTE = "user.burnish"
TICK = 2_000_000_000  # nanoseconds, the coarsest step in which file systems (FAT) keep times


@dataclass(frozen=True)
class Origin:
    """A source as it was (`size` in bytes, `changed` in nanoseconds), the model (its name, and a digest of its file) and the settings that
    change the result, by their names."""

    size: int
    changed: int
    model: str
    digest: str
    settings: dict[str, Any]

    def note(self, path: Path) -> None:
        """Keep this with the file at `path`, where that is possible."""
        if hasattr(os, "setxattr"):
            with contextlib.suppress(OSError):
                os.setxattr(path, ATTRIBUTE, json.dumps(asdict(self)).encode())

    def differences(self, path: Path) -> list[str]:
        """In which ways the result at `path` may be another than what would be made now, in words."""
        found = _noted(path)
        if found is None:
            if not path.exists():
                return ["it is a link that leads nowhere"]
            if abs(path.stat().st_mtime_ns - self.changed) > TICK:
                return ["its time is not its source's: one of the two has changed since, or it is no result of this source"]
            return ["which model and settings made it is not on record"]
        told = []
        if (found.size, found.changed) != (self.size, self.changed):
            told.append("its source has changed since, or was another")
        if found.digest != self.digest:
            told.append(f"it was made by {found.model if found.model != self.model else 'another ' + found.model}")
        told += [
            f"it was made with {name} {found.settings.get(name)}, not {value}"
            for name, value in self.settings.items()
            if found.settings.get(name) != value
        ]
        return told


def _noted(path: Path) -> Origin | None:
    if not hasattr(os, "getxattr"):
        return None
    try:
        return Origin(**json.loads(os.getxattr(path, ATTRIBUTE)))
    except (OSError, ValueError, TypeError):
        return None
