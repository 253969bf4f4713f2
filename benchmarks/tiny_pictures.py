"""The images that the tiny models learn from and are chosen on: 32×32, never compressed or shrunk until no trace of it is left.

    python benchmarks/tiny_pictures.py ARCHIVE PHOTOGRAPHS OUT

ARCHIVE is the CIFAR-10 stand-in, in which the first 1,017 images of each training batch are the lossless originals; PHOTOGRAPHS a folder,
such as BSDS500's training images, here shrunk by 3 and by 4. OUT/tiny-train gets batches 1 to 4 and the photographs' 32×32 tiles,
OUT/tiny-validation batch 5. With another archive than the stand-in every image may have been compressed: then this is not what it says.
"""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from burnish.image import cifar, datasets

LOSSLESS, BATCH, SIDE = 1017, 10_000, 32
TERMS = "CIFAR-10 (Krizhevsky 2009), free for research, and BSDS500, for non-commercial research and education"


def main(archive: Path, photographs: Path, out: Path) -> None:
    """Write both folders as PNG files."""
    warnings.simplefilter("ignore", cifar.DataWarning)
    images = cifar.load(archive, "train").reshape(-1, BATCH, SIDE, SIDE, 3)[:, :LOSSLESS]
    write(out / "tiny-train", "cifar", images[:4].reshape(-1, SIDE, SIDE, 3))
    write(out / "tiny-validation", "cifar", images[4])
    (out / "tiny-train" / datasets.TERMS_FILE).write_text(TERMS, "utf-8")
    for file in datasets.pictures_in(photographs):
        write(out / "tiny-train", file.stem, tiles(datasets.read(file)))


def tiles(photograph: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The whole 32×32 squares of the photograph shrunk by 3 and by 4."""
    for factor in (3, 4):
        small = pyvips.Image.new_from_array(photograph).shrink(factor, factor).numpy()
        for y in range(0, small.shape[0] - SIDE + 1, SIDE):
            for x in range(0, small.shape[1] - SIDE + 1, SIDE):
                yield small[y : y + SIDE, x : x + SIDE]


def write(folder: Path, name: str, images: Iterator[NDArray[np.uint8]] | NDArray[np.uint8]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        pyvips.Image.new_from_array(image).pngsave(str(folder / f"{name}-{index:04d}.png"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
