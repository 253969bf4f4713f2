"""The page of `burnish map`: all images in one file that needs nothing else."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.files import write_text
from burnish.latent.map import SIDE, Placed, folders

TEMPLATE = Path(__file__).parent / "map.html"
ACROSS = 64  # thumbnails in a row of an atlas, and rows: a texture of 2048 pixels, which every device takes
QUALITY = 80


def write(path: Path, done: Placed, title: str) -> None:
    """Write the map as one HTML page, whole or not at all. Raises InputError when it cannot be written."""
    places = done.places - done.places.mean(0)
    spread = float(np.abs(places).max()) or 1.0
    data = {
        "title": title,
        "names": done.names,
        "folders": folders(done.names),
        "places": _packed((places / spread).astype("<f4")),
        "similar": _packed(done.similar.astype("<u4")),
        "neighbours": int(done.similar.shape[1]),
        "twins": done.twins,
        "side": SIDE,
        "across": ACROSS,
        "atlases": [_atlas(done.thumbs[first : first + ACROSS**2]) for first in range(0, len(done.thumbs), ACROSS**2)],
        "told": told(done),
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")  # nothing in a file's name ends the script
    write_text(path, TEMPLATE.read_text("utf-8").replace("/*DATA*/null", text))


def told(done: Placed) -> str:
    """How far the map can be trusted, in a sentence."""
    return f"Trustworthiness {done.trust:.3f}; principal components {done.pca_trust:.3f} (1: neighbours here are neighbours in truth)"


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _atlas(thumbs: NDArray[np.uint8]) -> str:
    """Up to 64×64 thumbnails as one JPEG, in a data URL."""
    import pyvips

    rows = -(-len(thumbs) // ACROSS)
    sheet = np.zeros((rows * ACROSS, SIDE, SIDE, 3), np.uint8)
    sheet[: len(thumbs)] = thumbs
    joined = sheet.reshape(rows, ACROSS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(rows * SIDE, ACROSS * SIDE, 3)
    image = pyvips.Image.new_from_array(np.ascontiguousarray(joined), interpretation="srgb")
    return f"data:image/jpeg;base64,{base64.b64encode(image.jpegsave_buffer(Q=QUALITY, subsample_mode='off')).decode()}"
