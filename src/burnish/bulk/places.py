"""Where bulk work reads and writes: a folder, or a store of objects that fsspec knows. Names in it are keys: paths with slashes.

What is written is written once: whole, and never in the place of another. A folder does it by a file aside that is linked to its name, a
store by a conditional put (`If-None-Match: *` in S3).
"""

import contextlib
import errno
import functools
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from burnish.errors import BurnishError, InputError, MissingExtraError, StoreError, TakenError, one_line
from burnish.files import atomic, clear_leftovers, keep_attributes

OWN = ".burnish"  # the folder within a target that holds what is known of the work
VERSION = "?versionId="  # what follows it in a key, s3fs takes for the version of another object
CONFLICT, TAKEN = "ConditionalRequestConflict", "PreconditionFailed"  # what S3 says: two put at once; something is there
NAMES = {
    errno.ENAMETOOLONG,
    errno.EILSEQ,
    errno.EINVAL,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
}  # what a name can be at fault for, and no place


class Folder:
    """A folder of this machine, or one that it shares with others."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cleared: set[Path] = set()

    def __str__(self) -> str:
        return str(self.root)

    def url(self, key: str) -> str:
        """The key as people and programs write it."""
        return str(self.root / key)

    def path(self, key: str) -> Path:
        """Where the key lies. Raises InputError for one that has no place in a folder."""
        parts = key.split("/")
        foreign = sys.platform == "win32" and any(PureWindowsPath(part).parts != (part,) or ":" in part for part in parts)
        if foreign or "\0" in key or any(part in ("", ".", "..") for part in parts):
            raise InputError(f"{key}: has no place in a folder; write to a store of objects, or rename it")
        return self.root / key

    def exists(self, key: str) -> bool:
        """Whether anything stands there. Raises InputError where it is a folder: a store may have keys below a key, a folder has not."""
        path = self.path(key)
        if os.path.isdir(path):
            raise InputError(f"{path}: is a folder, so that no file can be there; write to a store of objects, or rename it")
        return os.path.lexists(path)

    def keys(self, under: str) -> Iterator[str]:
        """All keys under that folder of the place, in their order."""
        for place, folders, names in os.walk(self.root / under):
            folders.sort()
            yield from ((Path(place) / name).relative_to(self.root).as_posix() for name in sorted(names))

    def read(self, key: str) -> bytes | None:
        """All that stands there; None where nothing does."""
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.url(key)}: cannot be read ({error.strerror}); check its permissions") from error

    def create(self, key: str, file: Path) -> None:
        """Write the file there, with its permissions, times and attributes. Raises TakenError where something stands already, InputError
        for a name that cannot be there, StoreError when the place takes nothing now."""
        path = self.path(key)
        if path.parent not in self._cleared:
            clear_leftovers(path.parent)
            self._cleared.add(path.parent)
        for last in (False, False, True):
            try:
                with atomic(path, private=True, replace=False) as temporary:
                    shutil.copyfile(file, temporary)
                    keep_attributes(file, temporary)
                return
            except TakenError:
                raise
            except InputError as error:
                number = getattr(error.__cause__, "errno", None)
                if number in NAMES:
                    raise
                if last or number != errno.ENOENT:  # else `remove`, in another run, has just taken the empty folder away
                    raise StoreError(str(error)) from error

    def remove(self, key: str) -> None:
        """Take it away, and its folder if nothing else is in it. Somebody else may do the same."""
        path = self.path(key)
        with contextlib.suppress(OSError):
            path.unlink()
            path.parent.rmdir()


class Bucket:
    """A store of objects, or a part of it: what begins with a URL."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self._fs = filesystem(scheme)
        self.scheme, self.root = scheme, rest.rstrip("/")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.root}"

    def url(self, key: str) -> str:
        """The key as people and programs write it."""
        return f"{self.scheme}://{self.root}/{key}"

    def path(self, key: str) -> str:
        """The key as fsspec takes it. Raises InputError for one that it takes for another."""
        return _unmistaken(self.scheme, f"{self.root}/{key}")

    def exists(self, key: str) -> bool:
        """Whether an object has that key; others may have keys that begin so. Raises StoreError when the store does not say."""
        with refusals(self.url(key)):
            try:
                return bool(self._fs.info(self.path(key))["type"] != "directory")
            except FileNotFoundError:
                return False

    def keys(self, under: str) -> Iterator[str]:
        """All keys under that prefix, in their order."""
        with refusals(self.url(under)):
            try:
                found = self._fs.find(f"{self.root}/{under}".rstrip("/"))
            except FileNotFoundError:
                found = []
        start = self.root.lstrip("/") + "/"
        yield from (path.lstrip("/")[len(start) :] for path in found if path.lstrip("/").startswith(start))

    def read(self, key: str) -> bytes | None:
        """All that stands there; None where nothing does."""
        with refusals(self.url(key)):
            try:
                data: bytes = self._fs.cat_file(self.path(key))
            except FileNotFoundError:
                return None
            return data

    def create(self, key: str, file: Path) -> None:
        """Put the file there by a conditional put. Raises TakenError where something stands already, StoreError when the store refuses."""
        with refusals(self.url(key)):
            for last in (False, False, True):
                try:
                    self._fs.put_file(str(file), self.path(key), mode="create")
                    return
                except OSError as error:
                    said = _said(error)
                    if isinstance(error, FileExistsError) or said == TAKEN:
                        raise TakenError(f"{self.url(key)}: is there already; choose another place") from error
                    if last or said != CONFLICT:
                        raise

    def remove(self, key: str) -> None:
        """Take it away, if it is there."""
        with refusals(self.url(key)):
            try:
                self._fs.rm_file(self.path(key))
            except FileNotFoundError:
                return


def _unmistaken(scheme: str, path: str) -> str:
    if VERSION in path:
        why = f"has {VERSION} in it, which the client of the store takes for the version of another object; rename it"
        raise InputError(f"{scheme}://{path}: {why}")
    return path


def _said(error: OSError) -> str | None:
    """The code of S3's answer behind an error, if there is one."""
    answer: dict[str, dict[str, str]] = getattr(error.__cause__, "response", None) or {}
    return answer.get("Error", {}).get("Code")


Place = Folder | Bucket


def placed(text: str) -> Place:
    """The folder or store that a path or URL names. Raises InputError for a URL that nobody knows."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Folder(Path(text))
    return Folder(Path(rest)) if scheme in ("file", "local") else Bucket(text)


def check(place: Place) -> None:
    """Raises StoreError for a store that takes nothing, or that writes over what is there when it is told not to, as some do."""
    if isinstance(place, Folder):
        return
    key = f"{OWN}-probe-{secrets.token_hex(8)}"
    create_bytes(place, key, b"one")
    try:
        create_bytes(place, key, b"two")
    except TakenError:
        return
    finally:
        with contextlib.suppress(StoreError):  # who may write may not delete, perhaps
            place.remove(key)
    raise StoreError(f"{place}: writes over what is there though it is told not to (If-None-Match: *); choose another store, or a folder")


def create_bytes(place: Place, key: str, data: bytes, within: Path | None = None) -> None:
    """Write bytes as a new file of the place, by way of a folder for temporary files. Raises as `create` does."""
    with tempfile.TemporaryDirectory(prefix="burnish-", dir=within) as folder:
        file = Path(folder) / "new"
        file.write_bytes(data)
        place.create(key, file)


def fetched(url: str, into: Path) -> Path:
    """The file at a path or URL as a file of this machine: itself, or streamed into `into`.

    Raises InputError when nothing is there, StoreError when the store does not give it now.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url)
    with refusals(url):
        try:
            filesystem(scheme).get_file(_unmistaken(scheme, rest), str(into))
        except FileNotFoundError as error:
            raise InputError(f"{url}: is not there; check the address") from error
    return into


@contextlib.contextmanager
def refusals(url: str) -> Iterator[None]:
    """What a store and its client refuse, as StoreError with the address and the reason in one line."""
    try:
        yield
    except BurnishError:
        raise
    except Exception as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        advice = "check your permissions" if isinstance(error, PermissionError) else "check the address, the keys and the network"
        raise StoreError(one_line(f"{url}: the store says {why!r}; {advice}")) from error


@functools.cache
def filesystem(scheme: str) -> Any:
    """fsspec's client for such URLs. Raises InputError for URLs that it does not know, MissingExtraError for a package that is missing."""
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:  # fsspec says which package it is; that for S3, and fsspec itself, come with an extra
        ours = isinstance(error, ModuleNotFoundError) or scheme in ("s3", "s3a")
        advice = ": pip install 'burnish[bulk]'" if ours else ""
        raise MissingExtraError(f"{scheme}:// needs a package that is not installed ({error}){advice}") from error
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{scheme}://: such addresses are not known ({error}); give a folder, s3://, gs:// or a file with paths"
        ) from error
