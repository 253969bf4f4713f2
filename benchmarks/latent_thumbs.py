"""Placeholders at 24 to 400 bytes beside BlurHash, ThumbHash, WebP and AVIF: PSNR and SSIM at 32×32, and a chart of both.

    python benchmarks/latent_thumbs.py PHOTOGRAPHS [--count 37] [--sizes 24 32 50 100 200 400]

PHOTOGRAPHS are the free photographs; measured are those that the tables were not learnt from (every fourth in the order of their names),
shrunk until no trace of compression is left. All are compared with the photograph squeezed to 32×32, in which Burnish, WebP and AVIF get
it; ThumbHash and BlurHash get the photograph in 100×100, in its shape, as their authors advise, and what they give is squeezed to 32×32.
WebP and AVIF: of six qualities and four sizes, 8×8 to 32×32 pixels, the best file that fits; files are counted whole, with headers.
The figures go to latent_thumbs.json, the chart to docs/placeholders.png. Node's npm installs thumbhash and blurhash into a folder here.
"""

import argparse
import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np
import pyvips
from numpy.typing import NDArray

from burnish.image import datasets
from burnish.image.datasets import resized
from burnish.image.metrics import psnr, ssim
from burnish.latent import thumb

HERE = Path(__file__).parent
PACKAGES = ("thumbhash@0.1.1", "blurhash@2.0.5")
SCRIPT = """
import {readFileSync} from "node:fs";
import {rgbaToThumbHash, thumbHashToRGBA} from "thumbhash";
import {encode, decode} from "blurhash";
const out = [];
for (const {w, h, rgba} of JSON.parse(readFileSync(0, "utf-8"))) {
  const pixels = Uint8ClampedArray.from(Buffer.from(rgba, "base64")), hash = rgbaToThumbHash(w, h, pixels), t = thumbHashToRGBA(hash);
  const text = encode(pixels, w, h, 4, 3), b = decode(text, 32, 32);
  out.push([{bytes: hash.length, w: t.w, h: t.h, rgba: Buffer.from(t.rgba).toString("base64")},
    {bytes: text.length, w: 32, h: 32, rgba: Buffer.from(b).toString("base64")}]);
}
console.log(JSON.stringify(out));
"""
Picture = NDArray[np.uint8]
Marks = list[tuple[float, float, float]]  # bytes, PSNR, SSIM of each photograph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--count", type=int, default=37)
    parser.add_argument("--sizes", type=int, nargs="+", default=[24, 32, 50, 100, 200, 400])
    asked = parser.parse_args()
    files = sorted(datasets.pictures_in(asked.photographs))[3::4][: asked.count]
    photographs = [datasets.read(file) for file in files]
    truths = [thumb.squeezed(each) for each in photographs]
    rows: dict[str, dict[str, Any]] = {}
    for name, marks in zip(("thumbhash", "blurhash"), javascript(photographs, truths), strict=True):
        rows[name] = {"all": mean(marks)}
    for name in ("webp", "avif"):
        rows[name] = {str(size): found for size in asked.sizes if (found := fitting(name, truths, size))}
    rows["burnish"] = {}
    for size in asked.sizes:
        shapes = [(photograph.shape[0], photograph.shape[1]) for photograph in photographs]
        codes = [thumb.encoded(truth, size, shape=shape) for truth, shape in zip(truths, shapes, strict=True)]
        marked = [(len(code), *scores(thumb.decoded(code)[0], truth)) for code, truth in zip(codes, truths, strict=True)]
        rows["burnish"][str(size)] = mean(marked)
    common.write("latent_thumbs", {"photographs": len(truths), "methods": rows})
    draw(rows, HERE.parent / "docs" / "placeholders.png")


def scores(given: Picture, truth: Picture) -> tuple[float, float]:
    return psnr(given / 255, truth / 255), ssim(given / 255, truth / 255)


def mean(marks: Marks) -> dict[str, float]:
    size, decibel, likeness = np.mean(marks, axis=0)
    return {"bytes": round(float(size), 1), "psnr": round(float(decibel), 2), "ssim": round(float(likeness), 3)}


def fitting(name: str, truths: list[Picture], size: int) -> dict[str, float] | None:
    """The marks of the best file of each picture that has at most `size` bytes; None where a picture has none."""
    marks: Marks = []
    for truth in truths:
        found = [(len(data), *scores(picture, truth)) for data, picture in files_of(name, truth) if len(data) <= size]
        if not found:
            return None
        marks.append(max(found, key=lambda each: each[1]))
    return mean(marks)


KEPT: dict[tuple[str, bytes], list[tuple[bytes, Picture]]] = {}


def files_of(name: str, truth: Picture) -> list[tuple[bytes, Picture]]:
    """A picture as files of a format, and what each gives at 32×32."""
    key = name, truth.tobytes()
    if key not in KEPT:
        KEPT[key] = list(_files(name, truth))
    return KEPT[key]


def _files(name: str, truth: Picture) -> Iterator[tuple[bytes, Picture]]:
    for side in (8, 16, 24, 32):
        small = truth if side == 32 else resized(truth, side, side)
        image = pyvips.Image.new_from_array(small, interpretation="srgb")
        for quality in (0, 10, 25, 40, 60, 80):
            if name == "webp":
                data = image.webpsave_buffer(Q=quality, effort=6, keep="none", smart_subsample=False)
            else:
                data = image.heifsave_buffer(Q=max(1, quality), compression="av1", effort=4, keep="none", subsample_mode="on")
            pixels = pyvips.Image.new_from_buffer(data, "").numpy()[..., :3]
            yield data, pixels if side == 32 else resized(pixels, 32, 32)


def javascript(photographs: list[Picture], truths: list[Picture]) -> tuple[Marks, Marks]:
    """The marks of ThumbHash and BlurHash, by their own code."""
    folder = HERE.parent / ".venv-placeholders"
    if not (folder / "node_modules").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"type": "module", "private": true}\n', "utf-8")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES], cwd=folder, check=True)
    (folder / "all.mjs").write_text(SCRIPT, "utf-8")
    asked = []
    for photograph in photographs:
        scale = 100 / max(photograph.shape[:2])
        height, width = (max(1, round(length * scale)) for length in photograph.shape[:2])
        small = resized(photograph, height, width)
        opaque = np.concatenate([small, np.full((height, width, 1), 255, np.uint8)], axis=2)
        asked.append({"w": width, "h": height, "rgba": base64.b64encode(opaque.tobytes()).decode()})
    done = subprocess.run(["node", "all.mjs"], cwd=folder, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    marks: tuple[Marks, Marks] = ([], [])
    for answers, truth in zip(json.loads(done.stdout), truths, strict=True):
        for kept, told in zip(marks, answers, strict=True):
            pixels = np.frombuffer(base64.b64decode(told["rgba"]), np.uint8).reshape(told["h"], told["w"], 4)[..., :3]
            kept.append((told["bytes"], *scores(resized(pixels, 32, 32), truth)))
    return marks


def draw(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """The chart: bytes across, on a scale of octaves; PSNR and SSIM up."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=90, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for axis, key, label in zip(figure.subplots(1, 2), ("psnr", "ssim"), ("PSNR at 32×32, dB", "SSIM at 32×32"), strict=True):
        for name, found in rows.items():
            points = sorted((each["bytes"], each[key]) for each in found.values())
            axis.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name)
        axis.set_xscale("log", base=2)
        axis.set_xticks([24, 50, 100, 200, 400], ["24", "50", "100", "200", "400"])
        axis.set_xlabel("bytes")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
