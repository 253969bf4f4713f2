"""Scores, baselines, folders of recordings and the report."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command import burnish_
from recordings import tone

from burnish.audio import baselines, folder, metrics
from burnish.audio.samples import spectrogram
from burnish.errors import InputError

VOICE = tone(2.0, 16000)[:, 0]


@pytest.mark.parametrize("ratio", [0, 10, 30])
def test_si_sdr_is_the_ratio(ratio: int) -> None:
    noise = np.random.default_rng(0).standard_normal(len(VOICE)).astype(np.float32)
    noise -= VOICE * (noise @ VOICE) / (VOICE @ VOICE)
    noise *= np.linalg.norm(VOICE) / np.linalg.norm(noise) * 10 ** (-ratio / 20)
    assert metrics.si_sdr(0.3 * (VOICE + noise), VOICE) == pytest.approx(ratio, abs=0.01)
    assert metrics.si_sdr(VOICE, VOICE) == 100


@pytest.mark.parametrize("method", list(baselines.METHODS))
def test_the_classics_take_steady_noise_away(method: str) -> None:
    clean = tone(3.0, 16000)[:, 0]
    noisy = clean + np.random.default_rng(1).normal(0, 0.05, len(clean)).astype(np.float32)
    restored = baselines.METHODS[method](noisy)
    assert restored.shape == clean.shape
    assert metrics.si_sdr(restored, clean) > metrics.si_sdr(noisy, clean) + 1


@pytest.mark.parametrize(("before", "after"), [(48000, 16000), (44100, 16000), (8000, 16000), (22050, 16000)])
def test_resampling_keeps_a_tone(before: int, after: int) -> None:
    tone_at = [np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32) for rate in (before, after)]
    moved = folder.resampled(tone_at[0], before, after)
    assert len(moved) == 2 * after
    assert np.abs(moved - tone_at[1])[after // 10 : -after // 10].max() < 0.01


def test_a_folder_is_read_and_pairs_found(tmp_path: Path) -> None:
    for place in ("noisy", "clean"):
        (tmp_path / place).mkdir()
        soundfile.write(tmp_path / place / "a.wav", tone(0.5, 48000, 2), 48000)
    (tmp_path / "noisy" / "b.wav").write_bytes(b"broken")
    found = folder.load(tmp_path / "noisy")
    assert found.names == ("a.wav",)
    assert [name for name, _ in found.skipped] == ["b.wav"]
    assert len(folder.pairs(found, folder.load(tmp_path / "clean"))) == 1
    with pytest.raises(InputError, match="no such folder"):
        folder.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="partner"):
        folder.pairs(folder.Recordings("x", (VOICE,), ("z.wav",)), found)


def test_a_spectrogram_shows_a_tone_where_it_is() -> None:
    picture = spectrogram(0.3 * np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000).astype(np.float32))
    assert picture.shape[0] == 256
    assert int(np.argmax(picture.sum((1, 2)))) == pytest.approx(256 - 64, abs=2)


def test_evaluate_prints_and_reports(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    for index in range(2):
        soundfile.write(tmp_path / "voices" / f"{index}.wav", tone(1.5 + index, 16000), 16000)
    arguments = ("evaluate", "speech", "--data", tmp_path / "voices", "--degrade", "noise:0-20")
    result = burnish_(*arguments, "--json", "--report", tmp_path / "r.html")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["kind"] == "audio"
    assert told["items"] == 2
    assert told["metric"] == "si_sdr"
    assert set(told["scores"]["si_sdr"]) == {"input", "model", "spectral_subtraction", "wiener"}
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.count("<audio") == 6
    assert page.count("data:image/png") == 6
