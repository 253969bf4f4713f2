"""`burnish degrade`."""

from pathlib import Path

import numpy as np
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
