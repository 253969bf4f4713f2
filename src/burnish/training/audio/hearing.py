"""Losses after hearing: how much of speech can be understood, and how loud what is wrong is. They come from spectra alone."""

import math
from functools import cache

import torch
from torch import Tensor

from burnish.audio.frames import BINS, HOP, RATE

THIRDS, LOWEST_THIRD = 15, 150.0  # bands of a third of an octave, and the middle of the lowest in Hz
SEGMENT, APART = 24, 6  # frames (384 ms) over which STOI compares, and frames from one stretch to the next
WORST = 10 ** (15 / 20)  # a band counts as at most so many times too loud
SPEECH_LEVEL = 79.0  # dB of sound pressure at which speech is heard
LOUDNESS = 0.23  # Zwicker's exponent
BARKS = 42  # bands of hearing
TINY = 1e-8


def unlike(restored: Tensor, clean: Tensor) -> Tensor:
    """One less STOI (Taal et al., 2011) of spectra, B×T×257×2, without its resampling; where there is no speech does not count."""
    x, y = (_segments((each.square().sum(-1) @ _thirds()).add(TINY).sqrt()) for each in (restored, clean))  # B×S×bands×frames
    energy = y.square().sum(-1)
    counts = energy > 1e-6 * energy.sum(-1).amax(1)[:, None, None]
    x = x * (y.square().sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True)).sqrt()
    x = torch.minimum(x, (1 + WORST) * y)
    x, y = x - x.mean(-1, keepdim=True), y - y.mean(-1, keepdim=True)
    alike = (x * y).sum(-1) / (x.square().sum(-1) * y.square().sum(-1) + TINY).sqrt()
    return 1 - alike[counts].mean()


def disturbance(restored: Tensor, clean: Tensor) -> Tensor:
    """How loud what was added to or taken from spectra, B×T×257×2, is, after PESQ (ITU-T P.862): what was added counts more."""
    power = clean.square().sum(-1)
    speaks = power.sum(-1, keepdim=True) > 1e-3 * power.sum(-1).amax(1)[:, None, None]
    level = (power * speaks).sum((1, 2), keepdim=True) / speaks.sum((1, 2), keepdim=True)
    scale = 10 ** (SPEECH_LEVEL / 10) / level
    bands, quiet = _barks()
    x, y = (each.square().sum(-1) * scale @ bands for each in (restored, clean))
    loud_x, loud_y = (_loudness(each, quiet) for each in (x, y))
    apart = loud_x - loud_y
    heard = (apart.abs() - 0.25 * torch.minimum(loud_x, loud_y)).clamp(min=0)
    more = ((x.detach() + 50) / (y + 50)) ** 1.2
    more = torch.where(more < 3, 0.0, more.clamp(max=12))
    both = (heard.square().mean(-1) + TINY).sqrt()
    return (both + 0.3 * (heard * more).mean(-1)).mean()


def _loudness(power: Tensor, quiet: Tensor) -> Tensor:
    """Zwicker's loudness, in about sones, of the powers of bands beside their thresholds."""
    return 0.19 * (2 * quiet) ** LOUDNESS * ((0.5 + 0.5 * torch.maximum(power / quiet, torch.ones(()))) ** LOUDNESS - 1)


def _segments(levels: Tensor) -> Tensor:
    """B×T×bands as B×S×bands×24 overlapping stretches."""
    return levels.unfold(1, min(SEGMENT, levels.shape[1]), APART)


@cache
def _thirds() -> Tensor:
    """Which bins, 257, are in which third of an octave."""
    frequency = torch.arange(BINS) * (RATE / (2 * HOP))
    middles = LOWEST_THIRD * 2 ** (torch.arange(THIRDS) / 3)
    sixth = 2 ** (1 / 6)
    inside = (frequency[:, None] >= middles / sixth) & (frequency[:, None] < middles * sixth)
    return inside.float()


@cache
def _barks() -> tuple[Tensor, Tensor]:
    """Which bins are in which band of hearing (Traunmüller, 1990), and the powers that are just heard there (Terhardt, 1979)."""
    frequency = (torch.arange(BINS) * (RATE / (2 * HOP))).clamp(min=60)
    bark = 26.81 * frequency / (1960 + frequency) - 0.53
    place = ((bark - bark[0]) / (bark[-1] - bark[0]) * BARKS).long().clamp(max=BARKS - 1)
    bands = torch.nn.functional.one_hot(place, BARKS).float()
    bands = bands[:, bands.sum(0) > 0]
    kilo = (frequency[:, None] * bands).sum(0) / bands.sum(0) / 1000
    threshold = 3.64 * kilo**-0.8 - 6.5 * torch.exp(-0.6 * (kilo - 3.3) ** 2) + 1e-3 * kilo**4
    return bands, torch.exp(threshold * (math.log(10) / 10))
