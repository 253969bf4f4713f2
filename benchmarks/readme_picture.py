"""The README's image: a photograph as its camera made it and a part of another, blurred, and what models make of them.

    python benchmarks/readme_picture.py docs/restored.png DEBIAN

DEBIAN is a folder that Debian's package of the first photograph is unpacked to, unless it is there. The photograph is Lukas Baubkus's
nuthatch (CC BY-SA 3.0), a 20-megapixel JPEG as a camera wrote it, with its noise; some feathers of it are shown. `photo` learns from it at
a fifth of its width, where the noise is gone, so the bird is not new to it; its noise is. There is no truth to measure it by: what was
taken away is shown. The second photograph no model has seen.
"""

import sys
from pathlib import Path

import numpy as np
import pyvips
from debian import unpacked
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

import burnish
from burnish.degradation import Degradation
from burnish.image import datasets
from burnish.image.score import scored
from burnish.model import file as model_file

PACKAGE, BIRD = "lomiri-wallpapers-20.04", "usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg"
BIRD_PART, EYE_PART = (1860, 2690, 150), (60, 100, 140)  # what is shown pixel by pixel: top, left, side
AMPLIFIED = 4  # times: what was taken away


def bird(debian: Path) -> dict[str, NDArray[np.uint8]]:
    """The photograph as its camera made it, restored by two models, and what the better one took away."""
    package = unpacked(PACKAGE, debian)
    if package is None:
        raise SystemExit(f"{PACKAGE} is not to be had: this needs apt-get and dpkg-deb")
    noisy: NDArray[np.uint8] = pyvips.Image.new_from_file(str(package / BIRD)).numpy()
    top, left, side = BIRD_PART
    noisy = noisy[top - side : top + 2 * side, left - side : left + 2 * side]  # with more around it than the models look at
    fast, better = (burnish.load(name).restore(noisy) for name in ("photo-fast", "photo"))
    taken = (128 + AMPLIFIED * (noisy.astype(int) - better)).clip(0, 255).astype(np.uint8)
    columns = {"As the camera made it": noisy, "photo-fast": fast, "photo": better, f"what photo took away, {AMPLIFIED}×": taken}
    return {label: image[side:-side, side:-side] for label, image in columns.items()}


def eye() -> dict[str, NDArray[np.uint8]]:
    """A photograph, blurred, and restored by two models, with the PSNR of all of it."""
    names = ("seed", "tiny-deblur")
    pictures = datasets.load("photos", "test").chosen([0])
    boards = scored([model_file.load(name) for name in names], pictures, Degradation.parse("blur:1.0+8bit"))
    first, second = (board.samples[0] for board in boards)
    columns = {
        "Original": first.original,
        f"Blurred by 1 pixel: {first.psnr_input:.1f} dB": first.degraded,
        f"{names[0]}: {first.psnr_model:.1f} dB": first.restored,
        f"{names[1]}: {second.psnr_model:.1f} dB": second.restored,
    }
    top, left, side = EYE_PART
    return {label: image[top : top + side, left : left + side] for label, image in columns.items()}


def show(axis: Axes, label: str, image: NDArray[np.uint8]) -> None:
    """One image with its label above, pixel by pixel."""
    axis.imshow(image, interpolation="nearest")
    axis.set_title(label, fontsize=12)
    axis.set_axis_off()


def main(out: Path, debian: Path) -> None:
    """Write both rows."""
    figure = Figure(figsize=(4 * 2.8, 6.1), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for axes, row in zip(figure.subplots(2, 4), (bird(debian), eye()), strict=True):
        for axis, (label, image) in zip(axes, row.items(), strict=True):
            show(axis, label, image)
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
