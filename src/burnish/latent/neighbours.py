"""Two torch-free views of what is normal: the nearest of remembered patches, and, as the rival that everyone should try first, PCA."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from burnish.arrays import evenly
from burnish.latent import surface
from burnish.latent.planes import Floats, smoothed

MEMORY = 1500  # patches remembered
POOL = 24_000  # patches that they are chosen from
QUERIES = 4096  # places compared at a time
RIDGE = 0.05  # added to the variances that are divided by
PATCH, COMPONENTS = 16, 16  # PCA's: pixels on a side, and how many components are kept
PCA_POOL = 20_000  # patches that it is made from


@dataclass(frozen=True)
class Neighbours:
    """Patches of normal images to compare with: `mean` and `turn` (F and F×F) make of a place's numbers uncorrelated ones of variance 1,
    `bank` (K×F) holds those of normal patches."""

    mean: Floats
    turn: Floats
    bank: Floats

    @staticmethod
    def learnt(images: Sequence[Floats], seed: int) -> "Neighbours":
        """What is remembered of normal images (H×W×C on 0–1): half the patches as they come, half of them the rarest there are.

        The rare ones are chosen farthest first (Gonzalez, 1985), as PatchCore's coreset is (Roth et al., 2022): each is the patch that
        lies farthest from all chosen so far.
        """
        rng = np.random.default_rng(seed)
        each = max(1, POOL // len(images))
        pools = []
        for image in images:
            numbers = surface.described(image)
            numbers = numbers.reshape(-1, numbers.shape[-1])
            pools.append(numbers[rng.choice(len(numbers), min(each, len(numbers)), replace=False)])
        pool = np.concatenate(pools)
        mean = pool.mean(0)
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(pool - mean, rowvar=False)))
        spread = np.float32(max(float(values.mean()), 1e-6))
        turn = (vectors / np.sqrt(np.maximum(values, 0) / spread + RIDGE) / np.sqrt(spread)).astype(np.float32)
        pool = ((pool - mean) @ turn).astype(np.float32)
        order = rng.permutation(len(pool))
        common = pool[order[: MEMORY // 2]]
        rare = _farthest(pool[order[MEMORY // 2 :]], common, MEMORY // 2)
        return Neighbours(mean.astype(np.float32), turn, np.concatenate([common, rare]))

    def distance(self, numbers: Floats) -> Floats:
        """How far each place of h×w×F numbers lies from the nearest normal patch, as the logarithm of the squared distance; h×w."""
        places = ((numbers - self.mean) @ self.turn).reshape(-1, self.bank.shape[1])
        lengths = np.square(self.bank).sum(1)
        turned = np.ascontiguousarray(-2 * self.bank.T)
        found = np.empty(len(places), np.float32)
        for first in range(0, len(places), QUERIES):
            part = places[first : first + QUERIES]
            gaps = part @ turned
            gaps += lengths
            found[first : first + QUERIES] = gaps.min(1) + np.square(part).sum(1)
        return np.asarray(np.log(np.maximum(found, 0) + 1).reshape(numbers.shape[:2]), np.float32)


def _farthest(pool: Floats, chosen: Floats, count: int) -> Floats:
    """`count` rows of the pool, each the farthest from `chosen` and from those taken before it; all of it where it holds no more."""
    if len(pool) <= count:
        return pool
    lengths = np.square(pool).sum(1)
    gaps = np.full(len(pool), np.inf, np.float32)
    for first in range(0, len(chosen), 256):
        part = chosen[first : first + 256]
        gaps = np.minimum(gaps, (np.square(part).sum(1)[:, None] - 2 * (part @ pool.T)).min(0) + lengths)
    taken = []
    for _ in range(count):
        place = int(gaps.argmax())
        taken.append(place)
        gaps = np.minimum(gaps, lengths - 2 * (pool @ pool[place]) + lengths[place])
    return pool[taken]


@dataclass(frozen=True)
class Components:
    """PCA on patches of 16×16 pixels: what it cannot rebuild from so many components is odd. The plain rival."""

    mean: Floats
    vectors: Floats

    @staticmethod
    def learnt(images: Sequence[Floats]) -> "Components":
        """The principal components of normal images' patches (H×W×C on 0–1, taken as grey)."""
        each = max(1, PCA_POOL // len(images))
        patches = []
        for image in images:
            windows = sliding_window_view(image.mean(2), (PATCH, PATCH))[:: PATCH // 2, :: PATCH // 2].reshape(-1, PATCH * PATCH)
            patches.append(windows[evenly(len(windows), each)])
        pool = np.concatenate(patches)
        mean = pool.mean(0)
        _, _, vectors = np.linalg.svd(np.cov(pool - mean, rowvar=False))
        return Components(mean.astype(np.float32), vectors[:COMPONENTS].astype(np.float32))

    def heat(self, image: Floats) -> Floats:
        """The mean squared error of the patch around each place, as its logarithm, at surface.STEP pixels."""
        grey = np.pad(image.mean(2), PATCH // 2, mode="symmetric")
        windows = sliding_window_view(grey, (PATCH, PATCH))[:: surface.STEP, :: surface.STEP]
        windows = windows[: image.shape[0] // surface.STEP, : image.shape[1] // surface.STEP].reshape(-1, PATCH * PATCH) - self.mean
        kept = windows @ self.vectors.T
        error = (np.square(windows).sum(1) - np.square(kept).sum(1)) / PATCH**2
        shape = image.shape[0] // surface.STEP, image.shape[1] // surface.STEP
        return smoothed(np.log(np.maximum(error, 0) + 1e-6).reshape(shape), 1.0)
