"""Where files lie while they are worked on: a folder that nobody else may look into, gone with the server, however that ends."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from burnish.errors import InputError

PREFIX = "burnish-serve-"
LOCK = "lock"  # the file in the folder that a living server has locked
# Waits for the end of its input, which is that of the server, and removes the folder.
KEEPER = "import shutil, sys; sys.stdin.buffer.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"


class Scratch:
    """A folder for temporary files. A small process beside the server removes it when the server has ended, by `kill -9` too.

    What is left where that process was killed as well goes when the next server starts.
    """

    def __init__(self) -> None:
        clear_leftovers(Path(tempfile.gettempdir()))
        try:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = (self.path / LOCK).open("wb")
        except OSError as error:
            raise InputError(f"no folder for temporary files can be made ({error.strerror}); set TMPDIR to a place with room") from error
        _locked(self._lock.fileno())
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", KEEPER, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for one file, gone with all that is in it at the end. Raises OSError when there is no room."""
        path = Path(tempfile.mkdtemp(dir=self.path))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self._lock.close()  # before the rest: where open files cannot be removed (Windows)
        self._keeper.communicate()
        shutil.rmtree(self.path, ignore_errors=True)


def clear_leftovers(place: Path) -> None:
    """Remove the folders of servers that are no more: nobody holds their lock. Where there are no locks (Windows), nothing is removed."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            handle = os.open(folder / LOCK, os.O_RDWR)
            try:
                if _locked(handle):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)


def _locked(handle: int) -> bool:
    """Lock the file for as long as it is open. False where another has it, or there are no locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
