"""How well 32 to 256 numbers rebuild an image of 32×32 pixels: the network of the recipe `latent` beside PCA with as many numbers.

    python benchmarks/latent_reconstruction.py ARCHIVE OUT [--numbers 32 64 128 256] [--set KEY=VALUE ...]

ARCHIVE is the CIFAR-10 stand-in. Both learn from training batches 1 to 4, 40,000 images; both are measured on the first 1,017 images of
batch 5, which are lossless originals. PCA is also solved from the 4,068 lossless originals of batches 1 to 4 alone. PSNR is that of
values rounded to 8 bits, image by image, then averaged. Runs and models go to OUT, the figures to latent_reconstruction.json.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from numpy.typing import NDArray

import burnish
from burnish.image import cifar
from burnish.image.datasets import TERMS, PictureSet
from burnish.image.metrics import psnr
from burnish.training import export, loop, recipe
from burnish.training.image import networks, sources
from burnish.training.network import placed

LOSSLESS, BATCH, SIDE = 1017, 10_000, 32
RESULT = Path(__file__).parent / "latent_reconstruction.json"
Images = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--numbers", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--set", dest="changes", nargs="*", default=[])
    asked = parser.parse_args()
    warnings.simplefilter("ignore", cifar.DataWarning)
    images = cifar.load(asked.archive, "train").reshape(-1, BATCH, SIDE, SIDE, 3)
    learnt, lossless, truth = images[:4].reshape(-1, SIDE, SIDE, 3), images[:4, :LOSSLESS].reshape(-1, SIDE, SIDE, 3), images[4, :LOSSLESS]
    rivals = {"pca": components(learnt, max(asked.numbers)), "pca_of_lossless": components(lossless, max(asked.numbers))}
    rows: dict[str, Any] = json.loads(RESULT.read_text("utf-8"))["numbers"] if RESULT.exists() else {}
    for numbers in asked.numbers:
        began = time.process_time()
        model, epochs = trained(learnt, numbers, recipe.parsed(asked.changes), asked.out / f"latent-{numbers}")
        seconds = round(time.process_time() - began)
        rows[str(numbers)] = {
            "network": score(model.decode(model.encode(truth)), truth),
            **{name: score(rebuilt(truth, *found, numbers), truth) for name, found in rivals.items()},
            "parameters": model.card.parameters,
            "epochs": epochs,
            "cpu_seconds": seconds,
        }
        ordered = {key: rows[key] for key in sorted(rows, key=int)}
        common.write("latent_reconstruction", {"images": len(truth), "numbers": ordered})


def trained(images: Images, numbers: int, changes: dict[str, Any], folder: Path) -> tuple[Any, int]:
    """The model that the recipe, with `changes`, makes of these images, and after how many epochs; it goes on where `folder` has got to."""
    settled = {"network_args": {"numbers": numbers}, "precision": "fp32", "threads": 1}
    plan = recipe.load("latent", settled | changes)
    pictures = PictureSet("cifar-training", images, [str(index) for index in range(len(images))], TERMS["cifar10"])
    source = sources.source(pictures, plan)
    torch.manual_seed(plan.seed)
    network = networks.build(plan.network, plan.network_args)
    if not (folder / loop.CHECKPOINT).exists():
        network.start(*source.epoch(1).batch(torch.arange(min(network.starts_from, len(source.epoch(1))))))
    folder.mkdir(parents=True, exist_ok=True)
    state = common.trained(network, source, plan, str(folder))
    network = placed(network, "cpu", torch.contiguous_format)
    told = {"name": f"latent-{numbers}", "summary": plan.summary, "degradation": plan.degradation}
    export.export(network, folder / "model.onnx", **told, recipe=plan.to_dict(), data=pictures.origin())
    return burnish.load(folder / "model.onnx"), len(state.history)


def components(images: Images, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and the first principal components (values × count), by subspace iteration until nothing moves that PSNR could show."""
    torch.manual_seed(0)
    values = torch.from_numpy(images.reshape(len(images), -1)).float() / 255
    mean = values.mean(0)
    values -= mean
    vectors = torch.pca_lowrank(values, count + 32, center=False, niter=4)[2]
    return mean.numpy(), vectors[:, :count].numpy()


def rebuilt(images: Images, mean: NDArray[np.float32], vectors: NDArray[np.float32], numbers: int) -> NDArray[np.float32]:
    """The images as so many components give them back."""
    values = images.reshape(len(images), -1).astype(np.float32) / 255 - mean
    kept = vectors[:, :numbers]
    result: NDArray[np.float32] = (values @ kept @ kept.T + mean).reshape(images.shape)
    return result


def score(given: NDArray[np.float32], truth: Images) -> float:
    """Mean PSNR in dB of values rounded to 8 bits."""
    rounded = np.rint(given.clip(0, 1) * 255) / 255
    return round(float(np.mean([psnr(a, b / 255) for a, b in zip(rounded, truth, strict=True)])), 2)


if __name__ == "__main__":
    sys.exit(main())
