"""The page of a map in a real browser: on a desk, on a phone, by keyboard and by touch, and of one image only."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import chromium

from burnish.image.datasets import PictureSet
from burnish.latent import map as maps
from burnish.latent import map_page

lacking = "" if chromium() and importlib.util.find_spec("playwright") else "needs Chromium and playwright"
pytestmark = pytest.mark.skipif(bool(lacking), reason=lacking)
DESK, PHONE = {"width": 1100, "height": 800}, {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def browser(playwright_driver: Any) -> Iterator[Any]:
    """A Chromium that draws WebGL without a graphics card."""
    arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    started = playwright_driver.chromium.launch(executable_path=chromium(), args=arguments)
    yield started
    started.close()


@pytest.fixture(scope="module")
def page_of_forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of 40 images in two folders, two of them the same."""
    rng = np.random.default_rng(0)
    pictures = [np.full((40, 60, 3), rng.integers(0, 256, 3), np.uint8) for _ in range(39)]
    names = [f"{'red' if index % 2 else 'blue'}/{index:02d}.png" for index in range(40)]
    path = tmp_path_factory.mktemp("map") / "map.html"
    map_page.write(path, maps.placed(PictureSet("forty", [*pictures, pictures[3]], names, ""), None, 0)[0], "forty")
    return path


def opened(browser: Any, path: Path, size: dict[str, int], *, touch: bool = False) -> tuple[Any, list[str]]:
    """The page, drawn; and what goes wrong on it, and what it asks of the network."""
    page = browser.new_context(viewport=size, has_touch=touch).new_page()
    page.set_default_timeout(120_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("typeof layers !== 'undefined' && layers.length > 0 && !dirty")
    return page, wrong


def test_a_desk_with_a_keyboard(browser: Any, page_of_forty: Path, tmp_path: Path) -> None:
    page, wrong = opened(browser, page_of_forty, DESK)
    assert "40 images" in page.inner_text("#told")
    assert page.locator("#legend > span").all_inner_texts() == ["blue", "red"]
    page.keyboard.press("/")
    page.keyboard.type("red/03")
    page.keyboard.press("Enter")
    assert "1 found" in page.inner_text("#found")
    assert page.inner_text("#name") == "red/03.png"
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.inner_text("#name") == "blue/04.png"
    before = page.evaluate("[view.x, view.y, view.scale]")
    for key in ("ArrowLeft", "ArrowUp", "+"):
        page.keyboard.press(key)
    assert all(one != other for one, other in zip(before, page.evaluate("[view.x, view.y, view.scale]"), strict=True))
    page.click("#twins")
    assert "1 near-duplicate" in page.inner_text("#name")
    page.locator("#near button").first.click()
    assert page.inner_text("#name") in ("red/03.png", "red/39.png")
    page.screenshot(path=tmp_path / "desk.png")
    assert wrong == []


def test_a_phone_with_fingers(browser: Any, page_of_forty: Path, tmp_path: Path) -> None:
    page, wrong = opened(browser, page_of_forty, PHONE, touch=True)
    unit, width, height, right, up = page.evaluate("[fit() * view.scale, innerWidth, innerHeight, places[0], places[1]]")
    x, y = width / 2 + right * unit, height / 2 - up * unit
    page.touchscreen.tap(x, y)
    assert page.is_visible("#card")
    assert page.locator("#near button").count() == 12
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "phone.png")
    assert wrong == []


def test_a_map_of_one_image(browser: Any, tmp_path: Path) -> None:
    only = PictureSet("one", [np.full((20, 30, 3), 90, np.uint8)], ["only.png"], "")
    map_page.write(tmp_path / "map.html", maps.placed(only, None, 0)[0], "one")
    page, wrong = opened(browser, tmp_path / "map.html", DESK)
    page.keyboard.press("n")
    assert page.inner_text("#name") == "only.png"
    page.click("#twins")
    assert "No two images" in page.inner_text("#where")
    assert wrong == []
