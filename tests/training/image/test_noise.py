"""The noise of images, measured without knowing them clean."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training.image import noise

SCENES = [photographs.astronaut(), photographs.coffee(), photographs.chelsea()]


def samples(spec: str) -> list[NDArray[np.float32]]:
    return [Degradation.parse(f"{spec}+8bit").apply(scene) for scene in SCENES]


@pytest.mark.parametrize("sigma", [5, 10, 25, 40])
def test_independent_noise_is_measured_within_a_tenth(sigma: int) -> None:
    found = noise.of_samples(samples(f"noise:{sigma}"))
    assert found.sigmas[0] > 0.9 * sigma
    assert found.sigmas[1] < 1.1 * sigma
    assert abs(found.correlation) < noise.CORRELATED


def test_photon_noise_grows_with_the_light() -> None:
    found = noise.of_samples(samples("poisson:50"))
    assert found.slope == pytest.approx(1 / 50, rel=0.25)
    variance = found.variance(np.linspace(0.1, 0.9, 50, dtype=np.float32)[None, :, None].repeat(50, 0))
    assert variance[25, 45, 0] > 3 * variance[25, 5, 0]
    assert found.spec.startswith("noise:")
    Degradation.parse(found.spec)


@pytest.mark.parametrize("spec", ["noise:30+blur:0.7", "camera:2", "noise:15+jpeg:60"])
def test_noise_that_neighbours_share_is_found_out(spec: str) -> None:
    assert noise.of_samples(samples(spec)).correlation > noise.CORRELATED


def test_pictures_too_small_to_tell_are_refused() -> None:
    with pytest.raises(InputError, match="too small to tell their noise"):
        noise.measured(PictureSet("tiny", np.zeros((3, 8, 8, 3), np.uint8), ["a", "b", "c"], ""))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.97, 1.0])
@pytest.mark.parametrize("sigma", [10, 20])
def test_noise_is_measured_where_black_cuts_most_of_it_off(share: float, sigma: int) -> None:
    dark = np.zeros((256, 256, 3), np.uint8)
    dark[: round(256 * (1 - share))] = 90
    found = noise.of_samples([Degradation.parse(f"noise:{sigma}+8bit").apply(dark, seed) for seed in range(4)])
    assert 255 * found.floor**0.5 == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("slope", [0.0, 0.004])
def test_what_is_seen_of_noise_that_black_and_white_cut_off_is_the_mean_and_variance_of_many_draws(slope: float) -> None:
    found = noise.Noise(slope, (20 / 255) ** 2, (20, 20), 0)
    rng = np.random.default_rng(0)
    for clean in (0.0, 0.03, 0.2, 0.5, 0.9, 1.0):
        light = rng.standard_normal(400_000) * (slope * clean) ** 0.5
        draws = (clean + np.maximum(light, -clean) + found.floor**0.5 * rng.standard_normal(400_000)).clip(0, 1)
        seen = float(found.seen(torch.tensor([clean], dtype=torch.double)))
        assert seen == pytest.approx(draws.mean(), abs=2e-3)
        flat = np.full((9, 9, 1), seen, np.float32)
        assert float(found.variance(flat)[4, 4, 0]) == pytest.approx(draws.var(), rel=0.08)


def test_light_that_comes_in_photons_is_not_taken_for_cut_off() -> None:
    found = noise.Noise(1 / 50, 0.0, (1, 36), 0)
    dim = torch.tensor([0.002, 0.02, 0.2], dtype=torch.double)
    torch.testing.assert_close(found.seen(dim), dim, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("sigma", "told"), [(140.0, "noise:140"), (99.7, "noise:100"), (24.6, "noise:25"), (0.00001, "noise:0"), (900.0, "noise:255")]
)
def test_any_strength_has_words(sigma: float, told: str) -> None:
    spec = noise.Noise(0, 0, (sigma, sigma), 0).spec
    assert spec == told
    Degradation.parse(spec)
