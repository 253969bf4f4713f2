"""That each stage does what its name says to a real photograph."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data

from burnish.degradation import Degradation
from burnish.errors import DegradationError
from burnish.image.stages import STAGES

PHOTOGRAPH = data.coffee()[50:178, 100:260]


def degraded(spec: str, image: NDArray[np.uint8] = PHOTOGRAPH, seed: int = 0) -> NDArray[np.float32]:
    return Degradation.parse(spec).apply(image, seed)


def test_blur_is_a_gaussian_with_reflected_edges() -> None:
    wanted = gaussian_filter(PHOTOGRAPH / 255, (1.7, 1.7, 0), mode="reflect", truncate=6)
    np.testing.assert_allclose(degraded("blur:1.7"), wanted, atol=1e-6)
    np.testing.assert_array_equal(degraded("blur:0"), (PHOTOGRAPH / 255).astype(np.float32))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 7, 3), (5, 1, 1)])
def test_every_stage_takes_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for spec in ("noise:5g", *(kind.example for name, kind in STAGES.items() if name != "own")):
        result = degraded(spec, image)
        assert result.shape == shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()


def test_noise_has_its_sigma_is_white_and_is_not_clipped() -> None:
    noise = (degraded("noise:25") - PHOTOGRAPH / 255) * 255
    assert noise.std() == pytest.approx(25, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.3)
    assert degraded("noise:25").min() < 0
    for axis in (0, 1, 2):  # neighbours and channels know nothing of each other
        one, other = np.take(noise, range(noise.shape[axis] - 1), axis), np.take(noise, range(1, noise.shape[axis]), axis)
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02
    np.testing.assert_array_equal(degraded("noise:0"), (PHOTOGRAPH / 255).astype(np.float32))


def test_grey_noise_is_the_same_in_all_channels() -> None:
    noise = (degraded("noise:25g") - PHOTOGRAPH / 255) * 255
    np.testing.assert_allclose(noise[..., 0], noise[..., 2], atol=1e-3)
    assert noise.std() == pytest.approx(25, rel=0.03)


def test_poisson_noise_grows_with_the_light() -> None:
    for level in (0.25, 1.0):
        flat = np.full((200, 200, 3), level, np.float32)
        assert degraded("poisson:30", flat).var() == pytest.approx(level / 30, rel=0.05)  # type: ignore[arg-type]


def test_camera_noise_grows_with_its_strength_and_takes_one_or_three_channels() -> None:
    for picture in (PHOTOGRAPH, PHOTOGRAPH[..., :1]):
        noise = [np.subtract(*Degradation.parse(f"camera:{strength}").pair(picture, 5)).std() for strength in (0.3, 1, 3)]
        assert noise[0] < noise[1] < noise[2]
    with pytest.raises(DegradationError, match="one or three channels"):
        degraded("camera:1", PHOTOGRAPH[..., :2])


def test_motion_smears_along_one_line() -> None:
    point = np.zeros((41, 41, 1), np.float32)
    point[20, 20] = 1
    smeared = degraded("motion:15", point)[..., 0]  # type: ignore[arg-type]
    assert smeared.sum() == pytest.approx(1, abs=1e-5)
    y, x = np.nonzero(smeared > 1e-6)
    spread = np.linalg.eigvalsh(np.cov(np.stack([y, x]), aweights=smeared[y, x]))
    assert spread[1] == pytest.approx(15**2 / 12, rel=0.15)  # the variance of a line of 15 pixels
    assert spread[0] < 0.5


def test_jpeg_goes_through_a_codec() -> None:
    bad, good = degraded("jpeg:10"), degraded("jpeg:95")
    original = PHOTOGRAPH / 255
    assert np.abs(good - original).mean() < np.abs(bad - original).mean() / 2
    np.testing.assert_array_equal(np.rint(bad * 255), bad * 255)


def test_eight_bit_rounds_and_clips() -> None:
    image = np.array([[[-0.2], [0.1], [1.3]]], np.float32)
    np.testing.assert_allclose(degraded("8bit", image), [[[0], [26 / 255], [1]]], atol=1e-7)  # type: ignore[arg-type]


def test_sixteen_bit_pictures_keep_their_depth() -> None:
    deep = np.array([[[1, 256, 65535]]], np.uint16)
    np.testing.assert_allclose(degraded("blur:0", deep) * 65535, deep, atol=0.01)  # type: ignore[arg-type]


def test_every_row_of_the_table_is_written_under_its_name_and_its_example_can_be_read() -> None:
    for name, kind in STAGES.items():
        assert kind.example.partition(":")[0] == name
        assert Degradation.parse(kind.example).chains[0][0].kind is kind


def test_what_takes_batches_gives_what_it_gives_for_each() -> None:
    crops = np.stack([PHOTOGRAPH[i : i + 20, i : i + 20] for i in range(5)])
    for name, kind in STAGES.items():
        if kind.takes_batches:
            parsed = Degradation.parse(kind.example)
            together = parsed.chains[0][0].draw(np.random.default_rng(0)).apply(crops / np.float32(255))
            np.testing.assert_array_equal(together, np.stack([parsed.apply(crop) for crop in crops]), err_msg=name)


def test_no_stage_changes_the_picture_it_is_given() -> None:
    picture = PHOTOGRAPH / np.float32(255)
    before = picture.copy()
    for name, kind in STAGES.items():
        if name != "own":
            Degradation.parse(kind.example).draw(picture).stages[0].apply(picture)
            np.testing.assert_array_equal(picture, before, err_msg=name)


# --- The truth ---


def test_the_truth_of_a_picture_is_the_picture_for_every_stage_but_camera() -> None:
    for name in STAGES.keys() - {"own", "camera"}:
        parsed = Degradation.parse(STAGES[name].example)
        given, truth = parsed.pair(PHOTOGRAPH, 3)
        np.testing.assert_array_equal(given, parsed.apply(PHOTOGRAPH, 3))
        np.testing.assert_array_equal(truth, PHOTOGRAPH / np.float32(255))
        assert not parsed.has_own_truth


def test_the_truth_of_a_camera_is_its_development_without_noise() -> None:
    parsed = Degradation.parse("camera:2")
    given, truth = parsed.pair(PHOTOGRAPH, 3)
    assert parsed.has_own_truth
    np.testing.assert_array_equal(given, parsed.apply(PHOTOGRAPH, 3))
    assert 0.005 < (given - truth).std() < 0.3
    stage = parsed.draw(PHOTOGRAPH, 3).stages[0]
    assert stage.kind.pair is not None
    np.testing.assert_array_equal(truth, stage.kind.pair(PHOTOGRAPH / np.float32(255), stage)[1])


def test_what_comes_before_and_after_a_camera_spoils_the_degraded_picture_alone() -> None:
    chain = Degradation.parse("blur:2+camera:1+noise:5+8bit").draw(PHOTOGRAPH, 1)
    given, truth = chain.pair(PHOTOGRAPH)
    camera = chain.stages[1]
    assert camera.kind.pair is not None
    np.testing.assert_array_equal(truth, camera.kind.pair(PHOTOGRAPH / np.float32(255), camera)[1])
    np.testing.assert_array_equal(given, chain.apply(PHOTOGRAPH))
