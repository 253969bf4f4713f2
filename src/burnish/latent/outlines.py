"""What small images show, in numbers that hardly change when a shape moves or bends a little: edges by direction and place, and colours.

Of two such descriptions the nearer one is of the more similar image far more often than of two sets of pixels: on handwriting, a stroke
that has moved by its own width shares no pixel with what it was. After Dalal and Triggs ("Histograms of oriented gradients", 2005).
"""

import numpy as np
from numpy.typing import NDArray

from burnish.latent.planes import Floats

SIDE, CELL = 32, 4  # pixels of an image and of a cell
DIRECTIONS = 8
COLOURS = 1.0  # how much colours weigh beside edges
VALUES = (SIDE // CELL) ** 2 * (DIRECTIONS + 3)


def described(thumbs: NDArray[np.uint8]) -> Floats:
    """N×32×32×C images of 8 bits as N×704 numbers."""
    images = thumbs.astype(np.float32) / 255
    return np.concatenate([_edges(images.mean(3)), COLOURS * _colours(images)], axis=1)


def _edges(grey: Floats) -> Floats:
    """How strong edges of each direction are in each cell: the root of their share of all, so that neither contrast nor one long edge
    decides."""
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across, down = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    strength = np.sqrt(across**2 + down**2) + 1e-6
    cosine, sine = (across**2 - down**2) / strength, 2 * across * down / strength  # of twice the angle: an edge has no front
    cells = np.empty((len(grey), DIRECTIONS, SIDE // CELL, SIDE // CELL), np.float32)
    for place in range(DIRECTIONS):
        angle = 2 * np.pi * place / DIRECTIONS
        along = np.maximum(cosine * np.float32(np.cos(angle)) + sine * np.float32(np.sin(angle)), 0)
        cells[:, place] = _pooled(along**2 / strength)
    flat = cells.reshape(len(grey), -1)
    return np.asarray(np.sqrt(flat / (flat.sum(1, keepdims=True) + 1e-3)))


def _colours(images: Floats) -> Floats:
    cells = np.stack([_pooled(images[..., channel]) for channel in range(images.shape[3])], axis=1)
    if images.shape[3] == 1:
        cells = np.repeat(cells, 3, axis=1)
    flat = cells.reshape(len(images), -1)
    return np.asarray(flat / np.float32(np.sqrt(flat.shape[1])))


def _pooled(planes: Floats) -> Floats:
    """N×32×32 planes as means over 4×4 pixels, each mixed with its neighbours': N×8×8."""
    means = planes.reshape(len(planes), SIDE // CELL, CELL, SIDE // CELL, CELL).mean((2, 4))
    for axis in (1, 2):
        wide = np.pad(means, [(0, 0) if place != axis else (1, 1) for place in range(3)], mode="edge")
        length = means.shape[axis]
        before, after = np.take(wide, range(length), axis), np.take(wide, range(2, length + 2), axis)
        means = (before + 2 * means + after) / 4
    return np.asarray(means, np.float32)
