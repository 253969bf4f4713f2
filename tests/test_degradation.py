"""The degradation language: what it accepts and refuses, and what it draws."""

import importlib
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from burnish.degradation import Degradation, Kind
from burnish.errors import DegradationError
from burnish.image.stages import STAGES

PHOTOGRAPH = data.coffee()[50:178, 100:260]


# --- The language ---


@st.composite
def stages(draw: st.DrawFn) -> str:
    """Any stage of the table with any value that it may have, written in any way."""
    name = draw(st.sampled_from(sorted(STAGES)))
    kind = STAGES[name]
    if kind.high is None:
        return name
    values = st.integers(int(kind.low) or 1, int(kind.high)) if kind.whole else st.floats(kind.low, kind.high)
    low, high = sorted([draw(values), draw(values)])
    text = (
        np.format_float_positional(low) if draw(st.booleans()) else f"{np.format_float_positional(low)}-{np.format_float_positional(high)}"
    )
    return f"{name}:{text}{'g' if kind.takes_grey and draw(st.booleans()) else ''}"


specs = st.lists(st.lists(stages(), min_size=1, max_size=4).map("+".join), min_size=1, max_size=3).map("|".join)


@given(specs)
def test_what_is_parsed_reads_the_same_again(spec: str) -> None:
    parsed = Degradation.parse(spec)
    assert Degradation.parse(str(parsed)) == parsed
    assert str(Degradation.parse(str(parsed))) == str(parsed) == parsed.spec


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("poisson:1000000", "poisson:1000000"),
        ("poisson:0.1-1000000", "poisson:0.1-1000000"),
        ("blur:0.123456789", "blur:0.123456789"),
        ("noise:.5g", "noise:0.5g"),
        ("noise:123456.7e", None),
        ("blur:0.00001", "blur:0.00001"),
        (" noise : 5 - 7.0 ", "noise:5-7"),
    ],
)
def test_numbers_are_written_without_exponents(spec: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(DegradationError):
            Degradation.parse(spec)
    else:
        assert str(Degradation.parse(spec)) == text


def test_another_medium_brings_its_own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    made = types.ModuleType("burnish.smells.stages")
    made.STAGES = {"fade": Kind("fade:2", lambda item, stage: item / np.float32(stage.value or 1), 1, 10, is_random=False)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "burnish.smells", types.ModuleType("burnish.smells"))
    monkeypatch.setitem(sys.modules, "burnish.smells.stages", made)
    assert importlib.import_module("burnish.smells.stages") is made
    np.testing.assert_array_equal(Degradation.parse("fade:4", "smells").apply(np.ones(3, np.float32)), np.full(3, 0.25))
    with pytest.raises(DegradationError, match="fade:2"):
        Degradation.parse("noise:5", "smells")
    with pytest.raises(DegradationError, match="no such stage"):
        Degradation.parse("fade:4")


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("", "blur:1.0"),
        ("blurr:1", "blur:1.0"),
        ("blur", "blur:1.0"),
        ("blur:", "blur:1.0"),
        ("blur:x", "blur:1.0"),
        ("blur:-1", "blur:1.0"),
        ("blur:nan", "blur:1.0"),
        ("blur:inf", "blur:1.0"),
        ("blur:1e9", "blur:1.0"),
        ("blur:2-1", "blur:1.0"),
        ("blur:1g", "blur:1.0"),
        ("noise:300", "noise:25"),
        ("noise:5+", "blur:1.0"),
        ("noise:5||blur:1", "blur:1.0"),
        ("jpeg:0", "jpeg:75"),
        ("jpeg:50.5", "jpeg:75"),
        ("8bit:3", "8bit"),
        ("motion:1-", "motion:5-15"),
    ],
)
def test_what_is_wrong_is_named_and_a_right_one_shown(spec: str, named: str) -> None:
    with pytest.raises(DegradationError) as caught:
        Degradation.parse(spec)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    said = ""
    try:
        Degradation.parse(text)
    except DegradationError as error:
        said = str(error)
    assert "\n" not in said


def test_what_is_random_and_what_is_eight_bit() -> None:
    assert [Degradation.parse(s).is_random for s in ("blur:1+8bit", "blur:1-2", "noise:5", "blur:1|blur:2", "jpeg:60")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert [Degradation.parse(s).is_eight_bit for s in ("blur:1+8bit", "blur:1", "jpeg:60|8bit", "8bit+noise:5")] == [
        True, False, True, False,
    ]  # fmt: skip


# --- The draw ---


def test_the_draw_depends_on_seed_and_content_not_on_place() -> None:
    parsed = Degradation.parse("blur:0.5-2+noise:5-30|jpeg:30-90")
    crops = np.stack([PHOTOGRAPH[i : i + 40, i : i + 40] for i in range(8)])
    together = parsed.apply_all(crops, 3)
    backwards = parsed.apply_all(crops[::-1].copy(), 3)[::-1]
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together[2], parsed.apply(crops[2], 3))
    assert not np.array_equal(together[2], parsed.apply(crops[2], 4))
    drawn = [parsed.draw(crop, 3) for crop in crops]
    assert len({len(chain.stages) for chain in drawn}) == 2  # both chains are picked
    values = {stage.value for chain in drawn for stage in chain.stages}
    assert len(values) >= 8  # each image draws its own


def test_values_are_drawn_over_the_whole_range() -> None:
    parsed = Degradation.parse("noise:5-30")
    values = [parsed.draw(PHOTOGRAPH, seed).stages[0].value or 0 for seed in range(400)]
    assert 5 <= min(values) < 6
    assert 29 < max(values) <= 30
    assert np.mean(values) == pytest.approx(17.5, abs=1)
