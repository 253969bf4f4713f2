"""Files that appear whole or not at all: written aside under a lock, flushed to disk, and only then given their name.

The flush before the name matters: after a power cut many file systems remember a new name before the bytes behind it, and an empty file
under a result's name would pass for a result. The folder needs no flush: a name that is lost is "not at all".
"""

import contextlib
import functools
import hashlib
import os
import platform
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from burnish.errors import InputError, TakenError

ASIDE = ".burnish-"  # files being written begin with this and a word for the running system that their writer is part of
DAY = 86_400.0  # seconds after which what another system left behind counts as given up
ENDING = 16  # letters of a name's ending that a temporary name repeats, at most
ACL = "system.posix_acl_access"  # permissions beyond owner, group and others; an extended attribute on Linux


@contextlib.contextmanager
def atomic(path: Path, *, private: bool = False, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it vanishes.

    The temporary name keeps the ending of `path`, since writers choose the format by it. Missing parent folders are made. `private`: nobody
    else may read the file, until `keep_attributes` says otherwise. Without `replace`, a file that stands at `path` stays. Raises
    TakenError then, and InputError when the place cannot be written to (no permission, disk full).
    """
    temporary: Path | None = None
    handle = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = _opened_aside(path, 0o600 if private else 0o666)
        yield temporary
        _flush(temporary, handle)
        handle = _closed_where_open_files_cannot_move(handle)
        _give_name(temporary, path, replace)
        temporary = None
    except OSError as error:
        raise InputError(f"{path}: could not be written ({error.strerror or error}); free some space or choose another place") from error
    finally:
        if handle >= 0:
            os.close(handle)
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all. Raises InputError when it cannot."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all. Raises InputError when it cannot."""
    write_bytes(path, text.encode())


def _opened_aside(path: Path, mode: int) -> tuple[Path, int]:
    """A new empty file beside `path` with the rights that `mode` and the process's umask leave, and the handle that holds its lock."""
    ending = path.suffix if len(os.fsencode(path.suffix)) <= ENDING else ""
    while True:
        temporary = path.parent / f"{ASIDE}{_system()}-{secrets.token_hex(4)}{ending}"
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        except FileExistsError:
            continue
        _lock(handle, wait=True)
        if os.fstat(handle).st_nlink:
            return temporary, handle
        os.close(handle)  # taken for a leftover between its making and its locking


def _flush(temporary: Path, handle: int) -> None:
    if os.path.samestat(os.fstat(handle), temporary.stat()):
        os.fsync(handle)
        return
    with temporary.open("r+b") as written:  # its writer has put a file of its own there; Windows flushes only what may be written to
        os.fsync(written.fileno())


def _closed_where_open_files_cannot_move(handle: int) -> int:
    """The handle, or -1 once it is closed: where there are no locks (Windows), open files cannot be renamed either."""
    if _locks():
        return handle
    os.close(handle)
    return -1


def _give_name(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike renaming, never in the place of another
    except FileExistsError:
        raise TakenError(f"{path}: is there already; ask for it to be overwritten, or choose another place") from None
    except (OSError, AttributeError, NotImplementedError):  # no hard links here: FAT, some network folders
        if os.path.lexists(path):
            raise TakenError(f"{path}: is there already; ask for it to be overwritten, or choose another place") from None
        temporary.replace(path)
        return
    with contextlib.suppress(OSError):  # the second name of what is done
        temporary.unlink()


# --- What killed writers leave behind ---


def clear_leftovers(folder: Path) -> None:
    """Remove from the folder what writers that were killed have left there, and never what one is at work on.

    A writer holds a lock on its file, which falls when it ends, however it ends. All processes of a running system see it, in whatever
    container; a process number, which is another in each, would say nothing. Files of other systems (a shared network folder, or this
    machine before it was started anew) go when no lock is seen and nothing has touched them for a day.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.glob(f"{ASIDE}*")):
            with contextlib.suppress(OSError):
                _clear(path)


def _clear(path: Path) -> None:
    old = time.time() - path.stat().st_ctime > DAY
    ours = path.name.startswith(f"{ASIDE}{_system()}-")
    if not (old or ours):
        return
    if not _locks():
        path.unlink()  # where there are no locks (Windows), an open file cannot be deleted
        return
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        free = _lock(handle, wait=False)
        if free or (free is None and old):
            path.unlink()
    finally:
        os.close(handle)


@functools.cache
def _system() -> str:
    """Eight letters that tell the running system, within which all see each other's locks, from others."""
    try:
        identity = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
    except OSError:
        identity = platform.node()
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


def _locks() -> bool:
    """Whether the platform has locks that vanish with the process."""
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return False
    return True


def _lock(handle: int, *, wait: bool) -> bool | None:
    """Lock the file for as long as the handle is open: True when it is locked, False when another has it, None where locks do not work."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


# --- What belongs to a file beside its bytes ---


def keep_attributes(source: Path, target: Path, besides: str = "") -> list[str]:
    """Give `target` the owner, permissions, times and extended attributes of `source`, as far as the platform has them and we may.

    The extended attribute named `besides` stays where it is. Returns the extended attributes that could not be kept, in words. Where the
    owning group or further permissions (an ACL) cannot be kept, the group may do no more than others may: it is not the same group.
    """
    status = source.stat()
    lost = _keep_extended(source, target, besides)
    mode = stat.S_IMODE(status.st_mode) & 0o777
    if not _keep_owner(status, target) or ACL in lost:
        mode &= ~0o070 | (mode & 0o007) << 3
    target.chmod(mode)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return [f"its extended attribute {name}" for name in lost]


def _keep_extended(source: Path, target: Path, besides: str) -> list[str]:
    """Copy the attributes that people and their programs have set; those of the system (its security labels) belong to the place."""
    if not hasattr(os, "listxattr"):
        return []
    try:
        names = [name for name in os.listxattr(source) if name != besides and (name.startswith("user.") or name == ACL)]
    except OSError:
        return []
    lost = []
    for name in names:
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError:
            lost.append(name)
    return lost


def _keep_owner(status: os.stat_result, target: Path) -> bool:
    """Whether the owning group is the same, after an attempt to make owner and group so."""
    if not hasattr(os, "chown"):
        return True
    own = target.stat()
    if (own.st_uid, own.st_gid) == (status.st_uid, status.st_gid):
        return True
    for owner in (status.st_uid, -1):
        with contextlib.suppress(OSError):
            os.chown(target, owner, status.st_gid)
            return True
    return False
