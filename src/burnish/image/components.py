"""Principal components: what a model with a bottleneck has to beat, with as many numbers for an image, or for each patch of it.

A model whose input is the truth, or as good as that, can never come nearer to it than its input does. What tells whether its latent is
worth anything is how near the plain method comes that everyone should try first (Pearson 1901), learnt from other images than are scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import evenly, to_unit
from burnish.errors import InputError
from burnish.image.baselines import Baseline, Batch
from burnish.image.tiling import padded
from burnish.wording import counted

if TYPE_CHECKING:
    from burnish.degradation import Chain, Degradation
    from burnish.image.datasets import PictureSet
    from burnish.image.model import Model

LEARNT = 20_000  # images, or patches, that components are learnt from, at most
ROUNDS, SPARE = 5, 16  # of subspace iteration, and directions beyond those that are kept


@dataclass(frozen=True)
class Latent:
    """How many `numbers` a model has for each square of `side` pixels; `is_whole`: the square is the image."""

    numbers: int
    side: int
    is_whole: bool
    channels: int

    @property
    def kept(self) -> str:
        """In words, what there are so many numbers for."""
        return f"{self.numbers} numbers for " + ("an image" if self.is_whole else f"each {self.side}×{self.side} pixels")


def rebuilds(model: Model, degradation: Degradation) -> bool:
    """Whether the model is to be judged by how well it rebuilds what it is given: it was made for that, and nothing is taken away now."""
    return model.only_rebuilds and degradation.takes_nothing


def latent_of(model: Model) -> Latent:
    """What latents the model has. A grid of vectors has one for each square of pixels, as large as the image is wider than the grid."""
    size, channels = model.card.input_size, model.card.channels
    height, width = size or (4 * model.card.multiple_of,) * 2
    latent = model.encode(np.zeros((height, width, channels), np.float32))
    whole = latent.ndim == 1
    return Latent(len(latent), max(height, width) if whole else height // latent.shape[1], whole, channels)


def fitted(model: Model, learnt: PictureSet) -> Baseline | str:
    """PCA with as many numbers as the model's latent has, learnt from the images given; or why it is not applicable."""
    latent = latent_of(model)
    patches, images = _patches(learnt, latent, model.card.input_size)
    if len(patches) <= latent.numbers:
        nouns = "images" if latent.is_whole else "patches"
        return f"PCA needs more than {latent.numbers} {nouns} to learn from, here are {len(patches)}"
    mean, components = _solved(patches, latent.numbers)

    def restore(batch: Batch, _chains: Sequence[Chain]) -> Batch:
        return np.stack([_rebuilt(picture, latent, mean, components) for picture in batch])

    source = counted(images, "image") if latent.is_whole else f"{len(patches):,} patches of {counted(images, 'image')}"
    return Baseline("pca", f"{latent.kept}, learnt from {source}", restore)


def _patches(learnt: PictureSet, latent: Latent, size: Sequence[int] | None) -> tuple[NDArray[np.float32], int]:
    """Patches × values, evenly spread over images evenly spread over the set, at most LEARNT; and how many images they are of."""
    fitting = [i for i, shape in enumerate(learnt.shapes) if size is None or list(shape[:2]) == list(size)]
    places = [fitting[i] for i in evenly(len(fitting), LEARNT)] if fitting else []
    share = -(-LEARNT // max(1, len(places)))
    found: list[NDArray[np.float32]] = []
    for place in places:
        try:
            picture = to_unit(learnt.images[place])
        except InputError:  # it is named when its turn comes
            continue
        whole = [length // latent.side * latent.side for length in picture.shape[:2]]
        squares = picture.reshape(1, -1) if latent.is_whole else _cut(picture[: whole[0], : whole[1]], latent.side)
        found.append(squares[evenly(len(squares), min(share, len(squares)))] if len(squares) else squares)
    used = [squares for squares in found if len(squares)]
    return (np.concatenate(used), len(used)) if used else (np.empty((0, 1), np.float32), 0)


def _cut(picture: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The squares of an H×W×C image whose sides are multiples of `side`, row by row: squares × values."""
    height, width, channels = picture.shape
    squares = picture.reshape(height // side, side, width // side, side, channels).swapaxes(1, 2)
    return squares.reshape(-1, side * side * channels)


def _solved(patches: NDArray[np.float32], numbers: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Their mean, and their first principal components (values × numbers), by subspace iteration (Halko, Martinsson, Tropp 2011)."""
    mean = patches.mean(axis=0)
    centred = patches - mean
    width = min(numbers + SPARE, *centred.shape)
    basis = np.random.default_rng(0).normal(size=(centred.shape[1], width)).astype(np.float32)
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, _, turned = np.linalg.svd(centred @ basis, full_matrices=False)
    return mean, np.ascontiguousarray((basis @ turned.T)[:, :numbers])


def _rebuilt(picture: NDArray[Any], latent: Latent, mean: NDArray[np.float32], components: NDArray[np.float32]) -> NDArray[np.float32]:
    """An H×W×C image as its components give it back."""
    if latent.is_whole:
        values = picture.reshape(1, -1) - mean
        return (values @ components @ components.T + mean).reshape(picture.shape).astype(np.float32)
    side = latent.side
    planes = padded(np.ascontiguousarray(picture.transpose(2, 0, 1)), side)
    channels, height, width = planes.shape
    values = _cut(np.ascontiguousarray(planes.transpose(1, 2, 0)), side) - mean
    squares = (values @ components @ components.T + mean).reshape(height // side, width // side, side, side, channels)
    whole = squares.swapaxes(1, 2).reshape(height, width, channels)[: picture.shape[0], : picture.shape[1]]
    return whole.astype(np.float32)
