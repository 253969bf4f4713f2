"""Restoring a photo, from process start to file on disk: Burnish beside classical filters and DnCNN's architecture, in one run.

    python benchmarks/restore_speed.py [--megapixels 12] [--runs 3] [--model photo]      (nothing else may run beside it)

Every method restores the same noisy JPEG in a process of its own, runs of the methods alternating; seconds are wall clock, memory is the
kernel's peak for the process. CDnCNN-B (20 layers of 64 channels, untrained) goes through Burnish too, so both have the same runtime, tiles
and files. The filters get an environment of their own, `.venv-filters`, made on the first call. The result goes to `restore_speed.json`:
medians, lowest and highest over the runs; what share of Burnish's time is not the network's, and how many pixels halos compute twice;
and a cold `burnish restore` of 256×256 pixels.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

RIVAL_PACKAGES = ["opencv-python-headless==4.12.0.88", "scikit-image==0.26.0", "PyWavelets==1.9.0"]
PREPARE = "prepare"
SIGMA = 15  # of the noise, on the 0–255 scale; the filters are told
FILTERS = ("opencv non-local means", "skimage non-local means", "skimage total variation", "skimage wavelets")


def main() -> None:
    """Run all methods in turn, print and write what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", default="photo")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: the kernel counts the parent's size into a child's peak, so this one stays small.
        subprocess.run([sys.executable, __file__, PREPARE, folder, str(chosen.megapixels)], check=True)
        rivals = common.own_python("filters", *RIVAL_PACKAGES)
        commands = {"burnish": burnish(chosen.model), "DnCNN in burnish": burnish(folder / "dncnn.onnx")}
        commands |= {method: [rivals, __file__, method] for method in FILTERS}
        results: dict[str, list[dict[str, float]]] = {method: [] for method in [*commands, "burnish, cold, 256×256"]}
        for run in range(chosen.runs):
            for method, command in commands.items():
                results[method].append(measured([*command, folder / "photo.jpg", folder / f"{run}-{len(results)}.jpg"], folder))
                print(f"run {run + 1}/{chosen.runs}  {method:26} {results[method][-1]['seconds']:7.2f} s", flush=True)
            results["burnish, cold, 256×256"].append(
                measured([*commands["burnish"], folder / "small.jpg", folder / "small-out.jpg"], folder)
            )
        share = outside_the_network(chosen.model, folder / "photo.jpg")
    write(results, chosen, share)


def write(results: dict[str, list[dict[str, float]]], chosen: argparse.Namespace, share: dict[str, float]) -> None:
    """Medians with their spread, and what the numbers were made with."""
    import onnxruntime
    import pyvips

    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    methods: dict[str, Any] = {}
    for method, runs in results.items():
        seconds = common.spread([run["seconds"] for run in runs])
        methods[method] = {"seconds": seconds, "peak_megabytes": round(max(run["megabytes"] for run in runs))}
        if "cold" not in method:
            methods[method]["megapixels_per_second"] = round(chosen.megapixels / seconds["median"], 3)
    setting = {"model": chosen.model, "megapixels": chosen.megapixels, "runs": chosen.runs}
    versions = {"onnxruntime": onnxruntime.__version__, "libvips": libvips, "filters": RIVAL_PACKAGES}
    common.write("restore_speed", {**setting, "versions": versions, "methods": methods, "burnish_besides_the_network": share})


def measured(command: list[str | Path], folder: Path) -> dict[str, float]:
    """Seconds and peak megabytes of a command that writes its last argument, which is taken away again."""
    target = Path(command[-1])
    out = ["-o", target] if "burnish" in command else [target]
    began = time.perf_counter()
    process = subprocess.Popen([*map(str, command[:-1]), *map(str, out)], stdout=subprocess.DEVNULL, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status or not target.stat().st_size:
        raise SystemExit(f"{command} ended with {status}")
    target.unlink()
    return {"seconds": seconds, "megabytes": usage.ru_maxrss / 1024}


def burnish(model: str | Path) -> list[str | Path]:
    """The command that restores the photo named after it."""
    return [sys.executable, "-m", "burnish", "restore", "--force", "-m", model]


def outside_the_network(model: str, photo: Path) -> dict[str, float]:
    """How a restoration's seconds are spent: in the network, and on all else (start, reading, writing, tiling); and what halos cost."""
    code = """
import time
began = time.perf_counter()
import json, sys, burnish
from burnish.image import restore
network = pixels = 0
run = burnish.Model.run
def timed(self, batch):
    global network, pixels
    start = time.perf_counter()
    result = run(self, batch)
    network += time.perf_counter() - start
    pixels += batch.shape[2] * batch.shape[3]
    return result
burnish.Model.run = timed
outcome = burnish.restore_file(sys.argv[1], sys.argv[2], sys.argv[3], gate=False)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "network_seconds": network, "share_besides_the_network": 1 - network / seconds,
    "share_computed_twice": pixels / outcome.megapixels / 1e6 - 1}))
"""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", code, photo, Path(folder) / "out.jpg", model]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {key: round(value, 3) for key, value in json.loads(done.stdout).items()}


def make_photos(folder: Path, megapixels: float) -> None:
    """`photo.jpg`, 4:3, of that size, and `small.jpg`: photographs, mirrored side by side, with noise."""
    import pyvips
    from skimage import data

    tile = np.concatenate([data.coffee()[:400, :512], data.astronaut()[:400, :512]], axis=1)
    tile = np.concatenate([np.concatenate([tile, tile[:, ::-1]], 1), np.concatenate([tile[::-1], tile[::-1, ::-1]], 1)])
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    for name, height, wide in (("photo.jpg", round(width * 3 / 4), width), ("small.jpg", 256, 256)):
        repeated = np.tile(tile, (-(-height // len(tile)), -(-wide // tile.shape[1]), 1))[:height, :wide]
        noisy = repeated + np.random.default_rng(0).normal(0, SIGMA, repeated.shape)
        pyvips.Image.new_from_array(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)).jpegsave(str(folder / name), Q=92)


def make_dncnn(folder: Path) -> None:
    """A model file of CDnCNN-B, untrained."""
    import torch
    from torch import Tensor, nn

    from burnish.training import export

    class DnCNN(nn.Module):
        """Zhang et al., "Beyond a Gaussian denoiser", 2017, for blind colour; batch normalisation folded away, as for use."""

        name, channels, multiple_of, has_latent = "dncnn", 3, 1, False

        def __init__(self) -> None:
            super().__init__()
            self.args: dict[str, int] = {}
            widths = [3, *[64] * 19, 3]
            layers: list[nn.Module] = []
            for inputs, outputs in itertools.pairwise(widths):
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            self.layers = nn.Sequential(*layers[:-1])

        def forward(self, image: Tensor) -> Tensor:
            restored: Tensor = image - self.layers(image)
            return restored

    torch.manual_seed(0)
    about = {"name": "untrained", "fingerprint": "", "terms": "none"}
    told: dict[str, Any] = {"summary": "untrained", "degradation": "noise:0-55", "recipe": {}, "data": about}
    export.export(DnCNN(), folder / "dncnn.onnx", name="dncnn", **told)


def filtered(method: str, source: str, target: str) -> None:
    """The image file through a classical filter, told the noise."""
    import cv2
    from skimage import restoration

    image = cv2.imread(source)
    scaled = image.astype(np.float32) / 255
    if method == "opencv non-local means":
        result = cv2.fastNlMeansDenoisingColored(image, None, 0.8 * SIGMA, 0.8 * SIGMA) / 255
    elif method == "skimage non-local means":
        strength = {"h": 0.8 * SIGMA / 255, "sigma": SIGMA / 255}
        result = restoration.denoise_nl_means(scaled, patch_size=5, patch_distance=6, fast_mode=True, channel_axis=2, **strength)
    elif method == "skimage total variation":
        result = restoration.denoise_tv_chambolle(scaled, weight=0.08, channel_axis=2)
    else:
        result = restoration.denoise_wavelet(scaled, sigma=SIGMA / 255, convert2ycbcr=True, rescale_sigma=True, channel_axis=2)
    cv2.imwrite(target, np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in FILTERS:
        filtered(*sys.argv[1:4])
    elif sys.argv[1:2] == [PREPARE]:
        make_photos(Path(sys.argv[2]), float(sys.argv[3]))
        make_dncnn(Path(sys.argv[2]))
    else:
        main()
