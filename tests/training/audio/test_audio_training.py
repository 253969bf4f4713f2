"""A small model for sound, learnt in seconds; its export; and what cannot be learnt."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from recordings import tone

from burnish.audio import frames
from burnish.audio.model import load
from burnish.errors import RecipeError
from burnish.training import Order, recipe, train
from burnish.training.audio import losses, networks, voices

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


def test_a_share_of_what_was_given_can_be_kept() -> None:
    torch.manual_seed(0)
    network = networks.build("bands", SMALL["network_args"]).eval()  # type: ignore[arg-type]
    spectrum = torch.randn(1, 6, 257, 2)
    with torch.inference_mode():
        plain = losses.filtered(spectrum, network(spectrum)[0])
        kept = losses.filtered(spectrum, networks.keeping(network, 0.25)(spectrum)[0])
    assert torch.allclose(kept, 0.25 * spectrum[:, :-1] + 0.75 * plain, atol=1e-5)


def test_a_made_voice_is_another_for_each_seed_and_has_pauses() -> None:
    one, other = voices.voice(2.0, 1), voices.voice(2.0, 2)
    assert one.shape == other.shape == (32000,)
    assert np.abs(one).max() == pytest.approx(0.3)
    assert not np.array_equal(one, other)
    powers = np.square(one.reshape(-1, 400)).mean(1)
    assert powers.min() < 1e-6 < 1e-3 < powers.max()


@pytest.mark.parametrize("changes", [{"noisy_only": True, "loss": "mse", "crop": 1}, {"degradation": "own"}])
def test_what_cannot_be_learnt_is_said(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="clean voices"):
        train(Order(recipe="speech", data=str(tmp_path), out=tmp_path / "run", changes=changes))
