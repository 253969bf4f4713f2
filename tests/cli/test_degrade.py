"""`burnish degrade`."""

from pathlib import Path

import numpy as np
import pyvips
from command import burnish_

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
