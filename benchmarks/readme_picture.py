"""The README's picture: a photograph no model here has seen, blurred by one pixel, and what two models of one size make of it.

python benchmarks/readme_picture.py docs/restored.png
"""

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from burnish import data, model
from burnish.degrade import Degradation
from burnish.evaluate import evaluate

TOP, LEFT, SIDE = 60, 100, 140  # the part shown, pixel by pixel


def main(out: Path) -> None:
    """Write Original / Degraded / seed / tiny-deblur, the whole photograph's PSNR above each."""
    models = [model.load(name) for name in ("seed", "tiny-deblur")]
    boards = evaluate(models, data.load("photos", "test").first(1), Degradation.parse("blur:1.0+8bit"), tuning=None)
    seed, tiny = (board.samples[0] for board in boards)
    columns = {
        "Original": seed.original,
        f"Blurred by 1 pixel: {seed.psnr_input:.1f} dB": seed.degraded,
        f"seed: {seed.psnr_model:.1f} dB": seed.restored,
        f"tiny-deblur: {tiny.psnr_model:.1f} dB": tiny.restored,
    }
    figure = Figure(figsize=(4 * 2.8, 3.05), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for axis, (label, image) in zip(figure.subplots(1, 4), columns.items(), strict=True):
        axis.imshow(image[TOP : TOP + SIDE, LEFT : LEFT + SIDE], interpolation="nearest")
        axis.set_title(label, fontsize=12)
        axis.set_axis_off()
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
