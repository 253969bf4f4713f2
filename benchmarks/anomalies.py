"""How well `burnish anomalies` finds what is odd, through the command itself, beside PCA on patches: the tables of docs/latent.md.

    python benchmarks/anomalies.py --tiles FOLDER [--sets tiles,screws] [--max-minutes 5] [--work FOLDER]

`--tiles` is a folder with normal/, good/, defect/ and mask/ as shared/data/tiles has them. Prints a table row for each set.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from anomaly_sets import SETS, Set, written
from numpy.typing import NDArray
from scipy.stats import rankdata
from skimage import io

from burnish.latent.neighbours import Components
from burnish.latent.planes import enlarged

Numbers = NDArray[np.float64]


def auroc(normal: Sequence[float] | Numbers, odd: Sequence[float] | Numbers) -> float:
    """The share of pairs of a normal and an odd one in which the odd one scores higher."""
    ranks = rankdata(np.concatenate([normal, odd]))
    return float((ranks[len(normal) :].sum() - len(odd) * (len(odd) + 1) / 2) / (len(normal) * len(odd)))


def measured(chosen: Set, folder: Path, minutes: float) -> dict[str, object]:
    """What the command says of a set: `auroc` of images, of all and by kind, of pixels, and the share of false alarms; PCA's beside it."""
    written(chosen, folder)
    options = ["--normal", folder / "normal", "--max-minutes", minutes, "--json", "--maps", folder / "maps", "--overwrite"]
    command = [
        sys.executable,
        "-m",
        "burnish",
        "anomalies",
        folder / "test",
        *options,
        "--keep",
        folder / "kept.npz",
        "-o",
        folder / "odd.html",
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = np.array([row["input"].rsplit("-", 1)[0] for row in rows])
    good = kinds == "good"
    result: dict[str, object] = {"set": chosen.name, "normal": len(chosen.normal), "good": int(good.sum()), "odd": int((~good).sum())}
    for name, key in (("ours", "score"), ("pca", "pca_score")):
        scores = np.array([row[key] for row in rows])
        kindly = {kind: round(auroc(scores[good], scores[kinds == kind]), 3) for kind in sorted(set(kinds[~good]))}
        alarms = int((scores[good] >= rows[0]["threshold"]).sum())
        caught = int((scores[~good] >= rows[0]["threshold"]).sum())
        result[name] = {"image": round(auroc(scores[good], scores[~good]), 3), **kindly, "false_alarms": alarms, "caught": caught}
    result["pixel"] = round(pixels([io.imread(folder / "maps" / f"{row['input']}.tif") for row in rows], folder, rows), 3)
    rival = Components.learnt([image[..., None] for image in chosen.normal])
    images = [*chosen.good, *(odd.image for odd in chosen.odd)]
    names = [f"good-{place:03}.png" for place in range(len(chosen.good))] + [f"{o.kind}-{k:03}.png" for k, o in enumerate(chosen.odd)]
    maps = [enlarged(rival.heat(image[..., None]), *image.shape) for image in images]
    result["pca_pixel"] = round(pixels(maps, folder, [{"input": name} for name in names]), 3)
    return result


def pixels(maps: Sequence[NDArray[np.float32]], folder: Path, rows: Sequence[dict[str, str]]) -> float:
    """The AUROC of pixels, all images together: of a tenth of them, chosen by chance."""
    rng = np.random.default_rng(0)
    normal, odd = [], []
    for heat, row in zip(maps, rows, strict=True):
        file = folder / "mask" / row["input"]
        mask = io.imread(file) > 127 if file.exists() else np.zeros(heat.shape, bool)
        taken = rng.random(heat.shape) < 0.1
        normal.append(heat[taken & ~mask])
        odd.append(heat[taken & mask])
    return auroc(np.concatenate(normal), np.concatenate(odd))


def main() -> None:
    """Measure the sets that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tiles", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--max-minutes", type=float, default=5.0)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.sets.split(","):
            folder = (given.work or Path(temporary)) / name
            print(json.dumps(measured(SETS[name](given.tiles), folder, given.max_minutes)), flush=True)


if __name__ == "__main__":
    main()
