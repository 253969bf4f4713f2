"""The images that the model `latent` learns from: photographs and parts of them, squeezed to 32×32.

    python benchmarks/latent_pictures.py PHOTOGRAPHS OUT

PHOTOGRAPHS is a folder, such as the free photographs; every fourth of them, in the order of their names, is kept out and gives
OUT/latent-held-out, the others OUT/latent-pictures. Each photograph is taken whole, and in rectangles of many sizes, some mirrored.
"""

import sys
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from burnish.image import datasets
from burnish.latent.encoding import resized

SIDE, PARTS, SMALLEST = 32, 60, 96  # pixels of a picture, how many of each photograph, and the smallest square's side


def main(photographs: Path, out: Path) -> None:
    """Write both folders as PNG files."""
    files = sorted(datasets.pictures_in(photographs))
    terms = datasets.terms(photographs)
    for index, file in enumerate(files):
        held_out = index % 4 == 3
        folder = out / ("latent-held-out" if held_out else "latent-pictures")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / datasets.TERMS_FILE).write_text(terms, "utf-8")
        rng = np.random.default_rng(index)
        photograph = datasets.read(file)
        for place in range(4 if held_out else PARTS):
            picture = part(photograph, rng, whole=place == 0)
            pyvips.Image.new_from_array(picture).pngsave(str(folder / f"{file.stem}-{place:03d}.png"))


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
