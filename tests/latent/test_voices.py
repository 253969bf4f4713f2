"""What speaks in a detector: zones, the denoiser's inner values, and the network that outlines."""

import numpy as np

from burnish.latent import denoiser
from burnish.latent.defects import spoilt
from burnish.latent.denoiser import Denoiser
from burnish.latent.outliner import Outliner, Samples
from burnish.latent.zones import Sums


def test_a_border_that_is_always_loud_is_calm() -> None:
    rng = np.random.default_rng(0)
    heats = []
    for _ in range(40):
        heat = rng.standard_normal((48, 60)).astype(np.float32)
        heat[:4] += 8
        heats.append(heat)
    sums = Sums(heats)
    measured = sums.zones().measured(heats[0])
    assert abs(measured[:4].mean()) < 1
    assert abs(measured[8:].mean()) < 0.2
    assert 0.7 < measured.std() < 1.3
    without = sums.zones(0)
    others = Sums(heats[1:])
    assert others.side == sums.side
    np.testing.assert_allclose(without.middle, others.zones().middle, atol=1e-5)


def test_a_zone_in_which_nothing_varies_is_not_divided_by_nothing() -> None:
    heats = [np.zeros((48, 48), np.float32) for _ in range(20)]
    assert np.isfinite(Sums(heats).zones().measured(heats[0])).all()


def test_the_denoiser_is_looked_into_at_any_size() -> None:
    eye = Denoiser(denoiser.network(), 0.5, 0.1)
    image = np.random.default_rng(0).random((75, 90, 3)).astype(np.float32)
    seen = eye.seen(image)
    assert seen.shape[:2] == (18, 22)
    grey = eye.seen(image[..., :1])
    np.testing.assert_allclose(grey, eye.seen(np.repeat(image[..., :1], 3, axis=2)), atol=1e-5)
    moved = eye.seen(image[16:])  # away from the edge, what is seen depends on the surroundings alone
    assert np.corrcoef(seen[10:14, 8:12].ravel(), moved[6:10, 8:12].ravel())[0, 1] > 0.98


def test_drawn_places_are_told_from_others() -> None:
    rng = np.random.default_rng(0)
    samples = Samples()
    for _ in range(20):
        numbers = rng.standard_normal((20, 20, 6)).astype(np.float32)
        cover = np.zeros((20, 20), np.float32)
        cover[5:8, 5:9] = 1
        numbers[5:8, 5:9, 2] += 4
        samples.add(numbers, cover, rng)
    outliner = Outliner.learnt(samples, 200, 0)
    numbers = rng.standard_normal((20, 20, 6)).astype(np.float32)
    numbers[12, 3, 2] += 4
    heat = outliner.heat(outliner.inputs(numbers)).reshape(20, 20)
    assert heat.argmax() == 12 * 20 + 3
    assert heat[12, 3] > 0 > np.median(heat)


def test_defects_are_where_the_image_differs() -> None:
    rng = np.random.default_rng(1)
    image = np.clip(0.5 + 0.05 * rng.standard_normal((128, 128, 3)), 0, 1).astype(np.float32)
    for seed in range(60):
        drawn, mask = spoilt(image, image[::-1], np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        assert drawn.shape == image.shape
        assert 0 <= drawn.min() <= drawn.max() <= 1
        outside = np.abs(drawn - image).mean(2)[~mask]
        assert outside.mean() < 0.01
