"""A folder far larger than the memory: does the memory stay flat, and does the trainer have to wait for its images?

    python benchmarks/streaming.py                               50,000 photos of 2 megapixels, as links to 300; some minutes
    python benchmarks/streaming.py --photos 2000 --links-to 40 --epochs 3 --crops 1024       to see that it runs

The photos are JPEGs made of scikit-image's photographs. They are trained on by `photo-fast`, through Burnish's own source and loop. Written
to streaming.json: seconds waited for input as a share of all training, with and without the first epoch (which nothing can be prepared
beside), and the resident memory at the end of each epoch.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pyvips
import torch
from skimage import data

from burnish import progress
from burnish.cpus import available_cpus
from burnish.image.folder import Files
from burnish.training import choose, loop, recipe
from burnish.training.image import networks, sources
from burnish.training.image.pairs import Pairs, Source
from burnish.training.parallel import Team

WIDTH, HEIGHT = 1632, 1224


def make(folder: Path, photos: int, originals: int) -> None:
    """`originals` JPEGs of 2 megapixels under `folder`/0, and links until there are `photos`, a thousand to a folder."""
    scenes = [data.astronaut(), data.coffee(), data.rocket(), data.chelsea()]
    rng = np.random.default_rng(0)
    made = folder / "0"
    made.mkdir()
    for index in range(originals):
        scene = scenes[index % len(scenes)]
        side = int(rng.integers(150, 300))
        top, left = (int(rng.integers(length - side + 1)) for length in scene.shape[:2])
        image = pyvips.Image.new_from_array(np.ascontiguousarray(scene[top : top + side, left : left + side]))
        image.thumbnail_image(WIDTH, height=HEIGHT, size="force").jpegsave(str(made / f"{index}.jpg"), Q=90)
    for index in range(originals, photos):
        place = folder / str(1 + index // 1000)
        place.mkdir(exist_ok=True)
        os.link(made / f"{index % originals}.jpg", place / f"{index}.jpg")


def resident() -> int:
    """This process's resident memory in MB."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000


class Watched(Source):
    """A source that notes the memory, and what of the waiting was for the first epoch, when an epoch is asked for."""

    def __init__(self, source: Source) -> None:
        self.source, self.validation = source, source.validation
        self.memory: list[int] = []
        self.first = 0.0

    def epoch(self, epoch: int) -> Pairs:
        pairs = self.source.epoch(epoch)
        self.memory.append(resident())
        self.first = self.first or self.source.waited
        return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--links-to", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--crops", type=int, default=16_384)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        folder.mkdir()
        make(folder, arguments.photos, arguments.links_to)
        plan = recipe.load("photo-fast", {"data": str(folder), "epochs": arguments.epochs, "crops": arguments.crops})
        pictures, _ = sources.pictures(plan)
        plan = choose.settled(plan, pictures, "cpu", alone=True)
        assert isinstance(pictures.images, Files), "so few fit into the memory"
        torch.manual_seed(0)
        network = networks.build(plan.network, plan.network_args)
        watched = Watched(sources.source(pictures, plan))
        state = loop.train(
            network, watched, plan, Path(place), limits=loop.Limits(), team=Team("cpu"), progress=progress.silent, log=loop.no_log
        )
        watched.source.close()
    seconds, waited = sum(row["seconds"] for row in state.history), watched.source.waited
    result = {
        "photos": arguments.photos,
        "megapixels_each": WIDTH * HEIGHT / 1e6,
        "epochs": arguments.epochs,
        "crops_an_epoch": arguments.crops,
        "cores": available_cpus(),
        "seconds": round(seconds, 1),
        "waited_share": round(waited / seconds, 4),
        "waited_share_after_first_epoch": round((waited - watched.first) / (seconds - state.history[0]["seconds"]), 4),
        "resident_mb_by_epoch": watched.memory,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
