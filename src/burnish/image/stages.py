"""The stages of images: what each word of the degradation language does to one.

    blur:1.0        Gaussian, sigma in pixels, support to 6 sigma, edges reflected as d c b a | a b c d
    noise:25        Gaussian, independent per pixel and channel, sigma on the 0–255 scale, not clipped; noise:25g the same in all channels
    poisson:30      photon noise, that many photons at white
    camera:0.2-3    back to raw and developed again with noise of that strength, 1 being about ISO 1600 to 3200; compared with the same
                    development without noise (burnish.image.camera has the formula)
    motion:5-15     straight motion blur of that length in pixels, random angle
    jpeg:40-95      through a real codec at that quality, 4:2:0
    8bit            round and clip to 8 bit
    own             whatever degraded somebody's own pairs of images: a model learnt it from them, it cannot be made

Images are H×W×C, worked on as float32 on the 0–1 scale.

To add a stage: write its function (an H×W×C float32 image on 0–1 and the Stage with its drawn value and seed in, the same kind of image
out), give it a row in STAGES at the end of this file and a line in the list above. Everything else follows from the row: reading, drawing,
error messages, `burnish degrade`, training and scoring. burnish.degradation.Kind says what can stand in a row. A stage that spreads what a
pixel shows farther than 16 pixels is told to burnish.training.image.views.reach too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from burnish.degradation import OWN, Kind, Stage
from burnish.errors import DegradationError
from burnish.image import camera

Image = NDArray[np.float32]


def blurred(image: Image, sigma: float) -> Image:
    """H×W×C or N×H×W×C images under a Gaussian of `sigma` pixels, support to 6 sigma, edges reflected: the stage `blur`."""
    radius = int(6 * sigma + 0.5)
    if radius == 0:
        return image
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    # In float64 throughout: rounding to 8 bit afterwards must not see the sum's own error.
    exact = _along(image.astype(np.float64), taps, image.ndim - 3)
    return _along(exact, taps, image.ndim - 2).astype(np.float32)


def _along(image: NDArray[np.float64], taps: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The symmetric kernel `taps` along one axis, edges reflected."""
    radius = len(taps) // 2
    padding = [(radius, radius) if each == axis else (0, 0) for each in range(image.ndim)]
    padded = np.moveaxis(np.pad(image, padding, mode="symmetric"), axis, 0)
    length = image.shape[axis]
    total = padded[radius : radius + length] * taps[radius]
    for offset in range(1, radius + 1):
        total += (padded[radius - offset : radius - offset + length] + padded[radius + offset : radius + offset + length]) * taps[
            radius + offset
        ]
    return np.moveaxis(total, 0, axis)


def _blur(image: Image, stage: Stage) -> Image:
    return blurred(image, stage.value or 0.0)


def _noise(image: Image, stage: Stage) -> Image:
    shape = (*image.shape[:-1], 1) if stage.grey else image.shape
    draws = np.random.default_rng(stage.seed).standard_normal(shape, np.float32)
    return image + draws * np.float32((stage.value or 0.0) / 255)


def _poisson(image: Image, stage: Stage) -> Image:
    photons = stage.value or 1.0
    draws = np.random.default_rng(stage.seed).poisson(np.clip(image, 0, None).astype(np.float64) * photons)
    return (draws / photons).astype(np.float32)


def _camera(image: Image, stage: Stage) -> Image:
    return _camera_pair(image, stage)[0]


def _camera_pair(image: Image, stage: Stage) -> tuple[Image, Image]:
    """The image as a camera gives it, and the truth: the same development without noise and JPEG."""
    if image.shape[-1] not in (1, 3):
        raise DegradationError(f"camera: takes images of one or three channels, this one has {image.shape[-1]}; take out alpha first")
    return camera.develop(image, stage.value or 0.0, stage.seed)


def _motion(image: Image, stage: Stage) -> Image:
    """The mean of the image along a line of `value` pixels centred on each pixel, sampled every half pixel, bilinear between pixels."""
    length = stage.value or 0.0
    angle = np.random.default_rng(stage.seed).uniform(0, math.pi)
    offsets = np.linspace(-length / 2, length / 2, max(1, 2 * math.ceil(length) + 1))
    radius = math.ceil(length / 2) + 1
    height, width = image.shape[:2]
    padded = np.pad(image, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    weights: dict[tuple[int, int], float] = {}
    for offset in offsets:
        y, x = offset * math.sin(angle), offset * math.cos(angle)
        for row in (math.floor(y), math.floor(y) + 1):
            for column in (math.floor(x), math.floor(x) + 1):
                share = (1 - abs(y - row)) * (1 - abs(x - column)) / len(offsets)
                weights[row, column] = weights.get((row, column), 0.0) + share
    total = np.zeros(image.shape, np.float64)
    for (row, column), weight in weights.items():
        total += weight * padded[radius + row : radius + row + height, radius + column : radius + column + width]
    return total.astype(np.float32)


def _jpeg(image: Image, stage: Stage) -> Image:
    import pyvips

    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    encoded = pyvips.Image.new_from_array(pixels).jpegsave_buffer(Q=int(stage.value or 75), subsample_mode="on")
    decoded = pyvips.Image.new_from_buffer(encoded, "").numpy().reshape(image.shape)
    floats: Image = decoded.astype(np.float32) / np.float32(255)
    return floats


def _eight_bit(image: Image, _stage: Stage) -> Image:
    rounded: Image = np.rint(np.clip(image, 0, 1) * np.float32(255)) / np.float32(255)
    return rounded


def _own(_image: Image, _stage: Stage) -> Image:
    raise DegradationError("own: stands for what somebody's own pairs of images show, and cannot be made; give one such as noise:25")


STAGES = {
    "blur": Kind("blur:1.0", _blur, 0, 50, is_random=False, takes_batches=True),
    "noise": Kind("noise:25", _noise, 0, 255, takes_grey=True),
    "poisson": Kind("poisson:30", _poisson, 0.1, 1e6),
    "camera": Kind("camera:1.0", _camera, 0, 100, pair=_camera_pair),
    "motion": Kind("motion:5-15", _motion, 0, 200),
    "jpeg": Kind("jpeg:75", _jpeg, 1, 100, whole=True, is_random=False, gives_eight_bit=True),
    "8bit": Kind("8bit", _eight_bit, is_random=False, takes_batches=True, gives_eight_bit=True),
    OWN: Kind(OWN, _own),
}
"""Every stage by its name, in the order that error messages list them."""
