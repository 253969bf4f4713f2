"""The networks that restore sound: from spectra to the filter that takes the noise out of them."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from burnish.audio.frames import TAPS
from burnish.errors import RecipeError

# Bins to a band (31 Hz a bin), how many such bands: fine where harmonics lie apart. The last bin has its neighbour's filter.
ZONES = ((4, 16), (16, 4), (32, 4))
BANDS = sum(count for _, count in ZONES)
NUMBERS = (
    2 * TAPS,
    2 * TAPS,
    2,
)  # of a bin's filter, zone by zone: above 4 kHz, where phases tell little, it is the frame itself that is filtered
FEATURES = 3  # of a bin: its compressed value, real and imaginary, and its level
COMPRESSION = 0.3  # the exponent that loudness has, roughly, in hearing
QUIET = 1e-5  # added to a bin's power, so that silence has a level


class Bands(nn.Module):
    """Bands of bins, each with a line of its own into `width` features; blocks of a GRU over time, the same for all bands, and one in both
    directions over bands, the same for all times; and lines back to each bin's filter. After the band-split RNN (Luo and Yu, 2023) and
    GTCRN (Rong et al., 2024), made causal, small and quick to train.

    Maps spectra B×T×257×2 and a state (blocks×B×24×`width`; None: zeros, as at the beginning) to the filters B×T×257×6, the logits of
    speech B×T, and the state after. A filter's six numbers are real and imaginary parts of what the frame itself, the one before and the
    one before that are multiplied with; their sum is the frame *before*, restored: the network looks one frame, 16 ms, ahead.
    """

    name = "bands"

    def __init__(self, width: int = 32, blocks: int = 2, across: int = 16) -> None:
        super().__init__()
        for key, value in (("width", width), ("blocks", blocks), ("across", across)):
            if not 1 <= value <= 1024:
                raise RecipeError(f"network bands: {key} = {value} is out of range; it goes from 1 to 1024")
        self.args = {"width": width, "blocks": blocks, "across": across}
        self.enter = nn.ModuleList(Lines(count, FEATURES * bins, width) for bins, count in ZONES)
        self.blocks = nn.ModuleList(Block(width, across) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        leave = [Lines(count, width, numbers * bins) for (bins, count), numbers in zip(ZONES, NUMBERS, strict=True)]
        self.leave = nn.ModuleList(leave)
        self.speech = nn.Linear(width, 1)
        with torch.no_grad():
            for lines, numbers in zip(leave, NUMBERS, strict=True):
                lines.weight.mul_(0.1)
                lines.bias.view(-1, numbers)[:, numbers // 3] = 0.8  # the real part of what the frame itself is multiplied with

    def forward(self, spectrum: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        batch, time = spectrum.shape[:2]
        if state is None:
            state = spectrum.new_zeros(len(self.blocks), batch, BANDS, self.args["width"])
        power = spectrum.square().sum(-1, keepdim=True) + QUIET
        level = power.log()
        features = torch.cat([spectrum * torch.exp(level * ((COMPRESSION - 1) / 2)), level * 0.1], -1)
        parts, first = [], 0
        for lines, (bins, count) in zip(self.enter, ZONES, strict=True):
            parts.append(lines(features[:, :, first : first + bins * count].reshape(batch, time, count, FEATURES * bins)))
            first += bins * count
        x = torch.cat(parts, 2)
        after = []
        for block, before in zip(self.blocks, state.unbind(0), strict=True):
            x, last = block(x, before)
            after.append(last)
        x = self.norm(x)
        filters, first = [], 0
        for lines, (bins, count), numbers in zip(self.leave, ZONES, NUMBERS, strict=True):
            part = lines(x[:, :, first : first + count]).reshape(batch, time, bins * count, numbers)
            filters.append(functional.pad(part, (2, 2)) if numbers == 2 else part)
            first += count
        filters.append(filters[-1][:, :, -1:])
        return torch.cat(filters, 2), self.speech(x.mean(2)).squeeze(-1), torch.stack(after)


def keeping(network: Bands, share: float) -> Bands:
    """A copy of the network that gives so much (0–1) of what it was given, and the rest of what it would give."""
    copied = copy.deepcopy(network)
    with torch.no_grad():
        for lines, numbers in zip(copied.leave, NUMBERS, strict=True):
            assert isinstance(lines, Lines)
            lines.weight.mul_(1 - share)
            lines.bias.mul_(1 - share)
            lines.bias.view(-1, numbers)[:, numbers // 3] += share
    return copied


def released(network: Bands, share: float) -> Bands:
    """The network that `keeping` made this one of."""
    copied = copy.deepcopy(network)
    with torch.no_grad():
        for lines, numbers in zip(copied.leave, NUMBERS, strict=True):
            assert isinstance(lines, Lines)
            lines.bias.view(-1, numbers)[:, numbers // 3] -= share
            lines.bias.div_(1 - share)
            lines.weight.div_(1 - share)
    return copied


class Lines(nn.Module):
    """A linear layer for each band: B×T×`count`×`before` to B×T×`count`×`after`."""

    def __init__(self, count: int, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, before, after).uniform_(-1, 1) * (3 / before) ** 0.5 * 0.7)
        self.bias = nn.Parameter(torch.zeros(count, 1, after))

    def forward(self, x: Tensor) -> Tensor:
        batch, time, count, before = x.shape
        result = x.permute(2, 0, 1, 3).reshape(count, batch * time, before) @ self.weight + self.bias
        return result.reshape(count, batch, time, -1).permute(1, 2, 0, 3)


class Block(nn.Module):
    """B×T×bands×`width` to the same: what has been, by band, then what is, across bands; each added to what came in."""

    def __init__(self, width: int, across: int) -> None:
        super().__init__()
        self.time_norm = nn.LayerNorm(width)
        self.time = nn.GRU(width, width, batch_first=True)
        self.time_out = nn.Linear(width, width)
        self.band_norm = nn.LayerNorm(width)
        self.bands = nn.GRU(width, across, batch_first=True, bidirectional=True)
        self.band_out = nn.Linear(2 * across, width)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        batch, time, bands, width = x.shape
        series = self.time_norm(x).transpose(1, 2).reshape(batch * bands, time, width)
        series, last = self.time(series, state.reshape(1, batch * bands, width))
        x = x + self.time_out(series).reshape(batch, bands, time, width).transpose(1, 2)
        across, _ = self.bands(self.band_norm(x).reshape(batch * time, bands, width))
        x = x + self.band_out(across).reshape(batch, time, bands, width)
        return x, last.reshape(batch, bands, width)


NETWORKS: dict[str, type[Bands]] = {"bands": Bands}


def build(name: str, args: dict[str, Any]) -> Bands:
    """The network with that name, with fresh weights. Raises RecipeError for an unknown one or arguments that it does not take."""
    if name not in NETWORKS:
        raise RecipeError(f"network {name!r} is not known for sound; choose one of {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**args)
    except TypeError as error:
        raise RecipeError(f"network {name}: does not take these arguments ({error})") from error
