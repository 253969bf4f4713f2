"""Pairs made of noisy pictures alone."""

import numpy as np
from skimage import data as photographs

from burnish.data import PictureSet
from burnish.degrade import Degradation
from burnish.training import noise
from burnish.training.noisy_only import Recorrupted
from burnish.training.views import Box

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
