"""Training speed of the seed network: Burnish against tf.keras, side by side in one run, and whether bf16 learns what fp32 learns.

    make bench                      (about five minutes on two cores; nothing else may run beside it)

Every engine trains the same network from fresh weights on the same 10,240 blurred 32×32 crops, batch 512, through its own full training
loop (`burnish.training.loop.train`, `keras.Model.fit`): shuffling, accuracy and validation of 512 crops included. Each run is a process
of its own;
runs of the engines alternate; a run's first epoch (tracing, warm-up) is left out. tensorflow-cpu gets an environment of its own,
`.venv-keras`, made on the first call. The result goes to `seed_step.json`: images/s as median, lowest and highest over all runs.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KERAS = HERE.parent / ".venv-keras"
TENSORFLOW = "tensorflow-cpu==2.21.0"
ENGINES = ("burnish fp32", "burnish bf16", "tf.keras fp32")
RUNS, EPOCHS, TRAIN, VALIDATE, BATCH = 4, 5, 10_240, 512, 512


def main() -> None:
    """Alternate the engines, print and write what was measured."""
    python = keras_python()
    results: dict[str, list[dict[str, object]]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        crops = Path(folder) / "crops.npz"
        make_crops(crops)
        for run in range(RUNS):
            for engine in ENGINES:
                interpreter = python if engine.startswith("tf") else sys.executable
                command = [interpreter, __file__, engine, str(crops), str(run)]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
                results[engine].append(json.loads(done.stdout.splitlines()[-1]))
                print(f"run {run + 1}/{RUNS}  {engine:14} {results[engine][-1]['images_per_second']:7,.0f} images/s", flush=True)
    write(results)


def write(results: dict[str, list[dict[str, object]]]) -> None:
    """The medians with their spread, ratios to tf.keras, last losses and versions."""
    rival = statistics.median(run["images_per_second"] for run in results["tf.keras fp32"])
    summary = {"machine": machine(), "runs": RUNS, "epochs_timed": EPOCHS - 1, "images": TRAIN, "batch": BATCH, "engines": {}}
    for engine, runs in results.items():
        speeds = [run["images_per_second"] for run in runs]
        summary["engines"][engine] = {
            "images_per_second": {"median": round(statistics.median(speeds)), "lowest": round(min(speeds)), "highest": round(max(speeds))},
            "ratio_to_tf_keras": round(statistics.median(speeds) / rival, 2),
            "validation_loss_by_epoch": [
                round(statistics.mean(losses), 5) for losses in zip(*(run["losses"] for run in runs), strict=True)
            ],
            "version": runs[0]["version"],
        }
    print(json.dumps(summary, indent=1))
    (HERE / "seed_step.json").write_text(json.dumps(summary, indent=1) + "\n")


def machine() -> str:
    """The processor and how many cores of it this process may use."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {platform.system()}, Python {platform.python_version()}"


def make_crops(path: Path) -> None:
    """Random crops of the embedded photographs, clean and blurred, as uint8."""
    from burnish import data
    from burnish.degrade import Degradation

    rng = np.random.default_rng(0)
    pictures = data.load("photos", "train").images
    clean = np.empty((TRAIN + VALIDATE, 32, 32, 3), np.uint8)
    for crop in clean:
        picture = pictures[rng.integers(len(pictures))]
        y, x = rng.integers(picture.shape[0] - 31), rng.integers(picture.shape[1] - 31)
        crop[:] = picture[y : y + 32, x : x + 32]
    np.savez(path, clean=clean, blurred=np.rint(Degradation.parse("blur:1.0+8bit").apply_all(clean) * 255).astype(np.uint8))


def keras_python() -> str:
    """The interpreter of an environment with tensorflow-cpu, made if it is not there."""
    python = KERAS / "bin" / "python"
    if not python.exists():
        venv.create(KERAS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", TENSORFLOW], check=True)
    return str(python)


def train_burnish(precision: str, crops: Path, seed: int) -> dict[str, object]:
    """Images a second of Burnish's own loop, and its validation losses."""
    import torch

    from burnish.training import loop, networks, recipe
    from burnish.training.pairs import Pairs

    class Crops:
        def __init__(self, first: int, last: int) -> None:
            with np.load(crops) as file:
                self.pairs = Pairs(torch.from_numpy(file["blurred"][first:last]), torch.from_numpy(file["clean"][first:last]))

        def epoch(self, _epoch: int) -> Pairs:
            return self.pairs

    source = Crops(0, TRAIN)
    source.validation = Crops(TRAIN, TRAIN + VALIDATE).pairs
    plan = recipe.load("seed", [f"epochs={EPOCHS}", f"precision={precision}", f"seed={seed}"])
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        state = loop.train(
            networks.build("seed", {}), source, plan, Path(folder), limits=loop.Limits(), device="cpu", progress=lambda *_: None
        )
    rows = state.history
    speed = TRAIN * (EPOCHS - 1) / sum(row["seconds"] for row in rows[1:])
    return {"images_per_second": speed, "losses": [row["val_loss"] for row in rows], "version": f"torch {torch.__version__}"}


def train_keras(crops: Path, seed: int) -> dict[str, object]:
    """Images a second of tf.keras, and its validation losses. The network and settings of the classic exercise."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2D(3, 3, activation="sigmoid", padding="same"),
        ]
    )
    network.compile(optimizer="adam", loss="mse", metrics=["accuracy"])
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
    return {
        "images_per_second": speed,
        "losses": history.history["val_loss"],
        "version": f"tensorflow {tf.__version__}, keras {keras.__version__}",
    }


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        engine, path, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
        print(json.dumps(train_keras(path, seed) if engine.startswith("tf") else train_burnish(engine.split()[1], path, seed)))
