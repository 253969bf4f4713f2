"""Scores without originals, held to the truth where it is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.degrade import Degradation, blurred
from burnish.training import estimate

CLEAN = photographs.astronaut()[:256, :256].astype(np.float32) / 255


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 3.0])
def test_the_estimated_error_is_the_true_one(strength: float) -> None:
    noisy = Degradation.parse("noise:25").apply(CLEAN)
    variance = np.full(noisy.shape, (25 / 255) ** 2, np.float32)

    def method(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return blurred(picture, strength)

    true = float(np.mean((method(noisy) - CLEAN) ** 2))
    assert estimate.risk(method, noisy, variance, seed=1) == pytest.approx(true, rel=0.05)


def test_noise_cut_off_by_black_does_not_flatter() -> None:
    dark = photographs.rocket()[:200, :400].astype(np.float32) / 255
    noisy = np.rint(Degradation.parse("noise:25").apply(dark).clip(0, 1) * 255).astype(np.float32) / 255
    assert (noisy == 0).mean() > 0.04, "of many pixels it is cut off"
    variance = np.full(noisy.shape, (25 / 255) ** 2, np.float32)

    def method(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return blurred(picture, 1.5)

    true = float(np.mean((method(noisy) - dark) ** 2))
    assert true / 2 < estimate.risk(method, noisy, variance, seed=1) < 2 * true
