"""The page in Chromium: the memory of a large photo, of many in a row, and how long the first megapixel takes beside the command.

    python benchmarks/page.py [--only large many first] [--models photo-fast photo] [--megapixels 24] [--photos 20]

It writes the site with these models, serves it on this machine, and gives photographs with noise to the page, as JPEG. What counts for
memory is the process that holds the page and its workers: the most that it held (VmHWM) with the large photo, which may be 1.5 GB, and what
it holds after each of many photos of a megapixel, which may grow by a tenth from the first third to the last. The time of the first
megapixel runs from opening the page, nothing of it kept by the browser, to the download; the command's from its start to its exit. What the
page loads until then is weighed as hosts compress it, and may have 6 MB without the model.

Writes page.json, in which runs with --only change their own part alone. Ends with status 1 where memory or weight was more than it may be.
"""

import argparse
import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np
import pyvips
from playwright.sync_api import sync_playwright
from skimage import data

sys.path.insert(0, str(common.HERE.parent / "tests"))
import browsing
from browsing import Page, Server

MOST = 1500.0  # megabytes of memory for a photo
HEAVIEST = 6.0  # megabytes of the page and its libraries, compressed
GROWTH = 0.1  # from the first third of many to the last
SECONDS = 7200.0  # for one photo, on however busy a machine


def photo(path: Path, megapixels: float) -> Path:
    """A photograph of that size, three to two, with noise of sigma 15, as JPEG."""
    height = round(np.sqrt(megapixels * 1e6 / 1.5))
    clean = pyvips.Image.new_from_array(data.coffee()).resize(height / 400, kernel="cubic").crop(0, 0, round(1.5 * height), height)
    noise = pyvips.Image.gaussnoise(clean.width, clean.height, sigma=15, seed=1)
    (clean + noise).rint().cast("uchar").copy(interpretation="srgb").jpegsave(str(path), Q=97)
    return path


class Browser:
    """Chromium with the page opened, nothing of it kept from before."""

    def __init__(self, driver: Any, url: str) -> None:
        self._chromium = driver.chromium.launch(executable_path=browsing.chromium(), args=["--no-sandbox", "--disable-gpu"])
        self.page = Page(self._chromium.new_context(accept_downloads=True).new_page()).open(url)

    def memory(self, field: str) -> float:
        """Megabytes of the process that holds the page: VmHWM is the most so far, VmRSS what it holds now."""
        return max(_status(pid, field) for pid in _below(os.getpid()) if b"--type=renderer" in _read(pid, "cmdline"))

    def give(self, path: Path, model: str | None = None) -> str:
        """What the page says of a photo, in the end."""
        if model:
            self.page.page.select_option("#model", model)
        known = self.page.page.locator("#list > li").count()
        self.page.give(path)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            states = self.page.page.locator(".state").all_inner_texts()
            if len(states) > known and states[-1].startswith(("Restored", "Left", "Not")):
                return str(states[-1])
            time.sleep(0.2)
        raise TimeoutError(f"{path.name}: {states[-1]}")

    def close(self) -> None:
        self._chromium.close()


def _read(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def _status(pid: int, field: str) -> float:
    lines = dict(line.split(b":", 1) for line in _read(pid, "status").splitlines() if b":" in line)
    return int(lines.get(field.encode(), b"0").split()[0]) / 1000


def _below(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").glob("*") for each in (task / "children").read_text("ascii").split()]
    return [*children, *(each for child in children if Path(f"/proc/{child}").exists() for each in _below(child))]


@contextlib.contextmanager
def opened(url: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = Browser(driver, url)
        try:
            yield browser
        finally:
            browser.close()


def large(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One large photo with each model, each in a browser of its own."""
    path = photo(folder / "large.jpg", options.megapixels)
    told = {}
    for model in options.models:
        with opened(url) as browser:
            said = browser.give(path, model)
            told[model] = {"said": said.partition(" in ")[0], "megabytes": round(browser.memory("VmHWM"))}
            print(model, said, told[model], flush=True)
    return {"megapixels": options.megapixels, **told}


def many(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Many photos of a megapixel one after another, with the first model."""
    held = []
    with opened(url) as browser:
        for number in range(options.photos):
            path = folder / f"{number}.jpg"
            path.write_bytes(photo(folder / "one.jpg", 1.0).read_bytes())
            browser.give(path, options.models[0])
            held.append(round(browser.memory("VmRSS")))
            print(held, flush=True)
    third = max(1, len(held) // 3)
    return {"photos": options.photos, "megabytes": held, "growth": round(max(held[-third:]) / max(held[:third]) - 1, 3)}


def first(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """From opening the page to the result of a megapixel, and the command's whole run, with each model."""
    path = photo(folder / "first.jpg", 1.0)
    told = {}
    for model in options.models:
        began = time.monotonic()
        with opened(url) as browser:
            browser.give(path, model)
            with browser.page.page.expect_download() as download:
                browser.page.page.click("a[download]")
            download.value.path()
            page = time.monotonic() - began
            weight = _weight(folder / "some" / "where", {each.removeprefix(url).partition("?")[0] for each in browser.page.requests})
        began = time.monotonic()
        command = [sys.executable, "-m", "burnish", "restore", str(path), "-o", str(folder / f"{model}.jpg"), "-m", model]
        subprocess.run(command, check=True, capture_output=True)
        told[model] = {"page_seconds": round(page, 2), "command_seconds": round(time.monotonic() - began, 2), "megabytes": weight}
        print(model, told[model], flush=True)
    return told


def _weight(site: Path, names: set[str]) -> dict[str, float]:
    """Megabytes that these files of a site have as hosts compress them: the page's own, its libraries', the model's."""
    sizes = {"page": 0.0, "libraries": 0.0, "model": 0.0}
    for name in {each or "index.html" for each in names}:
        if (site / name).is_file():
            kind = {"vendor": "libraries", "models": "model"}.get(Path(name).parts[0], "page")
            sizes[kind] += len(gzip.compress((site / name).read_bytes(), 6)) / 1e6
    return {kind: round(size, 3) for kind, size in sizes.items()}


PARTS = {"large": large, "many": many, "first": first}


def main() -> None:
    """Measures, judges and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--models", nargs="+", default=["photo-fast", "photo"])
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--photos", type=int, default=20)
    options = parser.parse_args()
    browsing.PATIENCE = SECONDS
    written = common.HERE / "page.json"
    results = json.loads(written.read_text()) if written.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder, site = Path(name), Path(name) / "some" / "where"
        command = [sys.executable, "-m", "burnish", "site", "-o", str(site), *(part for each in options.models for part in ("-m", each))]
        subprocess.run(command, check=True, capture_output=True)
        headers = json.loads((browsing.BUILT / "headers.json").read_text("utf-8"))
        with Server(site, headers) as server:
            for part in options.only:
                results[part] = PARTS[part](server.url, folder, options)
    results.pop("machine", None)
    common.write("page", results)
    over = [told for told in results.get("large", {}).values() if isinstance(told, dict) and told["megabytes"] > MOST]
    heavy = [told for told in results.get("first", {}).values() if told["megabytes"]["page"] + told["megabytes"]["libraries"] > HEAVIEST]
    sys.exit(1 if over or heavy or results.get("many", {}).get("growth", 0) > GROWTH else 0)


if __name__ == "__main__":
    main()
