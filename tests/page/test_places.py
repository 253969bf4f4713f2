"""The page where things are missing or in the way: headers, the network, WebAssembly, room on the disk; hidden tabs, and several."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import BUILT, Page, Server
from serving import serving

import burnish
from burnish.serve import page as page_files

MODEL = "tiny-blind"
Opened = Callable[..., Page]


def _headers() -> dict[str, Any]:
    """Those that the page is made for."""
    told: dict[str, Any] = json.loads((BUILT / "headers.json").read_text(encoding="utf-8"))
    return told


@pytest.mark.parametrize("isolating", [False, True], ids=["a host without headers", "a host that isolates"])
def test_no_network_any_more(opened: Opened, site: Path, photos: Path, isolating: bool) -> None:
    """Once a photo has been restored all is there, whether the page loaded twice or had no need to."""
    with Server(site, _headers() if isolating else None) as server:
        page = opened(server.url)
        assert page.page.evaluate("crossOriginIsolated")
        page.wait("navigator.serviceWorker.controller !== null")
        assert page.give(photos / "plain.png").settled()[0].startswith("Restored")
        policy = "fetch('index.html').then((answer) => answer.headers.get('content-security-policy'))"
        assert "default-src 'none'" in page.page.evaluate(policy)
        server.stop()
        page.open(server.url)
        assert page.problem == ""
        assert page.give(photos / "plain.png").settled()[0].startswith("Restored")


def test_the_page_of_burnish_serve(opened: Opened, photos: Path, tmp_path: Path) -> None:
    """Its headers isolate the page, so that it loads once; and the page restores by itself, without the server's help."""
    with serving({MODEL: burnish.load(MODEL, 1)}, files=page_files.page()) as server:
        address = f"http://127.0.0.1:{server.port}/"
        page = opened(address)
        assert page.give(photos / "plain.png").settled()[0].startswith("Restored")
        assert page.download("plain.png", tmp_path).stat().st_size > 0
        assert page.requests.count(address) == 1
        assert server.metric('burnish_answers_total{path="/restore",status="200"}') is None
    assert page.errors == []


def test_no_webassembly(opened: Opened) -> None:
    assert "WebAssembly switched off" in opened(script="delete globalThis.WebAssembly").problem


def test_webassembly_that_is_blocked_on_its_way(opened: Opened, photos: Path) -> None:
    """By a filter or a host: each photo says so, and the page goes on once it gets through."""
    page = opened()
    page.page.context.route("**/*.wasm", lambda route: route.abort())
    assert page.give(photos / "plain.png").settled()[0].startswith("Not restored: ")
    page.page.context.unroute("**/*.wasm")
    assert page.give(photos / "plain.png").settled()[1].startswith("Restored")


def test_webassembly_that_a_policy_forbids(opened: Opened, site: Path, photos: Path) -> None:
    headers = _headers()
    for kind in ("page", "worker"):
        headers[kind]["Content-Security-Policy"] = "script-src 'self'; worker-src 'self'"
    with Server(site, headers) as server:
        script = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined })"
        state = opened(server.url, script=script).give(photos / "plain.png").settled()[0]
    assert state.startswith("Not restored: ")
    assert "WebAssembly" in state


def test_no_memory_that_threads_share(opened: Opened, plain_server: Server) -> None:
    """Where nothing can isolate the page it says so, and loads no more than once."""
    page = opened(plain_server.url, script="Object.defineProperty(navigator, 'serviceWorker', { value: undefined })")
    assert "memory that threads share" in page.problem
    assert sum(url == plain_server.url for url in page.requests) == 1


def test_no_webgpu_is_asked_for(opened: Opened, photos: Path) -> None:
    """There is one way to compute, so none that could compute wrongly."""
    page = opened(script="Object.defineProperty(navigator, 'gpu', { get() { throw new Error('asked for'); } })")
    assert page.give(photos / "plain.png").settled()[0].startswith("Restored")
    assert page.errors == []


def test_a_hidden_tab(opened: Opened, photos: Path) -> None:
    """Where nothing is drawn any more, and timers hardly run."""
    script = (
        "Object.defineProperty(document, 'hidden', { value: true });"
        "Object.defineProperty(document, 'visibilityState', { value: 'hidden' });"
        "requestAnimationFrame = () => 0; const later = setTimeout; setTimeout = (task, time) => later(task, Math.max(1000, time || 0));"
    )
    assert opened(script=script).give(photos / "plain.png").settled()[0].startswith("Restored")


def test_a_full_disk(opened: Opened, photos: Path, address: str) -> None:
    """Results stay in memory then, and their strength can be changed all the same."""
    page = opened()
    client = page.page.context.new_cdp_session(page.page)
    client.send("Storage.overrideQuotaForOrigin", {"origin": address.split("/some/")[0], "quotaSize": 1000})
    assert page.give(photos / "plain.png").settled()[0].startswith("Restored")
    page.page.locator("#strength").fill("50")
    page.page.locator("#strength").dispatch_event("change")
    page.wait("document.querySelector('a[download]').href")
    assert page.settled()[0].startswith("Restored")


def test_two_tabs(opened: Opened, photos: Path, tmp_path: Path) -> None:
    """What one tab keeps another leaves alone, and clears away when it is closed."""
    one = opened().give(photos / "plain.png")
    one.settled()
    two = opened(context=one.page.context).give(photos / "told.jpg")
    two.settled()
    kept = (
        "navigator.storage.getDirectory().then((root) => root.getDirectoryHandle('burnish'))"
        ".then(async (all) => (await Array.fromAsync(all.keys())).length)"
    )
    assert two.page.evaluate(kept) == 2
    one.page.locator("#strength").fill("50")
    one.page.locator("#strength").dispatch_event("change")
    assert one.download("plain.png", tmp_path).exists()
    one.page.close()
    assert opened(context=two.page.context).page.evaluate(kept) == 1  # the second's


def _png(width: int, height: int) -> bytes:
    """A PNG that says it is large and holds next to nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_what_is_no_photo_for_this_page_is_refused_in_words(page: Page, photos: Path, tmp_path: Path) -> None:
    gif = (
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00"
        + b"\x21\xf9\x04\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00" * 500
        + b";"
    )
    files = {
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is HEIC"),
        "frames.gif": (gif, "is a GIF"),
        "bomb.png": (_png(60_000, 60_000), "3600 megapixels"),
        "next.avif": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "is AVIF"),
        "cut.tif": (b"II*\0\xff\xff\0\0", "is a TIFF whose directories lead nowhere"),
        "cut.jpg": ((photos / "told.jpg").read_bytes()[:9_000], "cannot be read"),
    }
    for name, (content, _) in files.items():
        (tmp_path / name).write_bytes(content)
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.write(b"\xff\xd8\xff\xe0")
        file.truncate(200_000_000)
    page.give(*(tmp_path / name for name in files), tmp_path / "huge.jpg", photos / "plain.png")
    states = page.settled()
    for state, words in zip(states, [*(words for _, words in files.values()), "has 200 MB"], strict=False):
        assert words in state
    assert states[-1].startswith("Restored")
    assert len(states) == len(files) + 2


@pytest.mark.parametrize("name", ["../../escape.png", "..\\up.png"])
def test_a_path_leads_nowhere(page: Page, photos: Path, name: str) -> None:
    """Names as no system gives them, but a program might."""
    page.page.evaluate(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        }""",
        [name, list((photos / "plain.png").read_bytes())],
    )
    page.settled()
    assert page.page.locator("a[download]").get_attribute("download") in ("escape-restored.png", "up-restored.png")


def test_the_first_load_is_less_than_six_megabytes(opened: Opened, photos: Path, site: Path) -> None:
    """All that comes until the first photo is restored, but the model, as hosts compress it."""
    page = opened()
    page.give(photos / "plain.png").settled()
    origin = page.page.url
    names = {url.removeprefix(origin).partition("?")[0] or "index.html" for url in page.requests if url.startswith(origin)}
    packed = {name: len(gzip.compress((site / name).read_bytes(), 6)) for name in names if not name.startswith("models/")}
    assert {"index.html", "main.js", "worker.js", "vendor/vips.wasm", "vendor/ort-wasm-simd-threaded.wasm"} <= packed.keys()
    assert sum(packed.values()) < 6_000_000, packed
