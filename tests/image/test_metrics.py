"""The scores, against scikit-image's and against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from burnish.image import metrics


@given(st.integers(11, 40), st.integers(11, 40), st.sampled_from([1, 3]), st.floats(0.005, 0.3), st.integers(0, 2**32 - 1))
def test_psnr_and_ssim_are_scikit_images(height: int, width: int, channels: int, sigma: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    photograph = data.coffee()
    y, x = rng.integers(photograph.shape[0] - height), rng.integers(photograph.shape[1] - width)
    a = photograph[y : y + height, x : x + width, :channels] / 255
    b = np.clip(a + rng.normal(0, sigma, a.shape), 0, 1)
    assert metrics.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=1))
    theirs = structural_similarity(a, b, data_range=1, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert metrics.ssim(a, b) == pytest.approx(theirs, abs=1e-7)


def test_psnr_of_a_known_error() -> None:
    a = np.full((4, 4, 3), 0.5)
    assert metrics.psnr(a, a + 0.1) == pytest.approx(20.0)
    assert metrics.psnr(a, a) == metrics.CAP == 100


def test_ssim_is_one_for_equal_pictures_of_any_size() -> None:
    rng = np.random.default_rng(0)
    for side in (1, 2, 5, 10, 11, 12):
        a = rng.random((side, side + 3, 3))
        assert metrics.ssim(a, a) == pytest.approx(1)
        assert metrics.ssim(a, 1 - a) < 1


def test_channel_accuracy_takes_the_first_on_ties() -> None:
    a = np.array([[[5, 5, 1], [1, 2, 3], [9, 0, 0], [0, 9, 0]]])
    b = np.array([[[7, 0, 0], [3, 2, 1], [4, 4, 4], [0, 1, 0]]])
    assert metrics.channel_accuracy(a, b) == 0.75


def test_an_image_in_strips_scores_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a = rng.random((61, 40, 3))
    b = (a + rng.normal(0, 0.1, a.shape)).clip(0, 1)
    whole = metrics.psnr(a, b), metrics.ssim(a, b)
    for strip in (1, 40 * 3 * 7, 40 * 3 * 51):
        monkeypatch.setattr(metrics, "STRIP", strip)
        assert (metrics.psnr(a, b), metrics.ssim(a, b)) == pytest.approx(whole, abs=1e-12)
