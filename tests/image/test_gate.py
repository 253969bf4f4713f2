"""Noise and blur are found in real photographs within the bounds that the gate relies on; results that cannot be right are caught."""

import dataclasses

import numpy as np
import pytest
from gallery import spoilt
from numpy.typing import NDArray
from skimage import data

import burnish
from burnish.image import gate

PHOTOGRAPHS = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]
TINY_BLIND, TINY_DEBLUR = burnish.load("tiny-blind").card, burnish.load("tiny-deblur").card


def found(spec: str, original: NDArray[np.uint8]) -> gate.Finding:
    """What is found in a photograph degraded by `spec`."""
    return gate.examine([(spoilt(spec, original) / 255).astype(np.float32)])


@pytest.mark.parametrize("sigma", [2, 5, 10, 25])
@pytest.mark.parametrize("index", range(4))
def test_noise_is_told(sigma: int, index: int) -> None:
    noise = found(f"noise:{sigma}+8bit", PHOTOGRAPHS[index]).noise
    assert noise is not None
    assert 0.6 * sigma <= noise <= 1.3 * sigma + 1.5


@pytest.mark.parametrize("index", range(4))
def test_blur_is_told_in_its_order(index: int) -> None:
    blurs = [found(f"blur:{sigma}+8bit", PHOTOGRAPHS[index]).blur or 0 for sigma in (0.5, 1, 1.5, 2, 3)]
    assert blurs == sorted(blurs)
    assert 0.8 < blurs[1] < 1.5
    assert 1.5 < blurs[3] < 3


def test_a_sensors_noise_is_told_though_neighbours_share_it() -> None:
    for original in PHOTOGRAPHS[:3]:
        assert found("noise:20+blur:0.7+8bit", original).grain > 2
    assert found("noise:10+8bit", PHOTOGRAPHS[0]).grain == 0


def test_jpegs_blocks_are_seen() -> None:
    for original in PHOTOGRAPHS:
        assert found("jpeg:30", original).blocky
    assert not found("noise:5+8bit", data.coffee()).blocky


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 1), (40, 40, 3)])
def test_what_cannot_be_told_is_none_and_no_reason_to_refuse(shape: tuple[int, ...]) -> None:
    finding = gate.examine([np.full(shape, 0.5, np.float32)])
    assert finding.blur is None
    assert gate.refusal(finding, TINY_DEBLUR) is None


def test_hidden_pixels_tell_nothing() -> None:
    seen = (spoilt("noise:20+8bit", data.coffee()) / 255).astype(np.float32)
    hidden = seen.copy()
    hidden[:100] = np.nan
    whole, part = gate.examine([seen[100:]]), gate.examine([hidden])
    assert part.noise == pytest.approx(whole.noise, rel=0.1)
    assert part.blur == pytest.approx(whole.blur, rel=0.1)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("blur:0+8bit", "sharper than anything tiny-deblur"),
        ("blur:1+8bit", None),
        ("blur:2.5+8bit", "more blurred than anything tiny-deblur"),
        ("blur:1+noise:6+8bit", "noisier than anything tiny-deblur"),
    ],
)
def test_the_gate_follows_the_card(spec: str, word: str | None) -> None:
    why = gate.refusal(found(spec, data.astronaut()), TINY_DEBLUR)
    assert why is None if word is None else word in (why or "")


def test_a_model_for_noise_alone_refuses_what_has_none() -> None:
    card = dataclasses.replace(TINY_BLIND, degradation="noise:25")
    assert "cleaner" in (gate.refusal(found("blur:0+8bit", data.astronaut()), card) or "")
    assert gate.refusal(found("noise:25+8bit", data.astronaut()), card) is None


def test_clean_is_what_shows_nothing_of_what_the_model_takes_away() -> None:
    noise = dataclasses.replace(TINY_BLIND, degradation="noise:0-50")
    jpeg = dataclasses.replace(TINY_BLIND, degradation="noise:0-50|jpeg:30-90")
    assert gate.is_clean(found("blur:0+8bit", data.astronaut()), TINY_BLIND)
    assert not gate.is_clean(found("blur:1+8bit", data.astronaut()), TINY_BLIND)
    assert gate.is_clean(found("blur:1+8bit", data.astronaut()), noise)
    assert not gate.is_clean(found("noise:3+8bit", data.astronaut()), noise)
    assert not gate.is_clean(found("noise:20+blur:0.7+8bit", data.astronaut()), noise)
    assert gate.is_clean(found("jpeg:30", data.astronaut()), noise)
    assert not gate.is_clean(found("jpeg:30", data.astronaut()), jpeg)


@pytest.mark.parametrize("spec", ["motion:5-15", "blur:0-2+motion:5-15", "own"])
def test_what_leaves_no_trace_that_is_looked_for_is_not_taken_for_nothing(spec: str) -> None:
    card = dataclasses.replace(TINY_BLIND, degradation=spec)
    finding = found("motion:9+8bit", data.astronaut())
    assert not gate.is_clean(finding, card)
    assert gate.needless(finding, card, 0.3) is None


def compared(before: NDArray[np.uint8], after: NDArray[np.float32], pixels: int = 0) -> gate.Comparison:
    """The comparison of two images, handed over in portions as `restore` does; taken to be of `pixels`, if they are told."""
    values = (before / 255).astype(np.float32)
    comparison = gate.Comparison(gate.examine([values]), pixels or before.shape[0] * before.shape[1])
    for top in range(0, len(values), gate.PATCH):
        rows = slice(top, top + gate.PATCH, comparison.every)
        comparison.add(values[rows, :: comparison.every], after[rows, :: comparison.every])
    return comparison


@pytest.mark.parametrize("pixels", [1 << 18, 1 << 24])  # the second: every other row and column
def test_results_that_cannot_be_right_are_caught(pixels: int) -> None:
    noisy = spoilt("noise:25+8bit", data.astronaut())
    values = (noisy / 255).astype(np.float32)
    original = (data.astronaut() / 255).astype(np.float32)
    assert compared(noisy, original, pixels).residual().harm is None, "to give the original is no failure"
    assert "empty" in (compared(noisy, np.zeros_like(values), pixels).residual().harm or "")
    assert "more than" in (compared(noisy, 1 - values, pixels).residual().harm or "")
    one_tile = original.copy()
    one_tile[128:256, 128:256] = 0
    assert "empty" in (compared(noisy, one_tile, pixels).residual().harm or "")
    shifted = np.roll(original, 40, axis=1)
    assert "more than" in (compared(noisy, np.clip(shifted + 0.3, 0, 1), pixels).residual().harm or "")


def test_change_is_the_tail_of_the_differences() -> None:
    before = np.zeros((100, 100, 1), np.uint8)
    after = np.zeros((100, 100, 1), np.float32)
    after[0, :9] = 0.5
    assert compared(before, after).residual().change == 0
    after[0, :20] = 0.5
    assert compared(before, after).residual().change == pytest.approx(0.5, abs=1e-3)
    assert compared(before, after, pixels=1 << 24).residual().change == pytest.approx(0.5, abs=1e-3), "ten of 2,500 are as many"


def test_what_is_sharp_may_change_by_its_noise_and_no_more() -> None:
    sharp = gate.Finding(noise=5.0, floor=4.5, grain=0.0, blur=0.6, blocky=False)
    assert gate.most_change(sharp, TINY_BLIND) == pytest.approx(0.01 + 4 * 5 / 255)
    assert gate.most_change(dataclasses.replace(sharp, noise=1.0, floor=0.9), TINY_BLIND) == 0.01
    assert gate.most_change(dataclasses.replace(sharp, blur=1.4), TINY_BLIND) is None, "blur explains more"
    assert gate.most_change(sharp, dataclasses.replace(TINY_BLIND, degradation="noise:0-55")) is None, "a denoiser does not sharpen"


def test_a_denoiser_that_sees_texture_where_noise_was_suspected_leaves_it() -> None:
    denoiser = dataclasses.replace(TINY_BLIND, name="denoiser", degradation="noise:0-55|jpeg:40-90")
    suspected = gate.Finding(noise=5.0, floor=4.0, grain=0.0, blur=0.6, blocky=False)
    assert "texture" in (gate.needless(suspected, denoiser, 1.5 * 5 / 255) or "")
    assert gate.needless(suspected, denoiser, 3 * 5 / 255) is None, "noise that the model takes away"
    assert gate.needless(suspected, denoiser, 0.009) is None, "next to nothing"
    assert gate.needless(dataclasses.replace(suspected, blocky=True), denoiser, 1.5 * 5 / 255) is None, "it took away JPEG's traces"
    assert "more than" in (gate.needless(suspected, TINY_BLIND, 0.2) or "")


@pytest.mark.parametrize("original", PHOTOGRAPHS)
@pytest.mark.parametrize("sigma", [5, 15, 50])
def test_true_noise_is_never_taken_for_texture(original: NDArray[np.uint8], sigma: int) -> None:
    photo = burnish.load("photo")
    noisy = spoilt(f"noise:{sigma}+8bit", original[:256, :256])
    values = (noisy / 255).astype(np.float32)
    finding = gate.examine([values])
    comparison = gate.Comparison(finding, 256 * 256)
    comparison.add(values, (photo.restore(noisy) / 255).astype(np.float32))
    assert gate.needless(finding, photo.card, comparison.residual().change) is None
