"""What people give a restorer that was never meant for it: nothing is spoilt, and only what is noise goes.

The bounds are such as any model for photographs should keep that leaves clean images alone.
"""

from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from skimage import data

import burnish
from burnish.image.metrics import psnr

Pixels = NDArray[Any]
PORTRAIT: Pixels = data.astronaut()[:256, 120:376]


@pytest.fixture(scope="module")
def photo() -> burnish.Model:
    """The default model."""
    return burnish.load("photo", 1)


@pytest.fixture
def restored(photo: burnish.Model, tmp_path: Path) -> Any:
    """What becomes of an image as `burnish restore` does it, and the result."""

    def go(pixels: Pixels, **more: Any) -> tuple[burnish.RestoreResult, Pixels]:
        source, target = tmp_path / "in.png", tmp_path / "out.png"
        gallery.image(pixels, "rgb16" if pixels.dtype == np.uint16 else "srgb").pngsave(str(source))
        result = burnish.restore_file(source, target, photo, gate=True, overwrite=True, **more)
        if result.status == "unchanged":
            assert source.read_bytes() == target.read_bytes()
        return result, pyvips.Image.new_from_file(str(target), access="sequential").numpy()

    return go


def decibels(one: Pixels, other: Pixels) -> float:
    """PSNR of two images of one depth."""
    white = np.iinfo(one.dtype).max
    return psnr(one / white, other / white)


def noisy(pixels: Pixels, sigma: float, seed: int = 0) -> Pixels:
    """8 bits under white noise."""
    return np.rint((pixels + np.random.default_rng(seed).normal(0, sigma, pixels.shape)).clip(0, 255)).astype(np.uint8)


def test_a_recording_of_pure_noise_becomes_even(restored: Any) -> None:
    result, after = restored(noisy(np.full((256, 256, 3), 128), 30))
    assert result.status == "restored"
    assert result.noise[0] == pytest.approx(30, rel=0.15)
    assert result.noise[1] < 10
    assert after.mean() == pytest.approx(128, abs=2)
    assert after.std() < 12


def test_a_black_frame_stays_black_and_a_dark_one_keeps_its_level(restored: Any) -> None:
    black = np.zeros((200, 200, 3), np.uint8)
    assert restored(black)[0].status == "unchanged"
    dark = noisy(black + 4, 4)
    result, after = restored(dark)
    assert after.mean() == pytest.approx(dark.mean(), abs=1.5)
    assert after.std() <= dark.std()
    assert result.status in ("restored", "unchanged")


def test_a_blown_out_frame_stays_white(restored: Any) -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    assert restored(white)[0].status == "unchanged"
    blown = noisy(PORTRAIT, 15)
    blown[:128] = 255
    result, after = restored(blown)
    assert result.status == "restored"
    assert np.mean(after[:112] == 255) > 0.99, "away from the border nothing changes"


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_texture_that_looks_like_noise_keeps_its_contrast(name: str, restored: Any) -> None:
    texture = np.repeat(getattr(data, name)()[:256, :256, None], 3, axis=2)
    _, after = restored(texture)
    assert after.std() > 0.93 * texture.std()
    assert decibels(after, texture) > 32


def test_print_in_dots_is_left_alone(restored: Any) -> None:
    ys, xs = np.mgrid[0:256, 0:256] / 5.0
    turned = np.cos(np.pi * (xs + ys)) * np.cos(np.pi * (xs - ys))
    dots = PORTRAIT.mean(axis=2) / 255 > 0.5 + 0.45 * turned
    printed = np.repeat(np.where(dots, 245, 25)[..., None], 3, axis=2).astype(np.uint8)
    for page in (printed, np.asarray(gallery.image(printed.repeat(2, 0)).resize(1, vscale=0.5).numpy())):
        assert restored(page)[0].status == "unchanged"


def test_film_grain_is_noise_of_which_strength_keeps_some(restored: Any) -> None:
    rng = np.random.default_rng(1)
    grain = rng.normal(0, 12, (257, 256, 1))
    grain = grain[1:] + 0.3 * grain[:-1]  # neighbours share a part of it
    film = np.rint((PORTRAIT + grain * (0.5 + PORTRAIT / 255)).clip(0, 255)).astype(np.uint8)
    full, half = restored(film), restored(film, strength=0.5)
    assert full[0].status == "restored"
    assert decibels(full[1], PORTRAIT) > decibels(film, PORTRAIT)
    assert full[0].noise[1] < half[0].noise[1] < half[0].noise[0]
    assert np.abs(half[1] - (film.astype(float) + full[1]) / 2).max() <= 1


def sprite() -> Pixels:
    """A small drawing in a few colours, with dithered shade."""
    rng = np.random.default_rng(7)
    palette = rng.integers(0, 256, (6, 3))
    half = rng.integers(0, 6, (24, 12))
    drawn = palette[np.concatenate([half, half[:, ::-1]], axis=1)]
    drawn[8:16, ::2] = palette[0]
    return drawn.astype(np.uint8)


@pytest.mark.parametrize("times", [2, 4, 8])
def test_enlarged_pixel_art_stays_to_the_last_bit(times: int, restored: Any) -> None:
    assert restored(sprite().repeat(times, 0).repeat(times, 1))[0].status == "unchanged"


@pytest.mark.parametrize("colours", [((0, 0, 0), (255, 255, 255)), ((220, 223, 228), (40, 44, 52))], ids=["light", "dark"])
def test_a_screenshot_with_smooth_text_stays_to_the_last_bit(colours: Any, restored: Any) -> None:
    ink, ground = colours
    lines = [pyvips.Image.text(__doc__ or "", font=f"sans {size}", width=380, dpi=96).embed(10, 5, 400, 130) for size in (9, 12, 18)]
    page = pyvips.Image.arrayjoin(lines, across=1).ifthenelse(list(ink), list(ground), blend=True).cast("uchar").numpy()
    assert restored(page)[0].status == "unchanged"


def test_what_was_restored_already_changes_no_more(restored: Any) -> None:
    _, once = restored(noisy(PORTRAIT, 15))
    _, twice = restored(once)
    assert decibels(twice, once) > 38


def test_sixteen_bits_of_a_raw_development_are_judged_as_eight(restored: Any) -> None:
    rng = np.random.default_rng(2)
    linear = (PORTRAIT / 255) ** 2.2
    shot = linear + rng.normal(0, 1, linear.shape) * np.sqrt(2e-3 * linear + 4e-6)
    developed = shot.clip(0, 1) ** (1 / 2.2)
    deep, shallow = np.rint(developed * 65535).astype(np.uint16), np.rint(developed * 255).astype(np.uint8)
    of_deep, after = restored(deep)
    of_shallow, _ = restored(shallow)
    assert of_deep.status == of_shallow.status == "restored"
    assert of_deep.noise[0] == pytest.approx(of_shallow.noise[0], rel=0.1)
    assert after.dtype == np.uint16
    assert decibels(after, np.rint(PORTRAIT / 255 * 65535).astype(np.uint16)) > psnr(developed, PORTRAIT / 255) + 2


@pytest.mark.parametrize("change", ["infrared", "swapped", "negative"])
def test_false_colours_are_denoised_as_true_ones(change: str, restored: Any) -> None:
    truth = {
        "infrared": np.stack([PORTRAIT[..., 0], PORTRAIT.max(axis=2), PORTRAIT.min(axis=2)], axis=2),
        "swapped": PORTRAIT[..., [2, 0, 1]],
        "negative": 255 - PORTRAIT,
    }[change]
    degraded = noisy(truth, 15)
    result, after = restored(degraded)
    assert result.status == "restored"
    assert decibels(after, truth) > decibels(degraded, truth) + 3


def test_of_a_noisy_photograph_with_a_caption_only_the_photograph_changes(restored: Any) -> None:
    text = pyvips.Image.text("When it is Monday", font="sans bold 16", dpi=96)
    bar = text.gravity("centre", 256, 48).ifthenelse([255, 230, 60], [20, 20, 20], blend=True).cast("uchar").numpy()
    truth = np.concatenate([PORTRAIT, bar])
    degraded = np.concatenate([noisy(PORTRAIT, 15), bar])
    result, after = restored(degraded)
    assert result.status == "restored"
    assert decibels(after[:256], PORTRAIT) > decibels(degraded[:256], PORTRAIT) + 4
    assert decibels(after[264:], truth[264:]) > 27


def test_a_clean_photograph_with_a_frame_and_a_caption_stays(restored: Any) -> None:
    framed = np.full((300, 300, 3), 255, np.uint8)
    framed[22:278, 22:278] = data.chelsea()[20:276, 100:356]
    _, after = restored(framed)
    assert decibels(after, framed) > 40
    frame = np.ones((300, 300), bool)
    frame[14:286, 14:286] = False
    assert np.mean(after[frame] == 255) > 0.999
