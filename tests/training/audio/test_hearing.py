"""Losses after hearing, beside the measures that they stand for."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from burnish.audio import metrics
from burnish.training.audio import hearing, losses, voices


def spectra(samples: NDArray[np.float32]) -> torch.Tensor:
    return losses.spectra(torch.from_numpy(samples[: len(samples) // 256 * 256])[None])


def noisy(ratio: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    clean = voices.voice(3.0, 5)
    noise = np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    return clean + noise * np.float32(np.linalg.norm(clean) / np.linalg.norm(noise) * 10 ** (-ratio / 20)), clean


@pytest.mark.parametrize("ratio", [0, 10, 20])
def test_what_cannot_be_understood_is_as_stoi_has_it(ratio: float) -> None:
    degraded, clean = noisy(ratio)
    assert 1 - float(hearing.unlike(spectra(degraded), spectra(clean))) == pytest.approx(metrics.stoi(degraded, clean), abs=0.05)


def test_more_noise_is_worse_and_none_is_nothing() -> None:
    for measure in (hearing.unlike, hearing.disturbance):
        values = [float(measure(spectra(degraded), spectra(clean))) for degraded, clean in map(noisy, (0, 10, 20))]
        assert values == sorted(values, reverse=True)
        assert float(measure(spectra(noisy(0)[1]), spectra(noisy(0)[1]))) == pytest.approx(0, abs=1e-3)


def test_level_does_not_count_for_understanding() -> None:
    degraded, clean = noisy(10)
    assert float(hearing.unlike(spectra(degraded), spectra(clean))) == pytest.approx(
        float(hearing.unlike(spectra(0.3 * degraded), spectra(clean))), abs=1e-3
    )


def test_gradients_are_numbers_even_where_there_is_silence() -> None:
    _, clean = noisy(10)
    clean[:8000] = 0
    restored = spectra(clean * 0).requires_grad_(True)
    loss = hearing.unlike(restored, spectra(clean)) + hearing.disturbance(restored, spectra(clean))
    loss.backward()  # type: ignore[no-untyped-call]
    assert restored.grad is not None
    assert torch.isfinite(restored.grad).all()
