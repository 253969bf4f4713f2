"""The folder that the shipped `deblur` learns from: photographs as sharp as they get, each once more a little softer, and drawn graphics.

    python benchmarks/deblur_pictures.py PHOTO_PICTURES OUT

PHOTO_PICTURES is the folder that photo_pictures.py makes. Its soft copies are left out: they are too soft to sharpen towards. With nothing
but sharp ones a network takes every image that is a little soft by nature for one out of focus; so each photograph is added a second
time, enlarged by 1.15 to 1.6 and cut to the size that it had.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pyvips

SEED, ENLARGED, KERNELS = 11, (1.15, 1.6), ("cubic", "mitchell", "lanczos3")
BESIDE = ("MANIFEST.csv", "TERMS.txt")


def main(source: Path, out: Path) -> None:
    """Write the folder."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    for file in sorted(source.iterdir()):
        if file.name.startswith("soft_"):
            continue
        shutil.copyfile(file, out / file.name)
        if file.name in BESIDE or file.name.startswith("drawn_"):
            continue
        picture = pyvips.Image.new_from_file(str(file))
        large = picture.resize(rng.uniform(*ENLARGED), kernel=str(rng.choice(KERNELS)))
        left, top = (int(rng.integers(0, room + 1)) for room in (large.width - picture.width, large.height - picture.height))
        large.crop(left, top, picture.width, picture.height).pngsave(str(out / f"softer_{file.stem}.png"), compression=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
