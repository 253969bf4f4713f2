"""A folder's images in grey, as PNG: what grey denoising is scored on, with `--degrade noise:25g`.

python benchmarks/grey_pictures.py CBSD68 cbsd68-grey
"""

import sys
from pathlib import Path

import pyvips

from burnish.image import datasets


def main(folder: Path, out: Path) -> None:
    """Write each image's luma (ITU-R BT.601, as the field's grey test sets have it), rounded."""
    out.mkdir(parents=True, exist_ok=True)
    for file in datasets.pictures_in(folder):
        luma = pyvips.Image.new_from_file(str(file)).recomb([[0.299, 0.587, 0.114]]).rint().cast("uchar")
        luma.copy(interpretation="b-w").pngsave(str(out / f"{file.stem}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
