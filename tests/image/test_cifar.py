"""CIFAR-10's archive: read in its order, refused when it is foreign or hostile, downloaded with resumption and a check."""

import http.server
import io
import pickle
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import STANDIN, needs_standin

from burnish.errors import InputError
from burnish.image import cifar, datasets

pytestmark = pytest.mark.filterwarnings("ignore::burnish.image.cifar.DataWarning")


def batch(count: int = 4, seed: int = 0) -> dict[bytes, Any]:
    """A batch as CIFAR-10 holds it: rows of 1,024 red, green, then blue bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)
    return {b"data": pixels, b"labels": list(range(count)), b"batch_label": b"made", b"filenames": [b"a.png"] * count}


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def whole(path: Path, protocol: int = 2) -> Path:
    names = [name for names in cifar.BATCHES.values() for name in names]
    return archive(path, {f"{cifar.FOLDER}/{name}": pickle.dumps(batch(seed=i), protocol) for i, name in enumerate(names)})


# --- Reading ---


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_archive_is_read_in_its_order(tmp_path: Path, protocol: int) -> None:
    path = whole(tmp_path / "a.tar.gz", protocol)
    train, test = cifar.load(path, "train"), cifar.load(path, "test")
    assert train.shape == (20, 32, 32, 3)
    assert test.shape == (4, 32, 32, 3)
    wanted = batch(seed=2)[b"data"][1]
    np.testing.assert_array_equal(train[9], wanted.reshape(3, 32, 32).transpose(1, 2, 0))


def test_an_unpacked_archive_is_read_too(tmp_path: Path) -> None:
    path = whole(tmp_path / "a.tar.gz")
    with tarfile.open(path) as file:
        file.extractall(tmp_path, filter="data")
    for folder in (tmp_path, tmp_path / cifar.FOLDER):
        assert cifar.is_folder(folder)
        np.testing.assert_array_equal(cifar.load(folder, "train"), cifar.load(path, "train"))
        assert datasets.load(folder, "test").name == folder.name
    (tmp_path / cifar.FOLDER / "data_batch_3").unlink()
    with pytest.raises(InputError, match="data_batch_3: cannot be read"):
        cifar.load(tmp_path, "train")


def test_another_sum_warns_and_goes_on(tmp_path: Path) -> None:
    with pytest.warns(cifar.DataWarning, match="not the official CIFAR-10 archive"):
        cifar.load(whole(tmp_path / "a.tar.gz"), "test")


@needs_standin
def test_the_standin_has_cifar_10s_shape() -> None:
    train = datasets.load(STANDIN, "train")
    assert np.asarray(train.images).shape == (50_000, 32, 32, 3)
    assert train.images[0][0, 0].tolist() == [59, 62, 63]  # the frog that CIFAR-10 begins with, lossless


# --- Hostile bytes ---


class Payload:
    """What pickle would execute."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def test_a_pickle_that_would_execute_code_does_not(tmp_path: Path) -> None:
    import os

    marker = tmp_path / "executed"
    for call in (Payload(os.system, f"touch {marker}"), Payload(os.mkdir, str(marker)), Payload(eval, f"open({str(marker)!r}, 'w')")):
        for content in (pickle.dumps(call), pickle.dumps(batch() | {b"labels": call}), pickle.dumps([batch(), call])):
            path = archive(tmp_path / "a.tar.gz", {f"{cifar.FOLDER}/test_batch": content})
            with pytest.raises(InputError, match=r"test_batch: not a CIFAR-10 batch \(.*asks for"):
                cifar.load(path, "test")
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        pickle.dumps(batch())[:-100],
        pickle.dumps({}),
        pickle.dumps([1, 2]),
        pickle.dumps(batch() | {b"data": np.zeros((4, 3072))}),
        pickle.dumps(batch() | {b"data": np.zeros((4, 100), np.uint8)}),
        pickle.dumps(batch() | {b"data": np.zeros((0, 3072), np.uint8)}),
        pickle.dumps(batch() | {b"labels": [1]}),
        b"\x80\x02(" + b"(" * 100_000 + b"l",
        b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",  # a byte array of 2**63 bytes
    ],
    ids=range(11),
)
def test_what_is_no_batch_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = archive(tmp_path / "a.tar.gz", {f"{cifar.FOLDER}/test_batch": content})
    with pytest.raises(InputError, match=r"test_batch: not a CIFAR-10 batch") as caught:
        cifar.load(path, "test")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", f"{cifar.FOLDER}/../../outside"])
def test_a_path_that_climbs_out_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = archive(tmp_path / "in" / "a.tar.gz", {name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="has no place in CIFAR-10's archive"):
        cifar.load(path, "test")
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_giants_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        link = tarfile.TarInfo(f"{cifar.FOLDER}/test_batch")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    with pytest.raises(InputError, match="has no place"):
        cifar.load(path, "test")
    with tarfile.open(path, "w:gz") as file:
        giant = tarfile.TarInfo(f"{cifar.FOLDER}/test_batch")
        giant.size = cifar.LARGEST + 1
        file.addfile(giant, io.BytesIO(bytes(giant.size)))
    with pytest.raises(InputError, match="far larger than a CIFAR-10 batch"):
        cifar.load(path, "test")


def test_truncated_and_foreign_archives_are_refused(tmp_path: Path) -> None:
    content = whole(tmp_path / "whole.tar.gz").read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for sixteenths in range(16):
        cut.write_bytes(content[: len(content) * sixteenths // 16])
        with pytest.raises(InputError, match=r"cut\.tar\.gz: (not a whole CIFAR-10 archive|holds no)"):
            cifar.load(cut, "test")
    with pytest.raises(InputError, match="holds no cifar-10-batches-py/test_batch"):
        cifar.load(archive(tmp_path / "foreign.tar.gz", {"readme.txt": b"hello"}), "test")
    with pytest.raises(InputError, match="cannot be read"):
        cifar.load(tmp_path / "none.tar.gz", "test")


# --- The download, against a server on loopback ---


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `content`; obeys Range if `ranges`; hangs up after `breaks_after` bytes of body."""

    content = bytes(range(256)) * 4096
    ranges = True
    breaks_after: int | None = None
    asked: list[str | None]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.content):
            self.send_error(416)
            return
        body = self.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.breaks_after])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("Fresh", (Handler,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/a.tar.gz", handler
        listening.shutdown()


def sum_of(content: bytes) -> str:
    import hashlib

    return hashlib.md5(content).hexdigest()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(tmp_path: Path, server: tuple[str, type[Handler]], ranges: bool) -> None:
    url, handler = server
    handler.ranges, handler.breaks_after = ranges, 300_000
    target = tmp_path / "cache" / "a.tar.gz"
    seen: list[tuple[int, int | None]] = []
    with pytest.raises(InputError, match=r"broke off after 300,000 of 1,048,576 bytes"):
        cifar.download(url, sum_of(handler.content), target, lambda done, total, _note="": seen.append((done, total)))
    assert not target.exists()
    assert seen[-1] == (300_000, len(handler.content))
    handler.breaks_after = None
    assert cifar.download(url, sum_of(handler.content), target) == target
    assert target.read_bytes() == handler.content
    assert handler.asked == [None, "bytes=300000-"]
    cifar.download(url, "no sum: it is not fetched again", target)
    assert len(handler.asked) == 2
    assert [path.name for path in target.parent.iterdir()] == ["a.tar.gz"]


def test_a_download_that_only_its_last_step_lacked_is_finished(tmp_path: Path, server: tuple[str, type[Handler]]) -> None:
    url, handler = server
    (tmp_path / "a.tar.gz.part").write_bytes(handler.content)
    assert cifar.download(url, sum_of(handler.content), tmp_path / "a.tar.gz").read_bytes() == handler.content


def test_a_download_with_another_sum_fails_and_is_forgotten(tmp_path: Path, server: tuple[str, type[Handler]]) -> None:
    url, _handler = server
    with pytest.raises(InputError, match=r"what came is not the official archive \(MD5 .*--data photos"):
        cifar.download(url, cifar.MD5, tmp_path / "a.tar.gz")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_both_remedies_are_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.tar.gz"  # bound, not listening: the connection is refused
        with pytest.raises(InputError, match=r"could not be downloaded .*--data ARCHIVE.*--data photos") as caught:
            cifar.download(url, cifar.MD5, tmp_path / "a.tar.gz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["in a chunk", "between chunks", "before the answer", "in the headers"])
def test_a_server_that_hangs_up_is_one_line_and_what_came_is_kept(tmp_path: Path, how: str) -> None:
    class Chunked(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            if how == "before the answer":
                return
            if how == "in the headers":
                self.wfile.write(b"HTTP/1.1 ")
                return
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"40000\r\n" + bytes(0x40000) + b"\r\n")
            self.wfile.write(b"40000\r\n" + bytes(100) if how == "in a chunk" else b"")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chunked) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        with pytest.raises(InputError, match=r"could not be downloaded \(.*--data ARCHIVE.*--data photos") as caught:
            cifar.download(f"http://127.0.0.1:{listening.server_port}/a", cifar.MD5, tmp_path / "a.tar.gz")
        listening.shutdown()
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.tar.gz").exists()
    if "chunk" in how:
        assert (tmp_path / "a.tar.gz.part").stat().st_size == 0x40000
        assert "run it again to go on" in str(caught.value)


def test_a_server_that_refuses_is_one_line(tmp_path: Path, server: tuple[str, type[Handler]]) -> None:
    url, handler = server
    handler.content = b""  # 416 to everything
    with pytest.raises(InputError, match=r"could not be downloaded \(HTTP status 416"):
        cifar.download(url, cifar.MD5, tmp_path / "a.tar.gz")


def test_what_is_no_archive_at_all_is_told_in_one_line(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="not a whole CIFAR-10 archive"):
        cifar.load(tmp_path / "a.tar.gz", "test")
    assert not recwarn.list
