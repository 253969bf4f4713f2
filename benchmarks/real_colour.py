"""Where what is left on real photographs lies: in brightness, or in colour, whose truth went through the camera's JPEG.

    python benchmarks/real_colour.py MODEL... --real FOLDER

`--real` holds `noisy` and `clean` photographs of real cameras by the same names. The truth there is the mean of many JPEGs of one scene, so
that it keeps what JPEG does to colour, blocks and all, where the scene holds still. A row for each model at full strength, for the images
left alone, and for non-local means at the better of its settings on the other half of the files. All figures are PSNR in dB, averaged over
files: of all three channels; of luma alone; of the three channels when the result is given the truth's own colour differences, its own
ones smoothed with a Gaussian of sigma 1.5, and the truth's own luma.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from gate_rates import Pixels, files, read
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import burnish
from burnish.image import baselines
from burnish.image.metrics import psnr

# ITU-R BT.601: luma, and the differences of blue and red from it, halved as JPEG has them.
TO_LUMA = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
FROM_LUMA = np.linalg.inv(TO_LUMA)
SETTINGS = [(sigma, strength) for sigma in (1, 2, 5, 10) for strength in (0.4, 0.6, 0.8, 1.0)]
Pair = tuple[Pixels, Pixels]
Values = NDArray[np.float64]


def figures(result: Pixels, truth: Pixels) -> list[float]:
    """PSNR of all; of luma; of all with the truth's colour, with smooth colour, with the truth's luma."""
    got, right = (image.astype(np.float64) / 255 @ TO_LUMA.T for image in (result, truth))
    smooth = np.stack([gaussian_filter(got[..., channel], 1.5) for channel in (1, 2)], axis=-1)
    mixed = ((got[..., :1], right[..., 1:]), (got[..., :1], smooth), (right[..., :1], got[..., 1:]))
    swapped = [psnr((np.concatenate(parts, -1) @ FROM_LUMA.T).clip(0, 1), truth / 255) for parts in mixed]
    return [psnr(result / 255, truth / 255), psnr(got[..., :1], right[..., :1]), *swapped]


def filtered(noisy: Pixels, sigma: float, strength: float) -> Pixels:
    """Through non-local means."""
    result = baselines.non_local_means(noisy[None].astype(np.float32) / 255, sigma, strength)[0]
    rounded: Pixels = np.rint(result.clip(0, 1) * 255).astype(np.uint8)
    return rounded


def by_other_half(pairs: list[Pair]) -> Values:
    """Each file's figures under the setting whose PSNR is best on the files that are not in its half."""
    table = np.array([[figures(filtered(noisy, *setting), truth) for noisy, truth in pairs] for setting in SETTINGS])
    halves = np.arange(len(pairs)) % 2
    best = [table[:, halves != half, 0].mean(1).argmax() for half in (0, 1)]
    return np.array([table[best[half], place] for place, half in enumerate(halves)])


def main() -> None:
    """A Markdown table to the screen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--real", type=Path, required=True)
    asked = parser.parse_args()
    pairs = [(read(path), read(asked.real / "clean" / path.name)) for path in files(asked.real / "noisy", 1000)]
    by_model: dict[str, Callable[[Pixels], Pixels]] = {"left alone": lambda noisy: noisy}
    by_model |= {name: partial(burnish.load(name, 1).restore) for name in asked.models}
    rows = {name: np.array([figures(restored(noisy), truth) for noisy, truth in pairs]) for name, restored in by_model.items()}
    rows["non-local means"] = by_other_half(pairs)
    print("| | all | luma | truth's colour | smooth colour | truth's luma |\n|---|---:|---:|---:|---:|---:|")
    for name, each in rows.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in each.mean(0)) + " |")


if __name__ == "__main__":
    main()
