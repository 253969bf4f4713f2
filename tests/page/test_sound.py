"""Recordings in the page in Chromium: in, restored as `restore_file` does it, listened to, changed in strength, out."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browsing import WEB, Page
from recordings import tone

from burnish.audio import model as audio_model
from burnish.audio.restore import restore_file

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
LEVEL = 1.01 / 32768


@pytest.fixture
def interview(tmp_path: Path) -> Path:
    """A recording of two channels, with a title and a chunk that nobody knows."""
    path = tmp_path / "interview.wav"
    with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
        file.title = "An interview"
        file.write(tone(1.5, 44100, 2))
    path.write_bytes(path.read_bytes() + b"mine\4\0\0\0data")
    return path


def heard(path: Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0]


def forced(page: Page, path: Path) -> str:
    """What the page says of a recording that it is made to restore."""
    page.give(path).settled()
    anyway = page.row(path.name).locator(".force")
    if anyway.is_visible():
        anyway.click()
    return page.settled()[-1]


def test_a_recording_comes_back_as_the_library_restores_it(page: Page, interview: Path, tmp_path: Path) -> None:
    assert forced(page, interview).endswith(", 0:01 at 44.1 kHz")
    result = page.download("interview.wav", tmp_path)
    assert result.name == "interview-restored.wav"
    model = audio_model.load("speech", 1)
    restore_file(interview, tmp_path / "expected.wav", model)
    assert np.abs(heard(result) - heard(tmp_path / "expected.wav")).max() <= LEVEL
    assert np.abs(heard(result) - heard(interview)).max() > 100 * LEVEL
    with soundfile.SoundFile(result) as file:
        assert (file.title, file.subtype) == ("An interview", "PCM_16")
    assert result.read_bytes().endswith(b"mine\4\0\0\0data")
    page.page.locator("#sound-strength").fill("40")
    page.page.locator("#sound-strength").dispatch_event("change")
    page.wait("document.querySelector('a[download]').href")
    changed = page.download("interview.wav", tmp_path)
    restore_file(interview, tmp_path / "weaker.wav", model, strength=0.4)
    assert np.abs(heard(changed) - heard(tmp_path / "weaker.wav")).max() <= LEVEL
    assert not page.errors


def test_before_and_after_are_listened_to_at_the_same_place(page: Page, interview: Path) -> None:
    forced(page, interview)
    if not page.page.is_visible("#player"):
        page.row("interview.wav").locator(".compare").click()
    assert page.page.inner_text("#player-title") == "interview.wav"
    assert not page.page.is_visible("#viewer")
    ready = "document.getElementById('audio').readyState > 0"
    page.wait(ready)
    sources = set()
    page.page.evaluate("document.getElementById('audio').currentTime = 0.75")
    for name in ("Before", "Taken away", "After"):
        page.page.get_by_role("button", name=name, exact=True).click()
        page.wait(f"{ready} && Math.abs(document.getElementById('audio').currentTime - 0.75) < 0.05")
        assert page.page.evaluate("document.getElementById('audio').duration") == pytest.approx(1.5, abs=0.01)
        assert page.page.locator("#player [aria-pressed=true]").inner_text() == name
        sources.add(page.page.locator("#audio").get_attribute("src"))
    assert len(sources) == 3
    assert not page.page.is_visible("#audio-problem")
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.page.evaluate("axe.run().then((told) => told.violations)")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_photos_and_recordings_go_together(page: Page, interview: Path, photos: Path, tmp_path: Path) -> None:
    page.give(photos / "plain.png")
    forced(page, interview)
    page.row("plain.png").locator(".compare").click()
    assert page.page.is_visible("#viewer")
    assert not page.page.is_visible("#player")
    page.row("interview.wav").locator(".compare").click()
    assert page.page.is_visible("#player")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Download all as a ZIP").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.namelist()) == ["interview-restored.wav", "plain-restored.png"]
        assert archive.testzip() is None
    page.row("interview.wav").get_by_role("button", name="Remove").click()
    assert page.page.is_visible("#viewer")


def test_what_needs_nothing_or_is_not_taken_is_told(page: Page, interview: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 16000)
    (tmp_path / "cut.wav").write_bytes(interview.read_bytes()[:9000])
    (tmp_path / "talk.m4a").write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + bytes(500))
    for name in ("talk.flac", "talk.mp3", "talk.ogg", "talk.aiff"):
        soundfile.write(tmp_path / name, tone(0.2, 16000), 16000)
    names = ["silence.wav", "cut.wav", "talk.m4a", "talk.flac", "talk.mp3", "talk.ogg", "talk.aiff"]
    states = page.give(*(tmp_path / name for name in names)).settled()
    words = ["Left as it was, 0:00 at 16 kHz", "is cut short", "AAC", "is FLAC", "is MP3", "is Ogg", "is AIFF"]
    assert [word in state for word, state in zip(words, states, strict=True)] == [True] * 7, states
    assert all("save it as WAV" in state for state in states[2:])
    assert page.row("silence.wav").locator(".notes").inner_text() == "it is silent"
    assert page.download("silence.wav", tmp_path / "out").read_bytes() == (tmp_path / "silence.wav").read_bytes()


def test_cancelling_a_long_one(page: Page, interview: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.tile(tone(1, 48000, 2), (120, 1)), 48000)
    page.give(tmp_path / "long.wav", interview)
    page.wait("/%/.test(document.querySelector('.state').textContent)")
    page.row("long.wav").get_by_role("button", name="Cancel").click()
    states = page.settled()
    assert states[0] == "Cancelled"
    assert states[1].startswith(("Restored", "Left"))
