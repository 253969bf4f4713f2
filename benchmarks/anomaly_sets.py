"""Sets of normal and odd images to try `burnish anomalies` on. Their defects are drawn by other means than those that it learns from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data, draw, io, transform

Plane = NDArray[np.float32]  # grey, on 0–1
Mask = NDArray[np.bool_]
FINE = 4  # subpixels on a side, in which marks are drawn


@dataclass
class Odd:
    """An odd image: of what kind, and where."""

    kind: str
    image: Plane
    mask: Mask


@dataclass
class Set:
    """Images to learn from, good ones to score and odd ones to score."""

    name: str
    normal: list[Plane]
    good: list[Plane]
    odd: list[Odd] = field(default_factory=list)


# --- Real tiles ---


def tiles(folder: Path) -> Set:
    """The magnetic tiles of Huang et al. (2018) as `folder` has them: normal/, good/, defect/ and mask/."""
    found = Set("tiles", list(_read(folder / "normal")), list(_read(folder / "good")))
    for file in sorted((folder / "defect").iterdir()):
        mask = next((folder / "mask").glob(f"{file.stem}.*"))
        found.odd.append(Odd(file.name.split("-")[0], _grey(file), _grey(mask) > 0.5))
    return found


def marked_tiles(folder: Path, seed: int = 1) -> Set:
    """The same tiles, where blowholes and cracks drawn on the good ones stand for those that the folder has none of."""
    rng = np.random.default_rng(seed)
    found = Set("marked tiles", list(_read(folder / "normal")), list(_read(folder / "good")))
    for place, image in enumerate(found.good):
        mark = (blowhole, crack)[place % 2]
        found.odd.append(Odd(mark.__name__, *mark(image, rng)))
    return found


def _read(folder: Path) -> Iterator[Plane]:
    for file in sorted(folder.iterdir()):
        yield _grey(file)


def _grey(file: Path) -> Plane:
    image = io.imread(file)
    return (image if image.ndim == 2 else image[..., 0]).astype(np.float32) / 255


# --- Textures with marks ---


def texture(name: str, seed: int = 2, side: int = 128, scale: float = 1.0) -> Set:
    """scikit-image's `brick`, `grass` or `gravel`, cut up: the upper half to learn from, the lower half to score; overlapping crops, a
    little lighter or darker each. Those to learn from lie left and right in turn: the threshold is set by scoring every other normal image
    by what the rest have taught, and no pixel is to be among both."""
    rng = np.random.default_rng(seed)
    whole = transform.rescale(getattr(data, name)(), scale, anti_aliasing=scale < 1).astype(np.float32)
    half, middle = (length // 2 for length in whole.shape)
    left, right = (_crops(whole[:half, part], 30, side, rng) for part in (slice(middle), slice(middle, None)))
    found = Set(name, [crop for pair in zip(left, right, strict=True) for crop in pair], _crops(whole[half:], 40, side, rng))
    for place, image in enumerate(_crops(whole[half:], 48, side, rng)):
        mark = (crack, blowhole, stain, missing)[place % 4]
        found.odd.append(Odd(mark.__name__, *mark(image, rng)))
    return found


def _crops(whole: Plane, count: int, side: int, rng: np.random.Generator) -> list[Plane]:
    crops = []
    for _ in range(count):
        y, x = (int(rng.integers(length - side + 1)) for length in whole.shape)
        crop = whole[y : y + side, x : x + side][:, :: int(rng.choice([-1, 1]))]
        crops.append(np.clip(crop * rng.uniform(0.9, 1.1) + rng.normal(0, 0.005, crop.shape), 0, 1).astype(np.float32))
    return crops


# --- Marks: each takes an image and gives it marked, and where ---


def crack(image: Plane, rng: np.random.Generator) -> tuple[Plane, Mask]:
    """A dark line of 20 to 120 pixels, jagged, of one to three pixels, darker here and fainter there."""
    height, width = image.shape
    canvas = np.zeros((height * FINE, width * FINE), np.float32)
    y, x = rng.uniform(0.2, 0.8) * height, rng.uniform(0.2, 0.8) * width
    heading, left, thick = rng.uniform(0, 2 * np.pi), float(rng.uniform(20, min(120, 0.7 * max(image.shape)))), rng.uniform(1.0, 2.6)
    depth = 1.0
    while left > 0:
        step = float(rng.uniform(3, 9))
        turned = heading + rng.normal(0, 0.45)
        end = y + step * np.sin(turned), x + step * np.cos(turned)
        depth = float(np.clip(depth + rng.normal(0, 0.2), 0.4, 1))
        wide = thick * FINE * rng.uniform(0.6, 1) / 2
        aside = np.array([np.cos(turned), -np.sin(turned)]) * wide
        corners = np.array([[y, x], [y, x], end, end]) * FINE + np.array([aside, -aside, -aside, aside])
        canvas[draw.polygon(corners[:, 0], corners[:, 1], canvas.shape)] = depth
        y, x, left = float(end[0]), float(end[1]), left - step
    cover = ndimage.gaussian_filter(_pooled(canvas), 0.4)
    dark = float(rng.uniform(0.25, 0.6))
    return _where(image * (1 - dark * cover), cover > 0.2)


def blowhole(image: Plane, rng: np.random.Generator) -> tuple[Plane, Mask]:
    """A dark hole of a few discs grown together, 3 to 20 pixels across, with a lighter rim at one side."""
    height, width = image.shape
    y, x = rng.uniform(0.15, 0.85) * height, rng.uniform(0.15, 0.85) * width
    radius = float(np.exp(rng.uniform(np.log(2), np.log(10))))
    canvas = np.zeros((height * FINE, width * FINE), np.float32)
    for _ in range(int(rng.integers(2, 6))):
        centre = (y + rng.normal(0, 0.5 * radius)) * FINE, (x + rng.normal(0, 0.5 * radius)) * FINE
        canvas[draw.disk(centre, float(rng.uniform(0.4, 0.9)) * radius * FINE, shape=canvas.shape)] = 1
    cover = ndimage.gaussian_filter(_pooled(canvas), 0.6)
    rim = ndimage.shift(cover, rng.uniform(-1.5, 1.5, 2), order=1) * (1 - cover)
    dark = float(rng.uniform(0.25, 0.7))
    return _where(image * (1 - dark * cover) + 0.25 * float(image.mean()) * rim, cover > 0.3)


def stain(image: Plane, rng: np.random.Generator) -> tuple[Plane, Mask]:
    """A patch a sixth to a third of the image across, darker or lighter, with a soft wavy rim."""
    cover = _blot(image, rng, 1 / 12, 1 / 6, 1.5)
    return _where(image * (1 + float(rng.choice([-0.35, -0.25, 0.3])) * cover), cover > 0.3)


def missing(image: Plane, rng: np.random.Generator) -> tuple[Plane, Mask]:
    """A part that is not there: something smooth in its place."""
    cover = _blot(image, rng, 1 / 16, 1 / 7, 0.7)
    smooth = ndimage.gaussian_filter(image, 12) + rng.normal(0, 0.01, image.shape)
    return _where(image * (1 - cover) + smooth * cover, cover > 0.3)


def _blot(image: Plane, rng: np.random.Generator, least: float, most: float, soft: float) -> Plane:
    height, width = image.shape
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = ndimage.gaussian_filter1d(rng.uniform(0.5, 1.5, 24), 1.2, mode="wrap") * float(rng.uniform(least, most)) * min(image.shape)
    y, x = rng.uniform(0.2, 0.8) * height, rng.uniform(0.2, 0.8) * width
    cover = np.zeros(image.shape, np.float32)
    cover[draw.polygon(y + radii * np.sin(angles), x + radii * np.cos(angles), image.shape)] = 1
    return np.asarray(ndimage.gaussian_filter(cover, soft), np.float32)


def _pooled(canvas: Plane) -> Plane:
    height, width = canvas.shape[0] // FINE, canvas.shape[1] // FINE
    return np.asarray(canvas.reshape(height, FINE, width, FINE).mean((1, 3)), np.float32)


def _where(after: Plane, mask: Mask) -> tuple[Plane, Mask]:
    return np.clip(after, 0, 1).astype(np.float32), mask


# --- Screws ---

HARMS = ("front", "head", "neck", "side", "top")


def screws(seed: int = 3, side: int = 512, normal: int = 100, good: int = 40, odd: int = 60) -> Set:
    """Drawn wood screws at any angle on a light ground, each turned about its axis as chance has it; the odd ones have a bent or blunt
    front, a scratched head or neck, a dent in the side of the thread, or a flattened top of it."""
    rng = np.random.default_rng(seed)
    found = Set("screws", [screw(rng, side)[0] for _ in range(normal)], [screw(rng, side)[0] for _ in range(good)])
    for place in range(odd):
        kind = HARMS[place % len(HARMS)]
        found.odd.append(Odd(kind, *screw(rng, side, kind)))
    return found


def screw(rng: np.random.Generator, side: int, harm: str = "") -> tuple[Plane, Mask]:
    """One screw and where it is harmed."""
    angle, roll = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1)
    centre = side * (0.5 + rng.uniform(-0.06, 0.06, 2))
    light = np.array([0.35, -0.5, 0.8]) + rng.normal(0, 0.05, 3)
    state = rng.integers(1 << 31)
    whole, object_ = _screw(side, angle, roll, centre, light, "", np.random.default_rng(state))
    image, covered, mask = whole, object_, np.zeros(whole.shape, bool)
    while harm and mask.sum() < 12 * (side / 512) ** 2:
        image, covered = _screw(side, angle, roll, centre, light, harm, np.random.default_rng([state, int(rng.integers(1 << 31))]))
        changed = (np.abs(image - whole) > 0.06) & (np.maximum(covered, object_) > 0)
        mask = ndimage.binary_closing(changed | (np.abs(covered - object_) > 0.5), iterations=2)
    ground = 0.78 + 0.03 * ndimage.zoom(rng.standard_normal((4, 4)), side / 4, order=1)[:side, :side]
    shadow = 0.12 * ndimage.gaussian_filter(ndimage.shift(covered, (0.012 * side, 0.008 * side), order=1), 0.012 * side)
    image = np.where(covered > 0.5, image, image * covered + ground * (1 - shadow) * (1 - covered))
    image = ndimage.gaussian_filter(image, 0.6) * rng.uniform(0.95, 1.05) + rng.normal(0, 0.012, image.shape)
    return np.clip(image, 0, 1).astype(np.float32), mask


def _screw(
    side: int, angle: float, roll: float, centre: NDArray[np.float64], light: NDArray[np.float64], harm: str, rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """How bright the screw is at each pixel, and where it covers the ground."""
    y, x = np.mgrid[:side, :side].astype(np.float64)
    y, x = (y - centre[0]) / side, (x - centre[1]) / side
    along, across = np.cos(angle) * x + np.sin(angle) * y + 0.36, -np.sin(angle) * x + np.cos(angle) * y
    strength, place = rng.uniform(0.4, 1), float(rng.uniform(0.42, 0.58))
    if harm == "front":
        bend = np.clip(along - 0.6, 0, None) * rng.choice([-1, 1]) * strength * 0.7
        across = across + bend
    half = _profile(along, across, roll)
    if harm == "side":
        gone = np.exp(-(((along - place) / (0.012 * (1 + strength))) ** 2)) * (across * rng.choice([-1, 1]) > 0)
        half = half - 0.014 * strength * gone
    if harm == "top":
        worn = np.abs(along - place) < 0.012 + 0.02 * strength
        half = np.where(worn & (across * rng.choice([-1, 1]) > -0.02), np.minimum(half, 0.037 + 0.006 * (1 - strength)), half)
    if harm == "front" and rng.random() < 0.5:
        half = np.where(along > 0.72 - 0.04 * strength, -1, half)
    inside = np.clip((half - np.abs(across)) * side + 0.5, 0, 1)
    depth = np.sqrt(np.maximum(half**2 - across**2, 0))
    down, right = np.gradient(depth * side)
    normal = np.stack([-right, -down, np.ones_like(depth)])
    normal /= np.linalg.norm(normal, axis=0)
    unit = light / np.linalg.norm(light)
    shine = np.clip(np.tensordot(unit, normal, 1), 0, 1)
    bright = 0.12 + 0.4 * shine + 0.35 * shine**14
    if harm in ("head", "neck"):
        bright = bright + _scratches(along, across, harm, strength, rng)
    return bright.astype(np.float32), inside.astype(np.float32)


def _profile(along: NDArray[np.float64], across: NDArray[np.float64], roll: float) -> NDArray[np.float64]:
    """How far the screw reaches to either side, lengths in shares of the image: head, neck, thread, front."""
    half = np.full(along.shape, -1.0)
    head = (along >= 0) & (along < 0.09)
    half = np.where(head, 0.085 - 0.5 * np.clip(along - 0.04, 0, None), half)
    half = np.where((along >= 0.09) & (along < 0.26), 0.036, half)
    turn = np.arcsin(np.clip(across / 0.045, -1, 1)) / (2 * np.pi)
    wave = ((along / 0.036 - turn + roll) % 1.0) * 2 - 1
    thread = 0.034 + 0.014 * (1 - np.abs(wave)) ** 1.5
    half = np.where((along >= 0.26) & (along < 0.62), thread, half)
    front = np.clip((0.735 - along) / 0.115, 0, 1)
    return np.where((along >= 0.62) & (along < 0.735), thread * front**0.7, half)


def _scratches(
    along: NDArray[np.float64], across: NDArray[np.float64], harm: str, strength: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    first, last, reach = (0.005, 0.085, 0.06) if harm == "head" else (0.1, 0.25, 0.028)
    found = np.zeros(along.shape)
    for _ in range(int(rng.integers(1, 4))):
        u, v, angle = rng.uniform(first, last), rng.uniform(-reach, reach), rng.uniform(0, np.pi)
        near = np.cos(angle) * (across - v) - np.sin(angle) * (along - u)
        far = np.cos(angle) * (along - u) + np.sin(angle) * (across - v)
        line = np.exp(-((near / 0.0022) ** 2)) * (np.abs(far) < rng.uniform(0.012, 0.035))
        found += rng.choice([-0.22, 0.35]) * strength * line * (along > 0) * (along < 0.26)
    return found


SETS: dict[str, Callable[[Path], Set]] = {
    "tiles": tiles,
    "marked": marked_tiles,
    "brick": lambda _: texture("brick"),
    "grass": lambda _: texture("grass"),
    "gravel": lambda _: texture("gravel"),
    "screws": lambda _: screws(),
}


def written(chosen: Set, folder: Path) -> None:
    """The set as folders of PNGs: normal/ to learn from, test/ with good and odd ones; mask/ with where the odd ones are so."""
    groups: Sequence[tuple[str, list[tuple[str, Plane]]]] = (
        ("normal", [(f"{place:03}", image) for place, image in enumerate(chosen.normal)]),
        (
            "test",
            [(f"good-{place:03}", image) for place, image in enumerate(chosen.good)]
            + [(f"{odd.kind}-{place:03}", odd.image) for place, odd in enumerate(chosen.odd)],
        ),
        ("mask", [(f"{odd.kind}-{place:03}", odd.mask.astype(np.float32)) for place, odd in enumerate(chosen.odd)]),
    )
    for name, images in groups:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for stem, image in images:
            io.imsave(folder / name / f"{stem}.png", (255 * image).round().astype(np.uint8), check_contrast=False)
