"""The report: one page that needs nothing else, says what was measured, and runs nothing it was given."""

import base64
import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import chromium
from skimage import io

import burnish
from burnish.audio.samples import Sample
from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image import datasets, samples
from burnish.image.score import scored
from burnish.scoreboard import report
from burnish.scoreboard.report import Story

HISTORY = [
    {"epoch": i, "seconds": 1.0, "accuracy": 0.5, "loss": 1 / i, "val_accuracy": 0.5, "val_loss": 1.1 / i, "resumed_at": None}
    for i in range(1, 6)
]


@pytest.fixture(scope="module")
def story() -> Story:
    seed = burnish.load("seed")
    (board,) = scored([seed], datasets.load("photos", "test"), Degradation.parse("blur:1.0+8bit"))
    return Story(board, seed.card, HISTORY, 'name = "<b>seed</b>"\n')


class Page(HTMLParser):
    """What a browser would load or run, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self.loads += [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_report_stands_alone(tmp_path: Path, story: Story) -> None:
    report.write_report(tmp_path / "report.html", "A <title>", [story])
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert page.open == []
    assert page.loads
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\(|@import", text)
    assert "A &lt;title&gt;" in text
    assert "&lt;b&gt;seed&lt;/b&gt;" in text


def test_the_report_tells_what_was_measured(tmp_path: Path, story: Story) -> None:
    report.write_report(tmp_path / "report.html", "Seed", [story])
    text = (tmp_path / "report.html").read_text("utf-8")
    board = story.board
    assert not board.helps
    assert "seed does not help:" in text
    for value in (f"{board.psnr['input']:.2f}", f"{board.psnr['model']:.2f}", f"{board.gain_db:+.2f}", f"{board.ssim['model']:.4f}"):
        assert value in text
    for word in ("prefers-color-scheme: dark", "width=device-width", "6,467", "worst", "best"):
        assert word in text


def test_pictures_are_shown_pixel_for_pixel(tmp_path: Path, story: Story) -> None:
    report.write_report(tmp_path / "report.html", "Seed", [story])
    shown = [base64.b64decode(load.partition(",")[2]) for load in Page((tmp_path / "report.html").read_text("utf-8")).loads]
    (tmp_path / "first.png").write_bytes(shown[0])
    first = io.imread(tmp_path / "first.png")
    original = story.board.samples[0].original
    places = [
        (y, x)
        for y in range(original.shape[0] - first.shape[0] + 1)
        for x in range(original.shape[1] - first.shape[1] + 1)
        if (original[y, x] == first[0, 0]).all() and np.array_equal(original[y : y + first.shape[0], x : x + first.shape[1]], first)
    ]
    assert places


def test_a_story_without_training_has_no_curves(tmp_path: Path, story: Story) -> None:
    report.write_report(tmp_path / "report.html", "Seed", [Story(story.board, story.card, [], "")])
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "<h3>Training</h3>" not in text
    assert "<h3>The recipe</h3>" not in text


def test_the_picture_has_a_row_a_sample(tmp_path: Path, story: Story) -> None:
    samples.write_picture(tmp_path / "restored.png", [story.board])
    picture = io.imread(tmp_path / "restored.png")
    assert picture.shape[0] > 600
    assert picture.shape[1] == 1000
    assert picture[..., :3].std() > 20


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, story: Story) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="could not be written"):
        report.write_report(tmp_path / "file" / "report.html", "Seed", [story])


@pytest.mark.skipif(not chromium() or importlib.util.find_spec("playwright") is None, reason="needs Chromium and playwright")
def test_pictures_and_players_fit_on_a_phone(tmp_path: Path, story: Story, playwright_driver: Any) -> None:
    report.write_report(tmp_path / "report.html", "title", [story])
    text = (tmp_path / "report.html").read_text("utf-8")
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    players = f'<div class="samples">{Sample("voice.wav", noise, noise, noise).html()}</div>'
    (tmp_path / "report.html").write_text(text.replace('<div class="samples">', f'{players}<div class="samples">', 1), "utf-8")
    browser = playwright_driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 390, "height": 780})
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("audio").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    browser.close()
