"""The degradation `camera`: what it adds is a camera's noise, and what it compares with is the same development."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from burnish.image import demosaic
from burnish.image.camera import develop

Image = NDArray[np.float32]

SEEDS = range(24)


def flat(value: float, side: int = 128, channels: int = 3) -> Image:
    return np.full((side, side, channels), value, np.float32)


def photograph(side: int = 256) -> Image:
    part: NDArray[np.uint8] = data.astronaut()[:side, :side]  # type: ignore[no-untyped-call]
    return part.astype(np.float32) / np.float32(255)


def noise(image: Image, strength: float, seed: int) -> Image:
    degraded, truth = develop(image, strength, seed)
    return degraded - truth


@settings(max_examples=30)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([1, 3]),
    st.sampled_from([0, 0.3, 3, 100]),
    st.integers(0, 2**63),
    st.integers(0, 9),
)
def test_any_size_gives_two_images_of_that_size_on_0_1(
    height: int, width: int, channels: int, strength: float, seed: int, content: int
) -> None:
    image = np.random.default_rng(content).random((height, width, channels), np.float32)
    for result in develop(image, strength, seed):
        assert result.shape == image.shape
        assert result.dtype == np.float32
        assert 0 <= result.min() <= result.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 32), (95, 64)])
def test_odd_sides_and_single_rows_keep_a_grey_area_where_it_was(shape: tuple[int, int]) -> None:
    for seed in SEEDS:
        _, truth = develop(np.full((*shape, 3), 0.5, np.float32), 1, seed)
        np.testing.assert_allclose(truth, 0.5, atol=0.002)


def test_the_same_image_strength_and_seed_give_the_same_result_and_others_do_not() -> None:
    image = photograph(96)
    kept = image.copy()
    first, again, other = develop(image, 1, 3), develop(image, 1, 3), develop(image, 1, 4)
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])


def test_without_strength_there_is_no_noise_and_the_truth_does_not_depend_on_it() -> None:
    equal = 0
    for seed in SEEDS:
        degraded, truth = develop(photograph(), 0, seed)
        equal += bool(np.abs(degraded - truth).max() < 1e-5)
        assert np.sqrt(np.mean((degraded - truth) ** 2)) < 0.05  # JPEG's
        np.testing.assert_array_equal(truth, develop(photograph(), 3, seed)[1])
    assert 0 < equal < len(SEEDS)  # some go through JPEG, some do not


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_grows_with_strength(channels: int) -> None:
    ratios = []
    for seed in SEEDS:
        spreads = [noise(flat(0.5, channels=channels), strength, seed).std() for strength in (0.5, 1, 2, 4)]
        assert spreads[0] > 0
        assert spreads == sorted(spreads)
        ratios.append(spreads[2] / spreads[1])
    assert 1.5 < np.median(ratios) < 2.1  # JPEG, whose error does not grow, and clipping take something from twice as much


def test_strength_one_is_a_camera_at_high_iso() -> None:
    """The sigma of brightness, on the 0–255 scale: 1.1 to 3.9 in real crops of ISO 800 to 12800."""
    sigmas = [255 * (noise(flat(0.5), 1, seed) @ np.array([0.299, 0.587, 0.114])).std() for seed in range(60)]
    assert 1 < np.median(sigmas) < 4
    assert np.quantile(sigmas, 0.9) > 2 * np.quantile(sigmas, 0.1)


@pytest.mark.parametrize("value", [0.35, 0.5, 0.65])
def test_grey_stays_grey_with_and_without_noise(value: float) -> None:
    for seed in SEEDS:
        degraded, truth = develop(flat(value, 160), 1, seed)
        np.testing.assert_allclose(truth, value, atol=0.002)
        np.testing.assert_allclose(degraded.mean((0, 1)), value, atol=0.012)


def test_the_mean_of_many_shots_is_the_truth_in_dark_colours_too() -> None:
    """The curve is steep in the dark: noise sent through it alone would move the mean by several times as much."""
    dark = np.broadcast_to(np.array([0.16, 0.22, 0.12], np.float32), (96, 96, 3))
    means = np.array([noise(dark, 2, seed).mean((0, 1)) for seed in range(40)])
    np.testing.assert_allclose(np.median(means, 0), 0, atol=0.003)
    np.testing.assert_allclose(means.mean(0), 0, atol=0.006)


def test_white_does_not_come_back_coloured() -> None:
    whites = [develop(flat(1), 1, seed) for seed in SEEDS]
    for degraded, truth in whites:
        np.testing.assert_allclose(truth, 1, atol=1e-3)
        assert np.ptp(degraded.mean((0, 1))) < 0.03
    assert sum(bool(degraded.std() < 0.002) for degraded, _ in whites) > len(SEEDS) / 4  # saturated


def test_the_development_keeps_the_image_but_for_its_finish() -> None:
    """A smooth image has nothing that demosaicking or sharpening could change; its hues stay, too."""
    y, x = np.mgrid[:128, :128].astype(np.float32) / 127
    smooth = np.stack([0.25 + 0.4 * x, 0.3 + 0.3 * y, 0.55 - 0.3 * x * y], -1)
    kept = 0
    for seed in SEEDS:
        _, truth = develop(smooth, 1, seed)
        gap = np.abs(truth - smooth)[8:-8, 8:-8].max()
        kept += bool(gap < 0.001)
    assert kept > len(SEEDS) / 3  # the others are enlarged out of a window


def test_noise_is_that_of_neighbours_and_coarser_in_colour() -> None:
    """As in real crops, where neighbouring pixels' brightness correlates by 0.45 to 0.7, their colour differences by 0.8 to 0.97."""
    luma: list[float] = []
    chroma: list[float] = []
    for seed in range(60):
        red, green, blue = np.moveaxis(noise(flat(0.5, 192), 2, seed), 2, 0)
        brightness = 0.299 * red + 0.587 * green + 0.114 * blue
        for found, plane in ((luma, brightness), (chroma, blue - brightness)):
            centred = plane - plane.mean()
            found.append((centred[:, 1:] * centred[:, :-1]).mean() / centred.var())
    assert 0.3 < np.median(luma) < 0.7
    assert np.median(chroma) > 0.6


def test_noise_varies_with_brightness() -> None:
    """Less in the lights that the tone curve flattens, and a little less in the shadows: the same camera's sigmas, over many cameras."""
    sigmas = np.array([[noise(flat(value), 1, seed).std() for value in (0.1, 0.45, 0.95)] for seed in range(60)])
    shadows, lights = np.median(sigmas[:, 1:2] / sigmas[:, ::2], axis=0)
    assert 1 < shadows < 1.5
    assert 1.4 < lights < 2.5


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("correction", [0.0, 1.0])
def test_demosaicking_gives_flat_colours_and_ramps_of_grey_back(phase: tuple[int, int], correction: float) -> None:
    colour = np.broadcast_to(np.array([0.2, 0.5, 0.9], np.float32)[:, None, None], (3, 6, 8))
    again = demosaic.demosaic(demosaic.mosaic(colour, phase)[None], phase, correction)[0]
    np.testing.assert_allclose(again, colour, atol=1e-6)
    y, x = np.mgrid[:12, :16].astype(np.float32)
    ramp = np.broadcast_to(0.02 * x + 0.03 * y, (3, 12, 16))
    again = demosaic.demosaic(demosaic.mosaic(ramp, phase)[None], phase, correction)[0]
    np.testing.assert_allclose(again[:, 2:-2, 2:-2], ramp[:, 2:-2, 2:-2], atol=1e-6)


def test_malvar_s_weights_are_the_published_ones() -> None:
    """A single red pixel at 4, 4, in eighths: the green about it, and the blue diagonal to it."""
    planes = np.zeros((3, 8, 8), np.float32)
    planes[0, 4, 4] = 8
    red, green, blue = demosaic.demosaic(demosaic.mosaic(planes, (0, 0))[None], (0, 0), 1.0)[0]
    np.testing.assert_allclose(green[4, 2:7], [-1, 0, 4, 0, -1], atol=1e-6)
    np.testing.assert_allclose(red[4, 2:7], [0, 4, 8, 4, 0], atol=1e-6)
    np.testing.assert_allclose(red[3, 2:7], [0, 2, 4, 2, 0], atol=1e-6)
    np.testing.assert_allclose(blue[4, 2:7], [-1.5, 0, 6, 0, -1.5], atol=1e-6)
    np.testing.assert_allclose(blue[3, 3:6], [0, 0, 0], atol=1e-6)
