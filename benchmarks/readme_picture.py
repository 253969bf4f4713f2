"""The README's image: photographs that no model here has seen, degraded in two ways, and what models make of them.

python benchmarks/readme_picture.py docs/restored.png
"""

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from burnish.degradation import Degradation
from burnish.image import datasets
from burnish.image.score import scored
from burnish.model import file as model_file

# Which test photograph, the part of it shown pixel by pixel (top, left, side), how it is degraded, in what words, and the models.
ROWS = [
    (1, (95, 160, 190), "noise:25", "Noise of sigma 25", ("photo-fast", "photo")),
    (0, (60, 100, 140), "blur:1.0+8bit", "Blurred by 1 pixel", ("seed", "tiny-deblur")),
]


def main(out: Path) -> None:
    """Write Original / Degraded / two models a row, the whole photograph's PSNR above each."""
    figure = Figure(figsize=(4 * 2.8, 6.1), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (index, (top, left, side), spec, words, names) in zip(figure.subplots(2, 4), ROWS, strict=True):
        pictures = datasets.load("photos", "test").chosen([index])
        boards = scored([model_file.load(name) for name in names], pictures, Degradation.parse(spec))
        first, second = (board.samples[0] for board in boards)
        columns = {
            "Original": first.original,
            f"{words}: {first.psnr_input:.1f} dB": first.degraded,
            f"{names[0]}: {first.psnr_model:.1f} dB": first.restored,
            f"{names[1]}: {second.psnr_model:.1f} dB": second.restored,
        }
        for axis, (label, image) in zip(axes, columns.items(), strict=True):
            axis.imshow(image[top : top + side, left : left + side], interpolation="nearest")
            axis.set_title(label, fontsize=12)
            axis.set_axis_off()
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
