"""Samples in, samples out: exact whatever the pieces, one filter for all channels, nothing moved."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import tone

import burnish
from burnish.audio.model import Model
from burnish.audio.survey import Survey
from burnish.errors import InputError, ModelError


def surveyed(samples: np.ndarray, rate: int) -> Survey:
    survey = Survey(rate, samples.shape[1])
    survey.add(samples)
    return survey


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30))
@settings(max_examples=5)
def test_any_pieces_give_the_same(model: Model, sizes: list[int]) -> None:
    samples = tone(1.2, 16000, 2)
    wanted = model.restore(samples, 16000)
    stream = model.stream(surveyed(samples, 16000))
    parts, place = [], 0
    for size in [*sizes, len(samples)]:
        parts.append(stream.push(samples[place : place + size]))
        place += size
    result = np.concatenate([*parts, stream.finish()])
    assert result.shape == samples.shape
    assert np.abs(result - wanted).max() < 1e-5


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_shape_stays_and_strength_nought_changes_nothing(model: Model, rate: int, channels: int) -> None:
    samples = tone(0.4, rate, channels)
    restored = model.restore(samples, rate)
    assert restored.shape == samples.shape
    assert np.abs(restored - samples).max() > 1e-3
    assert np.abs(model.restore(samples, rate, 0.0) - samples).max() < 1e-5
    half = model.restore(samples, rate, 0.5)
    assert np.abs(half - (samples + restored) / 2).max() < 1e-5  # nothing is shifted against the other


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 513])
def test_any_length(model: Model, count: int) -> None:
    samples = tone(0.1, 16000)[:count, 0]
    assert model.restore(samples, 16000).shape == samples.shape


def test_channels_keep_their_relation(model: Model) -> None:
    one = tone(0.8, 48000)
    stereo = np.concatenate([one, -0.3 * one], 1)
    restored = model.restore(stereo, 48000)
    assert np.abs(restored[:, 1] + 0.3 * restored[:, 0]).max() < 1e-5
    assert np.abs(restored[:, 0] - model.restore(one, 48000)[:, 0]).max() < 0.1 * np.abs(one).max()


def test_level_does_not_matter(model: Model) -> None:
    samples = tone(0.5, 16000)
    loud, soft = model.restore(samples, 16000), model.restore(samples * 0.01, 16000)
    assert np.abs(loud * 0.01 - soft).max() < 1e-5


def test_nothing_is_louder_than_it_was(model: Model) -> None:
    samples = np.clip(tone(0.5, 16000) * 10, -1, 1)
    assert np.abs(model.restore(samples, 16000)).max() <= 1


def test_whole_numbers_come_back_as_such(model: Model) -> None:
    samples = tone(0.3, 16000)[:, 0]
    for dtype in (np.int16, np.int32):
        top = np.iinfo(dtype).max
        whole = (samples * top).astype(dtype)
        restored = model.restore(whole, 16000)
        assert restored.dtype == dtype
        assert np.abs(restored / top - model.restore(samples, 16000)).max() < 1e-4


@pytest.mark.parametrize(
    ("samples", "rate", "word"),
    [
        (np.zeros((2, 3, 4)), 16000, "no recording"),
        (np.zeros((2, 4000)), 16000, "channels×n"),
        (np.zeros(100, np.uint8), 16000, "uint8"),
        (np.full(100, np.nan), 16000, "not finite"),
        (np.zeros(100), 100, "rate"),
        (np.zeros(100), 16000.5, "rate"),
    ],
)
def test_what_is_no_recording_is_refused(model: Model, samples: np.ndarray, rate: float, word: str) -> None:
    with pytest.raises(InputError, match=word):
        model.restore(samples, rate)
    with pytest.raises(InputError, match="strength"):
        model.restore(np.zeros(100), 16000, strength=2)


def test_it_loads_by_its_kind_and_can_be_copied(model: Model) -> None:
    loaded = burnish.load("speech", 1)
    assert isinstance(loaded, Model)
    samples = tone(0.2, 16000)[:, 0]
    wanted = model.restore(samples, 16000)
    for copied in (copy.deepcopy(loaded), pickle.loads(pickle.dumps(loaded))):
        assert np.array_equal(copied.restore(samples, 16000), wanted)
    assert loaded.card.kind == "audio"
    assert loaded.card.macs_per_second
    with pytest.raises(ModelError, match="sound"):
        Model(burnish.load("seed").file)
