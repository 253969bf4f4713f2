"""The page in a real browser: the browser, servers of the page's files, and the page as somebody uses it."""

import functools
import http.server
import importlib.util
import shutil
import threading
import time
from pathlib import Path
from typing import Any

WEB = Path(__file__).parents[1] / "web"
BUILT = WEB / "python" / "burnish_web" / "page"
PATIENCE = 300.0  # seconds; a busy machine is no failure


def missing() -> str:
    """What the tests of the page lack here, "" for nothing."""
    if not (BUILT / "index.html").exists():
        return "the page is not built: make page"
    if not chromium():
        return "needs Chromium (apt install chromium)"
    lacking = [name for name in ("playwright", "burnish_web") if importlib.util.find_spec(name) is None]
    return f"needs the package {lacking[0]} (pip install --editable '.[dev]' --editable web/python)" if lacking else ""


def chromium() -> str | None:
    """The browser of this system."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files as `python -m http.server` serves them; with the page's headers where `headers` is set."""

    headers_added: dict[str, Any] | None = None

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def end_headers(self) -> None:
        added = self.headers_added
        if added:
            path = self.path.partition("/some/where/")[2]
            kind = "worker" if any(path.startswith(start) for start in added["workers"]) else "page"
            for name, value in added[kind].items():
                self.send_header(name, value)
        super().end_headers()


class Server:
    """A server of files that can be stopped, as networks can."""

    def __init__(self, site: Path, headers: dict[str, Any] | None) -> None:
        handler = type("Handler", (_Handler,), {"headers_added": headers})
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=site.parents[1]))
        self.url = f"http://127.0.0.1:{self._http.server_port}/some/where/"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def stop(self) -> None:
        """No network from here on."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Page:
    """The page as somebody uses it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, url: str) -> "Page":
        """Go there, and wait until the page takes photos or says why it cannot."""
        self.page.goto(url)
        self.wait("document.documentElement.dataset.ready || !document.getElementById('problem').hidden")
        return self

    def wait(self, expression: str) -> None:
        """Until the expression holds, the page loading anew meanwhile included."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if self.page.evaluate(expression):
                    return
            except Exception as error:  # Playwright's: the page went away while it was asked
                if "ontext" not in str(error) and "navigat" not in str(error):
                    raise
            time.sleep(0.1)
        raise AssertionError(f"{expression} does not come to hold: {self.page.inner_text('body')}")

    @property
    def problem(self) -> str:
        """What the page says is wrong, "" for nothing."""
        return str(self.page.inner_text("#problem")) if self.page.is_visible("#problem") else ""

    def give(self, *paths: Path) -> "Page":
        """Choose files."""
        self.page.set_input_files("#files", [str(path) for path in paths])
        return self

    def settled(self) -> list[str]:
        """What the page says of each photo, once there is nothing more to wait for."""
        self.wait("document.querySelector('.state') && document.getElementById('cancel-all').hidden")
        return [str(text) for text in self.page.locator(".state").all_inner_texts()]

    def row(self, name: str) -> Any:
        """The row of a photo."""
        return self.page.locator("#list > li").filter(has=self.page.locator("h3").get_by_text(name, exact=True))

    def download(self, name: str, to: Path) -> Path:
        """A photo's result."""
        self.wait("[...document.querySelectorAll('a[download]')].every((link) => link.hidden || link.href)")
        with self.page.expect_download() as download:
            self.row(name).locator("a[download]").click()
        path = to / download.value.suggested_filename
        download.value.save_as(path)
        return path
