"""Photographs as a phone would have taken and an app passed on: for judging, since no file of a real phone can be shipped.

    python benchmarks/phone_pictures.py CLEAN OUT [--count 12]

CLEAN is a folder of clean photographs. OUT/phone receives JPEGs, OUT/truth the same development without noise and JPEG, as PNG. Nothing
here is shared with `burnish.image.camera`, which the models learn from: light is linearised by sRGB's own curve, noise is made on four-
pixel cells, a guided filter (He, Sun and Tang 2010) takes noise away and eats fine texture, tones are lifted locally, edges are sharpened
hard, and an app may shrink the result and compress it again. A phone's own files would be better; these only stand in for them.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Phone:
    """What is drawn for one photograph."""

    shot: float  # variance of a full well's noise, on 0–1
    read: float
    radius: int  # of the guided filter on brightness, pixels
    smoothing: float  # its epsilon in units of the noise's variance
    lift: float  # of the shadows, 0–1
    sharpening: float
    quality: int
    shrunk: float  # by an app; 1: passed on as it is
    app_quality: int

    @staticmethod
    def draw(rng: np.random.Generator) -> "Phone":
        shot = float(np.exp(rng.uniform(np.log(5e-4), np.log(1e-2))))
        return Phone(
            shot,
            (0.3 * shot) ** 1.5,
            int(rng.integers(1, 4)),
            rng.uniform(1, 6),
            rng.uniform(0, 0.5),
            rng.uniform(0.5, 2),
            int(rng.integers(80, 96)),
            rng.uniform(0.5, 0.9) if rng.random() < 0.5 else 1.0,
            int(rng.integers(70, 90)),
        )


def taken(image: Image, phone: Phone, rng: np.random.Generator) -> tuple[bytes, Image]:
    """The H×W×3 image on 0–1 as the phone's JPEG, and without noise and JPEG."""
    linear = np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    noise = rng.standard_normal(image.shape, np.float32)
    noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) / 2  # cells share their light
    noisy = linear + noise * np.sqrt(phone.shot * linear + phone.read)
    degraded, truth = (_developed(each, phone) for each in (noisy, linear))
    saved = _jpeg(degraded, phone.quality)
    if phone.shrunk < 1:
        small = pyvips.Image.new_from_buffer(saved, "").resize(phone.shrunk, kernel="lanczos3")
        saved = small.jpegsave_buffer(Q=phone.app_quality, subsample_mode="on")
        truth = pyvips.Image.new_from_array(truth).resize(phone.shrunk, kernel="lanczos3").numpy()
    return saved, truth.clip(0, 1)


def _developed(linear: Image, phone: Phone) -> Image:
    level = np.sqrt(np.clip(linear, 0, 1))
    luma = level @ np.array([0.3, 0.6, 0.1], np.float32)
    variance = phone.shot / 4 + phone.read  # in the root's domain shot noise is even
    smooth = _guided(luma, luma, phone.radius, phone.smoothing * variance)
    chroma = [_guided(luma, level[..., c] - luma, 4 * phone.radius, 4 * variance) for c in range(3)]
    lifted = smooth + phone.lift * smooth * (1 - _box(smooth, 16)) ** 2
    sharp = lifted + phone.sharpening * (lifted - _box(lifted, 1))
    result: Image = np.clip(np.stack([sharp + each for each in chroma], -1), 0, 1).astype(np.float32)
    return result


def _guided(guide: Image, plane: Image, radius: int, epsilon: float) -> Image:
    """`plane` smoothed where `guide` has no edge larger than sqrt(epsilon)."""
    mean_guide, mean = _box(guide, radius), _box(plane, radius)
    slope = (_box(guide * plane, radius) - mean_guide * mean) / (_box(guide * guide, radius) - mean_guide**2 + epsilon)
    return _box(slope, radius) * guide + _box(mean - slope * mean_guide, radius)


def _box(plane: Image, radius: int) -> Image:
    """The mean over a square of 2·radius + 1 pixels, edges mirrored."""
    side = 2 * radius + 1
    for axis in (0, 1):
        padded = np.pad(plane, [(radius + 1, radius) if each == axis else (0, 0) for each in (0, 1)], mode="symmetric")
        total = padded.cumsum(axis, dtype=np.float64)
        length = plane.shape[axis]
        plane = ((total.take(range(side, side + length), axis) - total.take(range(length), axis)) / side).astype(np.float32)
    return plane


def _jpeg(image: Image, quality: int) -> bytes:
    pixels = np.rint(image * 255).astype(np.uint8)
    saved: bytes = pyvips.Image.new_from_array(pixels).jpegsave_buffer(Q=quality, subsample_mode="on")
    return saved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clean", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=12)
    given = parser.parse_args()
    files = sorted(path for path in given.clean.iterdir() if path.suffix in (".png", ".webp", ".jpg"))[: given.count]
    for folder in ("phone", "truth"):
        (given.out / folder).mkdir(parents=True, exist_ok=True)
    for index, file in enumerate(files):
        rng = np.random.default_rng(index)
        image = pyvips.Image.new_from_file(str(file)).colourspace("srgb")[:3].numpy().astype(np.float32) / np.float32(255)
        saved, truth = taken(image, Phone.draw(rng), rng)
        (given.out / "phone" / f"{file.stem}.jpg").write_bytes(saved)
        pyvips.Image.new_from_array(np.rint(truth * 255).astype(np.uint8), interpretation="srgb").write_to_file(
            str(given.out / "truth" / f"{file.stem}.png")
        )


if __name__ == "__main__":
    main()
