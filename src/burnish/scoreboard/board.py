"""The scoreboard: what a model did to items, by any metrics, beside doing nothing and the baselines. It knows no medium.

A board is {metric: {method: value}}: `input` is doing nothing, `model` the model, every other method a baseline. One metric is the
headline. The gain is the headline's value of the model minus that of the untouched input, mean over items; its 95 % interval is a bootstrap
over items; and the model helps when the gain and the interval's lower end are both above zero. A model whose input is the truth already has
another rival than that: it helps when its lead on the rival and the lower end of that one's interval are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from burnish.wording import counted

RESAMPLES = 10_000  # of the bootstrap
NOUNS = {"image": "image", "audio": "recording"}  # what people call an item of each medium

ESTIMATED = (
    "There are no clean originals: the scores are estimates from the measured noise (SURE), right if that is independent between samples."
)


@dataclass(frozen=True)
class Metric:
    """How near a result is to the truth, the more the nearer, and how that is told."""

    name: str
    """Its key in JSON: `psnr`."""
    label: str
    """What people call it: `PSNR`."""
    unit: str = ""
    """`dB`; empty for none."""
    digits: int = 2
    """Behind the point."""
    of_baselines: bool = True
    """Whether baselines are measured by it too, so that it has a column of its own."""


class Sample(Protocol):
    """An item to show: as it was, degraded, and restored."""

    def html(self) -> str:
        """Itself as a part of a page."""
        ...


@dataclass(frozen=True)
class Gain:
    """The mean gain over items, its 95 % bootstrap interval (one item: twice the gain), and whether both are above zero."""

    mean: float
    low: float
    high: float
    helps: bool


@dataclass(frozen=True)
class Scoreboard:
    """What one model did to one set of items, beside what doing nothing and the baselines did.

    `kind` is the items' medium (`image`), `metrics` says what the keys of `scores` mean, the headline first; `settings` tells how each
    baseline was set, and `not_applicable` why one is missing; `skipped` names items that could not be read, and why. `notes` hold what a
    reader must know beside the figures; `measured` says how they came about. `estimated`: there is no truth, and the scores are estimated.
    `rival` is the method that the model has to beat ("": there is none to judge it by), and `led` its lead on that, unless that is `input`.
    """

    model: str
    kind: str
    items: int
    degradation: str
    data: str
    parameters: int
    metrics: tuple[Metric, ...]
    scores: Mapping[str, Mapping[str, float]]
    gained: Gain
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()
    samples: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = ()
    measured: str = ""
    estimated: bool = False
    rival: str = "input"
    led: Gain | None = None

    @property
    def headline(self) -> Metric:
        """The metric that decides whether the model helps."""
        return self.metrics[0]

    @property
    def metric(self) -> str:
        """The headline's name."""
        return self.headline.name

    @property
    def gain(self) -> float:
        """The headline's value of the model minus that of the untouched input, mean over items."""
        return self.gained.mean

    @property
    def gain_ci95(self) -> tuple[float, float]:
        """The gain's 95 % interval."""
        return self.gained.low, self.gained.high

    @property
    def helps(self) -> bool:
        """Whether the model makes items better beyond doubt; of one that only rebuilds, whether it does so better than its rival."""
        return self.gained.helps if self.rival == "input" else self.led is not None and self.led.helps

    def to_json(self) -> dict[str, Any]:
        """The board in JSON's own types, without the samples."""
        return {
            "model": self.model,
            "kind": self.kind,
            "items": self.items,
            "data": self.data,
            "degradation": self.degradation,
            "parameters": self.parameters,
            "helps": self.helps,
            "metric": self.metric,
            "gain": self.gain,
            "gain_ci95": list(self.gain_ci95),
            "scores": {metric: dict(values) for metric, values in self.scores.items()},
            "not_applicable": dict(self.not_applicable),
            "settings": dict(self.settings),
            "skipped": [{"name": name, "why": why} for name, why in self.skipped],
            "notes": list(self.notes),
            **({"estimated": True} if self.estimated else {}),
            **({} if self.rival == "input" else {"rival": self.rival}),
            **({"lead": self.led.mean, "lead_ci95": [self.led.low, self.led.high]} if self.led else {}),
        }


def gained(gains: NDArray[np.float64], seed: int) -> Gain:
    """What the items' gains (N) come to."""
    low, high = bootstrap_interval(gains, seed)
    mean = float(gains.mean())
    return Gain(mean, low, high, mean > 0 and low > 0)


def bootstrap_interval(gains: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of the mean (Efron 1979); the point itself, twice, for one item."""
    rng = np.random.default_rng(seed)
    rows = max(1, 4_000_000 // len(gains))  # at a time, so that many items do not fill the memory
    means = [
        gains[rng.integers(0, len(gains), (min(rows, RESAMPLES - start), len(gains)))].mean(axis=1) for start in range(0, RESAMPLES, rows)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


# --- Words ---


def table(boards: Sequence[Scoreboard]) -> str:
    """The boards as plain text: the untouched input, the baselines, the models, and a verdict in words on each model."""

    def alike(board: Scoreboard) -> tuple[Any, ...]:
        return board.data, board.items, board.degradation, board.scores[board.metric]["input"], dict(board.settings), board.rival

    return "\n\n".join("\n".join(_lines(list(group))) for _, group in itertools.groupby(boards, key=alike))


def _lines(boards: list[Scoreboard]) -> Iterator[str]:
    first = boards[0]
    yield f"{first.data}, {count(first.items, first.kind)}, degraded by {first.degradation}"
    if first.estimated:
        yield ESTIMATED
    yield from _aligned([_heads(first), *_rows(boards)])
    for name, why in first.not_applicable.items():
        yield f"{words(name)}: not applicable, {why}"
    for metric in first.metrics:
        values = [("untouched input", first.scores.get(metric.name, {}).get("input"))]
        values += [(board.model, board.scores.get(metric.name, {}).get("model")) for board in boards]
        if not metric.of_baselines and len({value for _, value in values}) > 1:  # what is the same for all tells nothing
            yield f"{metric.label}: " + ", ".join(f"{label} {shown(metric, value)}" for label, value in values)
    if first.skipped:
        yield f"{count(len(first.skipped), first.kind)} skipped:"
        yield from (f"  {name}: {why}" for name, why in first.skipped)
    yield from (verdict(board) for board in boards)


def _heads(board: Scoreboard) -> list[str]:
    columns = [titled(metric) for metric in board.metrics if metric.of_baselines]
    return ["method", *columns, gain_head(board)]


def _rows(boards: list[Scoreboard]) -> Iterator[list[str]]:
    """A line of texts for doing nothing, for each baseline and for each model."""
    first = boards[0]
    lines = [("untouched input", "input", first)]
    lines += [(f"{words(name)} ({setting})", name, first) for name, setting in first.settings.items()]
    lines += [(board.model, "model", board) for board in boards]
    for label, method, board in lines:
        values = [shown(metric, board.scores.get(metric.name, {}).get(method)) for metric in board.metrics if metric.of_baselines]
        yield [label, *values, gain_cell(board, method) if method != "input" else ""]


def _aligned(lines: list[list[str]]) -> Iterator[str]:
    """Texts in columns: the first one's begin under each other, the others' end so."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for label, *cells in lines:
        yield "  ".join([f"{label:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))]).rstrip()


def gain_head(board: Scoreboard) -> str:
    """What the column of gains is called: gain dB, or over PCA dB."""
    return f"{'gain' if board.led is None else f'over {words(board.rival)}'} {board.headline.unit}".strip()


def gain_cell(board: Scoreboard, method: str) -> str:
    """A method's gain on what the model has to beat; nothing for that itself, unless it is the untouched input."""
    headline = board.scores[board.metric]
    if board.led is not None and method in ("input", board.rival):
        return ""
    return signed(headline[method] - headline[board.rival if board.led is not None else "input"], board.headline)


def verdict(board: Scoreboard) -> str:
    """In a sentence whether the model helps, by how much, and how sure that is."""
    if not board.rival:
        return f"{board.model} is not judged: what it is given is the original itself, and no PCA with as many numbers stands beside it."
    gain = board.led or board.gained
    rival = "the untouched input" if board.led is None else f"{words(board.rival)} with as many numbers"
    low, high = (signed(end, board.headline) for end in (gain.low, gain.high))
    number = count(board.items, board.kind)
    sure = f"(95 % interval {low} to {high}, {number})" if board.items > 1 else f"({number}: no interval)"
    by = f"{shown(board.headline, abs(gain.mean))} {board.headline.unit}".strip()
    label = f" {board.headline.label}" if not board.headline.unit else ""
    if board.helps:
        return f"{board.model} helps: {by}{label} closer to the originals than {rival} {sure}."
    if gain.mean > 0:
        return f"{board.model} does not help beyond doubt: {by}{label} closer to the originals, but perhaps by chance {sure}."
    if gain.mean == 0:
        return f"{board.model} does not help: exactly as far from the originals as {rival} {sure}."
    return f"{board.model} does not help: {by}{label} further from the originals than {rival} {sure}."


def titled(metric: Metric) -> str:
    """A metric's label and unit."""
    return f"{metric.label} {metric.unit}".strip()


def words(method: str) -> str:
    """A baseline's name as people read it."""
    return "PCA" if method == "pca" else method.replace("_", " ")


def shown(metric: Metric, value: float | None) -> str:
    """A metric's value with its digits; nothing for none."""
    return "" if value is None else f"{value:.{metric.digits}f}"


def signed(value: float, metric: Metric) -> str:
    """A difference, with a true minus sign."""
    return f"{value:+.{metric.digits}f}".replace("-", "−")


def count(number: int, kind: str) -> str:
    """`2 images`."""
    return counted(number, NOUNS.get(kind, "item"))
