"""The folder that the shipped photo models learn from: free photographs, sharp and soft, and clean drawn graphics to be left alone.

    python benchmarks/photo_pictures.py FREE_PHOTOS OUT [--debian FOLDER] [--graphics 80]

FREE_PHOTOS holds photographs and their MANIFEST.csv (file, author, licence, origin). Added to them are the photographs that
debian_photographs.csv lists, from Debian's packages (fetched with apt-get, not installed; left out where there is no apt), shrunk by 2 or
more. Two things are done to them, because of what a network takes for the truth:

- One whose flat areas show grain is halved, which takes most of it away. A network that is shown grain as the truth learns to leave a
  camera's noise in.
- Each is added once more as soft as a camera's own pixels are: shrunk by 3, enlarged by 1.5 to 2.5. Shrunken photographs alone are sharper,
  and a network that knows nothing else takes noise on a soft image for texture.

The graphics are drawn_scenes.py's, of ten kinds, with a fixed seed. OUT/MANIFEST.csv says of each file who made it and under which licence;
OUT/TERMS.txt says so in a sentence. What is judged on is left out: HELD_OUT and the rows of the CSV with the use "judge". OUT-gathered
holds the photographs as they came. A file that is there already is not made again.
"""

import argparse
import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import debian
import drawn_scenes
import matplotlib
import numpy as np
import pyvips
from numpy.typing import NDArray

SEED = 20260
MEGAPIXELS = 0.8
GRAIN, TEXTURE = 0.5, 2.0  # from this on, levels of 255 in flat blocks are grain; beyond that, an image has no flat block, and is texture
SMALLEST = 400  # pixels a side: below that nothing is halved
SOFT_SEED, SHRUNK, ENLARGED, KERNELS = 5, 3, (1.5, 2.5), ("cubic", "mitchell", "lanczos2")
HELD_OUT = (
    "animal_leopard.webp",
    "aosc_jade-dragon.webp",
    "aosc_lanceleaf-tickseed.webp",
    "ubuntu_sand.webp",
    "ubuntu_sitting-here-making-fun.webp",
    "ubuntu_water-of-leith.webp",
)
FONTS = ["dejavu-core", "liberation2", "lato", "comic-neue", "open-sans", "inconsolata", "ebgaramond", "hack"]
LIST = Path(__file__).with_name("debian_photographs.csv")
COLUMNS = ["file", "author", "licence", "origin"]
Row = dict[str, str]


def shrunk(file: Path, megapixels: float = MEGAPIXELS) -> pyvips.Image:
    """The image as sRGB without metadata, at most this large and at most half as wide as it was."""
    picture = pyvips.Image.new_from_file(str(file)).colourspace("srgb")
    scale = min(0.5, (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5)
    return picture.flatten().resize(scale, kernel="lanczos3") if picture.hasalpha() else picture.resize(scale, kernel="lanczos3")


def look(file: Path) -> NDArray[np.float64]:
    """A grey thumbnail of 16×16 values with mean 0 and length 1: the product of two is their correlation."""
    small = pyvips.Image.thumbnail(str(file), 16, height=16, size="force").colourspace("b-w")[0].numpy().astype(float)
    small -= small.mean()
    return small.ravel() / max(float(np.linalg.norm(small)), 1e-9)  # type: ignore[no-any-return]


def rows_of(file: Path) -> list[Row]:
    """A CSV's rows."""
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def debian_photographs(folder: Path, use: str) -> Iterator[tuple[Path, Row]]:
    """The photographs for this use ("train", "judge") that can be had, each with its row of the manifest."""
    for row in rows_of(LIST):
        there = debian.unpacked(row["package"], folder) if row["use"] == use else None
        if there is not None and (there / row["path"]).exists():
            path = there / row["path"]
            name = path.parents[2].name if path.stem[0].isdigit() else path.stem
            about = {"file": f"debian_{name}.webp", "origin": f"Debian: {row['package']}, {row['path']}"}
            yield path, about | {"author": row["author"], "licence": row["licence"]}


def photographs(free: Path, gathered: Path, packages: Path) -> list[Row]:
    """Gather the free photographs and Debian's; return their rows."""
    made = [{key: row[key] for key in COLUMNS} for row in rows_of(free / "MANIFEST.csv") if row["file"] not in HELD_OUT]
    for row in made:
        if not (gathered / row["file"]).exists():
            shutil.copyfile(free / row["file"], gathered / "half.tmp")
            (gathered / "half.tmp").rename(gathered / row["file"])
    seen = [look(free / row["file"]) for row in rows_of(free / "MANIFEST.csv")]
    more = 0
    for path, row in debian_photographs(packages, "train"):
        appearance = look(path)
        if max(float(appearance @ other) for other in seen) > 0.95:
            print(f"{row['file']}: looks like one that is there already, left out")
            continue
        if not (gathered / row["file"]).exists():
            shrunk(path).webpsave(str(gathered / "half.tmp"), Q=92, strip=True)
            (gathered / "half.tmp").rename(gathered / row["file"])
        made.append(row)
        more += 1
    if not more:
        print("No photographs from Debian's packages (apt-get cannot fetch them here): they are left out.")
    return made


def flat_deviation(picture: pyvips.Image) -> float | None:
    """The deviation that 5 % of the blocks of 8×8 stay below, levels of 255, once a curved surface is taken off each; None: too few blocks.

    Blocks near black and white are left out, since noise is cut off there.
    """
    n = 8
    image = picture.numpy()[..., :3].astype(np.float32)
    rows, columns = image.shape[0] // n, image.shape[1] // n
    blocks = image[: rows * n, : columns * n].reshape(rows, n, columns, n, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, n * n)
    mean = blocks.mean((1, 2))
    blocks = blocks[(mean > 25) & (mean < 225)]
    if len(blocks) < 50:
        return None
    y, x = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n)))
    surface = np.stack([np.ones(n * n), x, y, x * x, y * y, x * y], 1)
    left = blocks @ (np.eye(n * n) - surface @ np.linalg.pinv(surface)).T.astype(np.float32)
    deviations = np.sqrt((left**2).sum(2).mean(1) / (n * n - surface.shape[1]))
    varied = deviations[deviations > 0.05]  # a drawn or blown-out area says nothing
    return float(np.percentile(varied if len(varied) > 50 else deviations, 5))


def sharp_and_soft(gathered: Path, out: Path, pictures: list[Row]) -> list[Row]:
    """Put each photograph into OUT twice, sharp (halved where it is grainy) and soft; return the rows of both."""
    rng, made = np.random.default_rng(SOFT_SEED), []
    for row in sorted(pictures, key=lambda row: row["file"]):
        file, stem = gathered / row["file"], Path(row["file"]).stem
        picture = pyvips.Image.new_from_file(str(file))
        picture = (picture.flatten() if picture.hasalpha() else picture).colourspace("srgb").cast("uchar").copy_memory()
        deviation = flat_deviation(picture)
        grainy = deviation is not None and GRAIN < deviation < TEXTURE and min(picture.width, picture.height) >= SMALLEST
        factor, kernel = float(rng.uniform(*ENLARGED)), str(rng.choice(KERNELS))
        if grainy:
            written(picture.reduce(2, 2, kernel="lanczos3"), out / f"{stem}.png")
        elif not (out / row["file"]).exists():
            shutil.copyfile(file, out / "half.tmp")
            (out / "half.tmp").rename(out / row["file"])
        made.append(row | {"file": f"{stem}.png"} if grainy else row)
        written(picture.reduce(SHRUNK, SHRUNK, kernel="lanczos3").resize(factor, kernel=kernel), out / f"soft_{stem}.png")
        made.append(row | {"file": f"soft_{stem}.png"})
    return made


def written(picture: pyvips.Image, file: Path) -> None:
    """Write a PNG, whole or not at all, unless it is there."""
    if not file.exists():
        picture.pngsave(str(file.with_name("half.tmp")))
        file.with_name("half.tmp").rename(file)


def fonts(packages: Path) -> list[Path]:
    """The fonts to draw with: Debian's, or matplotlib's own where there is no apt. In a fixed order."""
    folders = [debian.unpacked(f"fonts-{name}", packages) for name in FONTS]
    found = [file for folder in folders if folder for kind in ("*.ttf", "*.otf") for file in sorted(folder.rglob(kind))]
    return found or sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))


def graphics(gathered: Path, out: Path, pictures: list[Row], packages: Path, count: int) -> list[Row]:
    """Draw so many graphics into OUT, as many of each kind; return their rows."""
    found, kinds = fonts(packages), list(drawn_scenes.KINDS)
    made = []
    for number in (number for number in range(2 * count) if number // len(kinds) % 2 == 0):  # every second of each kind
        kind = kinds[number % len(kinds)]
        name = f"drawn_{kind}_{number // len(kinds):02}.png"
        # An image shows one photograph, and says which.
        under = pictures[int(np.random.default_rng((SEED, number, 1)).integers(len(pictures)))]
        if not (out / name).exists():
            picture = drawn_scenes.drawn(kind, (SEED, number), found, [gathered / under["file"]])
            picture.save(out / "half.tmp", format="PNG", optimize=True)
            (out / "half.tmp").rename(out / name)
        row = {"file": name, "author": "benchmarks/photo_pictures.py", "licence": "CC0 1.0", "origin": "drawn"}
        if kind in ("captioned", "pattern", "comic"):
            row |= {"author": f"{under['author']}; drawn over", "licence": under["licence"], "origin": f"drawn over {under['file']}"}
        made.append(row)
    return made


def main(free: Path, out: Path, packages: Path, count: int) -> None:
    """Fill the folder, write its manifest and terms, and say how much it holds."""
    gathered = out.with_name(f"{out.name}-gathered")  # not within: a folder to learn from is read with all that is in it
    for folder in (out, gathered):
        folder.mkdir(parents=True, exist_ok=True)
    pictures = photographs(free, gathered, packages)
    rows = sharp_and_soft(gathered, out, pictures)
    taken = len(rows)
    rows += graphics(gathered, out, pictures, packages, count)
    with (out / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    licences = ", ".join(sorted({row["licence"] for row in rows}))
    terms = f"Free photographs and drawn graphics under these licences: {licences}. MANIFEST.csv names author, licence and origin of each."
    (out / "TERMS.txt").write_text(terms + "\n")
    sizes = [pyvips.Image.new_from_file(str(out / row["file"])) for row in rows]
    areas = [size.width * size.height / 1e6 for size in sizes]
    print(f"{taken} photographs, {sum(areas[:taken]):.1f} megapixels; {len(rows) - taken} graphics, {sum(areas[taken:]):.1f} megapixels")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("free_photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--debian", type=Path, default=Path(tempfile.gettempdir()) / "burnish-debian", help="where packages are unpacked")
    parser.add_argument("--graphics", type=int, default=80)
    chosen = parser.parse_args()
    main(chosen.free_photos, chosen.out, chosen.debian, chosen.graphics)
