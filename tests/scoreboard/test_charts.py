"""Charts are well-formed SVG that draws what it was given and nothing else."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.scoreboard import charts

anything = st.one_of(st.none(), st.sampled_from([math.nan, math.inf]), st.floats(-1e6, 1e6), st.floats(1e-6, 1))


@given(st.text(max_size=20), st.lists(st.lists(anything, min_size=1, max_size=8), min_size=1, max_size=8), st.booleans())
def test_curves_draw_any_values(title: str, lines: list[list[float | None]], log: bool) -> None:
    title = "".join(c for c in title if c.isprintable())
    drawn = charts.curves(title, [(f"line {i} <&>", line) for i, line in enumerate(lines)], log=log)
    if drawn:
        ElementTree.fromstring(drawn)
        assert "nan" not in re.sub(r"<text.*?</text>|aria-label=\"[^\"]*\"", "", drawn)


def test_curves_stand_where_their_values_are() -> None:
    drawn = charts.curves("loss", [("training", [1.0, 0.5, None, 0.0])])
    points = re.search(r'points="([^"]*)"', drawn)
    assert points
    x, y = zip(*(map(float, point.split(",")) for point in points[1].split()), strict=True)
    assert x == (
        charts.LEFT,
        pytest.approx(charts.LEFT + (charts.WIDTH - charts.LEFT - charts.RIGHT) / 3, abs=0.1),
        charts.WIDTH - charts.RIGHT,
    )
    assert y[0] == charts.TOP
    assert y[-1] == charts.HEIGHT - charts.BOTTOM
    assert charts.curves("nothing", [("a", [None, math.nan])]) == ""


def test_bars_go_left_of_zero_for_harm() -> None:
    drawn = charts.bars("gain", [("good", 2.0), ("bad <script>", -1.0)])
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn
    good, bad = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    assert float(bad[0]) + float(bad[1]) == pytest.approx(float(good[0]), abs=0.2)
    assert float(good[1]) == pytest.approx(2 * float(bad[1]), abs=0.5)
    assert "+2.00" in drawn
    assert "-1.00" in drawn
