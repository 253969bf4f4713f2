"""How well the models `latent` and `patches` rebuild photographs that they have not learnt from, beside PCA with as many numbers.

    python benchmarks/latent_shipped.py PICTURES

PICTURES is the folder that benchmarks/latent_pictures.py made. PCA learns from the same pictures as the models, and both are measured on
those of the photographs that were kept out. The figures go to latent_shipped.json.
"""

import sys
from pathlib import Path

import common

import burnish
from burnish.degradation import Degradation
from burnish.image import datasets, score

SETS = {"latent": ("latent-pictures", "latent-held-out"), "patches": ("latent-surfaces", "surfaces-held-out")}


def main(pictures: Path) -> None:
    """A row for each model."""
    rows = {}
    for name, (learnt, held_out) in SETS.items():
        sets = [datasets.load(pictures / each, "test") for each in (held_out, learnt)]
        (board,) = score.scored([burnish.load(name)], sets[0], Degradation.parse("8bit"), tuning=sets[1:])
        told = board.to_json()
        rows[name] = {key: told[key] for key in ("items", "parameters", "psnr", "ssim", "lead", "lead_ci95", "settings")}
    common.write("latent_shipped", {"models": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
