"""The classical baselines a model has to beat, each at its best setting chosen on other images.

Four of them are told nothing about the degradation: unsharp mask, Richardson–Lucy, total variation and non-local means. Each has a
small grid of settings, from next to nothing to strong, and the one with the highest mean PSNR on the tuning images is used.

The fifth is an oracle, told what no filter in the field knows: the blur and the noise of this very image. Its Wiener filter (Wiener
1949) works in the DCT-II domain, where a blur with edges reflected as d c b a | a b c d is a product (Martucci 1994). It is the best that
any linear filter of one channel can do, on average over images with the tuning images' mean power spectrum.

A batch is N×H×W×C float32 on the 0–1 scale, degraded exactly (values may lie outside the range); baselines return the same, unclipped.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import centre, evenly, to_unit
from burnish.cpus import available_cpus
from burnish.errors import InputError, MissingExtraError
from burnish.image import metrics

if TYPE_CHECKING:
    from burnish.degradation import Chain, Degradation
    from burnish.image.datasets import PictureSet
    from burnish.progress import Progress

Batch = NDArray[np.float32]
Filter = Callable[[Batch], Batch]

THREADS = 4  # at most: each holds an image's intermediate results
BATCH_PIXELS = 16 * 32 * 32  # small images of one size go through a baseline together up to this: few calls, and still in the cache
TUNING_PICTURES, TUNING_PIXELS, TUNING_SIDE = 32, 8 * 128 * 128, 128  # settings are chosen on this many images, cropped to this side
# The mean spectrum is taken over this many squares of at most this side. Small squares: many of them fit even into few photographs, and
# a mean over few squares is so rough that its filter does harm; the low frequencies they cannot tell apart are far above any noise.
SPECTRUM_SQUARES, SPECTRUM_SIDE = 4096, 32
TRANSFERABLE = {"blur", "noise", "8bit"}  # stages that are a transfer function plus independent noise


@dataclass(frozen=True)
class Baseline:
    """A baseline at its chosen setting. `restore(batch, chains)` takes the chain that degraded each image; only the oracle looks at it."""

    name: str
    setting: str
    restore: Callable[[Batch, Sequence[Chain]], Batch]


def tune(
    tuning: PictureSet, degradation: Degradation, seed: int = 0, progress: Progress | None = None
) -> tuple[list[Baseline], dict[str, str]]:
    """Every baseline that applies, at its best setting on the tuning images; and for each that does not, its name and why.

    Raises InputError when there is nothing to tune on and MissingExtraError without scikit-image.
    """
    _library("skimage.restoration")  # the refusal comes before any work
    if len(tuning.images) == 0:
        raise InputError(f"{tuning.name}: no image to choose the baselines' settings on; give other images, or evaluate without baselines")

    trials = _trials(tuning, degradation, seed)
    grids = _grids()
    total = sum(len(grid) for grid in grids.values())
    done = 0
    baselines: list[Baseline] = []
    with ThreadPoolExecutor(min(THREADS, available_cpus())) as pool:
        for name, grid in grids.items():
            scores = []
            for score in pool.map(lambda entry: _mean_psnr(entry[1], trials), grid):
                scores.append(score)
                done += 1
                if progress:
                    progress(done, total, f"tuning {name}")
            setting, function = grid[int(np.argmax(scores))]
            baselines.append(Baseline(name, setting, partial(_blindly, function)))

    if obstacle := _no_transfer_function(degradation):
        return baselines, {"wiener_oracle": obstacle}
    spectrum, squares = _mean_spectrum(tuning)
    told = f"told the true blur and noise; spectrum of {squares:,} squares of {len(spectrum)} pixels"
    return [Baseline("wiener_oracle", told, partial(wiener_oracle, spectrum=spectrum)), *baselines], {}


def _library(name: str) -> Any:
    """A module of the extra burnish[evaluate]; the one place that says so when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            "the classical baselines need scikit-image: pip install 'burnish[evaluate]', or evaluate without baselines (--no-baselines)"
        ) from error


def _blindly(function: Filter, batch: Batch, _chains: Sequence[Chain]) -> Batch:
    return function(batch)


def batch_size(picture: NDArray[Any]) -> int:
    """How many images of this one's size go through a baseline or model together: one when it is large."""
    return max(1, BATCH_PIXELS // int(picture.shape[0] * picture.shape[1]))


# --- The baselines that are told nothing ---


def unsharp(batch: Batch, radius: float, amount: float) -> Batch:
    """Unsharp mask: the image plus `amount` times what a Gaussian of sigma `radius` pixels takes from it."""
    unsharp_mask = _library("skimage.filters").unsharp_mask
    # channel_axis=2, never -1: with a negative axis scikit-image 0.26 returns memory it never wrote (its issue 7264).
    sharpened = [unsharp_mask(picture, radius, amount, preserve_range=True, channel_axis=2) for picture in batch]
    return np.stack(sharpened).astype(np.float32)


def richardson_lucy(batch: Batch, sigma: float, iterations: int) -> Batch:
    """Richardson–Lucy deconvolution (Richardson 1972, Lucy 1974) by a Gaussian of `sigma` pixels, edges reflected, negatives set to 0.

    All images and channels go through at once, as the planes of one volume with a kernel one deep.
    """
    count, height, width, channels = batch.shape
    reach = max(1, round(4 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (np.outer(taps, taps) / taps.sum() ** 2).astype(np.float32)[None]
    # scikit-image takes what lies outside as black, which creeps inwards over the iterations: a border of one reach costs 9 dB at
    # 100 iterations on small images, 2.5 are within 0.1 dB of 4.
    border = math.ceil(2.5 * reach)
    planes = np.moveaxis(batch.clip(0, None), 3, 1).reshape(count * channels, height, width)
    padded = np.pad(planes, ((0, 0), (border, border), (border, border)), mode="symmetric")
    # filter_epsilon: where the estimate has gone black, rounding would otherwise be divided by rounding.
    restored = _library("skimage.restoration").richardson_lucy(padded, kernel, num_iter=iterations, clip=False, filter_epsilon=1e-6)
    inner: Batch = restored[:, border : border + height, border : border + width]
    return np.moveaxis(inner.reshape(count, channels, height, width), 1, 3).astype(np.float32)


def total_variation(batch: Batch, weight: float) -> Batch:
    """Total-variation denoising (Rudin, Osher, Fatemi 1992) by Chambolle's projection (2004), per channel."""
    denoise = _library("skimage.restoration").denoise_tv_chambolle
    return np.stack([denoise(picture, weight=weight, channel_axis=-1) for picture in batch]).astype(np.float32)


def non_local_means(batch: Batch, sigma: float, strength: float) -> Batch:
    """Non-local means (Buades, Coll, Morel 2005), patches of 5 within 6 pixels; `sigma` on the 0–255 scale, h = `strength` × sigma."""
    denoise = _library("skimage.restoration").denoise_nl_means
    level = sigma / 255
    settings = {"patch_size": 5, "patch_distance": 6, "h": strength * level, "sigma": level, "fast_mode": True, "channel_axis": -1}
    # reshape: scikit-image drops axes that are one pixel long.
    return np.stack([denoise(picture, **settings).reshape(picture.shape) for picture in batch]).astype(np.float32)


def _grids() -> dict[str, list[tuple[str, Filter]]]:
    """Every setting to try, by baseline. Each grid begins with next to nothing, so that none does harm for want of a weak setting."""
    masks = [(1.0, 0.0), *((radius, amount) for radius in (0.7, 1.0, 1.5, 2.5) for amount in (0.3, 0.7, 1.5, 3.0, 6.0))]
    psfs = [(0.3, 1), *((sigma, n) for sigma in (0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0) for n in (1, 3, 10, 30, 100))]
    weights = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
    levels = [(0.5, 0.5), *((sigma, strength) for sigma in (2, 5, 10, 15, 25, 35, 50) for strength in (0.4, 0.6, 0.8, 1.0))]
    return {
        "unsharp": [(f"radius {r:g}, amount {a:g}", partial(unsharp, radius=r, amount=a)) for r, a in masks],
        "richardson_lucy": [
            (f"sigma {s:g}, {n} iteration{'s' * (n > 1)}", partial(richardson_lucy, sigma=s, iterations=n)) for s, n in psfs
        ],
        "total_variation": [(f"weight {w:g}", partial(total_variation, weight=w)) for w in weights],
        "non_local_means": [(f"sigma {s:g}, h {k:g} sigma", partial(non_local_means, sigma=s, strength=k)) for s, k in levels],
    }


# --- The oracle ---


def wiener_oracle(batch: Batch, chains: Sequence[Chain], spectrum: NDArray[np.float64]) -> Batch:
    """Each image through the Wiener filter of its own chain, per channel: H S / (H² S + V) with blur H, clean spectrum S, noise V.

    `spectrum` is side×side×C: the mean squared orthonormal DCT-II coefficients of clean images, over frequencies 0 to 1 of the
    sampling limit. For an image of another size it is interpolated at that image's frequencies.
    """
    fft = _library("scipy.fft")
    height, width = batch.shape[1:3]
    clean = _resample(spectrum, height, width)
    alike: dict[tuple[tuple[str, float | None], ...], list[int]] = {}
    for index, chain in enumerate(chains):
        alike.setdefault(tuple((stage.name, stage.value) for stage in chain.stages), []).append(index)
    restored = np.empty_like(batch)
    for stages, members in alike.items():
        transfer, noise = (plane[..., None] for plane in _transfer_and_noise(stages, height, width))
        wiener = transfer * clean / (transfer**2 * clean + noise)
        coefficients = fft.dctn(batch[members].astype(np.float64), axes=(1, 2), norm="ortho")
        restored[members] = fft.idctn(wiener * coefficients, axes=(1, 2), norm="ortho")
    return restored


def _transfer_and_noise(
    stages: Sequence[tuple[str, float | None]], height: int, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the stages, in their order, multiply each DCT coefficient by, and the variance of the noise they leave in it (H×W each)."""
    transfer = np.ones((height, width))
    # Float32's own rounding: without it a blur with no noise would be divided by nearly nothing.
    noise = np.full((height, width), float(np.finfo(np.float32).eps) ** 2)
    for name, value in stages:
        if name == "blur":
            blur = np.outer(_gaussian_transfer(value or 0.0, height), _gaussian_transfer(value or 0.0, width))
            transfer, noise = transfer * blur, noise * blur**2
        elif name == "noise":
            noise = noise + ((value or 0.0) / 255) ** 2
        else:  # 8bit: rounding to steps of 1/255
            noise = noise + 1 / 12 / 255**2
    return transfer, np.maximum(noise, float(np.finfo(np.float32).eps) ** 2)


def _gaussian_transfer(sigma: float, length: int) -> NDArray[np.float64]:
    """The DCT-II eigenvalues of a sampled Gaussian, support 6 sigma, on a reflected line: the cosine series of its taps."""
    if sigma == 0:
        return np.ones(length)
    offsets = np.arange(-int(6 * sigma + 0.5), int(6 * sigma + 0.5) + 1)
    taps = np.exp(-0.5 * (offsets / sigma) ** 2)
    series: NDArray[np.float64] = np.cos(np.pi * np.outer(np.arange(length), offsets) / length) @ (taps / taps.sum())
    return series


def _no_transfer_function(degradation: Degradation) -> str:
    """Why the oracle does not apply to this degradation; empty when it does."""
    if degradation.is_own:
        return "what degraded these images is not known"
    names = [stage.split(":")[0].strip() for stage in re.split(r"[+|]", degradation.spec)]
    odd = sorted(set(names) - TRANSFERABLE)
    return f"{' and '.join(odd)} {'have' if len(odd) > 1 else 'has'} no transfer function" if odd else ""


def _mean_spectrum(tuning: PictureSet) -> tuple[NDArray[np.float64], int]:
    """The mean squared DCT-II coefficients over squares of the clean tuning images (side×side×C), and how many squares there were.

    The side is the typical image's shorter one, at most 32: CIFAR's images enter whole, photographs as non-overlapping squares.
    """
    dctn = _library("scipy.fft").dctn
    candidates, shapes = evenly(len(tuning.images), SPECTRUM_SQUARES), tuning.shapes
    side = min(SPECTRUM_SIDE, int(np.median([min(shapes[i][:2]) for i in candidates])))
    share = -(-SPECTRUM_SQUARES // len(candidates))
    total, count = np.zeros((side, side, tuning.channels)), 0
    for picture in (tuning.images[i] for i in candidates):
        corners = [(y, x) for y in range(0, picture.shape[0] - side + 1, side) for x in range(0, picture.shape[1] - side + 1, side)]
        for y, x in (corners[i] for i in evenly(len(corners), share)):
            total += dctn(to_unit(picture[y : y + side, x : x + side]).astype(np.float64), axes=(0, 1), norm="ortho") ** 2
            count += 1
    return total / count, count


def _resample(spectrum: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """The spectrum at the DCT frequencies of an H×W image, its logarithm linearly interpolated. Power per coefficient keeps its scale."""
    logarithm = np.log(spectrum + 1e-12)
    for axis, length in enumerate((height, width)):
        side = spectrum.shape[axis]
        place = np.minimum(np.arange(length) * side / length, side - 1)
        below = place.astype(np.intp)
        above = np.minimum(below + 1, side - 1)
        part = np.expand_dims(place - below, axis=(1, 2) if axis == 0 else (0, 2))
        logarithm = logarithm.take(below, axis) * (1 - part) + logarithm.take(above, axis) * part
    return np.exp(logarithm)


# --- Choosing a setting ---


def _trials(tuning: PictureSet, degradation: Degradation, seed: int) -> list[tuple[Batch, Batch]]:
    """(clean, degraded) batches of tuning images, cut to their centre; images of one size share a batch. Raises InputError for none."""
    places, shapes = evenly(len(tuning.images), TUNING_PICTURES), tuning.shapes
    typical = int(np.median([min(shapes[i][0], TUNING_SIDE) * min(shapes[i][1], TUNING_SIDE) for i in places]))
    by_shape: dict[tuple[int, ...], list[tuple[Batch, Batch]]] = {}
    for index in (places[i] for i in evenly(len(places), max(1, TUNING_PIXELS // typical))):
        try:
            pair = _trial(tuning, index, degradation, seed)
        except InputError:  # it is named when its turn comes
            continue
        by_shape.setdefault(pair[0].shape, []).append(pair)
    if not by_shape:
        raise InputError(f"{tuning.name}: none of the images to choose the baselines' settings on can be read; give others")
    groups = [group[i : i + step] for group in by_shape.values() for step in (batch_size(group[0][0]),) for i in range(0, len(group), step)]
    return [(np.stack([clean for clean, _ in group]), np.stack([degraded for _, degraded in group])) for group in groups]


def _trial(tuning: PictureSet, index: int, degradation: Degradation, seed: int) -> tuple[Batch, Batch]:
    """The middle of an image, clean and degraded."""
    image = centre(tuning.images[index], TUNING_SIDE)
    if tuning.degraded is not None:
        return to_unit(image), to_unit(centre(tuning.degraded[index], TUNING_SIDE))
    degraded, clean = degradation.pair(image, seed)
    return clean, degraded


def _mean_psnr(function: Filter, trials: list[tuple[Batch, Batch]]) -> float:
    """The mean PSNR over the trials; minus infinity for a setting that gives values that are not numbers."""
    scores: list[float] = []
    for originals, degraded in trials:
        restored = function(degraded)
        if not np.isfinite(restored).all():
            return -math.inf
        scores += [metrics.psnr(metrics.quantise(one), metrics.quantise(clean)) for one, clean in zip(restored, originals, strict=True)]
    return float(np.mean(scores))
