"""Pairs found by name, and what is told of those that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image import datasets, pairs

SCENES = [photographs.astronaut()[:256, :256], photographs.coffee()[:256, 100:356], photographs.chelsea()[:256, 100:356]]


def write(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyvips.Image.new_from_array(np.ascontiguousarray(image)).write_to_file(str(path))


def degraded(image: NDArray[np.uint8], spec: str = "noise:25+8bit") -> NDArray[np.uint8]:
    return np.rint(Degradation.parse(spec).apply(image) * 255).astype(np.uint8)


def folders(place: Path) -> tuple[Path, Path]:
    for index, scene in enumerate(SCENES):
        write(place / "noisy" / f"{index}.png", degraded(scene))
        write(place / "clean" / f"{index}.tif", scene)
    return place / "noisy", place / "clean"


def test_partners_are_found_by_name_whatever_their_ending(tmp_path: Path) -> None:
    found, lines = pairs.load(*folders(tmp_path))
    assert lines == []
    assert list(found.names) == ["0.png", "1.png", "2.png"]
    assert found.degraded is not None
    for index, scene in enumerate(SCENES):
        np.testing.assert_array_equal(found.images[index], scene)
        np.testing.assert_array_equal(found.degraded[index], degraded(scene))


def test_what_does_not_go_together_is_listed_and_left_out(tmp_path: Path) -> None:
    noisy, clean = folders(tmp_path)
    write(noisy / "lonely.png", SCENES[0])
    write(clean / "forgotten.png", SCENES[0])
    write(clean / "1.tif", SCENES[1][:200])
    (noisy / "2.png").write_bytes((noisy / "2.png").read_bytes()[:999])
    found, lines = pairs.load(noisy, clean)
    assert list(found.names) == ["0.png"]
    told = "\n".join(lines)
    assert "1 image has no partner in" in told
    assert "lonely.png" in told
    assert "forgotten.png" in told
    assert "1.png: 256×256 against 256×200" in told
    assert [name for name, _ in found.skipped] == ["2.png"]


def test_numbers_in_names_are_no_pages_and_names_that_agree_twice_are_told(tmp_path: Path) -> None:
    for index, scene in enumerate(SCENES):
        write(tmp_path / "noisy" / f"img#{index + 1}.png", degraded(scene))
        write(tmp_path / "clean" / f"img#{index + 1}.png", scene)
    write(tmp_path / "noisy" / "img#1.tif", SCENES[2])
    found, lines = pairs.load(tmp_path / "noisy", tmp_path / "clean")
    for index, scene in enumerate(SCENES):
        np.testing.assert_array_equal(found.images[index], scene)
        assert found.degraded is not None
        np.testing.assert_array_equal(found.degraded[index], degraded(scene))
    assert lines == ["1 image is left out, which has the name of another but for the ending: img#1.tif"]


def test_folders_that_share_nothing_are_refused(tmp_path: Path) -> None:
    noisy, clean = folders(tmp_path)
    for file in clean.iterdir():
        file.rename(file.with_name(f"clean-{file.name}"))
    with pytest.raises(InputError, match=r"no two images go together.*3 images have no partner"):
        pairs.load(noisy, clean)
    with pytest.raises(InputError, match="is no folder; pairs are two folders"):
        pairs.load(noisy, tmp_path / "nowhere")


@pytest.mark.parametrize("spec", ["noise:5+8bit", "noise:50+8bit", "blur:2+8bit"])
def test_a_shift_is_measured_and_none_is_seen_where_none_is(spec: str) -> None:
    for scene in SCENES:
        before, after = (image.mean(axis=2) / np.float32(255) for image in (degraded(scene, spec), scene))
        assert pairs.shift(before, after) == (0, 0)
        assert pairs.shift(before[3:, :-2], after[:-3, 2:]) == (3, -2)


def test_shifted_pairs_and_swapped_folders_are_told(tmp_path: Path) -> None:
    noisy, clean = folders(tmp_path)
    assert "are the two folders swapped?" in "\n".join(pairs.load(clean, noisy)[1])
    write(clean / "0.tif", np.roll(SCENES[0], (2, -1), (0, 1)))
    (line,) = pairs.load(noisy, clean)[1]
    assert line.startswith("1 of 3 pairs looked at is shifted against each other (0.png: 2 down, 1 left)")


def test_a_pair_that_cannot_be_decoded_stops_no_run_on_more_than_the_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy, clean = folders(tmp_path)
    (noisy / "1.png").write_bytes((noisy / "1.png").read_bytes()[:20_000])
    monkeypatch.setattr(datasets, "RESIDENT", 0)
    found, notes = pairs.load(noisy, clean)
    assert (len(found.images), notes) == (3, [])
