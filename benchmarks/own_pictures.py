"""Two folders of images such as people have, clean and noisy: scanned pages of text (8 bit, grey) and spots under a microscope.

    python benchmarks/own_pictures.py OUT                      makes OUT/pages and OUT/spots, each with clean/ and noisy/
    python benchmarks/own_pictures.py OUT --learn --minutes 5  then takes both through the three ways to learn, and draws OUT/own.png

Pages have the noise of a scanner, stronger where the paper is bright; spots are stacks of 16-bit TIFF that hold 12 bits, with photon noise.
Of each kind, one file is kept out of all learning, in kept/: own.png shows a part of it.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import burnish
from burnish.arrays import to_unit
from burnish.image import datasets, metrics

PAGES, PAGE = 16, (480, 640)  # width × height
STACKS, DEPTH, FIELD = 16, 3, 256
WORDS = __doc__.split()  # what stands on the pages

Floats = NDArray[np.float64]


def page(rng: np.random.Generator) -> Floats:
    """A page of text on 0–1, height × width: drawn twice as large and shrunk, so that its edges are a scanner's."""
    width, height = (2 * length for length in PAGE)
    sheet = Image.new("L", (width, height), 215)
    draw = ImageDraw.Draw(sheet)
    y = int(rng.integers(30, 90))
    while y < height - 60:
        size = int(rng.choice([22, 26, 26, 26, 44]))
        font = ImageFont.load_default(size)
        line, left = "", int(rng.choice([40, 40, 80]))
        while draw.textlength(line, font) < width - 260:
            line += str(rng.choice(WORDS)) + " "
        draw.text((left, y), line, fill=int(rng.integers(20, 70)), font=font)
        y += int(size * rng.uniform(1.2, 2.2))
    small: Floats = np.asarray(sheet.reduce(2), dtype=float) / 255
    return small


def scanned(clean: Floats, rng: np.random.Generator) -> Floats:
    """The page with a scanner's noise: about sigma 20 of 255 on white paper, 9 on black ink."""
    noisy: Floats = clean + np.sqrt(0.0012 + 0.0055 * clean) * rng.standard_normal(clean.shape)
    return noisy


def spots(rng: np.random.Generator) -> Floats:
    """A field of spots, in photons a pixel."""
    y, x = np.mgrid[:FIELD, :FIELD]
    field = 6 + 4 * np.exp(-((y - FIELD / 2) ** 2 + (x - FIELD / 2) ** 2) / (0.6 * FIELD) ** 2)
    for _ in range(int(rng.integers(40, 120))):
        top, left = rng.uniform(0, FIELD, 2)
        field += rng.uniform(10, 90) * np.exp(-((y - top) ** 2 + (x - left) ** 2) / (2 * rng.uniform(1.1, 2.6) ** 2))
    return field


def detected(photons: Floats, rng: np.random.Generator) -> Floats:
    """What a camera makes of them: photon noise, and a reading noise of two photons."""
    noisy: Floats = rng.poisson(photons) + rng.normal(0, 2, photons.shape)
    return noisy


def make(out: Path) -> None:
    """Both folders, with the first file of each kept apart."""
    for index in range(PAGES + 1):
        rng = np.random.default_rng([1, index])
        clean = page(rng)
        for state, values in (("clean", clean), ("noisy", scanned(clean, rng))):
            target = place(out / "pages", state, index) / f"page{index:02d}.png"
            pyvips.Image.new_from_array(np.rint(values.clip(0, 1) * 255).astype(np.uint8)).write_to_file(str(target))
    for index in range(STACKS + 1):
        rng = np.random.default_rng([2, index])
        fields = [spots(rng) for _ in range(DEPTH)]
        for state, stack in (("clean", fields), ("noisy", [detected(field, rng) for field in fields])):
            counts = np.rint(np.concatenate(stack) * 20 + 100).clip(0, 4095).astype(np.uint16)  # 20 counts a photon, 100 without light
            image = pyvips.Image.new_from_array(counts, interpretation="grey16").copy()
            image.set_type(pyvips.GValue.gint_type, "page-height", FIELD)
            image.write_to_file(str(place(out / "spots", state, index) / f"stack{index:02d}.tif"))


def place(kind: Path, state: str, index: int) -> Path:
    """Where a file goes: the first one apart from those to learn from."""
    folder = kind / "kept" / state if index == 0 else kind / state
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def learn(out: Path, minutes: float) -> None:
    """The three ways on both kinds, each by the command that stands in docs/train.md."""
    for kind, degradation in (("pages", "noise:5-30+8bit"), ("spots", "poisson:30-200")):
        folder = out / kind
        ways = {
            "clean": ["--data", folder / "clean", "--set", f"degradation={degradation}"],
            "pairs": ["--data", folder / "noisy", "--clean", folder / "clean"],
            "noisy-only": ["--data", folder / "noisy", "--noisy-only"],
        }
        for way, arguments in ways.items():
            command = [sys.executable, "-m", "burnish", "train", *arguments, "--max-minutes", minutes, "--out", out / f"{kind}-{way}"]
            subprocess.run([str(each) for each in command], check=True)
    draw(out, list(ways))


def draw(out: Path, ways: list[str]) -> None:
    """A row for each kind: noisy, restored by each model, clean; with PSNR over the whole image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.2), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(ways) + 2)
    for row, (kind, top, white) in zip(axes, (("pages", 240, 1.0), ("spots", 60, 0.5)), strict=True):
        noisy, clean = (datasets.load(out / kind / "kept" / state, "test", channels=None).images[0] for state in ("noisy", "clean"))
        columns = [
            ("noisy", noisy),
            *((f"learnt from {way}", burnish.load(out / f"{kind}-{way}" / "model.onnx").restore(noisy)) for way in ways),
            ("the truth", clean),
        ]
        for axis, (label, image) in zip(row, columns, strict=True):
            values, truth = (to_unit(each) for each in (image, clean))
            told = "" if image is clean else f"  {metrics.psnr(values, truth):.1f} dB"
            axis.imshow(values[top : top + 128, 60:188, 0], cmap="gray", vmin=0, vmax=white, interpolation="nearest")
            axis.set_title(f"{label}{told}", fontsize=10)
            axis.set_axis_off()
    figure.savefig(out / "own.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--minutes", type=float, default=5.0)
    arguments = parser.parse_args()
    make(arguments.out)
    if arguments.learn:
        learn(arguments.out, arguments.minutes)


if __name__ == "__main__":
    main()
