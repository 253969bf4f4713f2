"""Who is near whom: nearest neighbours by brute force, principal components, and how far a map can be trusted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.latent.planes import Floats

ROWS = 1 << 25  # values of a distance matrix held at a time


def nearest(points: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """The `count` nearest other points of each of N×F points, nearest first, and their squared distances; N×count."""
    total = len(points)
    lengths = np.square(points).sum(1)
    step = max(1, ROWS // max(1, total))
    places, distances = np.empty((total, count), np.int64), np.empty((total, count), np.float32)
    for first in range(0, total, step):
        part = points[first : first + step]
        gaps = np.maximum(np.square(part).sum(1)[:, None] + lengths - 2 * (part @ points.T), 0)
        gaps[np.arange(len(part)), np.arange(first, first + len(part))] = np.inf
        found = np.argpartition(gaps, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(gaps, found, 1), axis=1, kind="stable")
        found = np.take_along_axis(found, order, 1)
        places[first : first + step] = found
        distances[first : first + step] = np.take_along_axis(gaps, found, 1)
    return places, distances


@dataclass(frozen=True)
class Basis:
    """The first principal components of some points: `mean` (F) and `vectors` (F × count)."""

    mean: Floats
    vectors: Floats

    @staticmethod
    def of(points: Floats, count: int) -> "Basis":
        """Those of N×F points, found by iteration from chance directions (Halko, Martinsson and Tropp, 2011), always the same ones; each
        its sign fixed, and zeros where there are fewer than `count`."""
        mean = points.mean(0)
        points = points - mean
        wanted = min(count + 10, *points.shape)
        basis = np.random.default_rng(0).standard_normal((points.shape[1], wanted)).astype(np.float32)
        for _ in range(6):
            basis, _ = np.linalg.qr(points.T @ (points @ basis))
        _, _, turn = np.linalg.svd(points @ basis, full_matrices=False)
        vectors = (basis @ turn.T)[:, :count]
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])] + 1e-30)
        return Basis(mean, np.pad(vectors, ((0, 0), (0, count - vectors.shape[1]))).astype(np.float32))

    def of_each(self, points: Floats) -> Floats:
        """N×F points by their components, N×count."""
        result: Floats = ((points - self.mean) @ self.vectors).astype(np.float32)
        return result


def trustworthiness(points: Floats, places: Floats, count: int = 10, sample: int = 1000) -> float:
    """How far neighbours on the map are neighbours in truth: 1 when all are, 0.5 for places drawn by chance (Venna and Kaski, 2001).

    `points` are N×F, `places` N×2; asked of `sample` of them, evenly chosen. 1 where there are too few to tell.
    """
    total = len(points)
    if total < 3 * count:
        return 1.0
    chosen = np.unique(np.linspace(0, total - 1, min(sample, total)).astype(int))
    lengths = np.square(points).sum(1)
    near, _ = _nearest_of(places, chosen, count)
    penalty = 0.0
    for row, index in enumerate(chosen):
        gaps = lengths - 2 * (points @ points[index])
        gaps[index] = -np.inf
        ranks = (gaps[None, :] < gaps[near[row]][:, None]).sum(1)  # the point itself counts, so that the nearest has rank 1
        penalty += float(np.maximum(ranks - count, 0).sum())
    return 1 - 2 * penalty / (len(chosen) * count * (2 * total - 3 * count - 1))


def _nearest_of(points: Floats, chosen: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], Floats]:
    gaps = np.square(points[chosen]).sum(1)[:, None] + np.square(points).sum(1) - 2 * (points[chosen] @ points.T)
    gaps[np.arange(len(chosen)), chosen] = np.inf
    found = np.argpartition(gaps, count - 1, axis=1)[:, :count]
    return found, np.take_along_axis(gaps, found, 1)
