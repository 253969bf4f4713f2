"""The images that the models `latent` and `patches` learn from: photographs and parts of them, squeezed to 32×32; squares as they are.

    python benchmarks/latent_pictures.py PHOTOGRAPHS OUT

PHOTOGRAPHS is a folder, such as the free photographs; every fourth of them, in the order of their names, is kept out and gives
OUT/latent-held-out, the others OUT/latent-pictures. Each photograph is taken whole, and in rectangles of many sizes, some mirrored. For
`patches` each gives four squares of 256 pixels, neither shrunk nor mirrored: OUT/latent-surfaces and OUT/surfaces-held-out.
"""

import sys
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from burnish.image import datasets
from burnish.image.datasets import resized

SIDE, SMALLEST = 32, 96  # pixels of a picture, and the smallest square's side
PARTS, HELD_OUT = 640, 40  # pictures of each photograph, and of each that is kept out
SURFACE, SURFACES = 256, 4  # pixels of a square for `patches`, and how many of each photograph


def main(photographs: Path, out: Path) -> None:
    """Write the four folders as PNG files."""
    files = sorted(datasets.pictures_in(photographs))
    terms = datasets.terms(photographs)
    for index, file in enumerate(files):
        held_out = index % 4 == 3
        folder = _made(out / ("latent-held-out" if held_out else "latent-pictures"), terms)
        surfaces = _made(out / ("surfaces-held-out" if held_out else "latent-surfaces"), terms)
        rng = np.random.default_rng(index)
        photograph = datasets.read(file)
        for place in range(HELD_OUT if held_out else PARTS):
            picture = part(photograph, rng, whole=place == 0)
            pyvips.Image.new_from_array(picture).pngsave(str(folder / f"{file.stem}-{place:03d}.png"))
        rng = np.random.default_rng((index, SURFACE))
        for place in range(SURFACES):
            top, left = (int(rng.integers(0, length - SURFACE + 1)) for length in photograph.shape[:2])
            square = np.ascontiguousarray(photograph[top : top + SURFACE, left : left + SURFACE])
            pyvips.Image.new_from_array(square).pngsave(str(surfaces / f"{file.stem}-{place}.png"))


def _made(folder: Path, terms: str) -> Path:
    """The folder, with the terms of what lies in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / datasets.TERMS_FILE).write_text(terms, "utf-8")
    return folder


def part(photograph: NDArray[np.uint8], rng: np.random.Generator, *, whole: bool) -> NDArray[np.uint8]:
    """A rectangle of the photograph at 32×32, half of the time mirrored; its sides are drawn, small ones as often as large ones."""
    height, width = photograph.shape[:2]
    side = np.exp(rng.uniform(np.log(SMALLEST), np.log(min(height, width))))
    stretch = np.exp(rng.uniform(-0.4, 0.4))
    rows, columns = (height, width) if whole else (min(height, int(side * stretch)), min(width, int(side / stretch)))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    small = resized(photograph[top : top + rows, left : left + columns], SIDE, SIDE)
    return np.ascontiguousarray(small[:, ::-1] if rng.random() < 0.5 else small)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
