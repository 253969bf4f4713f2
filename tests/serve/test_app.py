"""What the server answers: files as the command makes them, and everything else in one shape."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import gallery
import numpy as np
import pytest
import pyvips
from command import burnish_
from fuzz import mutated
from serving import QUICK, Answer, Server, serving

import burnish
from burnish.image.files import FORMATS
from burnish.serve.app import plain_name
from burnish.serve.settings import Limits

LIMITS = Limits(max_bytes=2_000_000, max_pixels=1_000_000, max_frames=5)
KINDS = ["camera.jpg", "deep.png", "transparent.png", "stack.tif", "float.tif", "moving.gif", "plain.webp", "plain.avif"]
OTHERS = ["plain.png", "palette.png", "strips.tif", "moving.webp"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving({name: burnish.load(name, 1) for name in (QUICK, "seed")}, LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    gallery.write(folder, *KINDS, *OTHERS)
    return folder


def png(width: int, height: int) -> bytes:
    """A PNG's head that says so, and no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


# --- Files ---


def test_a_result_is_the_commands_to_the_byte(server: Server, photos: Path, tmp_path: Path) -> None:
    burnish_("restore", *(photos / kind for kind in KINDS), "-o", tmp_path, "-m", QUICK, "--strength", "0.5", "--force")
    for kind in KINDS:
        sent = (photos / kind).read_bytes()
        answer = server.ask(f"/restore?model={QUICK}&strength=0.5&force=true", sent)
        assert (answer.status, answer.headers["burnish-status"]) == (200, "restored"), kind
        assert answer.body == (tmp_path / kind).read_bytes(), kind
        assert answer.body != sent
        assert answer.headers["burnish-model"] == QUICK
        assert float(answer.headers["burnish-seconds"]) > 0
        assert float(answer.headers["burnish-megapixels"]) > 0
        assert answer.headers["content-type"] == f"image/{FORMATS[Path(kind).suffix]}"


def test_what_the_model_was_not_made_for_comes_back_as_it_was_and_why(server: Server) -> None:
    sent = gallery.image(gallery.spoilt("noise:20+8bit")).pngsave_buffer()
    answer = server.ask(f"/restore?model={QUICK}", sent)
    assert (answer.status, answer.headers["burnish-status"]) == (200, "unchanged")
    assert answer.body == sent
    (note,) = json.loads(answer.headers["burnish-notes"])
    assert "force=true restores it anyway" in note
    forced = server.ask(f"/restore?model={QUICK}&force=true", sent)
    assert forced.headers["burnish-status"] == "restored"
    assert forced.body != sent


def test_what_a_result_lacks_is_told(server: Server, photos: Path) -> None:
    answer = server.ask("/restore?force=true", (photos / "palette.png").read_bytes())
    assert any("palette" in note for note in json.loads(answer.headers["burnish-notes"]))


def test_a_body_may_come_in_chunks(server: Server, photos: Path) -> None:
    sent = (photos / "plain.png").read_bytes()
    parts = (sent[at : at + 1000] for at in range(0, len(sent), 1000))
    assert server.ask("/restore?force=true", parts).body == server.ask("/restore?force=true", sent).body


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("holiday.PNG", "holiday-restored.PNG", "holiday-restored.PNG"),
        ("holiday.jpg", "holiday-restored.png", "holiday-restored.png"),
        ("../../etc/passwd", "passwd-restored.png", "passwd-restored.png"),
        ("C:\\Windows\\..\\x.png", "x-restored.png", "x-restored.png"),
        ("a\r\nSet-Cookie: b=c\r\n\r\nbody.png", None, None),
        ('"; filename="x.exe', None, None),
        ("<img onerror=alert(1)>.png", None, None),
        ("été☂.png", "_t__-restored.png", "été☂-restored.png"),
        ("", "file-restored.png", "file-restored.png"),
        ("..", "file-restored.png", "file-restored.png"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(server: Server, photos: Path, name: str, plain: str | None, whole: str | None) -> None:
    answer = server.ask(f"/restore?name={quote(name)}", (photos / "plain.png").read_bytes())
    assert answer.status == 200
    told = answer.headers["content-disposition"]
    match = re.fullmatch(r"attachment; filename=\"([A-Za-z0-9._-]+)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)", told)
    assert match, told
    assert "set-cookie" not in answer.headers
    if plain and whole:
        assert match.groups() == (plain, quote(whole))


def test_names_are_cut_to_what_a_file_can_be_called() -> None:
    assert plain_name("x" * 1000 + ".png") == "x" * 146 + ".png"
    assert plain_name("a\nb\x1b[31m.png") == "a b [31m.png"
    assert plain_name("/") == plain_name(" . ") == "file"


# --- What is refused ---


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("model=none", "there is no model 'none'; there are tiny-deblur, seed"),
        ("model=../../etc/passwd", "there is no model"),
        ("model=", "there is no model"),
        ("strength=2", "from 0"),
        ("strength=-0.1", "from 0"),
        ("strength=nan", "from 0"),
        ("strength=1_0", "from 0"),
        ("strength=", "from 0"),
        ("force=1", "true or false"),
        ("colour=red", "'colour' is not known"),
        ("strength=1&strength=0.5", "given twice"),
    ],
)
def test_a_parameter_that_cannot_be_is_named(server: Server, query: str, word: str) -> None:
    answer = server.ask(f"/restore?{query}", b"x")
    assert (answer.status, answer.error["code"]) == (400, "wrong-parameter")
    assert word in answer.error["message"]


def refused(answer: Answer, status: int, code: str, *words: str) -> None:
    """The answer is that refusal, with these words in it."""
    assert (answer.status, answer.error["code"]) == (status, code)
    for word in words:
        assert word in answer.error["message"]


def test_what_is_no_image_is_415(server: Server, photos: Path) -> None:
    refused(server.ask("/restore?name=notes.jpg", b"a text file"), 415, "wrong-type", "notes.jpg: is no JPEG", "no WAV")
    refused(server.ask("/restore", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 415, "wrong-type")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    refused(server.ask("/restore?name=IMG_1.HEIC", heic), 415, "wrong-type", "IMG_1.HEIC", "HEIC", "convert it to JPEG")
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(server.ask("/restore", b"--x--", form), 415, "wrong-type", "multipart/form-data", "--data-binary")
    refused(server.ask("/restore", b"{}", {"Content-Type": "application/json"}), 415, "wrong-type")
    refused(server.ask("/restore", b"\x1f\x8b", {"Content-Encoding": "gzip"}), 415, "wrong-type", "gzip")
    as_a_form = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl calls any --data-binary
    assert server.ask("/restore", (photos / "plain.png").read_bytes(), as_a_form).status == 200


def test_nothing_is_400(server: Server) -> None:
    refused(server.ask("/restore", b""), 400, "no-body", "nothing was sent")
    refused(server.ask("/restore", iter(())), 400, "no-body")


def test_too_many_bytes_are_413_before_and_while_they_come(server: Server) -> None:
    with server.raw() as client:
        client.sendall(b"POST /restore HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000001\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 413"  # and not "100 Continue"
    refused(server.ask("/restore", bytes(2_000_001)), 413, "too-many-bytes", "2,000,000")
    refused(server.ask("/restore", (bytes(100_000) for _ in range(30))), 413, "too-many-bytes")
    assert server.metric("burnish_files_inside") == 0


def test_images_beyond_the_limits_are_422_by_their_header(server: Server) -> None:
    refused(server.ask("/restore?name=a.png", png(1001, 1000)), 422, "too-many-pixels", "a.png: holds 1,001,000 pixels", "1,000,000")
    refused(server.ask("/restore", png(50_000, 50_000)), 422, "not-restored", "made to fill your memory")
    refused(server.ask("/restore", png(2_000_000_000, 2_000_000_000)), 422, "not-restored", "cannot be read")
    stack = pyvips.Image.arrayjoin([pyvips.Image.black(8, 8) + shade for shade in range(0, 240, 40)], across=1).cast("uchar").copy()
    stack.set_type(pyvips.GValue.gint_type, "page-height", 8)
    refused(server.ask("/restore", stack.gifsave_buffer()), 422, "too-many-frames", "holds 6 frames")
    refused(server.ask("/restore", stack.tiffsave_buffer()), 422, "too-many-frames")


def test_a_gif_of_500_frames_is_more_than_a_server_takes_untold() -> None:
    stack = pyvips.Image.arrayjoin([pyvips.Image.black(8, 8) + 255 * (number % 2) for number in range(500)], across=1).cast("uchar").copy()
    stack.set_type(pyvips.GValue.gint_type, "page-height", 8)
    with serving() as usual:
        refused(usual.ask("/restore?name=long.gif", stack.gifsave_buffer()), 422, "too-many-frames", "long.gif: holds 500 frames", "200")


def test_a_broken_image_is_422(server: Server, photos: Path) -> None:
    whole = (photos / "camera.jpg").read_bytes()
    refused(server.ask("/restore?name=half.jpg", whole[: len(whole) // 2]), 422, "not-restored", "half.jpg: cannot be read")


@pytest.mark.parametrize(("address", "allowed"), [("/restore", "POST"), ("/models", "GET"), ("/health", "GET")])
def test_other_methods_are_405(server: Server, address: str, allowed: str) -> None:
    for method in ("DELETE", "PUT", "OPTIONS", "GET" if allowed == "POST" else "POST"):
        answer = server.ask(address, method=method)
        refused(answer, 405, "wrong-method", allowed)
        assert allowed in answer.headers["allow"].split(", ")
    if allowed == "GET":
        assert (server.ask(address, method="HEAD").status, server.ask(address, method="HEAD").body) == (200, b"")


@pytest.mark.parametrize(
    "path", ["/nothing", "/restore/", "/models/", "/../etc/passwd", "/models/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"]
)
def test_where_nothing_is_is_404(server: Server, path: str) -> None:
    refused(server.ask(path), 404, "not-found")


def test_mutated_files_are_no_fault(server: Server, photos: Path) -> None:
    originals = [(photos / name).read_bytes() for name in [*KINDS, *OTHERS]]
    statuses = []
    for number in range(200):
        rng = np.random.default_rng(number)
        body = mutated(originals[rng.integers(len(originals))], rng)
        answer = server.ask(f"/restore?force={'true' if number % 2 else 'false'}", body)
        assert answer.status in (200, 400, 415, 422), (number, answer.body[:300])
        if answer.status != 200:
            assert answer.error
        statuses.append(answer.status)
    assert statuses.count(200) > 10
    assert statuses.count(422) > 20
    assert server.ask("/health").status == 200


# --- The rest ---


def test_health_models_and_metrics(server: Server) -> None:
    assert json.loads(server.ask("/health").body) == {"status": "ok", "version": burnish.__version__, "working": 0, "waiting": 0}
    told = json.loads(server.ask("/models").body)
    assert [model["name"] for model in told["models"]] == [QUICK, "seed"]
    assert told["server"] == {
        "restore": "restore",
        "token": False,
        "max_bytes": 2_000_000,
        "max_pixels": 1_000_000,
        "max_frames": 5,
        "max_duration": 7200.0,
    }
    before = server.metric('burnish_answers_total{path="/health",status="200"}') or 0
    server.ask("/health")
    assert server.metric('burnish_answers_total{path="/health",status="200"}') == before + 1
    server.ask("/" + "x" * 50)
    assert server.metric('burnish_answers_total{path="other",status="404"}'), "addresses that are none make no series of their own"
    text = server.ask("/metrics").body.decode("utf-8")
    assert all(re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{[^}]*\})? [0-9.e+-]+", line) for line in text.splitlines())


def test_a_fault_is_500_in_the_same_shape_and_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    class Faulty(burnish.Model):
        def run(self, _batch: object) -> np.ndarray:  # type: ignore[override]
            raise RuntimeError("a fault\nof two lines")

    picture = pyvips.Image.black(40, 40).pngsave_buffer()
    with serving({"faulty": Faulty(burnish.load(QUICK, 1).file)}) as server:
        refused(server.ask("/restore?force=true", picture), 500, "fault", "RuntimeError: a fault of two lines")
        assert server.ask("/health").status == 200
        assert server.metric("burnish_files_inside") == 0
    logged = capfd.readouterr().err
    assert "burnish: a fault, please report it: RuntimeError" in logged
    assert "Traceback" in logged
