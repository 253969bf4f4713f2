"""The folder that the shipped photo models learn from: free photographs, and clean drawn graphics that a model is to leave alone.

    python benchmarks/photo_pictures.py FREE_PHOTOS OUT [--debian FOLDER] [--graphics 160]

FREE_PHOTOS holds photographs and their MANIFEST.csv (file, author, licence, origin). Added to them are the photographs that
debian_photographs.csv lists, from Debian's packages (fetched with apt-get, not installed; left out where there is no apt), shrunk by 2 or
more. The graphics are drawn_scenes.py's, of ten kinds, with a fixed seed. OUT/MANIFEST.csv says of each file who made it and under which
licence; OUT/TERMS.txt says so in a sentence. What is judged on is left out: HELD_OUT and the rows of the CSV with the use "judge". A file
that is there already is not made again.
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


def photographs(free: Path, out: Path, packages: Path) -> list[Row]:
    """Put the free photographs and Debian's into OUT; return their rows."""
    made = [{key: row[key] for key in COLUMNS} for row in rows_of(free / "MANIFEST.csv") if row["file"] not in HELD_OUT]
    for row in made:
        if not (out / row["file"]).exists():
            shutil.copyfile(free / row["file"], out / "half.tmp")
            (out / "half.tmp").rename(out / row["file"])
    seen = [look(free / row["file"]) for row in rows_of(free / "MANIFEST.csv")]
    more = 0
    for path, row in debian_photographs(packages, "train"):
        appearance = look(path)
        if max(float(appearance @ other) for other in seen) > 0.95:
            print(f"{row['file']}: looks like one that is there already, left out")
            continue
        if not (out / row["file"]).exists():
            shrunk(path).webpsave(str(out / "half.tmp"), Q=92, strip=True)
            (out / "half.tmp").rename(out / row["file"])
        made.append(row)
        more += 1
    if not more:
        print("No photographs from Debian's packages (apt-get cannot fetch them here): they are left out.")
    return made


def fonts(packages: Path) -> list[Path]:
    """The fonts to draw with: Debian's, or matplotlib's own where there is no apt. In a fixed order."""
    folders = [debian.unpacked(f"fonts-{name}", packages) for name in FONTS]
    found = [file for folder in folders if folder for kind in ("*.ttf", "*.otf") for file in sorted(folder.rglob(kind))]
    return found or sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))


def graphics(out: Path, pictures: list[Row], packages: Path, count: int) -> list[Row]:
    """Draw so many graphics into OUT, as many of each kind; return their rows."""
    found, known = fonts(packages), [row for row in pictures if row["file"].endswith(".webp")]
    made = []
    for number in range(count):
        kind = list(drawn_scenes.KINDS)[number % len(drawn_scenes.KINDS)]
        name = f"drawn_{kind}_{number // len(drawn_scenes.KINDS):02}.png"
        # An image shows one photograph, and says which.
        under = known[int(np.random.default_rng((SEED, number, 1)).integers(len(known)))]
        if not (out / name).exists():
            picture = drawn_scenes.drawn(kind, (SEED, number), found, [out / under["file"]])
            picture.save(out / "half.tmp", format="PNG", optimize=True)
            (out / "half.tmp").rename(out / name)
        row = {"file": name, "author": "benchmarks/photo_pictures.py", "licence": "CC0 1.0", "origin": "drawn"}
        if kind in ("captioned", "pattern", "comic"):
            row |= {"author": f"{under['author']}; drawn over", "licence": under["licence"], "origin": f"drawn over {under['file']}"}
        made.append(row)
    return made


def main(free: Path, out: Path, packages: Path, count: int) -> None:
    """Fill the folder, write its manifest and terms, and say how much it holds."""
    out.mkdir(parents=True, exist_ok=True)
    rows = photographs(free, out, packages)
    taken = len(rows)
    rows += graphics(out, rows, packages, count)
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
    parser.add_argument("--graphics", type=int, default=160)
    chosen = parser.parse_args()
    main(chosen.free_photos, chosen.out, chosen.debian, chosen.graphics)
