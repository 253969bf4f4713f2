"""How many images of one megapixel `burnish anomalies` scores in a second, whole command: `python benchmarks/anomaly_speed.py [COUNT]`.

Wants a quiet machine. The time of a run on two images is taken off that on COUNT + 2, so that the start of Python does not count.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine
from scipy import ndimage
from skimage import io

SIDE = 1024


def surface(seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A grainy, streaky surface of one megapixel."""
    rng = np.random.default_rng(seed)
    grain = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), (6, 1))
    return np.clip(128 + 40 * grain / grain.std() + 4 * rng.standard_normal((SIDE, SIDE)), 0, 255).astype(np.uint8)


def seconds(*words: object) -> float:
    """How long `burnish anomalies` takes with these words."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "burnish", "anomalies", *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Learn from twenty, score the rest."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, first, number in (("normal", 0, 20), ("few", 100, 2), ("many", 200, count + 2)):
            (folder / name).mkdir()
            for place in range(number):
                io.imsave(folder / name / f"{place}.png", surface(first + place), check_contrast=False)
        seconds(folder / "few", "--normal", folder / "normal", "--max-minutes", 0.5, "--keep", folder / "kept.npz")
        few, many = (seconds(folder / name, "-m", folder / "kept.npz", "--json") for name in ("few", "many"))
    print(f"{count / (many - few):.2f} images of 1 megapixel a second; {few:.1f} s for two, start included; {machine()}")


if __name__ == "__main__":
    main()
