"""What there is to do: folders, and lists of every kind with everything that is wrong in them."""

import gzip
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import needs_posix

from burnish.bulk.places import Folder
from burnish.bulk.shards import MOST, Job, cut
from burnish.bulk.sources import Item, items
from burnish.errors import InputError

TARGET = Folder(Path("target"))
JOB = Job("target", "seed", "0")


def listed(source: Path | str, target: Folder = TARGET) -> tuple[list[tuple[str, str]], list[str]]:
    """Paths and keys, and what was remarked."""
    remarks: list[str] = []
    return [(item.source, item.key) for item in items(str(source), target, lambda line, _failed: remarks.append(line))], remarks


def test_a_folder_is_mirrored_without_its_target_and_what_is_no_image(tmp_path: Path) -> None:
    for name in ("a.png", "b/c.JPG", "b/notes.txt", "out/a.png", ".burnish/0.png", "._a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found, remarks = listed(tmp_path, Folder(tmp_path / "out"))
    assert found == [(str(tmp_path / "a.png"), "a.png"), (str(tmp_path / "b" / "c.JPG"), "b/c.JPG")]
    assert remarks == []


@needs_posix
def test_links_to_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    found, remarks = listed(tmp_path)
    assert found == []
    assert len(remarks) == 2
    assert "is a link to a folder" in remarks[0]
    assert remarks[1] == f"{tmp_path}: holds no image"


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    for source, words in ((tmp_path / "none", "no such file or folder"), (tmp_path / "a.png", "is one image")):
        with pytest.raises(InputError, match=words):
            listed(source)
    with pytest.raises(InputError, match="source and target at once"):
        listed(tmp_path, Folder(tmp_path))
    with pytest.raises(InputError, match="nonsense://: such addresses are not known"):
        listed("nonsense://a/b")


def test_a_list_of_lines_is_taken_line_by_line_and_what_is_no_path_is_named(tmp_path: Path) -> None:
    file = tmp_path / "list"
    lines = ["a.png", "", "no image", "s3://bucket/x//y z.jpg", "/root/b.tif", "../up.png", "nonsense://a/b.png", "file:///c.png", "é.png"]
    file.write_bytes("\r\n".join(lines).encode() + b"\nlat\xff.png\nzero\0.png\n" + b"x" * 50_000 + b"\ntarget/d.png\n")
    found, remarks = listed(file)
    up = Path(os.path.abspath("../up.png"))
    wanted = [
        ("a.png", "a.png"),
        ("s3://bucket/x//y z.jpg", "x//y z.jpg"),
        ("/root/b.tif", "root/b.tif"),
        (os.path.join("..", "up.png"), up.relative_to(up.anchor).as_posix()),
        ("/c.png", "c.png"),
        ("é.png", "é.png"),
        (os.fsdecode(b"lat\xff.png"), os.fsdecode(b"lat\xff.png")),
    ]
    assert [(source.replace("\\", "/"), key) for source, key in found] == [(source.replace("\\", "/"), key) for source, key in wanted]
    assert [int(remark.split(" line ")[1].split(":")[0]) for remark in remarks if "no path of an image" in remark][:3] == [3, 7, 11]
    assert "lies in the target" in remarks[-1]


def test_an_inventory_of_s3_is_a_table_of_buckets_and_encoded_keys(tmp_path: Path) -> None:
    rows = '"Bucket","Key"\n"b","a+b%2Bc/%C3%BC.png","12"\n"b","folder/","0"\n'
    (tmp_path / "i.csv").write_text(rows)
    (tmp_path / "i.csv.gz").write_bytes(gzip.compress(rows.encode()))
    for name in ("i.csv", "i.csv.gz"):
        found, remarks = listed(tmp_path / name)
        assert found == [("s3://b/a b+c/ü.png", "a b+c/ü.png")]
        assert "line 3" in remarks[0]
    for table in ('path\n"a, b.png"\n', '"a, b.png"\n', 'Size, Path\n12,"a, b.png"\n12\n', 'url,size\n"a, b.png",12\n'):
        (tmp_path / "paths.csv").write_text(table)
        assert listed(tmp_path / "paths.csv")[0] == [("a, b.png", "a, b.png")], table
    (tmp_path / "keys.csv").write_text("size,key,bucket\n12,a%20b.png,c\n,d.png,\n,e.png,no bucket\n")
    found, remarks = listed(tmp_path / "keys.csv")
    assert found == [("s3://c/a b.png", "a b.png")]
    assert [remark.partition(":")[0].rpartition(" ")[2] for remark in remarks] == ["3", "4"]


def test_a_list_that_is_broken_empty_or_closed_is_told_in_a_line(tmp_path: Path) -> None:
    whole = gzip.compress(b"a.png\n" * 10_000)
    for name, data in (("plain.txt.gz", b"a.png\n"), ("half.txt.gz", whole[:40]), ("spoilt.csv.gz", whole[:20] + b"\0" * 20)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"{name}: is broken, or is not what its name says"):
            listed(tmp_path / name)
    if importlib.util.find_spec("pyarrow"):
        (tmp_path / "none.parquet").write_bytes(b"a.png\n")
        with pytest.raises(InputError, match="is broken, or is not what its name says"):
            listed(tmp_path / "none.parquet")
    (tmp_path / "empty.txt").touch()
    assert listed(tmp_path / "empty.txt") == ([], [f"{tmp_path / 'empty.txt'}: names no image"])
    (tmp_path / "s3.txt").write_text("s3://bucket\ns3:///a.png\ns3://no bucket/a.png\ns3://bucket/a.png\n")
    found, remarks = listed(tmp_path / "s3.txt")
    assert found == [("s3://bucket/a.png", "a.png")]
    assert len(remarks) == 3


def test_parquet_has_paths_or_buckets_and_keys(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for columns, wanted in (
        ({"size": [1, 2], "path": ["a.png", "none"]}, [("a.png", "a.png")]),
        ({"key": ["x/a+b.png", "y"], "size": [1, 2], "bucket": ["b", "b"]}, [("s3://b/x/a+b.png", "x/a+b.png")]),
    ):
        parquet.write_table(pyarrow.table(columns), tmp_path / "l.parquet")
        found, remarks = listed(tmp_path / "l.parquet")
        assert found == wanted
        assert "line 2" in remarks[0]
    parquet.write_table(pyarrow.table({"size": [1]}), tmp_path / "l.parquet")
    with pytest.raises(InputError, match="neither a column"):
        listed(tmp_path / "l.parquet")


@needs_posix
def test_a_million_lines_are_a_stream_of_shards(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(f"{index // 1000}/{index}.png\n" for index in range(1_000_000)))
    code = f"""
import resource
from burnish.bulk import engines, shards
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, sizes = peak(), []
def done(shard, *_):
    sizes.append(len(shard.items))
    return shards.Ended([])
shards.run = done
job = shards.Job("target", "seed", "0")
assert all(not ended.stop for ended in engines.local(engines.shards_of({str(file)!r}, job, (0, 1), print), job, 2, print))
print(sum(sizes), *sorted(set(sizes) - {{1_000_000 % {MOST}}}), (peak() - before) / before)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout.split()
    assert told[:2] == ["1000000", str(MOST)]
    assert float(told[2]) < 1.5, "a million items at once would take five times what the program takes"


def test_shards_are_the_same_each_time_and_others_for_another_model() -> None:
    some = [Item(f"{index}.png", f"{index}.png") for index in range(3000)]
    first, again = list(cut(some, JOB)), list(cut(iter(some), JOB))
    assert first == again
    assert [len(shard.items) for shard in first] == [32] * 93 + [24], "enough for all processors"
    assert not {shard.name for shard in first} & {shard.name for shard in cut(some, Job("target", "seed", "1"))}
    assert [len(shard.items) for shard in cut([*some[:3], some[0]], JOB)] == [3], "duplicates are done once"
    assert list(cut([], JOB)) == []
