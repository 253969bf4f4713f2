"""Chromium, the page's files on servers of two kinds, and photos to give to it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import BUILT, Page, Server, chromium, missing
from numpy.typing import NDArray

MODEL = "tiny-blind"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where there is no browser or no page, its tests are skipped, and say why."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    why = missing()
    for item in here:
        if why and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def browser(playwright_driver: Any) -> Iterator[Any]:
    """One Chromium for all tests."""
    started = playwright_driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
    yield started
    started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `burnish site` writes, under a path of its own."""
    out = tmp_path_factory.mktemp("site") / "some" / "where"
    command = [sys.executable, "-m", "burnish", "site", "-o", str(out), "-m", MODEL, "-m", "speech"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    return out


@pytest.fixture
def plain_server(site: Path) -> Iterator["Server"]:
    """A host that sends no headers of its own, as most do."""
    with Server(site, None) as server:
        yield server


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The page on a host that isolates it."""
    with Server(site, json.loads((BUILT / "headers.json").read_text(encoding="utf-8"))) as server:
        yield server.url


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page, in a profile of its own, with a script that runs before it, or elsewhere."""
    contexts = []

    def new(url: str = address, script: str = "", context: Any = None, **options: Any) -> Page:
        if context is None:
            context = browser.new_context(accept_downloads=True, **options)
            contexts.append(context)
        if script:
            context.add_init_script(script)
        return Page(context.new_page()).open(url)

    yield new
    for each in contexts:
        each.close()


@pytest.fixture(scope="module")
def lasting(browser: Any, address: str) -> Iterator[Page]:
    """The page, opened once for many tests: what it has loaded stays loaded."""
    context = browser.new_context(accept_downloads=True)
    yield Page(context.new_page()).open(address)
    context.close()


@pytest.fixture
def page(lasting: Page) -> Page:
    """The page without photos."""
    if lasting.page.is_visible("#clear"):
        lasting.page.click("#clear")
    lasting.requests.clear()
    lasting.errors.clear()
    return lasting


@pytest.fixture(scope="session")
def noisy() -> NDArray[np.uint8]:
    """A photograph of 200×150 under noise that the model takes away."""
    from skimage import data

    clean = data.astronaut()[20:170, 120:320].astype(np.float64)
    return np.clip(np.rint(clean + np.random.default_rng(0).normal(0, 8, clean.shape)), 0, 255).astype(np.uint8)


@pytest.fixture
def photos(tmp_path: Path, noisy: NDArray[np.uint8]) -> Path:
    """A folder with the photograph in every format that the page takes, in one with all that a file can carry."""
    import pyvips

    image = pyvips.Image.new_from_array(noisy).copy(interpretation="srgb", xres=11.811, yres=11.811)
    folder = tmp_path / "photos"
    folder.mkdir()
    image.write_to_file(str(folder / "plain.png"))
    image.write_to_file(str(folder / "lossless.webp"), lossless=True)
    deep = (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    deep.write_to_file(str(folder / "deep.png"))
    deep.write_to_file(str(folder / "deep.tif"), compression="deflate", predictor="horizontal")
    image.bandjoin(pyvips.Image.xyz(200, 150)[0] * 2).cast("uchar").copy(interpretation="srgb").write_to_file(str(folder / "clear.png"))
    told = image.copy()
    told.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Artist", "Ada (Ada, ASCII, 4 components, 4 bytes)")
    told.set_type(pyvips.GValue.gint_type, "orientation", 6)
    told.icc_transform("srgb", input_profile="srgb").write_to_file(str(folder / "told.jpg"), Q=95, profile="p3")
    return folder
