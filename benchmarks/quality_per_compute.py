"""Quality against compute: CBSD68 at a noise of sigma 25, ours and the classical filters measured, the published networks beside them.

    python benchmarks/quality_per_compute.py CBSD68 PHOTOGRAPHS docs/quality.png

PHOTOGRAPHS, a folder of others (BSDS500's training images), is what the filters' settings are chosen on. Seconds a megapixel are measured
in turn, each on one CBSD68 image, RUNS times; the published networks' on their architecture with untrained weights in ONNX Runtime, as
ours are run, their PSNR is their papers'. The result goes to quality_per_compute.json and, drawn, to the image.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import numpy as np
import onnxruntime
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor, nn

from burnish.degradation import Degradation
from burnish.image import baselines, datasets
from burnish.image.score import scored
from burnish.model import file as model_file

RUNS = 5
DEGRADATION = Degradation.parse("noise:25")
OURS = ("photo-fast", "photo")
# PSNR on CBSD68 at sigma 25 from the papers, Zhang et al. 2017 and 2018 (DnCNN, FFDNet, and there CBM3D).
PUBLISHED = {"CDnCNN": 31.24, "FFDNet": 31.21}
CBM3D = 30.71


class DnCNN(nn.Module):
    """CDnCNN-B's layers: 20 of 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        inner = [layer for _ in range(18) for layer in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())]
        self.layers = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), *inner, nn.Conv2d(64, 3, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        return image - self.layers(image)


class FFDNet(nn.Module):
    """Colour FFDNet's layers: 12 of 96 channels on unshuffled pixels, and a map of the noise level."""

    def __init__(self) -> None:
        super().__init__()
        inner = [layer for _ in range(10) for layer in (nn.Conv2d(96, 96, 3, padding=1), nn.ReLU())]
        self.layers = nn.Sequential(nn.Conv2d(15, 96, 3, padding=1), nn.ReLU(), *inner, nn.Conv2d(96, 12, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        small = nn.functional.pixel_unshuffle(image, 2)
        return nn.functional.pixel_shuffle(self.layers(torch.cat([small, torch.full_like(small[:, :3], 25 / 255)], 1)), 2)


def main(cbsd68: str, photographs: str, chart: Path) -> None:
    """Score, time, write, draw."""
    pictures, tuning = datasets.load(cbsd68, "test"), datasets.load(photographs, "train")
    height, width = (length // 8 * 8 for length in pictures.shapes[0][:2])  # what all the networks take without padding
    noisy = DEGRADATION.apply(pictures.images[0])[:height, :width]
    chains = [DEGRADATION.draw(pictures.images[0])]
    planes = np.ascontiguousarray(noisy.transpose(2, 0, 1)[None])
    networks = {"CDnCNN": DnCNN(), "FFDNet": FFDNet()}
    published = {name: runner(network, planes) for name, network in networks.items()}
    models = [model_file.load(name) for name in OURS]
    boards = scored(models, pictures, DEGRADATION, tuning=[tuning])
    filters, _ = baselines.tune(tuning, DEGRADATION)

    timed: dict[str, Callable[[], Any]] = {each.card.name: lambda each=each: each.run(planes) for each in models}
    timed |= {each.name: lambda each=each: each.restore(noisy[None], chains) for each in filters}
    timed |= published
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(RUNS):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            seconds[name].append((time.perf_counter() - began) / (noisy.shape[0] * noisy.shape[1] / 1e6))

    psnr = {board.model: board.psnr["model"] for board in boards} | {each.name: boards[0].psnr[each.name] for each in filters} | PUBLISHED
    macs = {each.card.name: each.card.macs_per_pixel for each in models} | {
        "CDnCNN": count(networks["CDnCNN"]),
        "FFDNet": count(networks["FFDNet"]) / 4,
    }
    rows = {
        name: {
            "psnr_db": round(psnr[name], 2),
            "psnr_from": "its paper" if name in PUBLISHED else "measured here",
            "seconds_a_megapixel": common.spread(seconds[name], 3),
            "macs_a_pixel": round(macs[name]) if name in macs else None,
        }
        for name in timed
    }
    untouched = round(boards[0].psnr["input"], 2)
    common.write("quality_per_compute", {"pictures": len(pictures.images), "runs": RUNS, "untouched_db": untouched, "methods": rows})
    draw(rows, chart)


def runner(network: nn.Module, planes: np.ndarray) -> Callable[[], Any]:
    """The network in ONNX Runtime on as many threads as ours have."""
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(network.eval(), (torch.from_numpy(planes),), file.name, dynamo=True, external_data=False, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    return lambda: session.run(None, {entry.name: planes})


def count(network: nn.Module) -> int:
    """Multiply-adds for each place that the network's convolutions stand on."""
    return sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d))


def draw(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """Two scatter plots: PSNR against multiply-adds a pixel, and against seconds a megapixel."""
    figure = Figure(figsize=(10, 4.2), dpi=110, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    by_macs, by_seconds = figure.subplots(1, 2, sharey=True)
    for name, row in rows.items():
        if name == "unsharp":  # its best setting against noise is to do nothing
            continue
        above = name in OURS or name == "richardson_lucy"
        colour = "#c0392b" if name in OURS else "#2c3e50" if name in PUBLISHED else "#7f8c8d"
        for axis, x in ((by_macs, row["macs_a_pixel"]), (by_seconds, row["seconds_a_megapixel"]["median"])):
            if x is None:
                continue
            axis.plot(x, row["psnr_db"], "o", color=colour, markersize=8)
            axis.annotate(
                name.replace("_", " "),
                (x, row["psnr_db"]),
                xytext=(-40 if above else 6, 8 if above else -14),
                textcoords="offset points",
                color=colour,
            )
    for axis, label in ((by_macs, "multiply-adds a pixel"), (by_seconds, "seconds a megapixel, on this machine's CPU")):
        axis.set_xscale("log")
        axis.axhline(CBM3D, color="#7f8c8d", linestyle=":", linewidth=1)
        axis.margins(x=0.25, y=0.12)
        axis.set_xlabel(label)
        axis.grid(alpha=0.25)
    by_macs.annotate("CBM3D, published", (by_macs.get_xlim()[0], CBM3D), xytext=(4, -12), textcoords="offset points", color="#7f8c8d")
    by_macs.set_ylabel("PSNR on CBSD68, noise of sigma 25, dB")
    figure.savefig(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
