"""Scores without originals, held to the truth where it is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.image.stages import blurred
from burnish.training.image import estimate
from burnish.training.image.noise import Noise

NOISE = Noise(0.0, (25 / 255) ** 2, (25, 25), 0.0)
CLEAN = photographs.astronaut()[:256, :256].astype(np.float32) / 255


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 3.0])
def test_the_estimated_error_is_the_true_one(strength: float) -> None:
    middle = 0.35 + 0.3 * CLEAN
    noisy = Degradation.parse("noise:25").apply(middle)

    def method(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return blurred(picture, strength)

    true = float(np.mean((method(noisy) - middle) ** 2))
    assert estimate.risk(method, noisy, NOISE, seed=1) == pytest.approx(true, rel=0.05, abs=0.01 * NOISE.floor)


def test_noise_cut_off_by_black_does_not_flatter() -> None:
    dark = photographs.rocket()[:200, :400].astype(np.float32) / 255
    noisy = np.rint(Degradation.parse("noise:25").apply(dark).clip(0, 1) * 255).astype(np.float32) / 255
    assert (noisy == 0).mean() > 0.04, "of many pixels it is cut off"

    def method(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return blurred(picture, 1.5)

    true = float(np.mean((method(noisy) - dark) ** 2))
    assert true / 2 < estimate.risk(method, noisy, NOISE, seed=1) < 2 * true


@pytest.mark.parametrize("strength", [0.0, 1.5, 3.0])
def test_where_all_is_black_the_estimate_is_rough_but_no_success_story(strength: float) -> None:
    dark = np.zeros((200, 200, 3), np.float32)
    dark[90:110, 90:110] = 0.8
    noisy = Degradation.parse("noise:25+8bit").apply(dark)

    def method(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return blurred(picture, strength)

    true = float(np.mean((method(noisy) - dark) ** 2))
    assert true / 5 < estimate.risk(method, noisy, NOISE, seed=1) < 2 * true


def test_grey_stored_as_colours_gains_nothing_by_the_mean_of_its_channels() -> None:
    grey = np.repeat(0.4 + 0.2 * CLEAN[..., :1], 3, axis=2)
    noisy = Degradation.parse("noise:25g").apply(grey)
    estimated = estimate.risk(lambda picture: picture.mean(axis=2, keepdims=True).repeat(3, 2), noisy, NOISE, seed=1)
    assert estimated == pytest.approx((25 / 255) ** 2, rel=0.05)
