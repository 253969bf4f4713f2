"""What a network is shown, and with what its answer is compared."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data

from burnish.degradation import Degradation
from burnish.image.datasets import PictureSet
from burnish.training.image.views import Box, Degrading
from burnish.training.image.whole import Whole
from burnish.training.recipe import load

PHOTOGRAPH = data.coffee()[50:178, 100:260]
PICTURES = PictureSet("coffee", [PHOTOGRAPH, PHOTOGRAPH[::-1].copy()], ["up", "down"], "CC0")


@pytest.mark.parametrize("spec", ["blur:1+noise:5", "noise:5+8bit"])
def test_a_degraded_region_is_compared_with_the_picture_as_it_is(spec: str) -> None:
    view = Degrading(PICTURES, Degradation.parse(spec))
    _, after = view.cut(0, Box(10, 20, 64, 64), 7)
    np.testing.assert_array_equal(after, PHOTOGRAPH[10:74, 20:84])
    assert view.dtypes[1] is np.uint8


def test_what_a_camera_gives_is_compared_with_its_development_without_noise() -> None:
    degradation = Degradation.parse("blur:1+camera:1")
    view = Degrading(PICTURES, degradation)
    box = Box(0, 0, *PHOTOGRAPH.shape[:2])
    before, after = view.cut(0, box, 7)
    wanted = degradation.pair(PHOTOGRAPH, 7)
    assert view.dtypes == (np.float32, np.float32)
    np.testing.assert_array_equal(before, wanted[0])
    np.testing.assert_array_equal(after, wanted[1])


def test_pictures_shown_whole_are_compared_with_the_truth_too() -> None:
    crops = np.stack([PHOTOGRAPH[y : y + 32, x : x + 32] for y in range(0, 96, 32) for x in range(0, 128, 32)])
    pictures = PictureSet("crops", crops, [str(i) for i in range(len(crops))], "CC0")
    plan = replace(load("seed"), degradation="camera:1+8bit", copies=0.0, validation=0.25)
    source = Whole(pictures, plan)
    degradation = Degradation.parse(plan.degradation)
    wanted = [degradation.pair(image) for image in np.asarray(source.held_out.images)]
    degraded, truth = source.validation.batch(torch.arange(len(wanted)))
    np.testing.assert_allclose(degraded.permute(0, 2, 3, 1).numpy(), np.stack([each for each, _ in wanted]), atol=1e-6)
    np.testing.assert_allclose(truth.permute(0, 2, 3, 1).numpy(), np.stack([each for _, each in wanted]), atol=1e-6)
