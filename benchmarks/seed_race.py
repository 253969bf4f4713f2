"""How long until the seed network is as good as tf.keras makes it in 100 epochs: recipe `seed-quick` against tf.keras, in one run.

    python benchmarks/seed_race.py ARCHIVE WEIGHTS        (nothing else may run beside it; about ten minutes on two cores)

ARCHIVE is CIFAR-10's (or the stand-in); WEIGHTS an .npz of the network as tf.keras left it after 100 epochs of the classic recipe, names
`conv1/kernel` and so on. The goal is those weights' mean squared error on the blurred test images. Ours are the seconds of whole trainings
from fresh weights, validation and checkpoints included, several seeds; each must end at the goal or below. tf.keras's are 100 times its
seconds an epoch on the same 52,000 images, 13,000 to validate on, measured in turn with ours. The recipe's length was one
epoch, chosen on validation, until one seed of three missed the goal on the test images; then it was made two.
"""

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import common
import numpy as np

RUNS, RIVAL_EPOCHS = 3, 3
LAYERS = ("conv1", "conv2", "deconv1", "deconv2", "conv_out")


def main(archive: str, weights: str) -> None:
    """Race them in turn, write who needed how long."""
    python = common.own_python("keras", common.TENSORFLOW)
    goal = common.last_line([sys.executable, __file__, archive, weights, "goal", "0"])
    ours: list[dict[str, Any]] = []
    rival: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npz"
        common.last_line([sys.executable, __file__, archive, str(images), "images", "0"])
        for seed in range(RUNS):
            ours.append(common.last_line([sys.executable, __file__, archive, weights, "ours", str(seed)]))
            rival.append(common.last_line([python, __file__, archive, str(images), "keras", str(seed)]))
            print(f"run {seed + 1}/{RUNS}: {ours[-1]}, tf.keras {rival[-1]}", flush=True)
    seconds, epochs = [run["seconds"] for run in ours], [each for run in rival for each in run["seconds_an_epoch"]]
    of_keras = 100 * common.spread(epochs)["median"]
    result = {
        "test_images": goal["images"],
        "goal_test_mse": goal["mse"],
        "burnish": {
            "recipe": "seed-quick",
            "seconds": common.spread(seconds, 1),
            "test_mse": [run["mse"] for run in ours],
            "reached": all(run["mse"] <= goal["mse"] for run in ours),
        },
        "keras": {"seconds_an_epoch": common.spread(epochs), "seconds_for_100": round(of_keras), "version": rival[0]["version"]},
        "times_sooner": round(of_keras / common.spread(seconds)["median"], 1),
    }
    common.write("seed_race", result)


def goal(archive: str, weights: str) -> dict[str, Any]:
    """The test error of tf.keras's weights in our network, which gives tf.keras's numbers."""
    import torch

    from burnish.training.image.networks import Seed

    network = Seed()
    with np.load(weights) as file:
        for layer in LAYERS:
            kernel = torch.from_numpy(np.ascontiguousarray(file[f"{layer}/kernel"].transpose(3, 2, 0, 1)))
            bias = torch.from_numpy(file[f"{layer}/bias"])
            getattr(network, layer).load_state_dict({"weight": kernel, "bias": bias})
    return test_error(network, archive)


def ours(archive: str, seed: int) -> dict[str, Any]:
    """One training of `seed-quick`, timed, and its test error."""
    from burnish.training import process

    process.prepare()
    import torch

    from burnish.image import datasets
    from burnish.training import recipe
    from burnish.training.image import networks, sources

    plan = recipe.load("seed-quick", {"data": str(archive), "seed": seed, "precision": "bf16"})
    source = sources.source(datasets.load(archive, "train"), plan)
    source.epoch(1)
    torch.manual_seed(seed)
    network = networks.build(plan.network, plan.network_args)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        common.trained(network, source, plan, folder)
        seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 1), **test_error(network, archive)}


def test_error(network: Any, archive: str) -> dict[str, Any]:
    """The mean squared error on the test images under `blur:1.0+8bit`."""
    import torch

    from burnish.degradation import Degradation
    from burnish.image import datasets

    clean = datasets.load(archive, "test").images
    blurred = Degradation.parse("blur:1.0+8bit").apply_all(clean)
    errors = []
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(clean), 500):
            restored = network(torch.from_numpy(blurred[start : start + 500]).permute(0, 3, 1, 2))[0].permute(0, 2, 3, 1).numpy()
            errors.append(float(((restored - clean[start : start + 500] / np.float32(255)) ** 2).mean()))
    return {"mse": round(float(np.mean(errors)), 6), "images": len(clean)}


def images(archive: str, out: Path) -> dict[str, Any]:
    """The seed recipe's training and validation images for tf.keras, as bytes in a file."""
    from burnish.image import datasets
    from burnish.training import recipe
    from burnish.training.image import sources

    source = sources.source(datasets.load(archive, "train"), recipe.load("seed", [f"data={archive}"]))
    training, held = source.epoch(1), source.validation
    arrays = {"x": training.degraded, "y": training.clean, "val_x": held.degraded, "val_y": held.clean}
    np.savez(out, **{name: tensor.numpy() for name, tensor in arrays.items()})
    return {"images": len(training)}


def keras(path: Path, seed: int) -> dict[str, Any]:
    """tf.keras's seconds for each epoch after the first."""
    import keras as rival

    with np.load(path) as file:
        arrays = {name: file[name].astype(np.float32) / 255 for name in ("x", "y", "val_x", "val_y")}
    ends: list[float] = []
    common.keras_seed(seed).fit(
        arrays["x"],
        arrays["y"],
        batch_size=512,
        epochs=RIVAL_EPOCHS,
        validation_data=(arrays["val_x"], arrays["val_y"]),
        callbacks=[rival.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))],
        verbose=0,
    )
    return {"seconds_an_epoch": np.diff(ends).round(2).tolist(), "version": common.keras_version()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if len(sys.argv) == 3:
        main(*sys.argv[1:])
    else:
        archive, path, task, seed = sys.argv[1:]
        done = {"goal": lambda: goal(archive, path), "ours": lambda: ours(archive, int(seed))}
        done |= {"images": lambda: images(archive, Path(path)), "keras": lambda: keras(Path(path), int(seed))}
        print(json.dumps(done[task]()))
