"""Noise and blur are found in real photographs within the bounds that the gate relies on; results that cannot be right are caught."""

import dataclasses

import numpy as np
import pytest
from gallery import looked, spoilt
from numpy.typing import NDArray
from skimage import data

import burnish
from burnish.image import gate
from burnish.image.taken import Taken

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


NOISE = Taken(noise=4.0, left=0.5, flat=0.4, constant=0.1, blocks=(0.0, 0.0), pattern=0.05)
JPEG = Taken(noise=0.4, left=0.5, flat=0.4, constant=0.1, blocks=(0.9, 0.1), pattern=0.05)
EDGES = Taken(noise=0.1, left=0.5, flat=0.4, constant=0.1, blocks=(0.0, 0.0), pattern=0.05)
SHARP = gate.Finding(noise=1.0, grain=0.0, blur=0.6)
PHOTO = burnish.load("photo").card


@pytest.mark.parametrize(
    ("taken", "change", "words"),
    [
        (NOISE, 4 * 3.3, None),
        (NOISE, 2, "less than one sees"),
        (NOISE, 80, "by far more than the noise"),
        (dataclasses.replace(NOISE, flat=0.01), 13, "not noise"),
        (dataclasses.replace(NOISE, flat=0.01, constant=0.0), 13, None),
        (dataclasses.replace(NOISE, pattern=0.6), 13, "repeats itself"),
        (dataclasses.replace(NOISE, noise=None), 13, "not noise"),
        (JPEG, 20, None),
        (dataclasses.replace(JPEG, blocks=(0.9, 0.8)), 20, "not noise"),
        (dataclasses.replace(JPEG, blocks=(0.1, 0.0)), 20, "not noise"),
        (dataclasses.replace(JPEG, blocks=(0.4, 0.0)), 20, "not noise"),
        (dataclasses.replace(JPEG, noise=4.0, pattern=0.6, blocks=(3.0, 0.2)), 30, None),
        (dataclasses.replace(JPEG, noise=20.0, pattern=0.6), 60, "repeats itself"),
        (EDGES, 60, "not noise"),
    ],
)
def test_noise_and_jpegs_traces_are_reasons_to_restore_and_the_rest_is_none(taken: Taken, change: float, words: str | None) -> None:
    for card in (PHOTO, TINY_BLIND):
        why = gate.needless(SHARP, change / 255, taken, card)
        assert why is None if words is None else words in (why or "")


def test_what_sharpens_may_change_edges_where_there_is_blur() -> None:
    blurred = dataclasses.replace(SHARP, blur=1.4)
    assert gate.needless(blurred, 60 / 255, EDGES, TINY_BLIND) is None
    assert gate.needless(dataclasses.replace(SHARP, blur=None), 60 / 255, EDGES, TINY_BLIND) is None, "too even to tell"
    assert gate.needless(blurred, 60 / 255, EDGES, PHOTO) is not None, "a denoiser does not sharpen"


@pytest.mark.parametrize("spec", ["motion:5-15", "blur:0-2+motion:5-15", "own"])
def test_what_leaves_no_trace_that_is_looked_for_is_trusted(spec: str) -> None:
    card = dataclasses.replace(TINY_BLIND, degradation=spec)
    assert gate.needless(SHARP, 0.3, EDGES, card) is None


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


@pytest.mark.parametrize("original", PHOTOGRAPHS)
@pytest.mark.parametrize("sigma", [5, 15, 50])
def test_true_noise_is_never_left(original: NDArray[np.uint8], sigma: int) -> None:
    photo = burnish.load("photo")
    noisy = spoilt(f"noise:{sigma}+8bit", original[:256, :256])
    after = photo.restore(noisy)
    comparison = compared(noisy, (after / 255).astype(np.float32))
    finding = gate.examine([(noisy / 255).astype(np.float32)])
    verdict = gate.judge(finding, comparison.residual(), looked(noisy, after).taken(), photo.card)
    assert verdict.restore, verdict.why
