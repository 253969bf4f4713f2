"""What is to be done: the images in a folder, under a URL, or in a list of paths and URLs (a manifest), as a stream.

A manifest is text with a path or URL a line, CSV (the columns bucket and key, as in an S3 inventory, or one column of paths; `.csv`), or
Parquet (the same columns, by their names; `.parquet`). Text and CSV may be compressed (`.gz`).
"""

import csv
import gzip
import io
import os
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
HEADS = {columns[0] for columns in COLUMNS}  # what the first cell of a CSV's head may be

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
    within = f"{target}/"
    for number, path in _paths(source):
        item = _named(path)
        if item is None:
            remark(f"{source}, line {number}: {path[:80]!r} is no path of an image; give one path or URL a line", True)
        elif item.source.startswith(within):
            remark(f"{source}, line {number}: {path[:80]} lies in the target, and is passed over", False)
        else:
            yield item


def _named(path: str) -> Item | None:
    """A line's file and its key in the target: the whole path, without the drive or bucket; None for what names no image."""
    scheme, separator, rest = path.partition("://")
    if not path.isprintable() and any(ord(letter) < 32 for letter in path):
        return None
    if separator and scheme not in ("file", "local"):
        key = rest.partition("/")[2]
        return Item(path, key) if _is_scheme(scheme) and is_picture(key.rpartition("/")[2]) else None
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
    """The lines of a manifest, counted from 1, each as a path or URL; empty ones are left out."""
    with refusals(source), _bytes(source) as stream:
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


def _bytes(source: str) -> BinaryIO:
    scheme, separator, rest = source.partition("://")
    if separator and scheme != "file":
        stream: BinaryIO = filesystem(scheme).open(rest, "rb")
        return stream
    return Path(rest if separator else source).open("rb")


def _from_table(source: str, lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    rows = csv.reader(lines)
    try:
        for row in rows:
            if not row or (rows.line_num == 1 and row[0].strip().lower() in HEADS):
                continue
            yield rows.line_num, row[0] if len(row) == 1 else _in_bucket(row[0], unquote_plus(row[1]))
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


def _in_bucket(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"
