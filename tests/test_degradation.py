"""The degradation language: what it accepts and refuses, and that each stage does what its name says to a real photograph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data

from burnish.degradation import Degradation
from burnish.errors import DegradationError

PHOTOGRAPH = data.coffee()[50:178, 100:260]


def degraded(spec: str, image: NDArray[np.uint8] = PHOTOGRAPH, seed: int = 0) -> NDArray[np.float32]:
    return Degradation.parse(spec).apply(image, seed)


# --- The language ---

numbers = st.integers(0, 50).map(lambda n: n / 4)
spans = st.tuples(numbers, numbers).map(lambda pair: f"{min(pair):g}" if pair[0] == pair[1] else f"{min(pair):g}-{max(pair):g}")
stages = st.one_of(
    st.builds("blur:{}".format, spans),
    st.builds("noise:{}".format, spans),
    st.builds("noise:{}g".format, spans),
    st.builds("camera:{}".format, spans),
    st.integers(1, 100).map("jpeg:{}".format),
    st.just("8bit"),
)
specs = st.lists(st.lists(stages, min_size=1, max_size=4).map("+".join), min_size=1, max_size=3).map("|".join)


@given(specs)
def test_what_is_parsed_reads_the_same_again(spec: str) -> None:
    parsed = Degradation.parse(spec)
    assert Degradation.parse(parsed.spec) == parsed


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("", "blur:1.0"),
        ("blurr:1", "blur:1.0"),
        ("blur", "blur:1.0"),
        ("blur:", "blur:1.0"),
        ("blur:x", "blur:1.0"),
        ("blur:-1", "blur:1.0"),
        ("blur:nan", "blur:1.0"),
        ("blur:inf", "blur:1.0"),
        ("blur:1e9", "blur:1.0"),
        ("blur:2-1", "blur:1.0"),
        ("blur:1g", "blur:1.0"),
        ("noise:300", "noise:25"),
        ("noise:5+", "blur:1.0"),
        ("noise:5||blur:1", "blur:1.0"),
        ("jpeg:0", "jpeg:75"),
        ("jpeg:50.5", "jpeg:75"),
        ("8bit:3", "8bit"),
        ("motion:1-", "motion:5-15"),
    ],
)
def test_what_is_wrong_is_named_and_a_right_one_shown(spec: str, named: str) -> None:
    with pytest.raises(DegradationError) as caught:
        Degradation.parse(spec)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    said = ""
    try:
        Degradation.parse(text)
    except DegradationError as error:
        said = str(error)
    assert "\n" not in said


def test_what_is_random_and_what_is_eight_bit() -> None:
    assert [Degradation.parse(s).is_random for s in ("blur:1+8bit", "blur:1-2", "noise:5", "blur:1|blur:2", "jpeg:60")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert [Degradation.parse(s).is_eight_bit for s in ("blur:1+8bit", "blur:1", "jpeg:60|8bit", "8bit+noise:5")] == [
        True, False, True, False,
    ]  # fmt: skip


# --- The draw ---


def test_the_draw_depends_on_seed_and_content_not_on_place() -> None:
    parsed = Degradation.parse("blur:0.5-2+noise:5-30|jpeg:30-90")
    crops = np.stack([PHOTOGRAPH[i : i + 40, i : i + 40] for i in range(8)])
    together = parsed.apply_all(crops, 3)
    backwards = parsed.apply_all(crops[::-1].copy(), 3)[::-1]
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together[2], parsed.apply(crops[2], 3))
    assert not np.array_equal(together[2], parsed.apply(crops[2], 4))
    drawn = [parsed.draw(crop, 3) for crop in crops]
    assert len({len(chain.stages) for chain in drawn}) == 2  # both chains are picked
    values = {stage.value for chain in drawn for stage in chain.stages}
    assert len(values) >= 8  # each picture draws its own


def test_values_are_drawn_over_the_whole_range() -> None:
    parsed = Degradation.parse("noise:5-30")
    values = [parsed.draw(PHOTOGRAPH, seed).stages[0].value or 0 for seed in range(400)]
    assert 5 <= min(values) < 6
    assert 29 < max(values) <= 30
    assert np.mean(values) == pytest.approx(17.5, abs=1)


# --- The stages ---


def test_blur_is_a_gaussian_with_reflected_edges() -> None:
    wanted = gaussian_filter(PHOTOGRAPH / 255, (1.7, 1.7, 0), mode="reflect", truncate=6)
    np.testing.assert_allclose(degraded("blur:1.7"), wanted, atol=1e-6)
    np.testing.assert_array_equal(degraded("blur:0"), (PHOTOGRAPH / 255).astype(np.float32))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 7, 3), (5, 1, 1)])
def test_every_stage_takes_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for spec in ("blur:3", "noise:5", "noise:5g", "poisson:30", "camera:1", "motion:9", "jpeg:50", "8bit"):
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


def test_camera_noise_follows_its_formula_in_linear_light() -> None:
    flat = np.full((300, 300, 3), 0.5, np.float32)
    result = degraded("camera:1", flat).astype(float)  # type: ignore[arg-type]
    linear = ((result + 0.055) / 1.055) ** 2.4
    light = ((0.5 + 0.055) / 1.055) ** 2.4
    sampled = linear[0::2, 0::2, 0]  # red where red was sampled: no interpolation
    assert sampled.mean() == pytest.approx(light, rel=0.01)
    assert sampled.std() == pytest.approx(np.sqrt(0.002 * light + 0.003**2), rel=0.03)
    dark = degraded("camera:1", np.full((300, 300, 3), 0.1, np.float32))  # type: ignore[arg-type]
    assert degraded("camera:3", flat).std() > 1.5 * result.std()  # type: ignore[arg-type]
    assert dark.std() > 0


def test_camera_leaves_smooth_light_alone_at_strength_zero() -> None:
    ramp = np.repeat(np.linspace(0.1, 0.9, 64, dtype=np.float32)[None, :, None], 64, 0).repeat(3, 2)
    np.testing.assert_allclose(degraded("camera:0", ramp)[2:-2, 2:-2], ramp[2:-2, 2:-2], atol=0.02)  # type: ignore[arg-type]


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
