"""The degradation language for sound."""

import numpy as np
import pytest
from recordings import tone

from burnish.audio import noises
from burnish.audio.stages import STAGES, active_level
from burnish.degradation import Degradation
from burnish.errors import DegradationError

VOICE = tone(1.5, 16000)[:, 0]


@pytest.mark.parametrize("name", [name for name in STAGES if name != "own"])
def test_every_stage_degrades_keeps_the_length_and_repeats_itself(name: str) -> None:
    example = STAGES[name].example
    degradation = Degradation.parse(example, "audio")
    assert str(Degradation.parse(str(degradation), "audio")) == example
    degraded, truth = degradation.pair(VOICE, 1)
    again = degradation.apply(VOICE, 1)
    assert degraded.dtype == truth.dtype == np.float32
    assert degraded.shape == truth.shape == VOICE.shape
    assert np.isfinite(degraded).all()
    assert np.array_equal(degraded, again)
    assert not np.array_equal(degraded, VOICE)


@pytest.mark.parametrize("example", [STAGES[name].example for name in STAGES if name not in ("own", "clip", "gain", "bandlimit")])
def test_silence_and_a_single_sample_do_no_harm(example: str) -> None:
    degradation = Degradation.parse(example, "audio")
    for samples in (np.zeros(16000, np.float32), np.full(1, 0.5, np.float32)):
        assert np.isfinite(degradation.apply(samples, 0)).all()


@pytest.mark.parametrize("ratio", [-5, 0, 10, 25])
def test_noise_comes_at_its_ratio(ratio: int) -> None:
    noise = Degradation.parse(f"noise:{ratio}", "audio").apply(VOICE, 3) - VOICE
    level = 20 * np.log10(active_level(VOICE) / np.sqrt(np.mean(noise**2)))
    assert level == pytest.approx(ratio, abs=0.1)


def test_noise_is_drawn_from_the_bank() -> None:
    ramp = np.linspace(-1, 1, 8000, dtype=np.float32)
    before = noises.bank()
    noises.use(noises.Bank((ramp,), (ramp,)))
    try:
        found = [Degradation.parse("noise:0", "audio").apply(VOICE, seed) - VOICE for seed in range(8)]
    finally:
        noises.use(before)
    slopes = [np.std(np.diff(noise)) / np.std(noise) for noise in found]
    assert sum(slope < 0.1 for slope in slopes) >= 3  # the rest is made


def test_gain_and_a_room_have_a_truth_of_their_own() -> None:
    degraded, truth = Degradation.parse("gain:-20", "audio").pair(VOICE)
    assert np.array_equal(degraded, truth)
    assert np.abs(degraded).max() == pytest.approx(np.abs(VOICE).max() / 10)
    degraded, truth = Degradation.parse("reverb:0.6", "audio").pair(VOICE)
    assert not np.array_equal(degraded, truth)
    assert np.dot(truth, VOICE) > 0.7 * np.linalg.norm(truth) * np.linalg.norm(VOICE)


def test_a_codec_does_not_move_the_sound() -> None:
    for stage in ("opus:24", "mp3:64"):
        coded = Degradation.parse(stage, "audio").apply(VOICE)
        assert np.dot(coded, VOICE) > 0.9 * np.linalg.norm(coded) * np.linalg.norm(VOICE)


@pytest.mark.parametrize(("spec", "word"), [("noise:20-0", "backwards"), ("hiss:3", "noise:0-20"), ("opus:2", "outside"), ("own", "own")])
def test_what_is_wrong_is_said(spec: str, word: str) -> None:
    with pytest.raises(DegradationError, match=word):
        Degradation.parse(spec, "audio").apply(VOICE)
