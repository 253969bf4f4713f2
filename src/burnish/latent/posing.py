"""Objects that lie at any angle on a plain ground are turned to lie one way, and looked at without the ground around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from burnish.latent.planes import Floats, halved, sampled, smoothed

SIDE = 320  # pixels on the longer side, at most, at which an object is looked for
BORDER = 0.03  # of the sides: what lies there is ground
PLAIN = 0.1  # of the ground's border may differ from it: an object that touches it, dirt
SMALLEST, LARGEST = 0.005, 0.5  # share of the image that an object covers
LONG = 1.4  # times as long as wide must objects be, for their direction to be told
FOUND = 0.9  # of the normals must show one
ALIGNED = 0.95  # how far directions agree (1: all the same) from which on nothing is turned
MARGIN = 0.1  # around the object, in shares of its extent


@dataclass(frozen=True)
class Pose:
    """Where an object lies: its centre of gravity (pixels), its direction (radians, from right to down, the thin end ahead), how many
    times as long as wide it is, and how far it reaches: behind, ahead, to one side, to the other (pixels)."""

    y: float
    x: float
    angle: float
    elongation: float
    reach: tuple[float, float, float, float]


def pose(image: Floats) -> Pose | None:
    """Where the object on an H×W×C image lies, or None when there is no single thing on a plain ground."""
    grey, factor = image.mean(2), 1
    while max(grey.shape) > SIDE:
        grey, factor = halved(grey), 2 * factor
    grey = smoothed(grey, 1.0)
    height, width = grey.shape
    rim = np.ones(grey.shape, bool)
    edge = max(1, round(BORDER * min(height, width)))
    rim[edge:-edge, edge:-edge] = False
    ground = float(np.median(grey[rim]))
    off = np.abs(grey - ground)
    apart = max(4 * float(np.median(off[rim])), 0.35 * float(np.quantile(off, 0.995)), 0.02)
    mask = off > apart
    if mask[rim].mean() > PLAIN or not SMALLEST < mask.mean() < LARGEST:
        return None
    y, x = (axis.astype(np.float64) for axis in np.nonzero(mask))
    centre = y.mean(), x.mean()
    y, x = y - centre[0], x - centre[1]
    values, vectors = np.linalg.eigh(np.cov(np.stack([x, y])))
    angle = float(np.arctan2(vectors[1, 1], vectors[0, 1]))
    along = np.cos(angle) * x + np.sin(angle) * y
    if np.mean(along**3) < 0:
        angle, along = angle + np.pi, -along
    across = -np.sin(angle) * x + np.cos(angle) * y
    reach = [float(factor * each) for axis in (along, across) for each in (-np.quantile(axis, 0.002), np.quantile(axis, 0.998))]
    return Pose(
        factor * (centre[0] + 0.5) - 0.5,
        factor * (centre[1] + 0.5) - 0.5,
        angle,
        float(np.sqrt(values[1] / max(values[0], 1e-9))),
        (reach[0], reach[1], reach[2], reach[3]),
    )


def middle(image: Floats) -> Pose:
    """What is taken for the pose where no object is found: the image's middle, as it is."""
    height, width = image.shape[:2]
    return Pose((height - 1) / 2, (width - 1) / 2, 0.0, 1.0, (0.0, 0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Frame:
    """How much is looked at around an object's centre: behind, ahead, to one side and to the other, in shares of the image's size (the
    square root of its pixels)."""

    behind: float
    ahead: float
    left: float
    right: float

    @staticmethod
    def learnt(images: Sequence[Floats]) -> "Frame | None":
        """The frame for normal images (H×W×C on 0–1), or None when they are to be looked at as they are: they show no single long object,
        or all show it lying one way."""
        poses = [pose(image) for image in images]
        found = [each for each in poses if each is not None and each.elongation >= LONG]
        if len(found) < FOUND * len(images):
            return None
        if abs(np.mean([np.exp(1j * each.angle) for each in found])) > ALIGNED:
            return None
        shares = [
            np.array(each.reach) / np.sqrt(image.shape[0] * image.shape[1])
            for each, image in zip(poses, images, strict=True)
            if each is not None and each.elongation >= LONG
        ]
        reach = np.quantile(shares, 0.98, axis=0)
        margin = MARGIN * np.array([reach[:2].sum()] * 2 + [2 * reach[2:].sum()] * 2)
        return Frame(*(float(each) for each in reach + margin))

    @property
    def share(self) -> float:
        """What share of an image it shows."""
        return (self.behind + self.ahead) * (self.left + self.right)

    def posed(self, image: Floats, where: Pose) -> Floats:
        """What the frame shows of an H×W×C image, the object's direction pointing to the right."""
        size = np.sqrt(image.shape[0] * image.shape[1])
        x = np.arange(-round(self.behind * size), round(self.ahead * size), dtype=np.float32)
        y = np.arange(-round(self.left * size), round(self.right * size), dtype=np.float32)[:, None]
        cosine, sine = np.float32(np.cos(where.angle)), np.float32(np.sin(where.angle))
        return sampled(image, np.float32(where.y) + sine * x + cosine * y, np.float32(where.x) + cosine * x - sine * y)

    def returned(self, heat: Floats, shape: tuple[int, ...], where: Pose, step: int) -> Floats:
        """The heat of a posed image brought back to where its places lie in the image of that shape, `step` pixels apart; the least of it
        elsewhere."""
        size = np.sqrt(shape[0] * shape[1])
        y = np.arange(shape[0] // step, dtype=np.float32)[:, None] * step - np.float32(where.y)
        x = np.arange(shape[1] // step, dtype=np.float32) * step - np.float32(where.x)
        cosine, sine = np.float32(np.cos(where.angle)), np.float32(np.sin(where.angle))
        along = (cosine * x + sine * y + round(self.behind * size)) / step
        across = (cosine * y - sine * x + round(self.left * size)) / step
        inside = (along >= 0) & (across >= 0) & (along <= heat.shape[1] - 1) & (across <= heat.shape[0] - 1)
        return np.where(inside, sampled(heat[..., None], across, along)[..., 0], heat.min()).astype(np.float32)
