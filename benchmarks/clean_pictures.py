"""Clean images to judge on, never learnt from, each kind in a folder: what a restorer ought to leave alone.

    python benchmarks/clean_pictures.py FREE_PHOTOS OUT [--debian FOLDER]

Most are real files of Debian's packages (clean_pictures.csv; fetched with apt-get, not installed): screenshots and charts out of manuals,
icons, clip art, tiles of games. Where the CSV gives a width, an SVG is drawn or an image shrunk to it; where it gives an enlargement, the
upper left part is enlarged by whole pixels; a folder becomes a sheet of its icons. Text is set by Pango and by Rich's SVG export, print is
screened here: none of it by the code that draws for training. The photographs are those that photo_pictures.py holds out, shrunk further.
OUT/MANIFEST.csv has origins and licences.
"""

import argparse
import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import debian
import numpy as np
import photo_pictures
import pyvips
from photo_pictures import HELD_OUT, Row
from pygments.styles import get_all_styles  # type: ignore[import-untyped]
from rich.console import Console
from rich.syntax import Syntax

LIST = Path(__file__).with_name("clean_pictures.csv")
LICENCES = {  # of the package's images, as its copyright file has them
    "adwaita-icon-theme": "CC BY-SA 4.0",
    "angband-data": "GPL-2+",
    "breeze-icon-theme": "LGPL-3+",
    "freeciv-data": "GPL-2+",
    "gcompris-qt-data": "GPL-3+ and Creative Commons",
    "gimp-help-en": "GFDL-1.2+",
    "gnome-user-docs": "CC BY-SA 3.0",
    "kicad-doc-en": "GPL-3+ or CC BY 3.0",
    "kmahjongg": "GFDL-1.2+",
    "lbreakout2-data": "GPL",
    "marble-data": "GFDL, LGPL-2.1+",
    "octave-doc": "GPL-3+",
    "openclipart-svg": "public domain",
    "oxygen-icon-theme": "LGPL-3+",
    "papirus-icon-theme": "GPL-3",
    "pingus-data": "GPL-2+",
    "plasma-workspace-wallpapers": "GPL-2+, LGPL-3",
    "python-scipy-doc": "BSD-3-Clause",
    "qtcreator-doc": "GFDL-1.3",
    "tango-icon-theme": "public domain",
    "tuxpaint-data": "GPL-2+",
    "xye-data": "Xye (free, see its copyright file)",
}
FONTS = {  # none of them used for training
    "fonts-roboto-unhinted": "Roboto",
    "fonts-cantarell": "Cantarell",
    "fonts-quicksand": "Quicksand",
    "fonts-firacode": "Fira Code",
}
SIZES, PAGE = [9, 11, 13, 18, 30], 700  # points at 96 per inch, and a page's width in pixels
Item = tuple[str, str, pyvips.Image, str, str]  # kind, name, image, origin, licence


def flat(picture: pyvips.Image, ground: int = 255) -> pyvips.Image:
    """8-bit sRGB over a ground of this grey, without alpha."""
    picture = picture.colourspace("srgb")
    return (picture.flatten(background=[ground] * 3) if picture.hasalpha() else picture).cast("uchar")


def opened(file: Path, width: int | None) -> pyvips.Image:
    """The image, at this width where one is asked for: an SVG drawn so, an image of pixels shrunk."""
    if width is None:
        return pyvips.Image.new_from_file(str(file))
    if file.suffix == ".svg":
        return pyvips.Image.thumbnail(str(file), width, height=100_000)
    picture = pyvips.Image.new_from_file(str(file))
    return picture.resize(width / picture.width, kernel="lanczos3")


def enlarged(picture: pyvips.Image, k: int) -> pyvips.Image:
    """The upper left part, 600 pixels wide and high after each of its pixels has become k×k."""
    part = picture.crop(0, 0, min(picture.width, 600 // k), min(picture.height, 600 // k))
    return part.zoom(k, k)


def icon_sheet(folder: Path, size: int, ground: int) -> pyvips.Image:
    """A folder's icons, at most 60 spread over it, at this size in rows over a grey."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".svg", ".png") and not file.is_symlink())
    files = files[:: max(1, len(files) // 60)][: 60 if size < 100 else 16]
    icons = []
    for file in files:
        icon = pyvips.Image.new_from_file(str(file))
        if file.suffix == ".svg":
            icon = pyvips.Image.thumbnail(str(file), size, height=size)
        icons.append(flat(icon, ground).embed(2, 2, size + 4, size + 4, extend="background", background=[ground] * 3))
    return pyvips.Image.arrayjoin(icons, across=10 if size < 100 else 4)


def listed(packages: Path) -> Iterator[Item]:
    """What the CSV lists, as far as its packages can be had."""
    for number, row in enumerate(photo_pictures.rows_of(LIST)):
        there = debian.unpacked(row["package"], packages)
        if there is None:
            print(f"{row['package']}: cannot be fetched here, {row['path']} is left out")
            continue
        path, ground = there / row["path"], 255 if number % 2 else 40
        width = int(row["width"]) if row["width"] else None
        if path.is_dir():
            picture = icon_sheet(path, width or 32, ground)
        else:
            picture = flat(opened(path, width))
            picture = enlarged(picture, int(row["enlarge"])) if row["enlarge"] else picture
        name = f"{row['package']}_{'-'.join(path.parts[-4:]) if path.is_dir() or path.stem[0].isdigit() else path.stem}"
        yield row["kind"], name, picture, f"Debian: {row['package']}, {row['path']}", LICENCES[row["package"]]


def pages(packages: Path) -> Iterator[Item]:
    """The text of these scripts set by Pango, dark on light and light on dark, and by Rich as coloured code."""
    words = " ".join((__doc__ + (photo_pictures.__doc__ or "")).split())
    for number, (package, family) in enumerate(FONTS.items()):
        folder = debian.unpacked(package, packages)
        files = sorted(file for kind in ("*.ttf", "*.otf") for file in folder.rglob(kind)) if folder else []
        if not files:
            print(f"{package}: cannot be fetched here, its page is left out")
            continue
        ink, ground = ([0, 0, 0], [255, 255, 255]) if number % 2 == 0 else ([220, 223, 228], [40, 44, 52])
        mask = None
        for size in SIZES:
            line = pyvips.Image.text(words[: 4500 // size], font=f"{family} {size}", fontfile=str(files[0]), width=PAGE - 40, dpi=96)
            line = line.embed(20, 12, PAGE, line.height + 24)
            mask = line if mask is None else mask.join(line, "vertical")
        page = mask.ifthenelse(ink, ground, blend=True).copy(interpretation="srgb").cast("uchar")  # type: ignore[union-attr]
        yield "text", f"pango-{family.replace(' ', '')}", page, f"set here in {family}", "CC0 1.0"
    code = Path(__file__).read_text(encoding="utf-8").splitlines()
    for number, style in enumerate(sorted(get_all_styles())[3::12]):
        console = Console(record=True, width=100, file=io.StringIO())
        console.print(Syntax("\n".join(code[number * 30 : number * 30 + 36]), "python", theme=style, line_numbers=True))
        yield (
            "text",
            f"code-{style}",
            flat(pyvips.Image.svgload_buffer(console.export_svg(title=style).encode())),
            "Rich's SVG export",
            "CC0 1.0",
        )


def print_of(picture: pyvips.Image, pitch: float, inks: int, soft: bool) -> pyvips.Image:
    """The image as print has it: dots of this pitch, three inks at 15, 75 and 0 degrees or one at 45; soft: drawn large and shrunk."""
    k = 4 if soft else 1
    levels = 1 - picture.resize(k, kernel="linear").numpy().astype(float) / 255
    ys, xs = np.mgrid[0 : levels.shape[0], 0 : levels.shape[1]] / (pitch * k)
    if inks == 1:
        levels = levels.mean(axis=2, keepdims=True)
    made = np.full((*levels.shape[:2], 3), 250.0)
    for ink, degrees in zip(range(inks), (15, 75, 0), strict=False):
        turn = np.deg2rad(degrees if inks > 1 else 45)
        u, v = xs * np.cos(turn) + ys * np.sin(turn), ys * np.cos(turn) - xs * np.sin(turn)
        far = np.hypot(u - np.rint(u), (v - np.rint(v)) * 1.15)  # an oval dot: how far from its middle
        dot = far < np.sqrt(levels[..., ink] / np.pi) * 1.15
        bands = [ink] if inks > 1 else [0, 1, 2]
        for band in bands:
            made[..., band][dot] = 25
    sheet = pyvips.Image.new_from_array(made.astype(np.uint8)).copy(interpretation="srgb")
    return sheet.shrink(k, k).cast("uchar") if soft else sheet


def clean_photographs(free: Path, packages: Path) -> Iterator[Item]:
    """The photographs held out of training: the free ones halved, Debian's shrunk to a quarter of a megapixel."""
    about = {row["file"]: row for row in photo_pictures.rows_of(free / "MANIFEST.csv")}
    for name in HELD_OUT:
        row = about[name]
        yield (
            "photograph",
            Path(name).stem,
            photo_pictures.shrunk(free / name).cast("uchar"),
            f"{name}: {row['origin']}, {row['author']}",
            row["licence"],
        )
    for path, row in photo_pictures.debian_photographs(packages, "judge"):
        yield (
            "photograph",
            Path(row["file"]).stem,
            photo_pictures.shrunk(path, 0.25).cast("uchar"),
            f"{row['origin']}, {row['author']}",
            row["licence"],
        )


def over_photographs(photographs: list[Item]) -> Iterator[Item]:
    """Print of some of the photographs, and some with a caption on a bar, as memes and news have it."""
    for number, (_, name, picture, origin, licence) in enumerate(photographs):
        if number < 7:
            sheet = print_of(picture, [3.2, 4, 5.5, 7, 4.5, 6, 9][number], [3, 1, 3, 1, 3, 3, 1][number], soft=number % 3 != 1)
            yield "print", name, sheet, f"screened here: {origin}", licence
        else:
            text = pyvips.Image.text(name.replace("_", " ").title(), font="sans bold 26", dpi=96).embed(8, 6, picture.width, 50)
            bar = text.ifthenelse([255, 230, 60], [20, 20, 20], blend=True).cast("uchar").copy(interpretation="srgb")
            framed = picture.insert(bar, 0, picture.height - 50)
            framed = framed.embed(6, 6, picture.width + 12, picture.height + 12, background=[200, 30, 30])
            sticker = framed.draw_circle([250, 250, 250], 60, 60, 30, fill=True).draw_circle([0, 90, 200], 60, 60, 31)
            sticker = sticker.draw_line([255, 0, 0], 100, 100, 180, 160)
            yield "captioned", name, sticker, f"captioned here: {origin}", licence
    for number in (0, 2):
        _, name, picture, origin, licence = photographs[number]
        text = pyvips.Image.text("When it is Monday", font="sans bold 30", dpi=96)
        mask = text.embed((picture.width - text.width) // 2, 12, picture.width, picture.height)
        yield "captioned", name, mask.ifthenelse([255, 255, 255], picture, blend=True).cast("uchar"), f"captioned here: {origin}", licence


def main(free: Path, out: Path, packages: Path) -> None:
    """Write every image as PNG into its kind's folder, and the manifest."""
    photographs = list(clean_photographs(free, packages))
    rows: list[Row] = []
    area: dict[str, list[float]] = {}
    for kind, name, picture, origin, licence in [*listed(packages), *pages(packages), *photographs, *over_photographs(photographs)]:
        (out / kind).mkdir(parents=True, exist_ok=True)
        picture.pngsave(str(out / kind / f"{name}.png"), strip=True)
        rows.append({"file": f"{kind}/{name}.png", "origin": origin, "licence": licence})
        area.setdefault(kind, []).append(picture.width * picture.height / 1e6)
    with (out / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "licence", "origin"])
        writer.writeheader()
        writer.writerows(rows)
    for kind, areas in area.items():
        print(f"{kind}: {len(areas)} images, {sum(areas):.1f} megapixels")
    print(f"{len(rows)} in all")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("free_photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--debian", type=Path, default=Path(tempfile.gettempdir()) / "burnish-debian", help="where packages are unpacked")
    chosen = parser.parse_args()
    main(chosen.free_photos, chosen.out, chosen.debian)
