"""Which images look alike, so that an image and its near-duplicate never stand on two sides of a split."""

import re

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.image.folder import Entry, Files, Picture

SIDE = 32  # pixels of the small copies that are compared
BROAD = 9  # pixels over which what is taken off them is averaged: pages share their margins, microscopes their vignette
ALIKE = 0.8  # correlation from which two images are taken for one; those of BSDS500 stay under 0.46
FLAT = 0.5  # contrast, of 255, under which a small copy shows nothing: all such are alike
COMPARED = 5000  # images at most: beyond, only the pages of one file are kept together


def split(pictures: PictureSet, share: float, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Indices of training and held-out images: about `share` of them, at least one, by whole files, with all that look like them.

    Never more than half are held out. Raises InputError when all are of one file or look alike.
    """
    groups = grouped(pictures)
    count, sizes = len(groups), np.bincount(groups)
    if np.count_nonzero(sizes) < 2:
        alike = f"all {count:,} images are of one file or look alike" if count > 1 else "holds a single image"
        raise InputError(f"{pictures.name}: {alike}, so that none can be held out to score on; add images of something else")
    order = rng.permutation(count)
    wanted = max(1, round(share * count))
    chosen: set[int] = set()
    kept = 0
    for group in groups[order].tolist():
        if kept >= wanted:
            break
        if group not in chosen and kept + sizes[group] <= count / 2:
            chosen.add(group)
            kept += int(sizes[group])
    held = np.isin(groups[order], list(chosen))
    return order[~held].tolist(), order[held].tolist()


def grouped(pictures: PictureSet) -> NDArray[np.int64]:
    """The number of each image's group: the pages of one file, and images that look alike, and those that look like these."""
    files = [re.sub(r"(\.tiff?)#\d+$", r"\1", name, flags=re.IGNORECASE) for name in pictures.names]
    groups = np.unique(files, return_inverse=True)[1].astype(np.int64)
    if len(groups) > COMPARED:
        return groups
    features = np.stack([_feature(_small(pictures, index)) for index in range(len(groups))])
    for first, second in np.argwhere(np.triu(features @ features.T > ALIKE, 1)):
        groups[groups == groups[second]] = groups[first]
    return groups


def _feature(small: NDArray[np.float64]) -> NDArray[np.float32]:
    """What of a small copy is neither broad nor flat, as a vector of length 1: two of them multiply to their correlation."""
    padded = np.pad(small, BROAD // 2, mode="symmetric")
    broad = np.lib.stride_tricks.sliding_window_view(padded, (BROAD, BROAD)).mean(axis=(2, 3))
    detail = (small - broad).ravel().astype(np.float32)
    if detail.std() < FLAT:
        detail = np.ones_like(detail)
    unit: NDArray[np.float32] = detail / np.linalg.norm(detail)
    return unit


def _small(pictures: PictureSet, index: int) -> NDArray[np.float64]:
    """An image's small copy, on the 0–255 scale; of one that cannot be read, what is like no other."""
    images = pictures.images
    try:
        if isinstance(images, Files) and not images.entries[index].may_be_scaled:
            return _of_file(images.entries[index])
        return _shrunk(images[index])
    except InputError:
        return np.random.default_rng(list(pictures.names[index].encode())).normal(0, 255, (SIDE, SIDE))


def _shrunk(image: Picture) -> NDArray[np.float64]:
    """The grey mean of each of SIDE×SIDE blocks."""
    small: NDArray[np.float64] = image.mean(axis=2) * (255 / np.iinfo(image.dtype).max)
    for axis in (0, 1):
        edges = np.linspace(0, small.shape[axis], SIDE + 1).astype(int)
        shape = (-1, 1) if axis == 0 else (1, -1)
        small = np.add.reduceat(small, edges[:-1], axis=axis) / np.maximum(np.diff(edges), 1).reshape(shape)
    return small


def _of_file(entry: Entry) -> NDArray[np.float64]:
    """The same by the decoder's own shrinking, which takes all of 16 bits for white."""
    import pyvips

    try:
        small = pyvips.Image.thumbnail(str(entry.file), SIDE, height=SIDE, size="force").colourspace("b-w")
    except pyvips.Error as error:
        raise InputError(f"{entry.file}: cannot be read") from error
    pixels: NDArray[np.float64] = small[0].numpy().astype(np.float64)
    return pixels
