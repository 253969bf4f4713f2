"""CIFAR-10 as its authors publish it: downloaded once and checked, read without unpacking it, its pickles read without executing them."""

import contextlib
import gzip
import hashlib
import http.client
import io
import pickle
import tarfile
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, MissingExtraError
from burnish.progress import Progress

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
MD5 = "c58f30108f718f92721af3b95e74349a"
FOLDER = "cifar-10-batches-py"
BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
LARGEST = 64 * 2**20  # bytes a batch may have; the real ones have 31 million
REMEDY = "name a local archive with --data ARCHIVE, or take the embedded photographs with --data photos"
CHUNK = 1 << 18

Batches = dict[str, bytes]


class DataWarning(UserWarning):
    """Something about the data that a person should know."""


def load(path: Path, split: Literal["train", "test"]) -> NDArray[np.uint8]:
    """The images of an archive (.tar.gz) or of its unpacked folder in their published order: N×32×32×3 uint8.

    Raises InputError for what is no CIFAR-10 archive, is truncated, or holds anything but data.
    """
    wanted = BATCHES[split]
    batches = _from_folder(path, wanted) if path.is_dir() else _from_archive(path, wanted)
    return np.concatenate([_images(batches[name], f"{path}: {name}") for name in wanted])


def is_folder(path: Path) -> bool:
    """Whether the folder is CIFAR-10's unpacked archive, or holds it."""
    return any((path / inner / "data_batch_1").is_file() for inner in ("", FOLDER))


# --- The archive ---


def _from_folder(path: Path, wanted: list[str]) -> Batches:
    folder = path if (path / "data_batch_1").is_file() else path / FOLDER
    batches = {}
    for name in wanted:
        try:
            with (folder / name).open("rb") as file:
                batches[name] = file.read(LARGEST + 1)
        except OSError as error:
            raise InputError(f"{folder / name}: cannot be read ({error.strerror}); unpack the archive anew") from error
        if len(batches[name]) > LARGEST:
            raise InputError(f"{folder / name}: far larger than a CIFAR-10 batch; use the official archive")
    return batches


def _from_archive(path: Path, wanted: list[str]) -> Batches:
    found = md5(path)
    members = {f"{FOLDER}/{name}": name for name in wanted}
    batches: Batches = {}
    try:
        with tarfile.open(path, "r|gz") as archive:  # a stream: nothing is unpacked, nothing past the last batch wanted is read
            for member in archive:
                _refuse_odd(member, path)
                if member.name in members and (file := archive.extractfile(member)):
                    batches[members[member.name]] = file.read()
                if len(batches) == len(members):
                    break
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"{path}: not a whole CIFAR-10 archive ({error}); download it again") from error
    missing = [name for name in wanted if name not in batches]
    if missing:
        raise InputError(f"{path}: holds no {FOLDER}/{missing[0]}; give the python version of CIFAR-10 (cifar-10-python.tar.gz)")
    if found != MD5:  # only now: of what is no such archive at all, one line tells enough
        warnings.warn(
            f"{path}: not the official CIFAR-10 archive (MD5 {found}, official {MD5}); going on with it", DataWarning, stacklevel=2
        )
    return batches


def _refuse_odd(member: tarfile.TarInfo, path: Path) -> None:
    """Nothing is ever unpacked, so a climbing path could do no harm; an archive that has one is still none to trust."""
    parts = Path(member.name).parts
    if member.name.startswith("/") or ".." in parts or not (member.isfile() or member.isdir()):
        raise InputError(f"{path}: holds {member.name!r}, which has no place in CIFAR-10's archive; use the official one")
    if member.size > LARGEST:
        raise InputError(
            f"{path}: holds {member.name!r} of {member.size:,} bytes, far larger than a CIFAR-10 batch; use the official archive"
        )


def md5(path: Path) -> str:
    """The file's MD5 in hex. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error


# --- The pickles ---


class _Dtype:
    """Stands in for numpy.dtype: only unsigned bytes exist."""

    def __init__(self, name: object = None, *_rest: object) -> None:
        if name not in ("u1", b"u1"):
            raise pickle.UnpicklingError("an array of something other than bytes")

    def __setstate__(self, _state: object) -> None:
        pass


class _Array:
    """Stands in for numpy.ndarray: built from a shape and bytes, never by numpy's own unpickling."""

    array: NDArray[np.uint8]

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, values = state
        if not isinstance(dtype, _Dtype) or not isinstance(values, bytes | bytearray):
            raise pickle.UnpicklingError("an array that is not plain bytes")
        self.array = np.frombuffer(values, np.uint8).reshape(shape, order="F" if fortran else "C")


def _frombuffer(values: object, dtype: object, shape: object, order: object) -> _Array:
    """How protocol 5 writes an array."""
    made = _Array()
    made.__setstate__((1, shape, dtype, order == "F", values))
    return made


def _reconstruct(*_arguments: object) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"a text in the encoding {encoding!r}")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    """Builds arrays of bytes, lists, strings and numbers, and nothing else: no name in a pickle reaches real code."""

    ALLOWED: dict[tuple[str, str], Callable[..., Any] | type] = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy.core.numeric", "_frombuffer"): _frombuffer,
        ("numpy._core.numeric", "_frombuffer"): _frombuffer,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self.ALLOWED[module, name]

    def persistent_load(self, _pid: object) -> Any:
        raise pickle.UnpicklingError("it refers to something outside itself")


def _images(data: bytes, where: str) -> NDArray[np.uint8]:
    """One batch's images, N×32×32×3."""
    try:
        batch = _Reader(io.BytesIO(data), encoding="bytes").load()
        pixels, labels = batch[b"data"], batch[b"labels"]
        rows: NDArray[np.uint8] = pixels.array
        count, columns = rows.shape
        if columns != 3072 or count == 0 or count != len(labels):
            raise ValueError(f"{count} rows of {columns} bytes with {len(labels)} labels")
    except MemoryError as error:
        raise InputError(f"{where}: not a CIFAR-10 batch (it asks for too much memory); use the official archive") from error
    except Exception as error:  # a hostile pickle can raise anything its few allowed operations can be driven to
        raise InputError(f"{where}: not a CIFAR-10 batch ({error}); use the official archive") from error
    return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


# --- The download ---


def archive(progress: Progress | None = None) -> Path:
    """The official archive in the platform's cache folder, downloaded on first use and checked by its MD5.

    A download that broke off goes on where it stopped. Raises InputError when there is no network, or another file came.
    """
    try:
        import platformdirs
    except ImportError as error:
        raise MissingExtraError("cifar10: to download it takes pip install 'burnish[evaluate]'; or name an archive") from error
    return download(URL, MD5, platformdirs.user_cache_path("burnish") / "cifar-10-python.tar.gz", progress)


def download(url: str, expected: str, target: Path, progress: Progress | None = None) -> Path:
    """Fetch `url` to `target`, going on from a broken download, and check its MD5. Returns `target`; raises InputError."""
    if target.exists():
        return target
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part, progress)
    except _NetworkError as error:
        raise InputError(f"CIFAR-10 could not be downloaded ({error}); {REMEDY}") from error
    except OSError as error:
        raise InputError(f"{part}: could not be written ({error.strerror or error}); free some space, or {REMEDY}") from error
    if (found := md5(part)) != expected:
        part.unlink()
        raise InputError(f"{url}: what came is not the official archive (MD5 {found}, expected {expected}); try again, or {REMEDY}")
    part.replace(target)
    return target


class _NetworkError(Exception):
    """What went wrong on the way, in words; what had come is kept."""


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    """Append to `part` what it lacks of `url`; a server that cannot go on from the middle sends the whole again."""
    have = part.stat().st_size if part.exists() else 0
    response = _asked(url, have)
    if response is None:
        return
    with contextlib.closing(response):
        if response.status != 206:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with part.open("ab" if have else "wb") as file:
            while chunk := _next(response, have):
                file.write(chunk)
                have += len(chunk)
                if progress:
                    progress(have, total, f"{have / 1e6:.0f} MB of CIFAR-10")
        if total is not None and have < total:
            raise _NetworkError(f"broke off after {have:,} of {total:,} bytes; run it again to go on")


def _asked(url: str, have: int) -> Any:
    """The server's answer, from byte `have` on if it can; None when nothing lies beyond: it is whole, or its sum will tell."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        return urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return None
        raise _NetworkError(f"HTTP status {error.code}, {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NetworkError(getattr(error, "reason", None) or error) from error


def _next(response: Any, have: int) -> bytes:
    """The next bytes of the answer. A server that hangs up in the middle of a chunk, a reset line, a time-out: all are one to us."""
    try:
        chunk: bytes = response.read(CHUNK)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NetworkError(f"broke off after {have:,} bytes: {type(error).__name__}; run it again to go on") from error
    return chunk
