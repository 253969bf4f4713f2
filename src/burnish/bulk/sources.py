"""What is to be done: the images in a folder, under a URL, or in a list of paths and URLs (a manifest), as a stream.

A manifest is text with a path or URL a line; CSV (`.csv`) or Parquet (`.parquet`) with a column path or url, or the columns bucket and key.
CSV without a head has bucket and key first, as an S3 inventory, or one column of paths. Text and CSV may be compressed (`.gz`).
"""

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_plus

from burnish.bulk.places import OWN, Bucket, Folder, Place, filesystem, placed, refusals
from burnish.errors import InputError, MissingExtraError
from burnish.image.folder import is_picture

LISTS = (".txt", ".csv", ".parquet", ".txt.gz", ".csv.gz")
LONGEST = 1 << 14  # letters of a manifest's line; more are no path
COLUMNS = (("path",), ("url",), ("bucket", "key"))  # what a table may have
BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}|arn:.+")  # what may be the name of one, in the stores of BUCKETS
BUCKETS = ("s3", "s3a", "gs", "gcs")
BROKEN = (ValueError, EOFError, gzip.BadGzipFile, zlib.error)  # what a list that is not what its name says is told by

Remark = Callable[[str, bool], None]  # is told a line, and whether an input failed by what it tells


@dataclass(frozen=True)
class Item:
    """A file to restore: its path or URL, and its key in the target."""

    source: str
    key: str


def items(source: str, target: Place, remark: Remark) -> Iterator[Item]:
    """All that is to be restored, in an order that is the same each time. What is passed over is told to `remark`, each in a line.

    Raises InputError for a source that is not there, or that is its own target.
    """
    if str(placed(source)) == str(target) or _same(source, target):
        raise InputError(f"{source}: is source and target at once; choose another target with -o")
    if "://" in source and not source.startswith("file://"):
        return _listed(source, target, remark) if source.endswith(LISTS) else _stored(source, target, remark)
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        return _found(path, target, remark)
    if not path.exists():
        raise InputError(f"{source}: no such file or folder; give a folder, a URL such as s3://bucket/photos, or a file with paths in it")
    if is_picture(path.name):
        raise InputError(f"{source}: is one image; burnish restore does it, bulk takes a folder, a URL or a file with paths in it")
    return _listed(source, target, remark)


def _same(source: str, target: Place) -> bool:
    return isinstance(target, Folder) and os.path.isdir(source) and os.path.isdir(target.root) and os.path.samefile(source, target.root)


def _found(folder: Path, target: Place, remark: Remark) -> Iterator[Item]:
    """The images under a folder. Links to folders lead back, perhaps, and are passed over; so is the target."""

    def closed(error: OSError) -> None:
        remark(f"{error.filename}: cannot be looked into ({error.strerror}); check its permissions", True)

    none = True
    for place, folders, names in os.walk(folder, onerror=closed):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in links:
            remark(
                f"{os.path.join(place, name)}: is a link to a folder, which is passed over; give it by itself to have it restored", False
            )
        folders[:] = sorted(each for each in folders if each not in (*links, OWN) and not _same(os.path.join(place, each), target))
        for name in sorted(names):
            if is_picture(name):
                none, path = False, Path(place) / name
                yield Item(str(path), path.relative_to(folder).as_posix())
    if none:
        remark(f"{folder}: holds no image", False)


def _stored(url: str, target: Place, remark: Remark) -> Iterator[Item]:
    """The images under a URL, those in the target left out."""
    place = Bucket(url)
    within = f"{target}/"
    any_there = False
    for key in place.keys(""):
        any_there = True
        if is_picture(key.rpartition("/")[2]) and not place.url(key).startswith(within):
            yield Item(place.url(key), key)
    if not any_there:
        remark(f"{url}: holds nothing; check the address", True)


# --- Manifests ---


def _listed(source: str, target: Place, remark: Remark) -> Iterator[Item]:
    """What a manifest names, line by line. A line may name a file that is not there: that is told when its turn comes."""
    within, number = f"{target}/", 0
    for number, path in _paths(source):
        item = _named(path)
        if item is None:
            remark(f"{source}, line {number}: {path[:80]!r} is no path of an image; give one path or URL a line", True)
        elif item.source.startswith(within):
            remark(f"{source}, line {number}: {path[:80]} lies in the target, and is passed over", False)
        else:
            yield item
    if not number:
        remark(f"{source}: names no image", False)


def _named(path: str) -> Item | None:
    """A line's file and its key in the target: the whole path, without the drive or bucket; None for what names no image."""
    scheme, separator, rest = path.partition("://")
    if not path.isprintable() and any(ord(letter) < 32 for letter in path):
        return None
    if separator and scheme not in ("file", "local"):
        bucket, _, key = rest.partition("/")
        there = _is_scheme(scheme) and (scheme not in BUCKETS or BUCKET.fullmatch(bucket))
        return Item(path, key) if there and is_picture(key.rpartition("/")[2]) else None
    plain = os.path.normpath(rest if separator else path)
    if not is_picture(os.path.basename(plain)) or len(path) > LONGEST:
        return None
    whole = Path(os.path.abspath(plain)) if os.path.isabs(plain) or plain.startswith(os.pardir) else Path(plain)
    return Item(plain, whole.relative_to(whole.anchor).as_posix())


def _is_scheme(scheme: str) -> bool:
    try:
        filesystem(scheme)
    except InputError:
        return False
    return True


def _paths(source: str) -> Iterator[tuple[int, str]]:
    """The lines of a manifest, counted from 1, each as a path or URL; empty ones are left out. Raises InputError for one that is broken."""
    with refusals(source), _bytes(source) as stream:
        try:
            if source.endswith(".parquet"):
                yield from _from_parquet(source, stream)
                return
            plain: Any = gzip.GzipFile(fileobj=stream) if source.endswith(".gz") else stream
            text = io.TextIOWrapper(plain, "utf-8-sig", "surrogateescape", newline="\n")
            lines = iter(lambda: text.readline(LONGEST + 2), "")
            if source.removesuffix(".gz").endswith(".csv"):
                yield from _from_table(source, lines)
                return
            for number, line in enumerate(lines, 1):
                if path := line.rstrip("\r\n"):
                    yield number, path
        except BROKEN as error:
            raise InputError(f"{source}: is broken, or is not what its name says ({error}); make it anew, or name it rightly") from error


def _bytes(source: str) -> BinaryIO:
    scheme, separator, rest = source.partition("://")
    if separator and scheme != "file":
        stream: BinaryIO = filesystem(scheme).open(rest, "rb")
        return stream
    try:
        return Path(rest if separator else source).open("rb")
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror}); check its permissions") from error


def _from_table(source: str, lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    rows = csv.reader(lines)
    columns: list[int] | None = None  # as a head names them
    try:
        for row in rows:
            if rows.line_num == 1:
                names = [name.strip().lower() for name in row]
                columns = next(([names.index(each) for each in wanted] for wanted in COLUMNS if set(wanted) <= set(names)), None)
                if columns:
                    continue
            cells = [row[index] for index in columns or (0, 1) if index < len(row)]
            if cells:
                yield rows.line_num, cells[0] if len(cells) == 1 else _in_bucket(cells[0], unquote_plus(cells[1]))
    except csv.Error as error:
        raise InputError(f"{source}, line {rows.line_num}: is no CSV ({error}); name a file of one path a line .txt") from error


def _from_parquet(source: str, stream: BinaryIO) -> Iterator[tuple[int, str]]:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{source}: to read Parquet, install its package: pip install pyarrow") from error
    file = parquet.ParquetFile(stream)
    named = {name.lower(): name for name in file.schema_arrow.names}
    columns = next(([named[each] for each in wanted] for wanted in COLUMNS if named.keys() >= set(wanted)), None)
    if columns is None:
        raise InputError(f"{source}: has neither a column path or url, nor the columns bucket and key; name them so")
    number = 0
    for batch in file.iter_batches(columns=columns):
        for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            number += 1
            yield number, str(row[0]) if len(row) == 1 else _in_bucket(*row)


def _in_bucket(bucket: str | None, key: str | None) -> str:
    return f"s3://{bucket or ''}/{key or ''}"
