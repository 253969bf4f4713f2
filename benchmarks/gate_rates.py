"""How often the gate of `burnish restore` is right, on files that nothing was learnt from: a row for each kind of file.

    python benchmarks/gate_rates.py [--model photo] [--clean FOLDER] [--real FOLDER] [--phone FOLDER] [--limit N]

`--clean` is a folder that clean_pictures.py made: all in it should stay as it is. Versions of its photographs, and of a graphic of each
kind, are made here under JPEG and white noise, and should come nearer to the original. `--real` holds `noisy` and `clean` photographs of
real cameras by the same names, `--phone` what phone_pictures.py made (`phone` and `truth`). `changed`: how many files did not stay as they
were, to the last bit; `gain`: PSNR beside that of the file left alone, where a file left alone counts as 0. For clean files, `worst` is the
lowest PSNR of a result beside its input, and the largest change of a value, of 255.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

import burnish
from burnish.image.metrics import psnr

SIDE = 512
QUALITIES, SIGMAS = (10, 30, 50, 75, 90, 95), (2, 5, 10, 25, 50)
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Item:
    """A file of a kind, what it ought to be, and whether that is itself."""

    kind: str
    pixels: Pixels
    truth: Pixels
    clean: bool = False


def read(path: Path) -> Pixels:
    """A file as 8-bit sRGB over white."""
    picture = pyvips.Image.new_from_file(str(path)).colourspace("srgb")
    picture = picture.flatten(background=255) if picture.hasalpha() else picture
    pixels: Pixels = picture.cast("uchar").numpy()
    return pixels


def files(folder: Path, limit: int) -> list[Path]:
    """The images of a folder, `limit` at most, spread over it."""
    found = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".webp"))
    return found[:: -(-len(found) // limit)] if found else found


def pairs(kind: str, folder: Path, truth: Path, limit: int) -> Iterator[Item]:
    """Degraded images, and the truth of the same name beside them."""
    for path in files(folder, limit):
        (of,) = truth.glob(f"{path.stem}.*")
        yield Item(kind, read(path), read(of))


def worse(name: str, path: Path) -> Iterator[Item]:
    """A clean image under JPEG and under white noise."""
    truth = read(path)[:SIDE, :SIDE]
    for quality in QUALITIES:
        coded = pyvips.Image.new_from_array(truth).jpegsave_buffer(Q=quality, subsample_mode="on")
        yield Item(f"{name}, JPEG {quality}", pyvips.Image.new_from_buffer(coded, "").numpy(), truth)
    for sigma in SIGMAS:
        noisy = truth + np.random.default_rng(sigma).normal(0, sigma, truth.shape)
        yield Item(f"{name}, noise {sigma}", np.rint(noisy.clip(0, 255)).astype(np.uint8), truth)


def items(chosen: argparse.Namespace) -> Iterator[Item]:
    """All files of all kinds that there are."""
    if chosen.real:
        yield from pairs("real cameras", chosen.real / "noisy", chosen.real / "clean", chosen.limit)
        for path in files(chosen.real / "clean", chosen.limit):
            pixels = read(path)
            yield Item("real cameras, mean of 500 shots", pixels, pixels, clean=True)
    if chosen.phone:
        yield from pairs("simulated phone", chosen.phone / "phone", chosen.phone / "truth", chosen.limit)
    for folder in sorted(chosen.clean.iterdir()) if chosen.clean else ():
        for number, path in enumerate(files(folder, chosen.limit) if folder.is_dir() else ()):
            pixels = read(path)
            yield Item(f"clean {folder.name}", pixels, pixels, clean=True)
            if folder.name == "photograph" or number == 0:
                yield from worse("photograph" if folder.name == "photograph" else "graphic", path)


def scored(item: Item, model: burnish.Model, folder: Path) -> tuple[bool, float, float, int]:
    """Whether the file was changed, its PSNR before and after, and the largest change."""
    source, target = folder / "in.png", folder / "out.png"
    pyvips.Image.new_from_array(item.pixels).pngsave(str(source), compression=1)
    result = burnish.restore_file(source, target, model, gate=True, overwrite=True)
    after: Pixels = pyvips.Image.new_from_file(str(target), access="sequential").numpy()
    change = int(np.abs(after.astype(int) - item.pixels).max())
    before, restored = (psnr(each / 255, item.truth / 255) for each in (item.pixels, after))
    return result.status == "restored", before, restored, change


def main(chosen: argparse.Namespace) -> None:
    """Print the table, each kind when it is done."""
    model = burnish.load(chosen.model, chosen.threads)
    scores: dict[tuple[str, bool], list[tuple[bool, float, float, int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for item in items(chosen):
            scores.setdefault((item.kind, item.clean), []).append(scored(item, model, Path(folder)))
    print("| kind | files | changed | before | gain: mean | worst |\n|---|---:|---:|---:|---:|---:|")
    for (kind, clean), rows in sorted(scores.items(), key=lambda each: not each[0][1]):
        changed, before, after, change = map(np.array, zip(*rows, strict=True))
        gain = after - before
        told = f"| | {after.min():.1f} dB, {change.max()}"
        if not clean:
            told = f"{before.mean():.2f} dB | {gain.mean():+.2f} | {gain.min():+.2f}"
        print(f"| {kind} | {len(rows)} | {changed.sum()} | {told} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="photo")
    for name in ("--clean", "--real", "--phone"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--limit", type=int, default=1000, metavar="N", help="files of a kind at most")
    parser.add_argument("--threads", type=int)
    main(parser.parse_args())
