"""`burnish bulk` against a server that speaks S3: its answers, its keys, its refusals."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gallery
import pytest
from command import BURNISH, burnish_
from conftest import needs_posix

pytest.importorskip("s3fs")
pytest.importorskip("flask")
pytest.importorskip("moto")

import store

KEYS = [
    "a b+c%20.png",
    "q?x=1#y.png",
    "x//y.png",
    "../up.png",
    "[*].png",
    "ü☀.png",
    "trail /z.png",
    "a::b.png",
    "y.png/y.png",
    "y.png",
    "x" * 300 + ".png",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment of a server, and where it takes orders."""
    folder = tmp_path_factory.mktemp("server")
    with store.s3(folder) as environment:
        yield store.merged(environment), folder / "orders"


def bulk(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [*BURNISH, "bulk", *map(str, arguments), "-m", "tiny-blind", "--processes", "1"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
        env=environment | {"PYTHONUTF8": "1"},
    )
    assert "Traceback" not in result.stderr
    return result


def test_objects_of_any_key_become_what_restore_makes_of_them(server: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    environment, _ = server
    fs = store.client(environment)
    kinds = gallery.write(tmp_path / "kinds", "camera.jpg", "strips.tif", "plain.png")
    reference = tmp_path / "reference"
    assert burnish_("restore", tmp_path / "kinds", "-o", reference, "-m", "tiny-blind").returncode == 0
    fs.mkdir("archive")
    for kind in kinds:
        fs.put_file(str(kind), f"archive/p/{kind.name}")
    for key in KEYS:
        fs.put_file(str(tmp_path / "kinds" / "plain.png"), f"archive/p/{key}")
    fs.call_s3("put_object", Bucket="archive", Key="p/v?versionId=1.png", Body=b"no version")
    fs.pipe_file("archive/p/zero.png", b"")
    fs.pipe_file("archive/p-other/zero.png", b"")
    fs.pipe_file("archive/p/notes.txt", b"no image")
    result = bulk(environment, "s3://archive/p", "-o", "s3://archive/p/restored")
    assert result.returncode == 1
    assert "14 restored, 2 failed" in result.stderr
    assert "failed: s3://archive/p/zero.png: is empty (0 bytes)" in result.stderr
    assert "failed: s3://archive/p/v?versionId=1.png: cannot be written: s3://archive/p/restored/v?versionId=1.png: has ?v" in result.stderr
    made = {key for key in fs.find("archive/p/restored") if "/.burnish/" not in key}
    assert made == {f"archive/p/restored/{key}" for key in (*KEYS, *(kind.name for kind in kinds))}
    for kind in kinds:
        assert fs.cat_file(f"archive/p/restored/{kind.name}") == (reference / kind.name).read_bytes()
    assert {fs.cat_file(f"archive/p/restored/{key}") for key in KEYS} == {(reference / "plain.png").read_bytes()}
    again = bulk(environment, "s3://archive/p", "-o", "s3://archive/p/restored")
    assert "14 restored, 2 failed; 4 shards were finished before" in again.stderr
    assert {key for key in fs.find("archive/p/restored") if "/.burnish/" not in key} == made
    home = bulk(environment, "s3://archive/p", "-o", tmp_path / "home")
    assert (tmp_path / "home" / "camera.jpg").read_bytes() == (reference / "camera.jpg").read_bytes()
    assert "../up.png: has no place in a folder" in home.stderr
    assert f"{tmp_path / 'home' / 'y.png'}" in home.stderr, "a file and a folder of one name"
    assert not (tmp_path / "up.png").exists()


def test_a_busy_store_is_asked_again_and_a_forbidden_one_stops_the_work(server: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    environment, orders = server
    fs = store.client(environment)
    for bucket in ("refused-in", "refused-out"):
        fs.mkdir(bucket)
    for name in ("plain.png", "grey.png"):
        (path,) = gallery.write(tmp_path, name)
        fs.put_file(str(path), f"refused-in/{name}")
    order = ["s3://refused-in", "-o", "s3://refused-out/r"]
    (orders / "GET-403-99").touch()
    forbidden = bulk(environment, *order)
    assert forbidden.returncode == 1
    assert "check your permissions" in forbidden.stderr
    assert len(forbidden.stderr.strip().splitlines()) == 1
    for each in orders.iterdir():
        each.unlink()
    (orders / "PUT-403-99").touch()
    forbidden = bulk(environment, *order)
    assert forbidden.returncode == 1
    assert "s3://refused-out/r/" in forbidden.stderr
    assert "check your permissions" in forbidden.stderr
    assert fs.find("refused-out") == []
    for each in orders.iterdir():
        each.unlink()
    for method in ("PUT", "GET", "HEAD"):
        (orders / f"{method}-503-2").touch()
    assert bulk(environment, *order).returncode == 0
    assert not list(orders.iterdir()), "all refusals were met"
    assert {key.rpartition("/")[2] for key in fs.find("refused-out") if "/.burnish/" not in key} == {"plain.png", "grey.png"}


@needs_posix
def test_the_guides_commands_work_as_they_are_written(tmp_path: Path) -> None:
    """All but the installation; on a port that is free; and without Ray where it is not installed."""
    guide = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text("utf-8")
    installation, *commands = guide.split("```")[1].strip().splitlines()
    assert installation.startswith("pip install")
    gallery.write(tmp_path / "photos" / "a", "plain.png", "camera.jpg")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    with (tmp_path / "said").open("w") as said:
        script = "\n".join(["set -e", *commands]).replace("5000", port)
        if importlib.util.find_spec("ray") is None:
            script = script.replace(" --engine ray", "")
        shell = subprocess.Popen(["bash", "-c", script], cwd=tmp_path, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            status = shell.wait(timeout=300)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
    told = (tmp_path / "said").read_text("utf-8")
    assert status == 0, told
    assert "2 files: 2 restored" in told
