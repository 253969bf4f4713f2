"""Pairs made of noisy images alone."""

import numpy as np
import torch
from skimage import data as photographs

from burnish.degradation import Degradation
from burnish.image.datasets import PictureSet
from burnish.training.image import noise
from burnish.training.image.noisy_only import Recorrupted
from burnish.training.image.views import Box

CLEAN = photographs.astronaut()


def test_the_errors_of_what_is_shown_and_what_is_asked_for_are_uncorrelated() -> None:
    noisy = np.rint(Degradation.parse("noise:20").apply(CLEAN).clip(0, 1) * 255).astype(np.uint8)
    pictures = PictureSet("one", [noisy], ["a"], "")
    box = Box(100, 150, 256, 300)
    shown, wanted = Recorrupted(pictures, noise.Noise(0.0, (20 / 255) ** 2, (20, 20), 0)).cut(0, box, seed=1)
    truth = box.of(CLEAN) / 255
    unclipped = (truth > 0.25) & (truth < 0.75)
    errors = np.stack([(shown - truth)[unclipped], (wanted - truth)[unclipped]]) * 255
    assert abs(np.corrcoef(errors)[0, 1]) < 0.02
    np.testing.assert_allclose(errors.std(axis=1), [20 * 1.25**0.5, 20 * 5**0.5], rtol=0.03)
    again, _ = Recorrupted(pictures, noise.Noise(0.0, (20 / 255) ** 2, (20, 20), 0)).cut(0, box, seed=1)
    np.testing.assert_array_equal(again, shown)


def test_where_black_and_white_cut_the_noise_off_the_two_errors_are_uncorrelated_still() -> None:
    dark = np.full((256, 256, 3), 4, np.uint8)
    noisy = np.rint(Degradation.parse("noise:20").apply(dark).clip(0, 1) * 255).astype(np.uint8)
    measured = noise.Noise(0.0, (20 / 255) ** 2, (20, 20), 0)
    shown, wanted = Recorrupted(PictureSet("one", [noisy], ["a"], ""), measured).cut(0, Box(0, 0, 256, 256), seed=1)
    assert abs(np.corrcoef(shown.ravel(), wanted.ravel())[0, 1]) < 0.05


def test_what_fits_cut_off_pictures_best_is_the_clean_one() -> None:
    """The mean of many noisy images of black is grey; what is learnt from them is black nevertheless."""
    noisy = np.rint(Degradation.parse("noise:20").apply(np.zeros((256, 256, 1), np.uint8)).clip(0, 1) * 255).astype(np.uint8)
    view = Recorrupted(PictureSet("one", [noisy], ["a"], ""), noise.Noise(0.0, (20 / 255) ** 2, (20, 20), 0))
    assert noisy.mean() > 7
    _, wanted = view.cut(0, Box(0, 0, 256, 256), seed=1)
    candidates = torch.arange(-20, 60, dtype=torch.double).view(-1, 1, 1, 1) / 255
    misfit = (view.seen(candidates) - float(wanted.mean())).square()
    assert abs(int(misfit.argmin()) - 20) <= 1


def test_grey_stored_as_colours_has_one_noise_in_all_channels_and_gets_one() -> None:
    noisy = np.rint(Degradation.parse("noise:20g").apply(np.full((128, 128, 3), 120, np.uint8)).clip(0, 1) * 255).astype(np.uint8)
    view = Recorrupted(PictureSet("one", [noisy], ["a"], ""), noise.Noise(0.0, (20 / 255) ** 2, (20, 20), 0))
    shown, wanted = view.cut(0, Box(0, 0, 128, 128), seed=1)
    assert abs(np.corrcoef(shown[..., 0].ravel(), wanted[..., 1].ravel())[0, 1]) < 0.03
