"""The figures that weights of a photo model are chosen on: a row for each model, on files that it has not learnt from.

    python benchmarks/photo_choice.py MODEL... --real FOLDER --clean FOLDER [--threads N]

`--real` holds `noisy` and `clean` photographs of real cameras by the same names; `--clean` is a folder that clean_pictures.py made. Its
photographs are also put under white noise (`25g`: the same in all channels) and under JPEG, 4:2:0, of several qualities. Each model
restores at full strength; nothing judges its result. All figures are PSNR in dB, averaged over files: beside the truth for degraded
images, with the least gain of a real photograph; beside the input for clean ones (100 where nothing changes), with the largest change at
the 99.9th percentile of a photograph, in percent of the range. The first row is the images left alone.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyvips
from gate_rates import SIDE, Pixels, files, read

import burnish
from burnish.image.metrics import psnr

QUALITIES, SIGMAS = (10, 20, 30, 40, 75, 90), (15, 25, 50)
EVERY = 1000  # files of a kind: all of them
Restored = Callable[[Pixels], Pixels]


def noisy(truth: Pixels, sigma: float, channels: int) -> Pixels:
    """White noise, rounded and clipped to 8 bits; of one channel for all or of three."""
    noise = np.random.default_rng(int(sigma)).normal(0, sigma, (*truth.shape[:2], channels))
    result: Pixels = np.rint((truth + noise).clip(0, 255)).astype(np.uint8)
    return result


def coded(truth: Pixels, quality: int) -> Pixels:
    """The image after JPEG."""
    result: Pixels = pyvips.Image.new_from_buffer(
        pyvips.Image.new_from_array(truth).jpegsave_buffer(Q=quality, subsample_mode="on"), ""
    ).numpy()
    return result


def degraded(real: Path, photographs: list[Pixels]) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Degradation, image and truth."""
    for path in files(real / "noisy", EVERY):
        (of,) = (real / "clean").glob(f"{path.stem}.*")
        yield "real", read(path), read(of)
    for truth in photographs:
        for sigma in SIGMAS:
            yield f"noise {sigma}", noisy(truth, sigma, 3), truth
        yield "noise 25g", noisy(truth, 25, 1), truth
        for quality in QUALITIES:
            yield f"JPEG {quality}", coded(truth, quality), truth


def row(restored: Restored, real: Path, clean: Path) -> dict[str, str]:
    """All figures of a model."""
    photographs = [read(path)[:SIDE, :SIDE] for path in files(clean / "photograph", EVERY)]
    scores: dict[str, list[float]] = {}
    gains = []
    for kind, image, truth in degraded(real, photographs):
        scores.setdefault(kind, []).append(psnr(restored(image) / 255, truth / 255))
        if kind == "real":
            gains.append(scores[kind][-1] - psnr(image / 255, truth / 255))
    told = {kind: f"{np.mean(values):.2f}" for kind, values in scores.items()}
    told["least gain"] = f"{min(gains):+.2f}"
    for folder in sorted(each for each in clean.iterdir() if each.is_dir()):
        images = [read(path) for path in files(folder, EVERY)]
        results = [restored(image) for image in images]
        told[folder.name] = f"{np.mean([psnr(a / 255, b / 255) for a, b in zip(results, images, strict=True)]):.1f}"
        if folder.name == "photograph":
            changes = [np.percentile(abs(a.astype(int) - b), 99.9) / 2.55 for a, b in zip(results, images, strict=True)]
            told["largest change"] = f"{max(changes):.1f} %"
    return told


def main(chosen: argparse.Namespace) -> None:
    """Print the table, a model's line when it is done."""
    models: dict[str, Restored] = {"left alone": lambda image: image}
    models |= {name: burnish.load(name, chosen.threads).restore for name in chosen.models}
    for number, (name, restored) in enumerate(models.items()):
        told = row(restored, chosen.real, chosen.clean)
        if number == 0:
            print(f"| model | {' | '.join(told)} |\n|---{'|---:' * len(told)}|")
        print(f"| `{name}` | {' | '.join(told.values())} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+", metavar="MODEL")
    for name in ("--real", "--clean"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--threads", type=int)
    main(parser.parse_args())
