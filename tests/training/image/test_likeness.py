"""Splits by file, with near-duplicates on one side."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image import datasets
from burnish.image.datasets import PictureSet
from burnish.training.image import likeness

SCENES = [photographs.astronaut()[:300, :300], photographs.coffee()[:300, :300], photographs.chelsea()[:300, :300]]


def named(*pictures: tuple[str, NDArray[np.uint8]]) -> PictureSet:
    return PictureSet("test", [picture for _, picture in pictures], [name for name, _ in pictures], "")


def noisy(scene: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    return np.rint(Degradation.parse("noise:25+8bit").apply(scene, seed) * 255).astype(np.uint8)


def test_the_same_scene_again_is_found_alike_and_others_are_not() -> None:
    one, two, three = SCENES
    groups = likeness.grouped(
        named(("a", one), ("b", two), ("noisier", noisy(one, 1)), ("moved", two[3:, 2:]), ("c", three), ("small", one[::2, ::2]))
    )
    assert groups[0] == groups[2] == groups[5]
    assert groups[1] == groups[3]
    assert len(set(groups.tolist())) == 3


def test_the_pages_of_a_file_stay_together_however_they_look() -> None:
    names = ("s.tif#1", "s.tif#2", "other#1.png", "other#2.png")
    pictures = named(*zip(names, [*SCENES, SCENES[2][::-1, ::-1]], strict=True))
    for seed in range(8):
        training, held_out = likeness.split(pictures, 0.25, np.random.default_rng(seed))
        assert sorted(training + held_out) == [0, 1, 2, 3]
        assert len({0, 1} & set(training)) in (0, 2)
    assert len(set(likeness.grouped(pictures).tolist())) == 3


def test_about_the_share_is_held_out_and_never_more_than_half() -> None:
    rng = np.random.default_rng(0)
    pictures = named(*((f"{i}", rng.integers(0, 255, (64, 64, 3), np.uint8)) for i in range(20)))
    training, held_out = likeness.split(pictures, 0.2, rng)
    assert (len(training), len(held_out)) == (16, 4)
    burst = named(("x", SCENES[1]), *((f"{i}", noisy(SCENES[0], i)) for i in range(5)))
    assert likeness.split(burst, 0.5, rng)[1] == [0]


@pytest.mark.parametrize("picture", [SCENES[0], np.zeros((64, 64, 3), np.uint8)])
def test_pictures_that_are_all_alike_are_refused(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="all 10 images are of one file or look alike"):
        likeness.split(named(*((f"{i}", picture) for i in range(10))), 0.2, np.random.default_rng(0))


def test_files_of_few_bits_in_many_are_compared_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, scene in enumerate([*SCENES, SCENES[0]]):
        pyvips.Image.new_from_array(scene[..., :1].astype(np.uint16) * 16 + index, interpretation="grey16").write_to_file(
            str(tmp_path / f"{index}.tif")
        )
    resident = likeness.grouped(datasets.load(str(tmp_path), "train"))
    monkeypatch.setattr(datasets, "RESIDENT", 0)
    assert resident.tolist() == likeness.grouped(datasets.load(str(tmp_path), "train")).tolist() == [0, 1, 2, 0]
