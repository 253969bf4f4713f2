"""How fast latents are: encoding CIFAR images, and a map of 10,000 photographs from their thumbnails on. For a quiet machine.

    python benchmarks/latent_speed.py ARCHIVE [--model seed] [--images 20000] [--photographs 10000]

ARCHIVE is the CIFAR-10 archive: its images are encoded from arrays in memory, and placed on a map as thumbnails. The goals are 20,000
encoded images a second on two cores, and a map in under 5 minutes. The figures go to latent_speed.json.
"""

import argparse
import resource
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import common
import numpy as np

import burnish
from burnish.image import cifar
from burnish.image.datasets import UNSTATED, PictureSet
from burnish.latent import map as maps
from burnish.latent import map_page

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--model", default="seed")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--photographs", type=int, default=10_000)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", cifar.DataWarning)
    images = cifar.load(asked.archive, "train")
    model = burnish.load(asked.model)
    model.encode(images[:512])
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        model.encode(images[: asked.images])
        rates.append(asked.images / (time.perf_counter() - began))
    pictures = PictureSet("cifar10", images[: asked.photographs], [f"{index}.png" for index in range(asked.photographs)], UNSTATED)
    began = time.perf_counter()
    done, _ = maps.placed(pictures, None, 0)
    with TemporaryDirectory() as folder:
        map_page.write(Path(folder) / "map.html", done, "speed")
        page = (Path(folder) / "map.html").stat().st_size
    result = {
        "model": asked.model,
        "encoded_per_second": common.spread(rates, 0),
        "map": {"images": len(done.names), "seconds": round(time.perf_counter() - began, 1), "page_megabytes": round(page / 1e6, 1)},
        "map_steps": maps.STEPS,
        "largest_memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "trustworthiness": round(float(np.round(done.trust, 3)), 3),
    }
    common.write("latent_speed", result)


if __name__ == "__main__":
    main()
