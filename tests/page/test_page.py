"""The page in Chromium: photos in, photos out, as `restore_file` makes them; compared, changed in strength, as a ZIP, cancelled."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from browsing import WEB, Page
from PIL import Image

import burnish

MODEL = "tiny-blind"
Opened = Callable[..., Page]
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"


def _pixels(path: Path) -> Any:
    return pyvips.Image.new_from_file(str(path)).numpy().astype(np.int64)


def _expected(path: Path, to: Path, strength: float = 1.0) -> Path:
    """What the library makes of a photo, whatever it is."""
    to.mkdir(exist_ok=True)
    burnish.restore_file(path, to / path.name, MODEL, strength=strength)
    return to / path.name


def test_photos_come_back_as_the_library_restores_them(page: Page, photos: Path, tmp_path: Path) -> None:
    names = ["plain.png", "deep.tif", "deep.png", "lossless.webp", "clear.png"]
    states = page.give(*(photos / name for name in names)).settled()
    assert all(state.startswith("Restored in ") for state in states), states
    for name in names:
        result, expected = page.download(name, tmp_path), _expected(photos / name, tmp_path / "expected")
        stem, ending = name.split(".")
        assert result.name == f"{stem}-restored.{ending}"
        assert np.abs(_pixels(result) - _pixels(expected)).max() <= 1
        assert np.abs(_pixels(result) - _pixels(photos / name)).max() > 1
    assert not page.errors


def test_a_jpeg_keeps_all_that_it_carries(page: Page, photos: Path, tmp_path: Path) -> None:
    page.give(photos / "told.jpg").settled()
    result = page.download("told.jpg", tmp_path)
    with Image.open(photos / "told.jpg") as was, Image.open(result) as now:
        for kind in ("exif", "icc_profile", "dpi"):
            assert now.info[kind] == was.info[kind]
        assert now.getexif()[0x112] == 6
    expected = _expected(photos / "told.jpg", tmp_path / "expected")
    # A level's difference before JPEG may move a coefficient by a step of the quantiser.
    difference = np.abs(_pixels(result) - _pixels(expected))
    assert difference.mean() < 0.01
    assert difference.max() <= 8


def test_what_is_clean_is_left_as_it_was_unless_one_insists(page: Page, tmp_path: Path) -> None:
    drawn = np.full((160, 200, 3), 255, np.uint8)
    drawn[40:120:8, 20:180] = (200, 30, 30)
    path = tmp_path / "drawn.png"
    pyvips.Image.new_from_array(drawn).copy(interpretation="srgb").write_to_file(str(path))
    assert page.give(path).settled() == ["Left as it was, 200 × 160"]
    assert page.row("drawn.png").locator(".notes").inner_text()
    assert page.download("drawn.png", tmp_path).read_bytes() == path.read_bytes()
    page.row("drawn.png").get_by_role("button", name="Restore drawn.png anyway").click()
    assert page.settled()[0].startswith("Restored in ")
    assert not np.array_equal(_pixels(page.download("drawn.png", tmp_path)), drawn)


def test_strength_changes_without_computing_again(page: Page, photos: Path, tmp_path: Path) -> None:
    page.give(photos / "plain.png").settled()
    page.requests.clear()
    strength = page.page.locator("#strength")
    strength.focus()
    page.page.keyboard.press("PageDown")
    strength.fill("40")
    strength.dispatch_event("change")
    assert page.page.locator("#after").evaluate("(picture) => picture.style.opacity") == "0.4"
    page.wait("document.querySelector('a[download]').href")
    result = page.download("plain.png", tmp_path)
    expected = _expected(photos / "plain.png", tmp_path / "expected", 0.4)
    assert np.abs(_pixels(result) - _pixels(expected)).max() <= 1
    assert page.settled()[0].startswith("Restored in ")
    assert not any("models/" in url for url in page.requests)


def test_one_failure_never_stops_the_rest(page: Page, photos: Path, tmp_path: Path) -> None:
    """Among them names that would be markup, and files that are not what they call themselves."""
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "text.jpg").write_text("not a photo", encoding="utf-8")
    (bad / "empty.png").write_bytes(b"")
    (bad / "cut.png").write_bytes((photos / "plain.png").read_bytes()[:20_000])
    named = bad / "<img src=x onerror=document.title='hacked'>.jpg"
    named.write_bytes((photos / "told.jpg").read_bytes())
    page.give(bad / "text.jpg", bad / "empty.png", bad / "cut.png", named, photos / "plain.png")
    states = page.settled()
    words = ["it is no image", "it is empty (0 bytes)", "it cannot be read"]
    assert [state.startswith(f"Not restored: {word}") for state, word in zip(states, words, strict=False)] == [True] * 3
    assert all(state.startswith("Restored") for state in states[3:])
    assert page.page.title() == "Burnish"
    assert page.page.locator("#list img[src=x]").count() == 0
    result = page.download(named.name, tmp_path)
    assert result.name == "_img src=x onerror=document.title='hacked'_-restored.jpg"
    assert "2 of 5 done, 3 not restored" in page.page.inner_text("#overall")


def test_all_of_a_folder_as_a_zip(page: Page, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    for day in ("one", "two"):
        (folder / day).mkdir(parents=True)
        (folder / day / "a.png").write_bytes((photos / "plain.png").read_bytes())
    page.page.set_input_files("#folder", str(folder))
    page.settled()
    page.give(photos / "plain.png", photos / "plain.png").settled()
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Download all as a ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        names = sorted(archive.namelist())
        assert names == ["holiday/one/a-restored.png", "holiday/two/a-restored.png", "plain-restored (2).png", "plain-restored.png"]
        archive.extractall(tmp_path / "out")
    assert np.array_equal(_pixels(tmp_path / "out" / names[0]), _pixels(tmp_path / "out" / names[3]))


def test_a_dropped_photo_and_the_page_loaded_again(page: Page, photos: Path) -> None:
    drop = """(bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
        for (const kind of ["dragover", "drop"]) dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, cancelable: true }));
    }"""
    page.page.evaluate(drop, list((photos / "plain.png").read_bytes()))
    page.wait("document.querySelector('#list > li')")
    assert page.settled()[0].startswith("Restored")
    page.page.reload()
    page.wait("document.documentElement.dataset.ready")
    assert page.page.locator("#list > li").count() == 0
    assert page.give(photos / "plain.png").settled()[0].startswith("Restored")


def test_cancelling_ends_one_and_the_next_goes_on(page: Page, tmp_path: Path, photos: Path) -> None:
    large = tmp_path / "large.png"
    pyvips.Image.new_from_file(str(photos / "plain.png")).replicate(6, 6).write_to_file(str(large))
    page.give(large, photos / "plain.png")
    page.wait("/%/.test(document.querySelector('.state').textContent)")
    page.row("large.png").get_by_role("button", name="Cancel").click()
    assert page.settled() == ["Cancelled", page.settled()[1]]
    assert page.settled()[1].startswith("Restored")
    page.row("large.png").get_by_role("button", name="Remove").click()
    assert page.page.locator("#list > li").count() == 1


def test_the_slider_and_all_else_work_with_keys_alone(opened: Opened, photos: Path) -> None:
    page = opened()
    keys = page.page.keyboard
    keys.press("Tab")
    assert page.page.evaluate("document.activeElement.id") == "files"
    page.give(photos / "plain.png").settled()
    for _ in range(30):
        keys.press("Tab")
        if page.page.evaluate("document.activeElement.id") == "split":
            break
    before = page.page.locator("#after").evaluate("(picture) => picture.style.clipPath")
    for _ in range(10):
        keys.press("ArrowRight")
    assert page.page.locator("#split").get_attribute("aria-valuetext") == "60 % as it was, 40 % restored"
    assert page.page.locator("#after").evaluate("(picture) => picture.style.clipPath") != before
    for _ in range(10):
        keys.press("Tab")
        if page.page.evaluate("document.activeElement.matches('a[download]')"):
            break
    with page.page.expect_download():
        keys.press("Enter")


def test_zoom_shows_the_photo_pixel_by_pixel_and_keeps_its_middle(page: Page, tmp_path: Path, photos: Path) -> None:
    large = tmp_path / "large.png"
    pyvips.Image.new_from_file(str(photos / "plain.png")).replicate(4, 4).write_to_file(str(large))
    page.give(large).settled()
    for name, factor in (("100 %", 1), ("200 %", 2)):
        page.page.get_by_role("button", name=name).click()
        assert page.page.locator("#sheet").evaluate("(sheet) => sheet.offsetWidth") == 800 * factor
    middle = page.page.locator("#stage").evaluate("(stage) => (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth")
    assert abs(middle - 0.5) < 0.02
    page.page.locator("#stage").focus()
    left = page.page.locator("#stage").evaluate("(stage) => stage.scrollLeft")
    page.page.keyboard.press("ArrowRight")
    page.wait(f"document.getElementById('stage').scrollLeft > {left}")


def test_nothing_is_asked_of_anybody_else(page: Page, photos: Path, address: str) -> None:
    page.open(address).give(photos / "plain.png").settled()
    origin = address.split("/some/")[0]
    assert all(url.startswith((origin, f"blob:{origin}", "data:image/jpeg")) for url in page.requests), page.requests
    refused = "fetch('https://example.com/').then(() => 'let through', () => 'refused')"
    assert page.page.evaluate(refused) == "refused"


def test_axe_finds_nothing_and_phones_need_not_scroll_sideways(page: Page, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("none", encoding="utf-8")
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    usual = page.page.viewport_size
    try:
        for step in ("empty", "with photos"):
            if step == "with photos":
                page.give(photos / "told.jpg", tmp_path / "text.jpg").settled()
            for scheme, size in (("light", usual), ("dark", {"width": 360, "height": 740})):
                page.page.emulate_media(color_scheme=scheme)
                page.page.set_viewport_size(size)
                found = page.page.evaluate("axe.run().then((told) => told.violations)")
                assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], (scheme, step)
                assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.page.emulate_media(color_scheme="light")
        page.page.set_viewport_size(usual)


@pytest.mark.parametrize("size", [(390, 844), (1366, 768), (2560, 1440)])
def test_what_becomes_of_a_photo_is_seen_without_scrolling(page: Page, photos: Path, size: tuple[int, int]) -> None:
    """Its row while it is worked on, then both halves of the photo and the slider between them."""
    usual = page.page.viewport_size
    end = "(one) => { const { top, bottom } = one.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }"
    try:
        page.page.set_viewport_size({"width": size[0], "height": size[1]})
        page.give(photos / "plain.png")
        page.wait("document.querySelector('#list > li')")
        assert page.page.locator("#list .state").evaluate(end)
        page.settled()
        page.wait("document.getElementById('before').naturalWidth")
        assert page.page.locator("#stage").evaluate(end)
        assert page.page.locator("#split").evaluate(end)
    finally:
        page.page.set_viewport_size(usual)
