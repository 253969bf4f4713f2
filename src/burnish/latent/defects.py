"""Drawn defects: cracks, scratches, pits, spots, stains, missing and misplaced parts, as no normal image has them."""

import numpy as np
from numpy.typing import NDArray

from burnish.latent.planes import Floats, enlarged, mirrored, sampled, smoothed

Mask = NDArray[np.bool_]
FINEST, STRONGEST = 0.5, 5.0  # how strongly a defect differs, in times the image's own contrast
GRAIN = 6.0  # pixels: what varies faster is grain, what varies more slowly is shading
FAINTEST = 0.012  # on the 0–1 scale: no image is taken to have less contrast
KINDS = {"crack": 0.3, "scratch": 0.15, "pit": 0.2, "spot": 0.1, "stain": 0.25}
FILLINGS = {"shift": 0.4, "flat": 0.15, "paste": 0.15, "blur": 0.07, "noise": 0.06, "move": 0.07, "warp": 0.1}


def contrast(image: Floats) -> float:
    """How much an H×W×C image varies: halfway (by ratio) between its grain alone and all of its variation, shading included."""
    grain = float((image - smoothed(image, GRAIN)).std())
    return max(float(np.sqrt(grain * float(image.std()))), FAINTEST)


def spoilt(image: Floats, other: Floats, rng: np.random.Generator, strength: float | None = None) -> tuple[Floats, Mask]:
    """An H×W×C image on 0–1 with one to three defects, and where (H×W booleans).

    `other` is another normal image of the same shape, of which parts are pasted. `strength`: how far a defect's values lie from what was
    there, in times the image's contrast; drawn between FINEST and STRONGEST when None.
    """
    deviation = contrast(image)
    result, where = image, np.zeros(image.shape[:2], bool)
    for _ in range(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])):
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        drawn = strength if strength is not None else float(np.exp(rng.uniform(np.log(FINEST), np.log(STRONGEST))))
        changed = _defect(kind, result, other, deviation * drawn, rng)
        seen = smoothed(np.abs(changed - result).mean(2), 1.0)
        where = where | (seen > max(0.2 * deviation, 0.006))
        result = np.clip(changed, 0, 1).astype(np.float32)
    return result, where


def _defect(kind: str, image: Floats, other: Floats, amount: float, rng: np.random.Generator) -> Floats:
    """The image with one defect of that kind, whose values differ by about `amount`."""
    if kind == "crack":
        mask = _crack(image, rng)
    elif kind == "scratch":
        mask = _scratch(image, rng)
    else:
        mask = _stain(image, rng, *{"pit": (1.5, 16), "spot": (1.2, 6), "stain": (5, 60)}[kind])
    amount = amount * float(rng.choice([-1, 1], p=[0.7, 0.3]))
    if kind in ("crack", "scratch", "pit"):
        lit = _relief(mask, rng) if rng.random() < (0.7 if kind == "pit" else 0.25) else 0.0
        share = float(rng.uniform(0.3, 1)) if kind == "pit" else 0.5
        values = image + amount * _tint(image, rng) * mask[..., None] + share * abs(amount) * np.asarray(lit)[..., None]
        return np.asarray(values, np.float32)
    filled = _filling(image, other, amount, mask, rng)
    return np.asarray(image + mask[..., None] * (filled - image), np.float32)


def _tint(image: Floats, rng: np.random.Generator) -> Floats:
    channels = image.shape[2]
    grey = channels == 1 or rng.random() < 0.6
    return np.ones(channels, np.float32) if grey else np.asarray(rng.uniform(-1, 1, channels), np.float32)


def _relief(mask: Floats, rng: np.random.Generator) -> Floats:
    """How a hollow of that shape is lit from one side: one rim lighter, the opposite one darker, −1 to 1."""
    down, right = np.gradient(smoothed(mask, 0.7))
    angle = rng.uniform(0, 2 * np.pi)
    lit = np.sin(angle) * down + np.cos(angle) * right
    return np.asarray(lit / max(float(np.abs(lit).max()), 1e-6), np.float32)


def _filling(image: Floats, other: Floats, amount: float, mask: Floats, rng: np.random.Generator) -> Floats:
    """What stands in a defect's place: the image shifted in its values or its place, one flat value, another image, a blur, noise."""
    height, width, channels = image.shape
    name = rng.choice(list(FILLINGS), p=list(FILLINGS.values()))
    if name == "shift":
        grain = 0.3 * amount * rng.standard_normal(image.shape) if rng.random() < 0.3 else 0.0
        return np.asarray(image + amount * _tint(image, rng) + grain, np.float32)
    if name == "flat":
        value = rng.uniform(0, 1, channels) if rng.random() < 0.3 else image.mean((0, 1)) + amount * _tint(image, rng)
        return np.broadcast_to(np.asarray(value, np.float32), image.shape)
    if name == "paste":
        turned = np.rot90(other, int(rng.integers(4))) if height == width else other[::-1]
        if rng.random() < 0.5:  # so light that its mean does not give it away
            turned = turned + (image - turned)[mask > 0.5].mean(0) if (mask > 0.5).any() else turned
        return np.asarray(turned, np.float32)
    if name == "blur":
        return smoothed(image, float(rng.uniform(1.5, 5)))
    if name == "noise":
        return (image + 0.7 * amount * rng.standard_normal(image.shape)).astype(np.float32)
    down, right = (float(rng.integers(2, 13) * rng.choice([-1, 1])) for _ in range(2))
    if name == "move":
        return image[mirrored(np.arange(height) + int(down), height)][:, mirrored(np.arange(width) + int(right), width)]
    soft = smoothed(mask, 3.0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return sampled(image, (y + np.float32(down) * soft).astype(np.float32), (x + np.float32(right) * soft).astype(np.float32))


def _centre(image: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """A place, half of the time where the image is least like its own mean: on the object rather than on what lies behind it."""
    height, width = image.shape[:2]
    places = np.stack([rng.uniform(0, height - 1, 6), rng.uniform(0, width - 1, 6)], axis=1)
    if rng.random() < 0.5:
        return float(places[0, 0]), float(places[0, 1])
    values = image[places[:, 0].astype(int), places[:, 1].astype(int)].mean(1)
    best = places[int(np.abs(values - np.median(image)).argmax())]
    return float(best[0]), float(best[1])


def _rendered(shape: tuple[int, int], y: Floats, x: Floats, thickness: Floats) -> Floats:
    """A line through these places, each so thick (the Gaussian's sigma in pixels), as a mask of 0 to 1."""
    height, width = shape
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    levels = np.quantile(thickness, [1 / 6, 1 / 2, 5 / 6]) if len(np.unique(thickness)) > 1 else thickness[:1]
    nearest = np.abs(thickness[:, None] - levels).argmin(1)
    mask = np.zeros(shape, np.float32)
    for place, sigma in enumerate(levels):
        chosen = inside & (nearest == place)
        dots = np.zeros(shape, np.float32)
        dots[y[chosen].astype(int), x[chosen].astype(int)] = 1
        mask = np.maximum(mask, np.clip(smoothed(dots, float(sigma)) * np.float32(2.2 * sigma), 0, 1))
    return mask


def _path(start: tuple[float, float], angle: float, length: float, rough: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A path that is broken again and again: the middle of each piece is moved aside (midpoint displacement), two places a pixel."""
    along, aside = np.array([0.0, length]), np.zeros(2)
    while len(along) < 2 * length:
        gap = length / (len(along) - 1)
        moved = 0.5 * (aside[1:] + aside[:-1]) + rough * gap * rng.standard_normal(len(along) - 1)
        along = np.insert(along, range(1, len(along)), 0.5 * (along[1:] + along[:-1]))
        aside = np.insert(aside, range(1, len(aside)), moved)
    return start[0] + np.sin(angle) * along + np.cos(angle) * aside, start[1] + np.cos(angle) * along - np.sin(angle) * aside


def _crack(image: Floats, rng: np.random.Generator) -> Floats:
    """A crack: 8 to 150 pixels long, jagged, thin at its ends, often with branches."""
    length = float(np.exp(rng.uniform(np.log(8), np.log(150))))
    angle, rough = rng.uniform(0, 2 * np.pi), float(rng.uniform(0.02, 0.35))
    down, right = _centre(image, rng)
    y, x = _path((down - np.sin(angle) * length / 2, right - np.cos(angle) * length / 2), angle, length, rough, rng)
    thick = float(rng.uniform(0.45, 1.6))
    parts = [(y, x, thick * (0.35 + 0.65 * np.sin(np.linspace(0.1, np.pi - 0.1, len(y)))))]
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.5, 0.25, 0.15, 0.1]))):
        first = int(rng.integers(len(y)))
        side = angle + rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
        branch = _path((float(y[first]), float(x[first])), side, max(4.0, length * float(rng.uniform(0.15, 0.5))), rough, rng)
        parts.append((*branch, np.linspace(0.8 * thick, 0.35 * thick, len(branch[0]))))
    mask = _rendered(image.shape[:2], *(np.concatenate([part[axis] for part in parts]) for axis in range(3)))
    if rng.random() < 0.5:  # deep here, shallow there
        mask = mask * np.float32(0.6) * (1 + 0.6 * enlarged(rng.uniform(-1, 1, (6, 6)).astype(np.float32), *image.shape[:2]))
    return np.asarray(np.clip(mask, 0, 1), np.float32)


def _scratch(image: Floats, rng: np.random.Generator) -> Floats:
    """A scratch: a walk of 10 to 150 pixels that turns a little at each step, one to five pixels thick."""
    steps = 2 * int(np.exp(rng.uniform(np.log(10), np.log(150))))
    wobble = float(rng.choice([0, 0.02, 0.05, 0.2]))
    angle = rng.uniform(0, 2 * np.pi) + 0.5 * np.cumsum(wobble * rng.standard_normal(steps))
    y, x = 0.5 * np.cumsum(np.sin(angle)), 0.5 * np.cumsum(np.cos(angle))
    centre = _centre(image, rng)
    return _rendered(image.shape[:2], y - y.mean() + centre[0], x - x.mean() + centre[1], np.full(steps, rng.uniform(0.5, 2.2)))


def _stain(image: Floats, rng: np.random.Generator, smallest: float, largest: float) -> Floats:
    """A pit, spot, stain or missing part: an ellipse, most with a rim that wanders, its edge sharp or soft; the radii are in pixels."""
    height, width = image.shape[:2]
    radius, stretch = float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))), float(np.exp(rng.uniform(-0.9, 0.9)))
    angle, centre = rng.uniform(0, np.pi), _centre(image, rng)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - np.float32(centre[0]), x - np.float32(centre[1])
    along = (np.cos(angle) * x + np.sin(angle) * y) / (radius * stretch**0.5)
    across = (-np.sin(angle) * x + np.cos(angle) * y) / (radius / stretch**0.5)
    depth = 1 - np.sqrt(along**2 + across**2)
    core = depth > -0.3
    if radius > 3 and rng.random() < 0.8:
        cell = max(2, int(radius / 2))
        coarse = rng.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
        depth = depth + rng.uniform(0.1, 0.6) * enlarged(coarse, height, width)
    soft = float(rng.choice([0.1, 0.3, 1.0]))
    return np.asarray(np.clip(depth * min(radius, 20) / (1 + 4 * soft) + 0.5, 0, 1) * core, np.float32)
