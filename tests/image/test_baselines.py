"""The classical filters: right on their own terms, and the oracle as good as a Wiener filter can be."""

import sys

import numpy as np
import pytest
from conftest import STANDIN
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.errors import InputError, MissingExtraError
from burnish.image import baselines, cifar, metrics
from burnish.image.datasets import PictureSet


def pictures_of(images):
    return PictureSet("pictures", images, [str(i) for i in range(len(images))], "")


def squares(photograph, side, count):
    """Non-overlapping squares of a photograph, from the top left."""
    height, width = photograph.shape[:2]
    corners = [(y, x) for y in range(0, height - side + 1, side) for x in range(0, width - side + 1, side)]
    return np.stack([photograph[y : y + side, x : x + side] for y, x in corners[:count]])


TUNING = pictures_of([photographs.astronaut()[:96, 180:276], photographs.rocket()[100:196, 200:296]])
TEST = photographs.chelsea()[100:196, 120:216]


def mean_psnr(batch, originals):
    pairs = zip(batch, originals, strict=True)
    return np.mean([metrics.psnr(metrics.quantise(restored), original / 255) for restored, original in pairs])


def tuned(spec):
    chosen, not_applicable = baselines.tune(TUNING, Degradation.parse(spec))
    return {baseline.name: baseline for baseline in chosen}, not_applicable


# --- The filters ---


def test_unsharp_is_the_picture_plus_what_the_gaussian_took():
    batch = np.stack([TEST[:40, :50], TEST[20:60, 30:80]]).astype(np.float32) / 255
    expected = batch + 1.5 * (batch - gaussian_filter(batch, (0, 1, 1, 0), mode="reflect"))
    assert np.abs(baselines.unsharp(batch, 1.0, 1.5) - expected).max() < 1e-5


def test_unsharp_at_amount_zero_is_the_untouched_input_every_time():
    # scikit-image's own channel_axis=-1 returns memory it never wrote: often the last image freed, which can be the clean original.
    batch = baselines.to_unit(TEST)[None]
    for _ in range(20):
        assert np.array_equal(baselines.unsharp(batch, 1.0, 0.0), batch)


FILTERS = [
    lambda batch: baselines.unsharp(batch, 1.5, 3.0),
    lambda batch: baselines.richardson_lucy(batch, 1.0, 10),
    lambda batch: baselines.total_variation(batch, 0.1),
    lambda batch: baselines.non_local_means(batch, 15, 0.8),
]


@pytest.mark.parametrize("function", FILTERS)
def test_a_filter_treats_each_picture_of_a_batch_alone(function):
    batch = squares(TEST, 32, 4).astype(np.float32) / 255
    one_by_one = np.concatenate([function(picture[None]) for picture in batch])
    assert np.abs(function(batch) - one_by_one).max() < 1e-4


@pytest.mark.parametrize("function", FILTERS)
def test_a_flat_picture_stays_flat_to_its_edges(function):
    batch = np.full((1, 20, 24, 3), 0.6, np.float32)
    assert np.abs(function(batch) - 0.6).max() < 2e-3


@pytest.mark.parametrize("function", FILTERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (17, 5)])
def test_a_filter_takes_tiny_and_odd_pictures_with_values_out_of_range(function, shape):
    batch = np.random.default_rng(0).normal(0.5, 0.6, (2, *shape, 3)).astype(np.float32)
    restored = function(batch)
    assert restored.shape == batch.shape
    assert restored.dtype == np.float32
    assert np.isfinite(restored).all()


def test_grey_pictures_have_baselines_too():
    grey = pictures_of([picture[..., :1] for picture in TUNING.images])
    degradation = Degradation.parse("blur:1.0+noise:10")
    found, _ = baselines.tune(grey, degradation)
    chain = degradation.draw(TEST[..., :1])
    degraded = chain.apply(TEST[..., :1])[None]
    restored = {baseline.name: baseline.restore(degraded, [chain]) for baseline in found}
    assert all(each.shape == degraded.shape for each in restored.values())
    gains = {name: mean_psnr(each, [TEST[..., :1]]) - mean_psnr(degraded, [TEST[..., :1]]) for name, each in restored.items()}
    assert min(gains.values()) > -0.1  # each has a setting that does next to nothing
    assert gains["wiener_oracle"] > 1


def test_richardson_lucy_sharpens_a_blur():
    batch = Degradation.parse("blur:1.0+8bit").apply(TEST)[None]
    assert mean_psnr(baselines.richardson_lucy(batch, 1.0, 100), TEST[None]) > mean_psnr(batch, TEST[None]) + 3


@pytest.mark.parametrize("function", [lambda b: baselines.total_variation(b, 0.1), lambda b: baselines.non_local_means(b, 25, 0.6)])
def test_denoisers_denoise(function):
    batch = Degradation.parse("noise:25").apply(TEST)[None]
    assert mean_psnr(function(batch), TEST[None]) > mean_psnr(batch, TEST[None]) + 3


# --- The oracle ---


@settings(max_examples=40, deadline=None)
@given(sigma=st.floats(0.3, 6), height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_the_transfer_function_is_the_reflected_blur(sigma, height, width, seed):
    picture = np.random.default_rng(seed).random((height, width))
    transfer, _ = baselines._transfer_and_noise([("blur", sigma)], height, width)
    blurred = idctn(dctn(picture, norm="ortho") * transfer, norm="ortho")
    assert np.abs(blurred - gaussian_filter(picture, sigma, mode="reflect", truncate=6)).max() < 1e-7


def test_noise_is_counted_as_later_stages_leave_it():
    stages = [("noise", 10.0), ("blur", 1.0), ("8bit", None)]
    _, noise = baselines._transfer_and_noise(stages, 32, 32)
    field = np.random.default_rng(0).normal(0, 10 / 255, (400, 32, 32))
    blurred = gaussian_filter(field, (0, 1, 1), mode="reflect", truncate=6)
    measured = (dctn(blurred, axes=(1, 2), norm="ortho") ** 2).mean(axis=0) + 1 / 12 / 255**2
    assert np.abs(np.log(measured / noise)).mean() < 0.1


def test_no_other_gain_per_coefficient_does_better_on_average():
    originals = squares(photographs.astronaut(), 32, 200)
    degradation = Degradation.parse("blur:1.0+noise:5")
    degraded = np.stack([degradation.apply(original) for original in originals])
    chains = [degradation.draw(original) for original in originals]
    spectrum, count = baselines._mean_spectrum(pictures_of(originals))
    assert count == 200

    def error(spectrum):
        return np.mean((baselines.wiener_oracle(degraded, chains, spectrum) - originals / 255) ** 2)

    best = error(spectrum)
    assert best < np.mean((degraded - originals / 255) ** 2) / 1.5
    assert best < error(spectrum * 3)
    assert best < error(spectrum / 3)


def test_each_picture_is_filtered_by_its_own_chain():
    originals = squares(photographs.astronaut(), 32, 3)
    spectrum, _ = baselines._mean_spectrum(pictures_of(originals))
    chains = [Degradation.parse(spec).draw(originals[0]) for spec in ("blur:1", "noise:25", "blur:1")]
    batch = originals.astype(np.float32) / 255
    together = baselines.wiener_oracle(batch, chains, spectrum)
    alone = [baselines.wiener_oracle(batch[i : i + 1], chains[i : i + 1], spectrum)[0] for i in range(3)]
    assert np.array_equal(together, np.stack(alone))
    assert not np.allclose(together[1], baselines.wiener_oracle(batch[1:2], chains[:1], spectrum)[0], atol=0.01)


def test_a_spectrum_at_its_own_size_is_itself_and_elsewhere_keeps_its_shape():
    frequency = np.arange(1, 65)
    spectrum = np.repeat((1e3 / np.add.outer(frequency**2, frequency**2))[..., None], 3, axis=2)
    assert np.allclose(baselines._resample(spectrum, 64, 64), spectrum, rtol=1e-6)
    larger = baselines._resample(spectrum, 128, 96)
    assert larger.shape == (128, 96, 3)
    assert np.allclose(larger[::2, ::3], spectrum[:, ::2], rtol=1e-6)
    assert baselines._resample(spectrum, 1, 1).shape == (1, 1, 3)


def test_the_oracle_takes_pictures_of_other_sizes():
    filters, _ = tuned("blur:1.0+8bit")
    degradation = Degradation.parse("blur:1.0+8bit")
    for original in (TEST[:, :61], photographs.coffee()[:150, :210], TEST[:7, :5]):
        degraded = degradation.apply(original)[None]
        restored = filters["wiener_oracle"].restore(degraded, [degradation.draw(original)])
        assert mean_psnr(restored, original[None]) > mean_psnr(degraded, original[None]) + 1


@pytest.fixture(scope="module")
def lossless():
    """The stand-in archive's lossless images: the first 1,017 of training batches 1 to 4 together, and those of batch 5."""
    if not STANDIN.exists():
        pytest.skip("needs the CIFAR-10 stand-in beside the checkout")
    with pytest.warns(cifar.DataWarning, match="not the official"):
        images = cifar.load(STANDIN, "train")
    return np.concatenate([images[start : start + 1017] for start in range(0, 40_000, 10_000)]), images[40_000:41_017]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("blur:1+8bit", 35.6), ("blur:1+noise:2+8bit", 30.1), ("blur:1+noise:5+8bit", 27.6), ("blur:1.5+8bit", 29.6), ("blur:2+8bit", 26.6)],
)
def test_the_oracle_reproduces_the_measured_figures(lossless, spec, expected):
    clean, originals = lossless
    spectrum, count = baselines._mean_spectrum(pictures_of(clean))
    assert count == len(clean)
    degradation = Degradation.parse(spec)
    degraded = np.stack([degradation.apply(original) for original in originals])
    restored = baselines.wiener_oracle(degraded, [degradation.draw(original) for original in originals], spectrum)
    assert mean_psnr(restored, originals) == pytest.approx(expected, abs=0.2)


# --- Tuning ---


def test_each_filter_is_tuned_and_does_no_harm_on_its_tuning_pictures():
    filters, not_applicable = tuned("blur:1.0+8bit")
    assert not not_applicable
    assert set(filters) == {"unsharp", "wiener_oracle", "richardson_lucy", "total_variation", "non_local_means"}
    degradation = Degradation.parse("blur:1.0+8bit")
    totals = dict.fromkeys(filters, 0.0)
    for original in TUNING.images:
        degraded, chains = degradation.apply(original)[None], [degradation.draw(original)]
        for name, baseline in filters.items():
            totals[name] += mean_psnr(baseline.restore(degraded, chains), original[None]) - mean_psnr(degraded, original[None])
    assert totals["wiener_oracle"] > totals["unsharp"] > 2
    assert totals["richardson_lucy"] > 2
    assert min(totals.values()) > -0.5


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("jpeg:40-95", "jpeg has no transfer function"),
        ("blur:1+camera:1", "camera has no transfer function"),
        ("blur:1|motion:5-15+jpeg:50", "jpeg and motion have no transfer function"),
        ("noise:25g+8bit|blur:0.5-2", ""),
    ],
)
def test_the_oracle_says_where_it_does_not_apply(spec, why):
    assert baselines._no_transfer_function(Degradation.parse(spec)) == why


def test_nothing_to_tune_on_is_refused():
    with pytest.raises(InputError, match="no image to choose"):
        baselines.tune(pictures_of([]), Degradation.parse("8bit"))


def test_without_scikit_image_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.restoration", None)
    with pytest.raises(MissingExtraError, match=r"burnish\[evaluate\]"):
        baselines.tune(TUNING, Degradation.parse("8bit"))


def test_pictures_of_many_sizes_can_be_tuned_on():
    mixed = pictures_of([TEST[:40, :50], TEST[:9, :7], photographs.rocket()[:200, :300], TEST[:40, :50]])
    trials = baselines._trials(mixed, Degradation.parse("noise:5"), 0)
    assert sorted(clean.shape for clean, _ in trials) == [(1, 9, 7, 3), (1, 128, 128, 3), (2, 40, 50, 3)]
    spectrum, count = baselines._mean_spectrum(mixed)
    assert spectrum.shape == (32, 32, 3)
    assert count == 1 + 6 * 9 + 1  # the tiny one gives none
