"""`burnish degrade`."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
import soundfile
from command import burnish_, refused
from recordings import tone

from burnish.audio import folder, stages
from burnish.degradation import Degradation
from burnish.image import datasets


def test_degrade_writes_what_the_language_says(picture_folder: Path, tmp_path: Path) -> None:
    result = burnish_("degrade", picture_folder, "--degrade", "blur:1.0+8bit", "-o", tmp_path / "out")
    assert result.returncode == 0
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == sorted(path.name for path in picture_folder.iterdir())
    wanted = Degradation.parse("blur:1.0+8bit").apply(datasets.read(picture_folder / "03.png"))
    np.testing.assert_array_equal(datasets.read(tmp_path / "out" / "03.png"), np.rint(wanted * 255))
    again = burnish_("degrade", picture_folder, "--degrade", "blur:3", "-o", tmp_path / "out")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    np.testing.assert_array_equal(datasets.read(tmp_path / "out" / "03.png"), np.rint(wanted * 255))


def test_degrade_names_what_fails_and_does_the_rest(picture_folder: Path, tmp_path: Path) -> None:
    good, last = picture_folder / "00.png", picture_folder / "01.png"
    (tmp_path / "00.png").write_bytes(last.read_bytes())
    inputs = [good, tmp_path / "none.png", tmp_path / "00.png", last]
    result = burnish_("degrade", *inputs, "--degrade", "blur:1", "-o", tmp_path / "out")
    assert result.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00.png", "01.png"]
    assert "none.png: No such file" in result.stderr
    assert "would both become" in result.stderr
    assert "2 images failed" in result.stderr


def test_a_turned_photograph_is_degraded_upright(tmp_path: Path) -> None:
    pixels = np.tile(np.linspace(0, 255, 60).astype(np.uint8)[:, None, None], (1, 40, 3))
    made = pyvips.Image.new_from_array(np.ascontiguousarray(np.rot90(pixels))).copy()
    made.set_type(pyvips.GValue.gint_type, "orientation", 6)
    made.jpegsave(str(tmp_path / "a.jpg"), Q=100)
    assert burnish_("degrade", tmp_path / "a.jpg", "--degrade", "noise:1", "-o", tmp_path / "out").returncode == 0
    written = datasets.read(tmp_path / "out" / "a.png")
    assert written.shape == (60, 40, 3)
    assert np.abs(written.astype(float) - pixels).mean() < 4


def test_recordings_are_degraded_too(tmp_path: Path) -> None:
    voices, noises = tmp_path / "voices", tmp_path / "noises"
    for place in (voices / "deep", noises):
        place.mkdir(parents=True)
    soundfile.write(voices / "deep" / "a.flac", tone(1.0, 48000, 2), 48000)
    soundfile.write(noises / "n.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    result = burnish_("degrade", voices, "--degrade", "noise:5", "--noises", noises, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    written, rate = soundfile.read(tmp_path / "out" / "deep" / "a.wav", dtype="float32")
    clean = folder.read(voices / "deep" / "a.flac")
    assert (written.shape, rate) == (clean.shape, 16000)
    ratio = 20 * np.log10(stages.active_level(clean) / np.sqrt(np.mean((written - clean) ** 2)))
    assert ratio == pytest.approx(5, abs=0.1)
    assert burnish_("degrade", voices, "--degrade", "babble:5", "-o", tmp_path / "more").returncode == 0


def test_images_and_recordings_are_degraded_apart(picture_folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.2, 16000), 16000)
    both = burnish_("degrade", picture_folder, tmp_path / "a.wav", "--degrade", "noise:5", "-o", tmp_path / "o")
    assert both.returncode == 2
    assert "one kind at a time" in both.stderr
    images = burnish_("degrade", picture_folder, "--degrade", "noise:5", "--noises", tmp_path, "-o", tmp_path / "o")
    assert images.returncode == 2
    assert "holds none" in images.stderr
    refused(burnish_("degrade", tmp_path / "a.wav", "--degrade", "blur:1", "-o", tmp_path / "o"), 2, "blur:1")
