"""Latents of many images in one file: written as they come, gone on with after a stop, checked when they are read.

The file is an .npz (or Parquet) of `path`, `latent` and `size` (height and width in pixels) per image and a head with the model's
fingerprint, the latent's shape and a checksum. While it is made, what is done stands in a folder beside it, which goes when the file is
whole.
"""

import contextlib
import hashlib
import io
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, MissingExtraError
from burnish.files import atomic, write_text

KIND = "burnish latents 2"
SIZELESS = "burnish latents 1"  # what is read, too: files that do not say how large the images were
ENDINGS = (".npz", ".parquet")
HEAD, DONE, ROWS = "head.json", "done.jsonl", "rows.bin"
CHUNK = 1 << 24  # bytes copied at a time
# What reading a damaged .npz or head may raise: RuntimeError where a byte says that the archive is encrypted or of a kind to come.
BROKEN = (ValueError, KeyError, EOFError, TypeError, IndexError, OverflowError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
SIZE_TYPE = np.dtype("<u4")
Size = tuple[int, int]  # height and width in pixels
Sizes = NDArray[np.uint32]  # of many images, N×2
Read = tuple[dict[str, Any], list[str], Sizes | None, NDArray[Any]]  # what stands in a file: head, paths, sizes, latents


@dataclass(frozen=True)
class Head:
    """What all rows of a file share: the model's `name` and `fingerprint`, the latent's `shape` and `dtype` ("float32", or "uint8" for
    placeholders and packed latents, filled up with zeros), the `size` that images were brought to, [height, width] or None, and, of packed
    latents, the `coding` that burnish.latent.packing reads them by."""

    model: str
    fingerprint: str
    shape: list[int]
    dtype: str
    size: list[int] | None = None
    coding: dict[str, Any] | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one latent."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"kind": KIND} | {key: value for key, value in vars(self).items() if key != "coding" or value is not None}


@dataclass(frozen=True)
class Latents:
    """A latents file: its head, the images' paths, `latent`, N×shape, and `sizes`, N×2, height and width that each image had before it was
    brought to another size (None: an older file, which does not say)."""

    head: Head
    paths: list[str]
    latent: NDArray[Any] = field(compare=False)
    sizes: Sizes | None = field(compare=False)


class Writer:
    """A latents file in the making. `done` holds the paths whose latents stand already; `add` takes the next ones; `finish` makes the file.

    What was begun with another model, or for another set of images, is begun anew.
    """

    def __init__(self, target: Path, source: str, model: tuple[str, str]) -> None:
        check_ending(target)
        self.target = target
        self.folder = target.parent / f".{target.name}.partial"
        self._source, self._model = source, model
        self.head: Head | None = None
        self.done: list[str] = []
        self._sizes: list[Size] = []
        self._rows: BinaryIO | None = None
        self._begun()

    def add(self, head: Head, paths: Sequence[str], latents: NDArray[Any], sizes: Sequence[Size]) -> None:
        """Add the latents of some images, N×shape, and the images' heights and widths. Raises InputError for latents of another shape than
        the first, and where there is no room."""
        if self.head is None:
            self.head = head
            self._start()
        if self.head != head:
            raise InputError(
                f"{paths[0]}: its latent is {head.shape}, the others' are {self.head.shape}; give images of one size, or --size"
            )
        assert self._rows is not None
        try:
            self._rows.write(np.ascontiguousarray(latents, np.dtype(head.dtype)).tobytes())
            self._rows.flush()
            with (self.folder / DONE).open("a", encoding="utf-8") as names:
                names.write(_lines(paths, sizes))
        except OSError as error:
            raise InputError(f"{self.target}: cannot be written ({error.strerror}); free some space and run the same again") from error
        self.done += paths
        self._sizes += sizes

    def finish(self) -> None:
        """Make the file of what was added, and remove the folder. Raises InputError when nothing was added or there is no room."""
        if self.head is None or self._rows is None:
            raise InputError(f"{self.target}: no image could be encoded, so it is not written")
        self._rows.close()
        rows = self.folder / ROWS
        sizes = np.array(self._sizes, SIZE_TYPE)
        head = self.head.to_json() | {"rows": len(self.done), "checksum": _checksum(self.done, sizes, rows)}
        writer = _write_npz if self.target.suffix == ".npz" else _write_parquet
        with atomic(self.target) as temporary:
            writer(temporary, head, self.done, sizes, rows)
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files; what was added stays for the next time."""
        if self._rows is not None:
            self._rows.close()

    def _begun(self) -> None:
        """Take over what an earlier run has done, as far as both its names and its rows are whole."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            begun = json.loads((self.folder / HEAD).read_text("utf-8"))
            if begun.pop("source") != self._source or (begun["model"], begun["fingerprint"]) != self._model:
                return
            if begun.pop("kind") != KIND:
                return
            head = Head(**begun)
            lines = (self.folder / DONE).read_text("utf-8").split("\n")[:-1]
            count = min(len(lines), (self.folder / ROWS).stat().st_size // head.row_bytes)
            told = [json.loads(line) for line in lines[:count]]
            done, sizes = [str(path) for path, _, _ in told], [(int(height), int(width)) for _, height, width in told]
            rows = (self.folder / ROWS).open("r+b")
            rows.truncate(count * head.row_bytes)
            rows.seek(0, 2)
            write_text(self.folder / DONE, _lines(done, sizes))
            self.head, self.done, self._sizes, self._rows = head, done, sizes, rows

    def _start(self) -> None:
        assert self.head is not None
        shutil.rmtree(self.folder, ignore_errors=True)
        write_text(self.folder / HEAD, json.dumps(self.head.to_json() | {"source": self._source}))
        write_text(self.folder / DONE, "")
        self._rows = (self.folder / ROWS).open("wb")


def read(path: Path) -> Latents:
    """The latents in a file. Raises InputError for a file that is none, is cut off or damaged, or was made by a newer Burnish."""
    check_ending(path)
    try:
        head, paths, sizes, latent = _read_npz(path) if path.suffix == ".npz" else _read_parquet(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read as latents ({error.strerror or error}); copy it anew") from error
    except BROKEN as error:
        raise InputError(f"{path}: holds no latents, or is cut off or damaged; copy it anew or encode again") from error
    if (kind := head.pop("kind", None)) not in (KIND, SIZELESS):
        raise InputError(f"{path}: was made for another purpose or by a newer Burnish; encode again")
    checksum, rows = head.pop("checksum", ""), head.pop("rows", -1)
    sizes = None if kind == SIZELESS else sizes
    if rows != len(paths) or len(latent) != rows or checksum != _digest(paths, sizes, latent):
        raise InputError(f"{path}: is damaged (its checksum is wrong); copy it anew or encode again")
    try:
        return Latents(Head(**head), paths, latent.reshape(rows, *head["shape"]), sizes)
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(f"{path}: is damaged (its head and its rows disagree); encode again") from error


def check_ending(path: Path) -> None:
    """Raises InputError for a name that does not say how latents are stored, MissingExtraError for Parquet without pyarrow."""
    if path.suffix not in ENDINGS:
        raise InputError(f"{path}: latents are stored as .npz or .parquet; choose one of these endings")
    if path.suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(f"{path}: Parquet needs pyarrow: pip install 'burnish[parquet]'; or write .npz") from error


# --- The two formats ---


def _write_npz(target: Path, head: dict[str, Any], paths: Sequence[str], sizes: Sizes, rows: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
        for name, array in (("head", _bytes(json.dumps(head))), ("path", _bytes("\n".join(map(json.dumps, paths)))), ("size", sizes)):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            file.writestr(f"{name}.npy", buffer.getvalue())
        with file.open("latent.npy", "w", force_zip64=True) as entry, rows.open("rb") as source:
            shape = (len(paths), *head["shape"])
            description = {"descr": np.lib.format.dtype_to_descr(np.dtype(head["dtype"])), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(entry, description)
            shutil.copyfileobj(source, entry, CHUNK)


def _read_npz(path: Path) -> Read:
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
        head = json.loads(bytes(file["head"]))
        text = bytes(file["path"]).decode()
        sizes = file["size"].astype(SIZE_TYPE, casting="safe") if "size" in file.files else None
        return head, [json.loads(line) for line in text.split("\n")] if text else [], sizes, file["latent"]


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _write_parquet(target: Path, head: dict[str, Any], paths: Sequence[str], sizes: Sizes, rows: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    dtype = np.dtype(head["dtype"])
    width = int(np.prod(head["shape"]))
    kind = pyarrow.list_(pyarrow.from_numpy_dtype(dtype), width)
    columns = [("path", pyarrow.string()), ("size", pyarrow.list_(pyarrow.uint32(), 2)), ("latent", kind)]
    schema = pyarrow.schema(columns, metadata={"burnish": json.dumps(head)})
    step = max(1, CHUNK // max(1, width * dtype.itemsize))
    with parquet.ParquetWriter(target, schema) as writer, rows.open("rb") as source:
        for first in range(0, len(paths), step):
            part = list(paths[first : first + step])
            values = np.frombuffer(source.read(len(part) * width * dtype.itemsize), dtype)
            column = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values), width)
            size = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(sizes[first : first + step].ravel()), 2)
            writer.write_table(pyarrow.table([pyarrow.array(part), size, column], schema=schema))


def _read_parquet(path: Path) -> Read:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    head = json.loads((table.schema.metadata or {})[b"burnish"])
    sizes = None
    if "size" in table.column_names:
        sizes = table.column("size").combine_chunks().flatten().to_numpy().reshape(len(table), 2).astype(SIZE_TYPE, casting="safe")
    column = table.column("latent").combine_chunks()
    return head, table.column("path").to_pylist(), sizes, column.flatten().to_numpy().reshape(len(table), *head["shape"])


def _lines(paths: Sequence[str], sizes: Sequence[Size]) -> str:
    return "".join(json.dumps([path, *size]) + "\n" for path, size in zip(paths, sizes, strict=True))


def _checksum(paths: Sequence[str], sizes: Sizes, rows: Path) -> str:
    digest = _begun_digest(paths, sizes)
    with rows.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(paths: Sequence[str], sizes: Sizes | None, latent: NDArray[Any]) -> str:
    digest = _begun_digest(paths, sizes)
    digest.update(np.ascontiguousarray(latent).data)
    return digest.hexdigest()


def _begun_digest(paths: Sequence[str], sizes: Sizes | None) -> "hashlib._Hash":
    digest = hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape"))
    if sizes is not None:
        digest.update(np.ascontiguousarray(sizes).data)
    return digest


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
