"""What a network that restores sound is to be good at, as one number; and spectra and filters in torch."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from burnish.audio.frames import HOP, TAPS, window
from burnish.training.audio import hearing

COMPRESSION = 0.3
MISSED, UNLIKE, DISTURBANCE = 35.0, 16.0, 2.0  # speech that was taken away, what cannot be understood, and how loud what is wrong is
TINY = 1e-8
COMPLEX, MAGNITUDE, RATIO, PRESENCE = 30.0, 70.0, 1.0, 0.4  # how much each part counts, after GTCRN (Rong et al., 2024); the last is ours
HEARD = 1e-4  # a frame holds speech when its power is within 40 dB of the loudest


def spectra(samples: Tensor) -> Tensor:
    """Spectra of B×(n·256) samples at 16 kHz, B×(n + 1)×257×2, as burnish.audio.frames has them, silence before and after."""
    padded = functional.pad(samples, (HOP, HOP))
    frames = padded.unfold(-1, 2 * HOP, HOP) * torch.from_numpy(window(2 * HOP))
    result: Tensor = torch.view_as_real(torch.fft.rfft(frames))
    return result


def samples(spectrum: Tensor) -> Tensor:
    """The samples of B×T×257×2 spectra, (T − 1)·256 of them, the halves that stand alone at both ends left out."""
    pieces = torch.fft.irfft(torch.view_as_complex(spectrum.contiguous()), 2 * HOP) * torch.from_numpy(window(2 * HOP))
    result: Tensor = (pieces[:, 1:, :HOP] + pieces[:, :-1, HOP:]).flatten(1)
    return result


def filtered(spectrum: Tensor, filters: Tensor) -> Tensor:
    """What B×T×257×6 filters make of B×T×257×2 spectra: the first T − 1 frames, restored, since a filter gives the frame before its own."""
    time = spectrum.shape[1]
    before = functional.pad(spectrum, (0, 0, 0, 0, TAPS - 1, 0))
    real: Tensor | float = 0.0
    imaginary: Tensor | float = 0.0
    for tap in range(TAPS):
        x = before[:, TAPS - 1 - tap : TAPS - 1 - tap + time]
        a, b = filters[..., 2 * tap], filters[..., 2 * tap + 1]
        real = real + x[..., 0] * a - x[..., 1] * b
        imaginary = imaginary + x[..., 0] * b + x[..., 1] * a
    return torch.stack([real, imaginary], -1)[:, 1:]  # type: ignore[list-item]


def loss(restored: Tensor, clean: Tensor, truth: Tensor, presence: Tensor) -> Tensor:
    """The loss of restored spectra (B×T×257×2) beside the clean ones and the clean samples `truth`, and of the logits of speech (B×T).

    Compressed spectra, complex and in size, keep what is soft; the scale-invariant signal-to-distortion ratio keeps the waveform.
    """
    power, wanted = restored.square().sum(-1) + TINY, clean.square().sum(-1) + TINY
    size, size_wanted = power ** (COMPRESSION / 2), wanted ** (COMPRESSION / 2)
    apart = restored * (size / power.sqrt()).unsqueeze(-1) - clean * (size_wanted / wanted.sqrt()).unsqueeze(-1)
    total = COMPLEX * apart.square().sum(-1).mean() + MAGNITUDE * (size - size_wanted).square().mean()
    total = total + MISSED * (size_wanted - size).clamp(min=0).square().mean()
    voiced = truth.square().mean(-1) > 1e-7
    if voiced.any():
        total = total - RATIO / 10 * si_sdr(samples(restored)[voiced], truth[voiced, : (clean.shape[1] - 1) * HOP]).clamp(max=35).mean()
        total = total + UNLIKE * hearing.unlike(restored[voiced], clean[voiced])
        total = total + DISTURBANCE * hearing.disturbance(restored[voiced], clean[voiced])
    energy = clean.square().sum((-1, -2))
    speaks = (energy > HEARD * energy.amax(1, keepdim=True)) & (energy > 1e-2)
    return total + PRESENCE * functional.binary_cross_entropy_with_logits(presence, speaks.float())


def si_sdr(restored: Tensor, truth: Tensor) -> Tensor:
    """The scale-invariant signal-to-distortion ratio in dB of B×n samples (Le Roux et al., 2019)."""
    scale = (restored * truth).sum(-1, keepdim=True) / (truth.square().sum(-1, keepdim=True) + TINY)
    target = scale * truth
    ratio = (target.square().sum(-1) + TINY) / ((target - restored).square().sum(-1) + TINY)
    return 10 / math.log(10) * ratio.log()
