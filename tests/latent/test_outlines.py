import numpy as np

from burnish.latent import outlines


def bar(x: int, tall: bool = True, value: int = 255) -> np.ndarray:
    """A bright bar on black, upright or lying, N×32×32×3."""
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    picture[:, 6:26, x : x + 4] = value
    return picture if tall else picture.transpose(0, 2, 1, 3)


def gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(outlines.described(one) - outlines.described(other)))


def test_a_shape_that_moves_a_little_stays_nearer_than_another_shape() -> None:
    moved, turned = bar(17), bar(14, tall=False)
    assert np.square(bar(14) - moved).mean() > 0.5 * np.square(bar(14) - turned).mean()  # by pixels they are about as far
    assert gap(bar(14), moved) < 0.5 * gap(bar(14), turned)


def test_edges_have_no_contrast_and_colours_have() -> None:
    assert gap(bar(14), bar(14, value=120)) < 0.3 * gap(bar(14), bar(14, tall=False))
    red, green = np.zeros((1, 32, 32, 3), np.uint8), np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 0], green[..., 1] = 200, 200
    assert gap(red, green) > 0.3


def test_every_image_has_its_description_whatever_the_others() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 32, 32, 3)).astype(np.uint8)
    every = outlines.described(images)
    assert every.shape == (5, outlines.VALUES)
    assert np.isfinite(outlines.described(np.zeros((1, 32, 32, 3), np.uint8))).all()
    np.testing.assert_allclose(outlines.described(images[3:4])[0], every[3], atol=1e-6)
    grey = np.repeat(images[..., :1], 3, axis=3)
    np.testing.assert_allclose(outlines.described(grey), outlines.described(images[..., :1]), atol=1e-6)
