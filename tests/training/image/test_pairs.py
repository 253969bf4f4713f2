"""What a network is shown: the same every time an epoch is asked for, crops cut from images degraded whole."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data

from burnish.degradation import Degradation
from burnish.errors import InputError, RecipeError
from burnish.image.datasets import PictureSet
from burnish.training.image import pairs, sources
from burnish.training.recipe import from_mapping, load


def source(images: object, **changes: object) -> pairs.Source:
    plan = from_mapping({"name": "a", "summary": "b", "network": "seed", "degradation": "blur:1.0+8bit"} | changes, "test")
    return sources.source(PictureSet("test", images, [f"{i}.png" for i in range(len(images))], "none"), plan)  # type: ignore[arg-type]


def test_whole_pictures_are_degraded_as_the_language_says(small_pictures: NDArray[np.uint8]) -> None:
    made = source(small_pictures, copies=0.25)
    pairs = made.epoch(1)
    assert (len(made.training.images), len(made.held_out.images)) == (64, 16)
    assert (len(pairs), len(made.validation)) == (64, 16)
    degraded, clean = pairs.batch(torch.arange(5))
    assert degraded.shape == clean.shape == (5, 3, 32, 32)
    for one, other in zip(degraded, clean, strict=True):
        whole = np.rint(other.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        np.testing.assert_allclose(one.permute(1, 2, 0).numpy(), Degradation.parse("blur:1.0+8bit").apply(whole), atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"degradation": "noise:5-30"}, {"crop": 16, "crops": 40}, {"crop": 16, "crops": 40, "degradation": "noise:5"}]
)
def test_an_epoch_is_the_same_whenever_it_is_asked_for_and_unlike_the_next(
    small_pictures: NDArray[np.uint8], changes: dict[str, object]
) -> None:
    one, other = source(small_pictures, **changes), source(small_pictures, **changes)
    other.epoch(1)
    first, second = other.epoch(2), other.epoch(3)
    asked = one.epoch(2)
    assert torch.equal(asked.degraded, first.degraded)
    assert torch.equal(asked.clean, first.clean)
    assert not torch.equal(first.degraded, second.degraded)


def test_crops_have_no_edges_of_their_own() -> None:
    photographs = [data.astronaut(), data.coffee()]
    pairs = source(photographs, crop=32, crops=20, validation=0.5).epoch(1)
    blurred = [np.rint(Degradation.parse("blur:1.0+8bit").apply(photograph) * 255).astype(np.uint8) for photograph in photographs]
    for degraded, clean in zip(pairs.degraded.numpy(), pairs.clean.numpy(), strict=True):
        places = [(i, y, x) for i, photograph in enumerate(photographs) for y, x in places_of(photograph, clean)]
        assert any(np.array_equal(degraded, blurred[i][y : y + 32, x : x + 32]) for i, y, x in places)


def places_of(photograph: NDArray[np.uint8], crop: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Where in the photograph the crop may have been cut, by its first pixels."""
    height, width = photograph.shape[0] - 31, photograph.shape[1] - 31
    alike = np.ones((height, width), bool)
    for offset in range(4):
        alike &= (photograph[:height, offset : offset + width] == crop[0, offset]).all(-1)
    return [(int(y), int(x)) for y, x in np.argwhere(alike)]


def test_too_few_or_too_small_pictures_are_refused(small_pictures: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="too few to leave some for training"):
        source(small_pictures[:1])
    with pytest.raises(InputError, match="needs two images at least that large"):
        source(small_pictures, crop=64, crops=8)
    with pytest.raises(RecipeError, match="crop = 18 must be a multiple of 4 for the network 'seed'"):
        source(small_pictures, crop=18, crops=8)
    with pytest.raises(InputError, match="of 2 different sizes"):
        source([small_pictures[0], small_pictures[0, :20]])


def test_whole_pictures_of_8_and_16_bits_are_all_brought_to_8(small_pictures: NDArray[np.uint8]) -> None:
    deep = [image.astype(np.uint16) * 257 if index % 2 else image for index, image in enumerate(small_pictures)]
    mixed, plain = (source(pictures, degradation="blur:0") for pictures in (deep, list(small_pictures)))
    assert torch.equal(mixed.epoch(1).clean, plain.epoch(1).clean)


def test_what_a_network_cannot_take_is_refused_before_it_is_shown(small_pictures: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="takes whole images whose sides are multiples of 4 only; train on crops"):
        source(small_pictures[:, :30, :30])
    with pytest.raises(RecipeError, match=r"the network takes images of 3 channels, and those of .* have 1"):
        source(small_pictures[..., :1])
    pairs = PictureSet("pairs", list(small_pictures), [str(i) for i in range(len(small_pictures))], "", degraded=list(small_pictures))
    with pytest.raises(RecipeError, match="pairs are learnt from in crops"):
        sources.source(pairs, load("seed"))
