"""A small model for sound, learnt in seconds; its export; and what cannot be learnt."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from recordings import tone

from burnish.audio import frames
from burnish.audio.model import load
from burnish.errors import InputError, RecipeError
from burnish.training import Order, recipe, train
from burnish.training.audio import export, losses, networks, voices
from burnish.training.audio.mixing import Pairs, with_resonances

SMALL = {"network_args": {"width": 8, "blocks": 1, "across": 4}, "batch": 4, "crops": 8, "epochs": 2, "seconds": 0.5, "validation": 0.3}


def test_spectra_are_those_of_the_runtime() -> None:
    samples = np.random.default_rng(0).standard_normal(256 * 9).astype(np.float32)
    ours = losses.spectra(torch.from_numpy(samples)[None])[0].numpy()
    theirs = frames.spectra(np.pad(samples, 256), 256)
    assert np.abs(ours[..., 0] + 1j * ours[..., 1] - theirs).max() < 1e-3


def test_the_network_is_causal_but_for_a_frame_and_hands_its_state_on() -> None:
    torch.manual_seed(0)
    network = networks.build("bands", SMALL["network_args"]).eval()  # type: ignore[arg-type]
    spectrum = torch.randn(1, 12, 257, 2)
    changed = spectrum.clone()
    changed[:, 8:] = 0
    with torch.inference_mode():
        whole, speech, _ = network(spectrum)
        other, _, _ = network(changed)
        first, _, state = network(spectrum[:, :5])
        second, _, _ = network(spectrum[:, 5:], state)
    assert whole.shape == (1, 12, 257, 6)
    assert speech.shape == (1, 12)
    assert torch.equal(whole[:, :8], other[:, :8])
    assert torch.allclose(torch.cat([first, second], 1), whole, atol=1e-5)


@pytest.mark.parametrize("times", [0.87, 1.14])
def test_resonances_move_and_the_pitch_stays(times: float) -> None:
    pulses = np.zeros(16000, np.float32)
    pulses[::125] = 1  # 128 Hz
    decay = np.exp(-np.arange(400) / 80)
    voice = np.convolve(pulses, decay * np.cos(2 * np.pi * 1500 * np.arange(400) / 16000))[:16000].astype(np.float32)
    moved = with_resonances(voice, times)
    assert len(moved) == len(voice)
    before, after = (np.abs(np.fft.rfft(each[4000:12000])) for each in (voice, moved))  # bins of 2 Hz
    assert np.square(after[::64]).sum() > 0.9 * np.square(after).sum()  # the harmonics are where they were
    peaks = [64 * int(np.argmax(np.convolve(each[::64], np.ones(3), "same"))) * 2 for each in (before, after)]
    assert peaks[1] / peaks[0] == pytest.approx(times, abs=0.08)


def test_a_folder_of_voices_becomes_a_model(tmp_path: Path) -> None:
    voices = tmp_path / "voices"
    voices.mkdir()
    for index in range(4):
        soundfile.write(voices / f"{index}.wav", tone(1.5, 16000 * (1 + index % 2)), 16000 * (1 + index % 2))
    order = Order(recipe="speech", data=str(voices), out=tmp_path / "run", changes=SMALL | {"degradation": "noise:0-20"})
    run = train(order)
    assert load(run.model).card.network_args == SMALL["network_args"]
    assert run.board.kind == "audio"
    assert len(run.history) == 2
    assert (tmp_path / "run" / "report.html").exists()
    assert recipe.of_run(tmp_path / "run")


def test_a_model_is_gone_on_from_and_exported_again(tmp_path: Path) -> None:
    voices = tmp_path / "voices"
    voices.mkdir()
    for index in range(4):
        soundfile.write(voices / f"{index}.wav", tone(1.5, 16000), 16000)
    few = {"epochs": 1, "crops": 2, "batch": 2, "seconds": 0.5, "learning_rate": 1e-9, "degradation": "noise:0-20"}
    run = train(Order(recipe="speech", data=str(voices), start="speech", out=tmp_path / "run", changes=few))
    assert [board.model for board in run.boards] == ["speech", "speech-tuned"]
    assert run.board.gain == pytest.approx(run.boards[0].gain, abs=0.01)
    plan = recipe.of_run(tmp_path / "run")
    assert plan
    assert plan.network_args == load("speech").card.network_args
    assert plan.start_fingerprint
    started, tuned = (torch.cat([p.flatten() for p in export.to_network(each).parameters()]) for each in ("speech", run.model))
    assert torch.allclose(started, tuned, atol=1e-4)


def test_pairs_of_somebodys_own_become_a_model(tmp_path: Path) -> None:
    for place, strength in (("noisy", 0.05), ("clean", 0.0)):
        (tmp_path / place).mkdir()
        for index in range(4):
            clean = tone(1.5, 16000)[:, 0]
            soundfile.write(tmp_path / place / f"{index}.wav", clean + np.random.default_rng(index).normal(0, strength, len(clean)), 16000)
    changes = SMALL | {"degradation": "own"}
    run = train(Order(recipe="speech", data=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), out=tmp_path / "run", changes=changes))
    assert run.board.degradation == "own"
    assert run.board.items == 1
    assert load(run.model).card.recipe["clean"] == "clean"
    (tmp_path / "clean" / "0.wav").unlink()
    with pytest.raises(InputError, match="no partner"):
        train(Order(recipe="speech", data=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), out=tmp_path / "r2", changes=changes))


def test_both_of_a_pair_are_cut_and_coloured_alike() -> None:
    clean = tone(3.0, 16000)[:, 0]
    source = Pairs.of([(0.5 * clean, clean)], 8192)
    degraded, truth = source.batch(6, (1, 2))
    assert degraded.shape == truth.shape == (6, 8192)
    ratios = degraded.std(1) / truth.std(1)
    assert all(min(abs(ratio - 0.5), abs(ratio - 1)) < 1e-3 for ratio in ratios)
    assert all(np.corrcoef(a, b)[0, 1] > 0.9999 for a, b in zip(degraded, truth, strict=True))


def test_a_model_for_images_is_none_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="restores images"):
        train(Order(recipe="speech", data=str(tmp_path), start="tiny-deblur", out=tmp_path / "run"))


def test_a_share_of_what_was_given_can_be_kept() -> None:
    torch.manual_seed(0)
    network = networks.build("bands", SMALL["network_args"]).eval()  # type: ignore[arg-type]
    spectrum = torch.randn(1, 6, 257, 2)
    with torch.inference_mode():
        plain = losses.filtered(spectrum, network(spectrum)[0])
        kept = losses.filtered(spectrum, networks.keeping(network, 0.25)(spectrum)[0])
    assert torch.allclose(kept, 0.25 * spectrum[:, :-1] + 0.75 * plain, atol=1e-5)
    again = networks.released(networks.keeping(network, 0.25), 0.25)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(again.parameters(), network.parameters(), strict=True))


def test_a_made_voice_is_another_for_each_seed_and_has_pauses() -> None:
    one, other = voices.voice(2.0, 1), voices.voice(2.0, 2)
    assert one.shape == other.shape == (32000,)
    assert np.abs(one).max() == pytest.approx(0.3)
    assert not np.array_equal(one, other)
    powers = np.square(one.reshape(-1, 400)).mean(1)
    assert powers.min() < 1e-6 < 1e-3 < powers.max()


@pytest.mark.parametrize(
    ("changes", "word"), [({"noisy_only": True, "loss": "mse", "crop": 1}, "clean voices"), ({"degradation": "own"}, "--clean")]
)
def test_what_cannot_be_learnt_is_said(tmp_path: Path, changes: dict[str, object], word: str) -> None:
    with pytest.raises(RecipeError, match=word):
        train(Order(recipe="speech", data=str(tmp_path), out=tmp_path / "run", changes=changes))
