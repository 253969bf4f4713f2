"""How time grows: training with the number of images and of threads, restoring with megapixels. Straight lines, or the reason why not.

    python benchmarks/scaling.py        (nothing else may run beside it; about five minutes on two cores)

Training: one epoch, after one to warm up, of the seed's recipe on blurred crops of the embedded photographs. Restoring: `photo` on the
embedded coffee cup, repeated to the size wanted, from an array to an array. The result goes to scaling.json.
"""

import json
import sys
import tempfile
import time
from typing import Any

import common
import numpy as np

from burnish.cpus import available_cpus

RUNS = 3
IMAGES = (2_560, 5_120, 10_240, 20_480, 40_960)
MEGAPIXELS = (1, 2, 4, 8, 16)
CORES = available_cpus()


def main() -> None:
    """Measure each point RUNS times, in turn; write seconds, and how far the largest is from the smallest one's line."""
    points = [("train", count, CORES) for count in IMAGES]
    points += [("train", IMAGES[2], threads) for threads in range(1, CORES)]
    points += [("restore", size, CORES) for size in MEGAPIXELS]
    points += [("restore", MEGAPIXELS[2], threads) for threads in range(1, CORES)]
    seconds: dict[tuple[str, int, int], list[float]] = {point: [] for point in points}
    for _ in range(RUNS):
        for point in points:
            seconds[point].append(common.last_line([sys.executable, __file__, *map(str, point)])["seconds"])
            print(point, f"{seconds[point][-1]:.2f} s", flush=True)
    common.write(
        "scaling", {"runs": RUNS, "training": rows("train", "images", seconds), "restoring": rows("restore", "megapixels", seconds)}
    )


def rows(task: str, unit: str, seconds: dict[tuple[str, int, int], list[float]]) -> list[dict[str, Any]]:
    """One row a point, with its speed."""
    return [
        {
            unit: size,
            "threads": threads,
            "seconds": common.spread(times, 3),
            f"{unit}_a_second": round(size / common.spread(times, 6)["median"], 2),
        }
        for (of, size, threads), times in seconds.items()
        if of == task
    ]


def train(count: int, threads: int) -> float:
    """Seconds of the second epoch of the seed's recipe on `count` crops."""
    from burnish.training import process

    process.prepare()
    import torch

    from burnish.degradation import Degradation
    from burnish.image import datasets
    from burnish.training import recipe
    from burnish.training.image import networks
    from burnish.training.image.pairs import Pairs

    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    pictures = datasets.load("photos", "train").images
    clean = np.empty((count, 32, 32, 3), np.uint8)
    for crop in clean:
        picture = pictures[rng.integers(len(pictures))]
        y, x = (rng.integers(length - 31) for length in picture.shape[:2])
        crop[:] = picture[y : y + 32, x : x + 32]
    blurred = np.rint(Degradation.parse("blur:1.0+8bit").apply_all(clean) * 255).astype(np.uint8)

    class Crops:
        validation = Pairs(torch.from_numpy(blurred[:512]), torch.from_numpy(clean[:512]))

        def epoch(self, _epoch: int) -> Pairs:
            return Pairs(torch.from_numpy(blurred), torch.from_numpy(clean))

    plan = recipe.load("seed", {"epochs": 2})
    with tempfile.TemporaryDirectory() as folder:
        state = common.trained(networks.build("seed", {}), Crops(), plan, folder)
    return float(state.history[1]["seconds"])


def restore(megapixels: int, threads: int) -> float:
    """Seconds of one restoration after one of a small image."""
    from burnish.image import datasets
    from burnish.model import file as model_file

    loaded = model_file.load("photo", threads)
    cup = datasets.load("photos", "test").images[1]
    side = round((megapixels * 1e6) ** 0.5)
    picture = np.tile(cup, (side // cup.shape[0] + 1, side // cup.shape[1] + 1, 1))[:side, :side]
    loaded.restore(cup)
    began = time.perf_counter()
    loaded.restore(picture)
    return time.perf_counter() - began


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        task, size, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        print(json.dumps({"seconds": {"train": train, "restore": restore}[task](size, threads)}))
