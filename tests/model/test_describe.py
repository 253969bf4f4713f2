"""A card's words are its figures: the gain never without the line that doing nothing scores."""

import json
from dataclasses import replace

import pytest

import burnish
from burnish.model import describe
from burnish.model import file as model_file


@pytest.mark.parametrize("name", model_file.shipped())
def test_every_shipped_model_tells_what_people_ask(name: str) -> None:
    card = burnish.load(name).card
    text = describe.summary(card)
    for words in (card.name, card.summary, *card.degradation.split("|"), f"{card.parameters:,}", card.licence, card.data["terms"]):
        assert words in text
    for score in card.scores:
        assert ("does not help" in describe.score_line(score)) == (not score["helps"])
        if card.kind != "image":
            assert f"SI-SDR {score['scores']['si_sdr']['model']:.1f} (untouched {score['scores']['si_sdr']['input']:.1f})" in text
            continue
        if card.takes_nothing:
            lead = score["psnr"]["model"] - score["psnr"]["pca"]
            assert f"{lead:+.2f} dB on PCA ({score['settings']['pca']}), from its {score['psnr']['pca']:.2f}" in text
            assert "restores nothing" in describe.limits(card)
            continue
        gain = score["psnr"]["model"] - score["psnr"]["input"]
        assert f"{gain:+.2f} dB, from {score['psnr']['input']:.2f} untouched" in text
    described = describe.description(json.loads(card.to_json()))
    assert text in described
    for layer in card.layers:
        assert layer["name"] in described


def test_limits_are_those_the_gate_keeps() -> None:
    limits = describe.limits(burnish.load("tiny-blind").card)
    assert "blur of 0.4–2 pixels" in limits
    assert "noise of sigma 0–10 of 255" in limits
    assert "any size" in limits


def test_limits_of_what_learnt_from_pairs_or_of_other_stages_are_told_too() -> None:
    card = burnish.load("tiny-blind").card
    assert describe.limits(replace(card, degradation="own")) == "what its pairs of images showed; any size; colour and grey"
    assert describe.limits(replace(card, degradation="blur:1.0+motion:5-15")).startswith("blur of 1 pixel, no noise of its own, motion; ")


def test_a_chain_that_is_drawn_more_often_is_named_once() -> None:
    card = replace(burnish.load("tiny-blind").card, degradation="noise:0-5|noise:0-5|jpeg:10-95")
    assert dict(describe.told(card))["made for"] == "noise:0-5|jpeg:10-95"


def test_pairs_are_scored_as_they_came() -> None:
    score = burnish.load("tiny-blind").card.scores[0] | {"degradation": "own", "data": "real-noise"}
    assert "of real-noise, as they came" in describe.score_line(score)
