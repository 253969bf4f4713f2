"""Folders and buckets: keys that are mistaken, stores that answer as they should not, packages that are missing."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import burnish_, refused

from burnish.bulk import places
from burnish.errors import InputError, StoreError, TakenError


def test_a_folder_says_which_keys_have_no_place_in_it(tmp_path: Path) -> None:
    place, file = places.Folder(tmp_path / "out"), tmp_path / "file"
    file.write_text("some")
    place.create("a.png", file)
    place.create("b.png/c.png", file)
    with pytest.raises(InputError, match="could not be written") as told:
        place.create("a.png/c.png", file)
    assert not isinstance(told.value, StoreError), "another file can be written"
    with pytest.raises(InputError, match="is a folder"):
        place.exists("b.png")
    for key in ("../a.png", "a//b.png", "/a.png", "a\0.png"):
        with pytest.raises(InputError, match="has no place in a folder"):
            place.exists(key)
    assert sorted(place.keys("")) == ["a.png", "b.png/c.png"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An S3 server that this process knows as its own; where it takes orders."""
    for name in ("s3fs", "flask", "moto"):
        pytest.importorskip(name)
    import s3fs
    import store

    folder = tmp_path_factory.mktemp("server")
    with store.s3(folder) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        places.filesystem.cache_clear()
        store.client(environment).mkdir("refused")
        yield folder / "orders"
        places.filesystem.cache_clear()
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def place(server: Path, request: pytest.FixtureRequest) -> places.Bucket:
    """A part of a bucket for each test."""
    for order in server.iterdir():
        order.unlink()
    return places.Bucket(f"s3://refused/{request.node.name}")


def test_a_key_below_a_key_is_another_and_one_that_reads_as_a_version_is_refused(place: places.Bucket, tmp_path: Path) -> None:
    places.create_bytes(place, "a.png/b.png", b"below")
    assert not place.exists("a.png")
    places.create_bytes(place, "a.png", b"above")
    assert place.exists("a.png")
    assert (place.read("a.png"), place.read("a.png/b.png"), place.read("a")) == (b"above", b"below", None)
    odd = "a.png?versionId=1/b.png"
    for mistaken in (
        lambda: place.exists(odd),
        lambda: places.create_bytes(place, odd, b"odd"),
        lambda: places.fetched(place.url(odd), tmp_path / "got"),
    ):
        with pytest.raises(InputError, match=r"has \?versionId= in it"):
            mistaken()
    assert sorted(place.keys("")) == ["a.png", "a.png/b.png"]


def test_a_put_that_meets_another_is_asked_again_and_what_is_taken_is_told_so(place: places.Bucket, server: Path) -> None:
    (server / "PUT-409-2").touch()
    places.create_bytes(place, "a.png", b"mine")
    assert not list(server.iterdir())
    with pytest.raises(TakenError, match="is there already"):
        places.create_bytes(place, "a.png", b"other")
    assert place.read("a.png") == b"mine"
    (server / "PUT-412-1").touch()  # as other servers say it, without the condition that failed
    with pytest.raises(TakenError):
        places.create_bytes(place, "b.png", b"other")
    (server / "PUT-409-99").touch()
    with pytest.raises(StoreError) as told:
        places.create_bytes(place, "c.png", b"other")
    assert not isinstance(told.value, TakenError)


def test_a_store_that_writes_over_what_is_there_is_refused(place: places.Bucket, server: Path) -> None:
    places.check(place)
    (server / "DELETE-403-1").touch()
    places.check(place)
    (server / "PUT-0-2").touch()
    with pytest.raises(StoreError, match="writes over what is there"):
        places.check(place)
    assert [key.startswith(".burnish-probe-") for key in place.keys("")] == [True], "but for that which could not be deleted"


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    code = "import sys; sys.modules['s3fs'] = None\nfrom burnish.cli import main\nmain(['bulk', 's3://bucket', '-o', 'out'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False, cwd=tmp_path)
    refused(result, 1, "s3:// needs a package", "pip install 'burnish[bulk]'")
    (tmp_path / "list.txt").write_text("gs://bucket/a.png\n")
    if importlib.util.find_spec("gcsfs") is None:
        for source, target in (("gs://bucket", tmp_path / "out"), (tmp_path, "gs://bucket"), (tmp_path / "list.txt", tmp_path / "out")):
            refused(burnish_("bulk", source, "-o", target, "-m", "seed"), 1, "gs:// needs a package", "gcsfs")
    if importlib.util.find_spec("adlfs") is None:
        refused(burnish_("bulk", "az://bucket", "-o", tmp_path / "out", "-m", "seed"), 1, "az:// needs a package", "adlfs")
