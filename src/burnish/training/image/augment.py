"""Augmented copies of images, and a validation split that keeps an image and its copy on one side."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

ROTATION = 30.0  # degrees, counter-clockwise


def rotate(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """N×H×W×C uint8 images rotated counter-clockwise by 30° about their centre: bilinear, black corners, same shape."""
    n, height, width, channels = images.shape
    if n == 0:
        return images
    cos, sin = math.cos(math.radians(ROTATION)), math.sin(math.radians(ROTATION))
    # Rows map output to input coordinates, both in units of half the image: hence the aspect ratio off the diagonal.
    matrix = torch.tensor([[cos, -sin * height / width, 0.0], [sin * width / height, cos, 0.0]])
    grid = functional.affine_grid(matrix.expand(n, 2, 3), [n, channels, height, width], align_corners=False)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    turned = functional.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return turned.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def copies(images: NDArray[np.uint8], share: float, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Copies of round(share × N) distinct images of N×H×W×C: a third flipped left-right, a third upside-down, a third rotated.

    Returns the copies and the index of each one's original. `share` is 0–1.
    """
    origins = rng.permutation(len(images))[: round(share * len(images))].astype(np.int64)
    left_right, upside_down, turned = np.array_split(origins, 3)
    parts = [images[left_right, :, ::-1], images[upside_down, ::-1], rotate(images[turned])]
    return np.concatenate(parts), origins


def symmetric(images: Tensor, which: int) -> Tensor:
    """N×C×S×S images turned by quarters and mirrored: one of the square's eight symmetries, `which` 0–7 (0: as they are)."""
    turned = torch.rot90(images, which % 4, (2, 3))
    return turned.flip(3) if which >= 4 else turned


def split(count: int, origins: NDArray[np.int64], share: float, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of training and validation among `count` images followed by their copies (`origins` as `copies` gives them).

    The share of validation is the same among images with and without a copy, so that both sides hold as many copies for their size, and a
    copy stands on its original's side. A plain split of the tail would put copies of training images into validation.
    """
    alone = np.setdiff1d(np.arange(count), origins)
    validating = round(share * count)
    with_copy = min(round(share * len(origins)), validating)
    copied = rng.permutation(len(origins))[:with_copy]
    single = rng.permutation(alone)[: validating - with_copy]
    validation = np.concatenate([origins[copied], single, count + copied])
    training = np.setdiff1d(np.arange(count + len(origins)), validation)
    return training, validation
