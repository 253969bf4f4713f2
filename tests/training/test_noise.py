"""The noise of pictures, measured without knowing them clean."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.data import PictureSet
from burnish.degrade import Degradation
from burnish.errors import InputError
from burnish.training import noise

SCENES = [photographs.astronaut(), photographs.coffee(), photographs.chelsea()]


def samples(spec: str) -> list[NDArray[np.float32]]:
    return [Degradation.parse(spec).apply(scene) for scene in SCENES]


@pytest.mark.parametrize("sigma", [5, 10, 25, 40])
def test_independent_noise_is_measured_within_a_tenth(sigma: int) -> None:
    found = noise.of_samples(samples(f"noise:{sigma}+8bit"))
    assert found.sigmas[0] > 0.9 * sigma
    assert found.sigmas[1] < 1.1 * sigma
    assert found.is_cut
    assert abs(found.correlation) < noise.CORRELATED


def test_photon_noise_grows_with_the_light() -> None:
    found = noise.of_samples(samples("poisson:50"))
    assert not found.is_cut, "it is kept as it is, above white too"
    assert found.slope == pytest.approx(1 / 50, rel=0.25)
    variance = found.variance(np.linspace(0.1, 0.9, 50, dtype=np.float32)[None, :, None].repeat(50, 0))
    assert variance[25, 45, 0] > 3 * variance[25, 5, 0]
    assert found.spec.startswith("noise:")
    Degradation.parse(found.spec)


@pytest.mark.parametrize("spec", ["noise:30+blur:0.7", "camera:2+8bit", "noise:15+jpeg:60"])
def test_noise_that_neighbours_share_is_found_out(spec: str) -> None:
    assert noise.of_samples(samples(spec)).correlation > noise.CORRELATED


def test_pictures_too_small_to_tell_are_refused() -> None:
    with pytest.raises(InputError, match="too small to tell their noise"):
        noise.measured(PictureSet("tiny", np.zeros((3, 8, 8, 3), np.uint8), ["a", "b", "c"], ""))
