"""Files that appear whole or not at all: written aside, flushed to disk, renamed."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from burnish.errors import InputError

ASIDE = ".burnish-"  # files being written begin with this and the writer's process number


def clear_leftovers(folder: Path) -> None:
    """Remove what writers that were killed have left in the folder."""
    for path in folder.glob(f"{ASIDE}*"):
        writer = path.name.removeprefix(ASIDE).partition("-")[0]
        if writer.isdigit() and not _is_alive(int(writer)):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it vanishes.

    The temporary name keeps the ending of `path`, since writers choose the format by it. Missing parent folders are made.
    Raises InputError when the place cannot be written to (no permission, disk full).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{ASIDE}{os.getpid()}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: could not be written ({error.strerror or error}); free some space or choose another place") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all. Raises InputError when it cannot."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all. Raises InputError when it cannot."""
    write_bytes(path, text.encode())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
