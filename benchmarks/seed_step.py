"""Training speed of the seed network: Burnish against tf.keras and plain PyTorch, side by side in one run, per precision.

    make bench                      (about ten minutes on two cores; nothing else may run beside it)

Every engine trains the same network from fresh weights on the same 10,240 blurred 32×32 crops, batch 512, through its own full training
loop (`burnish.training.loop.train`, `keras.Model.fit`, a dozen plain lines of PyTorch): shuffling, accuracy and validation of 512 crops
included. Each run is a process of its own; runs of the engines alternate; a run's first epoch (tracing, warm-up) is left out. The result
goes to `seed_step.json`: images/s, the share of the machine's matrix-multiply peak, and the validation losses, which must agree.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

ENGINES = ("burnish fp32", "burnish bf16", "torch fp32", "torch bf16", "keras fp32", "keras bf16")
RIVAL = "keras fp32"
RUNS, EPOCHS, TRAIN, VALIDATE, BATCH = 4, 5, 10_240, 512, 512
FLOP_PER_IMAGE = 3 * 2 * 1656 * 32**2  # forwards, and twice that backwards; the card's multiply-adds a pixel


def main() -> None:
    """Alternate the engines, print and write what was measured."""
    rival = common.own_python("keras", common.TENSORFLOW)
    results: dict[str, list[dict[str, Any]]] = {engine: [] for engine in ENGINES}
    peaks = {precision: peak(precision) for precision in ("fp32", "bf16")}
    with tempfile.TemporaryDirectory() as folder:
        crops = Path(folder) / "crops.npz"
        make_crops(crops)
        for run in range(RUNS):
            for engine in ENGINES:
                python = rival if engine.startswith("keras") else sys.executable
                results[engine].append(common.last_line([python, __file__, engine, str(crops), str(run)]))
                print(f"run {run + 1}/{RUNS}  {engine:14} {results[engine][-1]['images_per_second']:7,.0f} images/s", flush=True)
    slowest = statistics.median(run["images_per_second"] for run in results[RIVAL])
    engines = {engine: summary(engine, runs, slowest, peaks) for engine, runs in results.items()}
    setting = {"runs": RUNS, "epochs_timed": EPOCHS - 1, "images": TRAIN, "batch": BATCH}
    common.write("seed_step", setting | {"matmul_peak_gflops": peaks, "engines": engines})


def summary(engine: str, runs: list[dict[str, Any]], rival: float, peaks: dict[str, float]) -> dict[str, Any]:
    """One engine's speed with its spread, beside the rival's and the machine's peak; and how its validation loss fell."""
    speed = common.spread([run["images_per_second"] for run in runs], 0)
    losses = zip(*(run["losses"] for run in runs), strict=True)
    return {
        "images_per_second": speed,
        "ratio_to_keras_fp32": round(speed["median"] / rival, 2),
        "share_of_matmul_peak": round(speed["median"] * FLOP_PER_IMAGE / 1e9 / peaks[engine.split()[1]], 3),
        "validation_loss_by_epoch": [round(statistics.mean(each), 5) for each in losses],
        "version": runs[0]["version"],
    }


def peak(precision: str) -> float:
    """GFLOP/s of a 2048×2048 matrix product in torch, the best of five."""
    import torch

    matrix = torch.randn(2048, 2048, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(5):
            matrix @ matrix
        best = max(best, 5 * 2 * 2048**3 / (time.perf_counter() - began) / 1e9)
    return round(best)


def make_crops(path: Path) -> None:
    """Random crops of the embedded photographs, clean and blurred, as uint8."""
    from burnish.degradation import Degradation
    from burnish.image import datasets

    rng = np.random.default_rng(0)
    pictures = datasets.load("photos", "train").images
    clean = np.empty((TRAIN + VALIDATE, 32, 32, 3), np.uint8)
    for crop in clean:
        picture = pictures[rng.integers(len(pictures))]
        y, x = rng.integers(picture.shape[0] - 31), rng.integers(picture.shape[1] - 31)
        crop[:] = picture[y : y + 32, x : x + 32]
    np.savez(path, clean=clean, blurred=np.rint(Degradation.parse("blur:1.0+8bit").apply_all(clean) * 255).astype(np.uint8))


def train_burnish(precision: str, crops: Path, seed: int) -> dict[str, Any]:
    """Images a second of Burnish's own loop, and its validation losses."""
    from burnish.training import process

    process.prepare()
    import torch

    from burnish.training import recipe
    from burnish.training.image import networks
    from burnish.training.image.pairs import Pairs

    class Crops:
        def __init__(self, first: int, last: int) -> None:
            with np.load(crops) as file:
                self.pairs = Pairs(torch.from_numpy(file["blurred"][first:last]), torch.from_numpy(file["clean"][first:last]))

        def epoch(self, _epoch: int) -> Pairs:
            return self.pairs

    source = Crops(0, TRAIN)
    source.validation = Crops(TRAIN, TRAIN + VALIDATE).pairs
    plan = recipe.load("seed", {"epochs": EPOCHS, "precision": precision, "seed": seed})
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        state = common.trained(networks.build("seed", {}), source, plan, folder)
    rows = state.history
    speed = TRAIN * (EPOCHS - 1) / sum(row["seconds"] for row in rows[1:])
    return {"images_per_second": speed, "losses": [row["val_loss"] for row in rows], "version": f"torch {torch.__version__}"}


def train_torch(precision: str, crops: Path, seed: int) -> dict[str, Any]:
    """Images a second of PyTorch as its tutorials write it: a module, Adam, a DataLoader-free loop over tensors."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1, output_padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 3, 3, padding=1), nn.Sigmoid()),
    )
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7)
    with np.load(crops) as file:
        blurred, clean = (torch.from_numpy(file[key]).permute(0, 3, 1, 2).float().div(255).contiguous() for key in ("blurred", "clean"))

    def scored(indices: torch.Tensor) -> tuple[torch.Tensor, float]:
        wanted = clean[indices]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            given = network(blurred[indices])
        return nn.functional.mse_loss(given.float(), wanted), (given.argmax(1) == wanted.argmax(1)).float().mean().item()

    losses, began = [], 0.0
    for epoch in range(EPOCHS):
        began = time.perf_counter() if epoch == 1 else began
        for indices in torch.split(torch.randperm(TRAIN), BATCH):
            loss, _accuracy = scored(indices)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(scored(torch.arange(TRAIN, TRAIN + VALIDATE))[0].item())
    speed = TRAIN * (EPOCHS - 1) / (time.perf_counter() - began)
    return {"images_per_second": speed, "losses": losses, "version": f"torch {torch.__version__}"}


def train_keras(precision: str, crops: Path, seed: int) -> dict[str, Any]:
    """Images a second of tf.keras, and its validation losses."""
    import keras

    if precision == "bf16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    network = common.keras_seed(seed)
    with np.load(crops) as file:
        blurred, clean = file["blurred"].astype(np.float32) / 255, file["clean"].astype(np.float32) / 255
    ends: list[float] = []
    history = network.fit(
        blurred[:TRAIN],
        clean[:TRAIN],
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(blurred[TRAIN:], clean[TRAIN:]),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))],
        verbose=0,
    )
    speed = TRAIN * (EPOCHS - 1) / (ends[-1] - ends[0])
    return {"images_per_second": speed, "losses": history.history["val_loss"], "version": common.keras_version()}


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        (name, precision), crops, seed = sys.argv[1].split(), Path(sys.argv[2]), int(sys.argv[3])
        trained = {"burnish": train_burnish, "torch": train_torch, "keras": train_keras}[name](precision, crops, seed)
        print(json.dumps(trained))
