"""The scoreboard: words that match the numbers, whatever was measured, and an interval that can be trusted."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.scoreboard.board import Gain, Metric, Scoreboard, bootstrap_interval, gained, table

PESQ, STOI, WER = Metric("pesq", "PESQ", "", 2), Metric("stoi", "STOI", "", 3), Metric("sure", "certainty", "", 1, of_baselines=False)
SPEECH = Scoreboard(
    model="speech",
    kind="audio",
    items=24,
    degradation="noise:-5-20",
    data="dev",
    parameters=24_000,
    metrics=(PESQ, STOI, WER),
    scores={
        "pesq": {"input": 2.16, "model": 2.65, "webrtc": 2.41},
        "stoi": {"input": 0.94, "model": 0.945, "webrtc": 0.897},
        "sure": {"input": 1.0, "model": 2.0},
    },
    gained=Gain(0.49, 0.4, 0.6, True),
    not_applicable={"wiener_oracle": "the room has no transfer function"},
    settings={"webrtc": "level 3"},
)


def test_a_board_of_any_metrics_is_told_in_words_and_json() -> None:
    text = table([SPEECH])
    assert "dev, 24 recordings, degraded by noise:-5-20" in text
    head, *rows = text.splitlines()[1:5]
    assert head.split() == ["method", "PESQ", "STOI", "gain"]
    assert [row.split()[-3:] for row in rows[1:]] == [["2.41", "0.897", "+0.25"], ["2.65", "0.945", "+0.49"]]
    assert rows[0].split() == ["untouched", "input", "2.16", "0.940"]
    assert "wiener oracle: not applicable, the room has no transfer function" in text
    assert "certainty: untouched input 1.0, speech 2.0" in text
    assert "speech helps: 0.49 PESQ closer to the originals than the untouched input (95 % interval +0.40 to +0.60, 24 recordings)." in text
    line = json.loads(json.dumps(SPEECH.to_json(), allow_nan=False))
    assert line == SPEECH.to_json()
    assert (line["kind"], line["metric"], line["gain"], line["gain_ci95"]) == ("audio", "pesq", 0.49, [0.4, 0.6])
    assert line["scores"]["stoi"]["webrtc"] == 0.897
    assert "gain_db" not in line


def test_the_verdict_follows_the_gain() -> None:
    def told(gain: Gain, items: int = 24) -> str:
        return table([replace(SPEECH, gained=gain, items=items)]).splitlines()[-1]

    assert told(Gain(-1, -2, -0.5, False), 2) == (
        "speech does not help: 1.00 PESQ further from the originals than the untouched input (95 % interval −2.00 to −0.50, 2 recordings)."
    )
    assert "does not help beyond doubt: 0.10 PESQ closer" in told(Gain(0.1, -0.2, 0.5, False))
    assert "does not help: exactly as far" in told(Gain(0, 0, 0, False))
    assert "1 recording: no interval" in told(Gain(1, 1, 1, True), 1)


def test_what_is_the_same_for_all_is_not_told() -> None:
    assert "certainty" not in table([replace(SPEECH, scores={**SPEECH.scores, "sure": {"input": 1.0, "model": 1.0}})])


def test_boards_on_the_same_items_share_a_table() -> None:
    assert table([SPEECH, replace(SPEECH, model="other")]).count("untouched input  ") == 1
    assert table([SPEECH, replace(SPEECH, data="train")]).count("untouched input  ") == 2


def test_a_gain_helps_when_its_interval_is_above_zero() -> None:
    assert gained(np.array([1.0, 1.1, 0.9] * 9), 0).helps
    assert not gained(np.array([3.0, -2.0, -0.5]), 0).helps
    assert not gained(np.zeros(5), 0).helps
    assert gained(np.array([0.7]), 0) == Gain(0.7, 0.7, 0.7, True)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=60), st.integers(0, 9))
def test_the_interval_holds_the_mean_and_lies_within_the_data(gains, seed):
    gains = np.array(gains)
    low, high = bootstrap_interval(gains, seed)
    assert gains.min() - 1e-9 <= low <= gains.mean() + 1e-9
    assert gains.mean() - 1e-9 <= high <= gains.max() + 1e-9
    assert (low, high) == bootstrap_interval(gains, seed)


def test_the_interval_is_the_normal_one_for_many_pictures():
    gains = np.random.default_rng(1).normal(2, 3, 10_000)
    low, high = bootstrap_interval(gains, 0)
    assert (high - low) / 2 == pytest.approx(1.96 * 3 / 100, rel=0.05)
