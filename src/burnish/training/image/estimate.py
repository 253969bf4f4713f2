"""A scoreboard without originals: how near results are to images that nobody has seen clean, estimated from their noise.

Stein's unbiased risk estimate (1981), its divergence probed with one random direction (Ramani, Blu and Unser, 2008): for noise of known
variance v, independent between pixels and roughly Gaussian, the mean of |f(y) − y|² − v + 2 v ∂f/∂y is the mean squared error of f(y)
against the clean image. Where the noise is otherwise, the estimate is wrong; so it is taken where black and white are too far away to
have cut the noise off. In images that have hardly such a place it is a rough one: of f(y) as it would look with noise that is cut off.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from burnish.arrays import to_unit
from burnish.degradation import Chain, Degradation
from burnish.image import baselines, datasets, metrics
from burnish.image.baselines import Baseline
from burnish.image.datasets import PictureSet
from burnish.image.model import Model
from burnish.image.samples import Sample
from burnish.image.score import METRICS, ImageBoard
from burnish.image.stages import blurred
from burnish.progress import Progress
from burnish.scoreboard.board import gained
from burnish.training.image.noise import AROUND, Noise, in_equal_channels

Floats = NDArray[np.float32]

PROBE = 0.1  # length of the random direction, in standard deviations of the noise
BEST = 0.001  # of the noise's variance: no estimate of an error is lower
CLIPPED, ENOUGH = 2.5, 0.05  # standard deviations from black and white that count; share of pixels there, under which all count


def scored(models: Sequence[Model], pictures: PictureSet, noise: Noise, seed: int, progress: Progress | None = None) -> list[ImageBoard]:
    """The models beside doing nothing and the classical filters on noisy images, by estimated PSNR; a scoreboard a model.

    The filters' settings are chosen on the embedded photographs with noise of that strength.
    """
    degradation = Degradation.parse(noise.spec)
    tuning = datasets.photos("train", pictures.channels)
    filters, _ = baselines.tune(tuning, degradation, seed, progress)
    filters = [each for each in filters if each.name != "wiener_oracle"]  # it has to be told what nobody knows here
    methods: dict[str, Callable[[Floats], Floats]] = {
        "input": lambda image: image,
        **{each.name: partial(_filtered, each) for each in filters},
    }
    rivals = {name: _psnr(method, pictures, noise, seed) for name, method in methods.items()}
    boards = []
    for model in models:
        psnr = {"input": rivals["input"], "model": _psnr(model.restore, pictures, noise, seed), **rivals}
        boards.append(
            ImageBoard(
                model=model.card.name,
                kind="image",
                items=len(pictures.images),
                degradation=degradation.spec,
                data=pictures.name,
                parameters=model.card.parameters,
                metrics=METRICS[:1],
                scores={METRICS[0].name: {name: float(each.mean()) for name, each in psnr.items()}},
                gained=gained(psnr["model"] - psnr["input"], seed),
                settings={each.name: each.setting for each in filters},
                skipped=pictures.skipped,
                samples=_samples(model, pictures, psnr),
                estimated=True,
            )
        )
    return boards


def _psnr(method: Callable[[Floats], Floats], pictures: PictureSet, noise: Noise, seed: int) -> NDArray[np.float64]:
    """The estimated PSNR of each image, in dB."""
    noisy = [to_unit(image) for image in pictures.images]
    return np.array([-10 * np.log10(risk(method, image, noise, seed)) for image in noisy])


def _filtered(filtered: Baseline, image: Floats) -> Floats:
    restored: Floats = filtered.restore(image[None], [Chain(())])[0]
    return restored


def risk(method: Callable[[Floats], Floats], noisy: Floats, noise: Noise, seed: int) -> float:
    """The mean squared error of `method(noisy)` against the clean image, estimated; H×W×C on 0–1."""
    variance = noise.variance(noisy)
    probe = in_equal_channels(noisy, np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), noisy.shape))
    step = np.float32(max(PROBE * float(np.sqrt(variance.mean())), 1e-4))
    brightness, margin = blurred(noisy, AROUND), CLIPPED * np.sqrt(variance)
    whole = (brightness > margin) & (brightness < 1 - margin)
    is_rough = whole.mean() < ENOUGH

    def compared(image: Floats) -> NDArray[np.float64]:
        restored = method(image).astype(np.float64)
        return noise.seen(torch.from_numpy(restored)).numpy() if is_rough else restored

    restored = compared(noisy)
    divergence = probe * (compared(noisy + step * probe) - restored) / step
    error = (restored - noisy) ** 2 - variance + 2 * variance * divergence
    if not is_rough:
        error, variance = error[whole], variance[whole]
    return max(float(error.mean()), BEST * float(variance.mean()), 1e-10)


def _samples(model: Model, pictures: PictureSet, psnr: dict[str, NDArray[np.float64]]) -> tuple[Sample, ...]:
    """The images with the least, the middling and the most gain; there is no original to show."""
    order = np.argsort(psnr["model"] - psnr["input"], kind="stable").tolist()
    places = {"worst": order[0], "middle": order[len(order) // 2], "best": order[-1]}

    def shown(image: Floats) -> NDArray[np.uint8]:
        return np.rint(metrics.quantise(image) * 255).astype(np.uint8)

    return tuple(
        Sample(
            pictures.names[index],
            kind,  # type: ignore[arg-type]
            None,
            shown(to_unit(pictures.images[index])),
            shown(model.restore(to_unit(pictures.images[index]))),
            float(psnr["input"][index]),
            float(psnr["model"][index]),
        )
        for kind, index in places.items()
        if list(places.values()).index(index) == list(places).index(kind)
    )
