"""What the engines of `burnish bulk` keep of the speed of `burnish restore`: the same photos, on the same processors, in turn.

    python benchmarks/bulk_speed.py [--count 64] [--rounds 3] [--model photo] [--engines local]

Photos of 0.8 megapixels with noise, as JPEG, are made and restored as whole commands are, from start to exit; the first share of each is
starting up. Rounds alternate, so that other work on the machine falls on all. Writes bulk_speed.json: megapixels a second, and shares of
restore's, a median with its lowest and highest over the rounds.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import numpy as np
import pyvips
from skimage import data

SIDE = 896  # pixels


def photos(folder: Path, count: int) -> float:
    """Makes them; returns their megapixels."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    originals = [pyvips.Image.new_from_array(picture).thumbnail_image(SIDE, height=SIDE, crop="centre").numpy() for picture in sources()]
    for index in range(count):
        original = np.roll(originals[index % len(originals)], 37 * index, (0, 1))
        noisy = np.clip(original + rng.normal(0, 12, original.shape), 0, 255).astype(np.uint8)
        pyvips.Image.new_from_array(noisy).jpegsave(str(folder / f"{index:04d}.jpg"), Q=92)
    return count * SIDE * SIDE / 1e6


def sources() -> list[np.ndarray]:
    """Real photographs."""
    return [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]


def seconds(*arguments: str | Path) -> float:
    """How long the command takes."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "burnish", *map(str, arguments)], check=True, capture_output=True)
    return time.monotonic() - began


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="photo")
    parser.add_argument("--engines", nargs="+", default=["local"])
    options = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in ("restore", *options.engines)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        megapixels = photos(folder / "photos", options.count)
        for turn in range(options.rounds):
            for engine in rates:
                out = folder / f"{engine}-{turn}"
                how = ["restore"] if engine == "restore" else ["bulk", "--engine", engine]
                rates[engine].append(megapixels / seconds(*how, folder / "photos", "-o", out, "-m", options.model))
                if engine != "restore":
                    same(folder / f"restore-{turn}", out)
            for engine in rates:
                shutil.rmtree(folder / f"{engine}-{turn}")
    shares = {engine: [bulk / restore for bulk, restore in zip(rates[engine], rates["restore"], strict=True)] for engine in options.engines}
    common.write(
        "bulk_speed",
        {
            "photos": options.count,
            "megapixels": round(megapixels, 1),
            "model": options.model,
            "megapixels_per_second": {engine: common.spread(each, 3) for engine, each in rates.items()},
            "share_of_restore": {engine: common.spread(each, 3) for engine, each in shares.items()},
        },
    )


def same(one: Path, other: Path) -> None:
    """Raises ValueError where the second folder has other images than the first."""
    for path in one.iterdir():
        if path.read_bytes() != (other / path.name).read_bytes():
            raise ValueError(f"{path.name} differs")


if __name__ == "__main__":
    main()
