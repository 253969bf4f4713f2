"""The tables of burnish.latent.thumb, learnt from pictures: how large coefficients are, and how probable each value is."""

import base64
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

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


def write(tables: Tables, path: Path, script: Path) -> None:
    """Write the tables as JSON, and into the JavaScript that decodes placeholders."""
    text = json.dumps(asdict(tables), separators=(",", ":"))
    write_text(path, text + "\n")
    code = script.read_text("utf-8")
    write_text(script, re.sub(r"^const TABLES = .*;$", lambda _: f"const TABLES = {text};", code, flags=re.MULTILINE))


# --- The smoother ---


class Smoother(nn.Module):
    """N×3×32×32 decoded colours and their steps to the same without rings: four 3×3 convolutions, the second with holes."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        sizes = [(4, width, 1), (width, width, 2), (width, width, 1), (width, 3, 1)]
        self.layers = nn.ModuleList(nn.Conv2d(i, o, 3, padding=d, dilation=d) for i, o, d in sizes)
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, colours: Tensor, sizes: Tensor) -> Tensor:
        told = thumb.NOTICE * sizes.log()[:, None, None, None].expand(-1, 1, thumb.SIDE, thumb.SIDE)
        x = torch.cat([colours - 0.5, told], 1)
        for place, layer in enumerate(self.layers):
            x = layer(x) if place == len(self.layers) - 1 else layer(x).relu()
        return colours + x * (thumb.REACH * sizes[:, None, None, None])


def with_smoother(tables: Tables, pictures: NDArray[np.uint8], steps: int, seed: int = 0) -> Tables:
    """The tables with a smoother learnt from N×32×32×3 pictures, each rounded at a step drawn by chance."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    bare = replace(tables, smoother=[])
    degraded = np.empty((len(pictures), 3, thumb.SIDE, thumb.SIDE), np.float32)
    sizes = np.empty(len(pictures), np.float32)
    for place, picture in enumerate(pictures):
        step = int(rng.integers(5, 20))
        levels, _ = thumb.rounded(thumb.transformed(picture), step, thumb.PRICES[2], bare, math.inf)
        assert levels is not None
        degraded[place] = thumb.colours_of(levels, step, bare)
        sizes[place] = thumb.step_size(step)
    seen, truth = torch.from_numpy(degraded), torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    network, known = Smoother(), torch.from_numpy(sizes)
    optimizer = torch.optim.Adam(network.parameters(), 4e-3)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * (1 - step / steps)
        chosen = torch.randint(len(seen), (64,))
        error = (network(seen[chosen], known[chosen]) - truth[chosen]).square().mean((1, 2, 3))
        optimizer.zero_grad()
        error.log().mean().backward()
        optimizer.step()
    return replace(tables, smoother=described(network))


def described(network: Smoother) -> list[dict[str, object]]:
    """The layers as the tables hold them, weights rounded to 8 bits."""
    found: list[dict[str, object]] = []
    for layer in network.layers:
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        scale = round(float(layer.weight.detach().abs().max()) / 127, 6)
        weights = (layer.weight.detach() / scale).round().clamp(-127, 127).to(torch.int8)
        biases = [round(bias, 4) for bias in layer.bias.tolist()]
        text = base64.b64encode(weights.numpy().tobytes()).decode()
        found.append({"weights": text, "scale": scale, "biases": biases, "dilation": int(layer.dilation[0])})
    return found


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
