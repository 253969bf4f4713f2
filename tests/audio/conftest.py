"""A model for sound that was never trained, and recordings made here."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from burnish.audio.model import Model, load
from burnish.training.audio import export, networks


def tone(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """Something with rhythm and harmonics, and noise beside it, n×channels, that differs from channel to channel."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 9)) * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1)
    voices = np.stack([voice * (0.2 if channel % 2 else 0.1) for channel in range(channels)], 1)
    result: NDArray[np.float32] = (voices + rng.normal(0, 0.01, voices.shape)).astype(np.float32)
    return result


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small model with random weights, which changes what it is given in some way."""
    torch.manual_seed(0)
    network = networks.build("bands", {"width": 8, "blocks": 1, "across": 4})
    with torch.no_grad():
        for lines in network.leave:
            lines.weight *= 5  # type: ignore[operator]
    path = tmp_path_factory.mktemp("models") / "untrained.onnx"
    data = {"name": "nothing", "fingerprint": "none", "terms": "CC0"}
    export.export(network, path, name="untrained", summary="Knows nothing.", degradation="noise:0-20", recipe={}, data=data)
    return path


@pytest.fixture(scope="session")
def model(untrained: Path) -> Model:
    """That model, loaded."""
    return load(untrained, 1)
