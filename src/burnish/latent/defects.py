"""Drawn defects: scratches, spots, stains, missing and misplaced parts: to learn what no normal shows, and telling what is missed."""

import numpy as np
from numpy.typing import NDArray

from burnish.latent.planes import Floats, enlarged, mirrored, smoothed

Mask = NDArray[np.bool_]
FINEST, STRONGEST = 0.4, 3.0  # how strongly a defect differs, in standard deviations of the image


def spoilt(image: Floats, other: Floats, rng: np.random.Generator, strength: float | None = None) -> tuple[Floats, Mask]:
    """An H×W×C image on 0–1 with one to three defects, and where (H×W booleans).

    `other` is another normal image of the same shape, of which parts are pasted. `strength`: how far a defect's values lie from what was
    there, in standard deviations of the image; drawn between FINEST and STRONGEST when None.
    """
    deviation = max(float(image.std()), 0.02)
    result, where = image, np.zeros(image.shape[:2], bool)
    for _ in range(rng.integers(1, 4)):
        kind = rng.choice(["line", "spot", "stain"], p=[0.4, 0.25, 0.35])
        mask = _line(image, rng) if kind == "line" else _stain(image, rng, *((1.2, 6) if kind == "spot" else (5, 60)))
        drawn = strength if strength is not None else float(np.exp(rng.uniform(np.log(FINEST), np.log(STRONGEST))))
        filled = _filling(result, other, deviation, drawn, rng, kind == "line")
        changed = result + mask[..., None] * (filled - result)
        seen = smoothed(np.abs(changed - result).mean(2), 1.0)
        where = where | ((seen > max(0.12 * deviation, 0.006)) & (mask > 0.15))
        result = changed.astype(np.float32)
    return np.clip(result, 0, 1), where


def _filling(image: Floats, other: Floats, deviation: float, strength: float, rng: np.random.Generator, thin: bool) -> Floats:
    """What stands in a defect's place: the image shifted in its values or its place, one flat value, another image, a blur, noise."""
    height, width, channels = image.shape
    amount = deviation * strength * float(rng.choice([-1, 1]))
    tint = np.ones(channels, np.float32) if channels == 1 or rng.random() < 0.6 else np.asarray(rng.uniform(-1, 1, channels), np.float32)
    names = ["shift", "flat", "paste", "blur", "noise", "move"]
    name = rng.choice(names, p=[0.8, 0.2, 0, 0, 0, 0] if thin else [0.45, 0.15, 0.15, 0.08, 0.07, 0.1])
    if name == "shift":
        grain = deviation * 0.2 * rng.standard_normal(image.shape) if rng.random() < 0.3 else 0.0
        return np.asarray(image + amount * tint + grain, np.float32)
    if name == "flat":
        value = rng.uniform(0, 1, channels) if rng.random() < 0.5 else image.mean((0, 1)) + amount * tint
        return np.broadcast_to(np.asarray(value, np.float32), image.shape)
    if name == "paste":
        turned = np.rot90(other, int(rng.integers(4))) if height == width else other[::-1]
        return turned + np.float32(0.5 * amount if rng.random() < 0.5 else 0)
    if name == "blur":
        return smoothed(image, float(rng.uniform(1.5, 5)))
    if name == "noise":
        return (image + 0.7 * amount * rng.standard_normal(image.shape)).astype(np.float32)
    down, right = (int(rng.integers(2, 13) * rng.choice([-1, 1])) for _ in range(2))
    return image[mirrored(np.arange(height) + down, height)][:, mirrored(np.arange(width) + right, width)]


def _centre(image: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """A place, half of the time where the image is least like its own mean: on the object rather than on what lies behind it."""
    height, width = image.shape[:2]
    places = np.stack([rng.uniform(0, height - 1, 6), rng.uniform(0, width - 1, 6)], axis=1)
    if rng.random() < 0.5:
        return float(places[0, 0]), float(places[0, 1])
    values = image[places[:, 0].astype(int), places[:, 1].astype(int)].mean(1)
    best = places[int(np.abs(values - np.median(image)).argmax())]
    return float(best[0]), float(best[1])


def _line(image: Floats, rng: np.random.Generator) -> Floats:
    """A scratch or crack: a walk of 10 to 150 pixels that turns a little at each step, one to five pixels thick."""
    height, width = image.shape[:2]
    steps = 2 * int(np.exp(rng.uniform(np.log(10), np.log(150))))
    wobble = float(rng.choice([0, 0.05, 0.2, 0.5]))
    angle = rng.uniform(0, 2 * np.pi) + 0.5 * np.cumsum(wobble * rng.standard_normal(steps))
    y, x = 0.5 * np.cumsum(np.sin(angle)), 0.5 * np.cumsum(np.cos(angle))
    centre = _centre(image, rng)
    y, x = y - y.mean() + centre[0], x - x.mean() + centre[1]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    mask = np.zeros((height, width), np.float32)
    mask[y[inside].astype(int), x[inside].astype(int)] = 1
    mask = smoothed(mask, float(rng.uniform(0.5, 2.2)))
    top = float(mask.max())
    if top == 0:
        return mask
    return np.asarray(np.clip(mask / np.percentile(mask[mask > 0.05 * top], 60), 0, 1), np.float32)


def _stain(image: Floats, rng: np.random.Generator, smallest: float, largest: float) -> Floats:
    """A spot, stain or missing part: an ellipse, most with a rim that wanders, its edge sharp or soft; the radii are in pixels."""
    height, width = image.shape[:2]
    radius, stretch = float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))), float(np.exp(rng.uniform(-0.9, 0.9)))
    angle, centre = rng.uniform(0, np.pi), _centre(image, rng)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - np.float32(centre[0]), x - np.float32(centre[1])
    along = (np.cos(angle) * x + np.sin(angle) * y) / (radius * stretch**0.5)
    across = (-np.sin(angle) * x + np.cos(angle) * y) / (radius / stretch**0.5)
    depth = 1 - np.sqrt(along**2 + across**2)
    core = depth > -0.3
    if radius > 4 and rng.random() < 0.7:
        cell = max(2, int(radius / 2))
        coarse = rng.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
        depth = depth + rng.uniform(0.1, 0.6) * enlarged(coarse, height, width)
    soft = float(rng.choice([0.1, 0.3, 1.0]))
    return np.asarray(np.clip(depth * min(radius, 20) / (1 + 4 * soft) + 0.5, 0, 1) * core, np.float32)
