"""`burnish serve` and `burnish site` as a person starts them."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gallery
import pytest
from command import BURNISH, burnish_, refused
from conftest import needs_posix
from serving import wait

WEB = """
import pathlib, sys, types
module = types.ModuleType("burnish_web")
folder = pathlib.Path(sys.argv.pop(1))
module.files = lambda: folder
sys.modules["burnish_web"] = module
from burnish.cli import main
main()
"""
QUICK = ("-m", "tiny-deblur", "--threads", "1")


@contextlib.contextmanager
def served(tmp_path: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command on a free port, and the address that it prints."""
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            [*BURNISH, "serve", "--port", "0", *QUICK, *arguments],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=os.environ | {"TMPDIR": str(tmp_path), "BURNISH_TOKEN": ""},
        )
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def asked(address: str, body: bytes | None = None, token: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(address, body, {"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@needs_posix
def test_it_says_where_it_is_restores_and_stops_at_ctrl_c_without_a_trace(tmp_path: Path) -> None:
    picture = gallery.image(gallery.spoilt()).pngsave_buffer()
    with served(tmp_path) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        assert asked(f"{address}health")[0] == 200
        status, body = asked(f"{address}restore?force=true", picture)
        assert (status, body[:4]) == (200, b"\x89PNG")
        wait(lambda: [path.name for path in tmp_path.glob("burnish-serve-*/*")] == ["lock"])
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    said = (tmp_path / "said").read_text("utf-8")
    assert said.splitlines()[-1] == "burnish: stopped"
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["said"]


@needs_posix
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_no_file_stays(tmp_path: Path, how: signal.Signals) -> None:
    with served(tmp_path) as (process, address):
        port = int(address.rsplit(":", 1)[1].strip("/"))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"POST /restore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + bytes(500_000))
            wait(lambda: bool(list(tmp_path.glob("burnish-serve-*/*/sent"))))
            process.send_signal(how)
            if how == signal.SIGTERM:
                client.close()
            assert process.wait(timeout=60) == -how
        wait(lambda: [path.name for path in tmp_path.iterdir()] == ["said"])
    assert "Traceback" not in (tmp_path / "said").read_text("utf-8")


def test_beyond_this_machine_a_token_is_needed_and_told(tmp_path: Path) -> None:
    with served(tmp_path, "--host", "0.0.0.0") as (_, address):
        port = address.rsplit(":", 1)[1].strip("/")
        assert address == f"http://0.0.0.0:{port}/"
        wait(lambda: "Bearer" in (tmp_path / "said").read_text("utf-8"))
        match = re.search(r"'Authorization: Bearer ([\w-]{32})'", (tmp_path / "said").read_text("utf-8"))
        assert match
        here = f"http://127.0.0.1:{port}"
        assert asked(f"{here}/restore", b"a text")[0] == 401
        assert asked(f"{here}/restore", b"a text", match[1])[0] == 415
        assert asked(f"{here}/health")[0] == 200


def test_limits_and_a_token_of_ones_own_are_taken(tmp_path: Path) -> None:
    with served(tmp_path, "--token", "mine", "--max-bytes", "1000", "--max-pixels", "10") as (_, address):
        assert asked(f"{address}restore", b"x")[0] == 401
        assert asked(f"{address}restore", bytes(1001), "mine")[0] == 413
        assert json.loads(asked(f"{address}models")[1])["server"]["token"] is True
        assert "mine" not in (tmp_path / "said").read_text("utf-8")


def test_a_port_that_is_taken_and_an_address_that_is_not_ours_are_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = burnish_("serve", "--port", port, *QUICK)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"127.0.0.1 port {port}: cannot be listened on" in done.stderr.splitlines()[-1]
    done = burnish_("serve", "--host", "192.0.2.1", *QUICK)
    assert (done.returncode, done.stdout) == (1, "")
    assert "192.0.2.1" in done.stderr.splitlines()[-1]
    refused(burnish_("serve", "-m", "none", "--port", "0"), 2, "none", "cannot be read as a model")


def test_without_its_packages_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['uvicorn'] = None\nfrom burnish.cli import main\nmain(['serve'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "burnish: serving needs the package uvicorn; pip install 'burnish[serve]'\n"


def test_a_site_is_written_and_not_over_another(tmp_path: Path) -> None:
    web, out = tmp_path / "web", tmp_path / "out"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html>", "utf-8")
    for status in (0, 1):
        done = subprocess.run(
            [sys.executable, "-c", WEB, str(web), "site", "-o", str(out), "-m", "tiny-deblur"], capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
    assert f"{out}" in done.stderr
    assert "is there already" in done.stderr
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "index.html",
        "licences.txt",
        "models.json",
        "tiny-deblur.onnx",
    ]


def test_without_the_page_a_site_cannot_be_written(tmp_path: Path) -> None:
    code = f"import sys; sys.modules['burnish_web'] = None\nfrom burnish.cli import main\nmain(['site', '-o', {str(tmp_path / 'out')!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "burnish: the page is not installed; pip install 'burnish[serve]'\n"
    assert not (tmp_path / "out").exists()
