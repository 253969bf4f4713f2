"""The tables of burnish.latent.thumb, learnt from pictures: how large coefficients are, and how probable each value is."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.files import write_text
from burnish.latent import thumb
from burnish.latent.thumb import Tables

LEVELS = 48  # quarter octaves from the lowest level that is written at all
HIDDEN = 12  # quarter octaves below the step at which a coefficient's mean size is too small to be written
ROUNDS = 3
Counts = NDArray[np.float64]  # level × neighbours × (zero, one, more) × (0, 1)


def learnt(pictures: NDArray[np.uint8], seed: int = 0) -> Tables:
    """The tables that suit N×32×32×3 pictures: each is written at steps drawn by chance, what occurs is counted, and so again."""
    values = np.stack([thumb.transformed(picture) for picture in pictures])
    tables = _first(values)
    rng = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        counts = np.zeros((LEVELS, thumb.NEIGHBOURS, 3, 2))
        drawn: list[tuple[int, float]] = []
        for each in values:
            step = int(rng.integers(4, 28))
            _count(each, step, tables, counts, drawn)
        tables = _fitted(tables, counts, drawn)
    return tables


def write(tables: Tables, path: Path) -> None:
    """Write the tables as JSON."""
    write_text(path, json.dumps(asdict(tables), separators=(",", ":")) + "\n")


def _first(values: NDArray[np.float64]) -> Tables:
    """Tables with the scales of these coefficients (N×3×32×32), and the probabilities of Laplace's distribution."""
    sizes = np.abs(values).mean(0)
    scales = []
    for plane in range(3):
        rows = []
        for radius in range(44):
            row = []
            for axis in (0, 1):
                found = [
                    sizes[plane, v, u]
                    for v in range(thumb.SIDE)
                    for u in range(thumb.SIDE)
                    if math.isqrt(v * v + u * u) == radius and int(u == 0 or v == 0) == axis
                ]
                row.append(round(4 * math.log2(max(float(np.mean(found)), 1e-4))) if found else -60)
            rows.append(row)
        scales.append(rows)
    lowest = -HIDDEN + round(4 * math.log2(thumb.COARSEST))
    zero, one = [], []
    for level in range(LEVELS):
        ratio = 2 ** ((level - HIDDEN) / 4)  # mean size in steps
        fall = math.exp(-1 / ratio)
        zero.append([_probability(1 - fall**0.6)] * thumb.NEIGHBOURS)
        one.append([_probability(1 - fall)] * thumb.NEIGHBOURS)
    return Tables(scales, zero, one, [list(row) for row in one], lowest, [1, 1])


def _probability(share: float) -> int:
    return min(255, max(1, round(256 * share)))


def _count(values: NDArray[np.float64], step: int, tables: Tables, counts: Counts, drawn: list[tuple[int, float]]) -> None:
    levels, _ = thumb.rounded(values, step, thumb.PRICES[2], tables, math.inf)
    assert levels is not None
    flat = np.abs(values).ravel() / thumb.step_size(step)
    known: dict[int, int] = {}
    for place, level in tables.coded(step):
        size, near = abs(levels.get(place, 0)), thumb.neighbours(known, place)
        counts[level, near, 0, int(size > 0)] += 1
        if size:
            known[place] = levels[place]
            counts[level, near, 1, int(size > 1)] += 1
            drawn.append((min(size, 2), size - float(flat[place])))
        if size > 1:
            counts[level, near, 2] += (1, size - 2)


def _fitted(tables: Tables, counts: Counts, drawn: Sequence[tuple[int, float]]) -> Tables:
    """The tables with the probabilities counted, those of rare events leaning on what was assumed before."""

    def share(kind: int, before: list[list[int]]) -> list[list[int]]:
        rows = []
        for level in range(LEVELS):
            row = []
            for near in range(thumb.NEIGHBOURS):
                ended, went_on = counts[level, near, kind]
                row.append(_probability((ended + 8 * before[level][near] / 256) / (ended + went_on + 8)))
            rows.append(row)
        return rows

    short = [max(0, min(6, round(16 * float(np.mean([gap for size, gap in drawn if size == which]))))) for which in (1, 2)]
    return replace(tables, zero=share(0, tables.zero), one=share(1, tables.one), more=share(2, tables.more), short=short)
