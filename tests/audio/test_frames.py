"""Samples to spectra and back, at any rate."""

import numpy as np
import pytest

from burnish.audio import frames

RATES = [8000, 11025, 16000, 22050, 37800, 44100, 48000, 96000, 192000]


@pytest.mark.parametrize("rate", RATES)
def test_what_is_not_changed_comes_back(rate: int) -> None:
    step = frames.hop(rate)
    samples = np.random.default_rng(0).standard_normal((2, 9 * step)).astype(np.float32)
    back = frames.samples(frames.spectra(samples, step), step)
    assert np.abs(back - samples)[:, step:-step].max() < 1e-5


@pytest.mark.parametrize("rate", RATES)
def test_a_frame_lasts_32_ms_and_a_tone_has_its_bin(rate: int) -> None:
    step = frames.hop(rate)
    assert abs(step / rate - 0.016) < 0.016 * 0.01
    time = np.arange(4 * step) / rate
    spectrum = np.abs(frames.spectra(np.sin(2 * np.pi * 1000 * time).astype(np.float32), step))[1]
    assert int(np.argmax(spectrum)) == 32  # 1000 Hz in steps of 31.25
    assert spectrum.max() == pytest.approx(163, rel=0.05)  # as at 16 kHz
