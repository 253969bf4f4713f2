import numpy as np
import pytest
from latent.surfaces import surface

from burnish.errors import InputError
from burnish.latent.surface import AREA, SMALLEST, prepared


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_large_pictures_are_shrunk_and_look_the_same(channels: int, kind: type[np.generic]) -> None:
    coarse = np.repeat(np.repeat(surface(3, 256), 4, axis=0), 4, axis=1)
    picture = np.repeat(coarse.astype(kind) * (257 if kind is np.uint16 else 1), channels, axis=2)
    shrunk = prepared(picture, "large.png")
    assert shrunk.shape == (512, 512, channels)
    assert np.abs(shrunk[1::2, 1::2] - surface(3, 256) / 255).mean() < 0.05


def test_small_pictures_stay_as_they_are() -> None:
    np.testing.assert_array_equal(prepared(surface(1, 60), "small.png"), np.float32(surface(1, 60) / np.float32(255)))


@pytest.mark.parametrize("shape", [(50, 20_000), (20_000, 50), (400, 2_000)])
def test_a_narrow_picture_keeps_enough_of_its_short_side(shape: tuple[int, int]) -> None:
    shrunk = prepared(np.full((*shape, 1), 128, np.uint8), "strip.png")
    assert min(shrunk.shape[:2]) >= SMALLEST
    assert shrunk.shape[0] * shrunk.shape[1] <= max(AREA * 1.01, SMALLEST**2 * max(shape) / min(shape) * 1.05)
    np.testing.assert_allclose(shrunk, 128 / 255, atol=1e-3)


def test_too_small_a_picture_is_named() -> None:
    with pytest.raises(InputError, match=r"dot\.png.*at least 48×48"):
        prepared(np.zeros((47, 900, 1), np.uint8), "dot.png")
