"""A camera's noise: an image taken back to raw and developed again with noise in it. The degradation stage `camera`.

The way back follows Brooks, Mildenhall, Xue, Chen, Sharlet and Barron (2019), "Unprocessing images for learned raw denoising"; the noise
model is Foi, Trimeche, Katkovnik and Egiazarian's (2008). What is drawn for an image, uniformly unless it says otherwise:

- The optics. A third of the images are enlarged 1.2–2.2 times out of a window of themselves, since a camera's pixels are softer than those
  of a shrunken photograph.
- The development. With x linear light, the tone curve is y = (1 − s)·g + s·(3g² − 2g³), where g = x^(1/γ), γ 1.8–2.4 and s 0–1. The
  colour matrix (camera to sRGB) is a mix of three, rows summing to 1; the white balance multiplies red by 1.5–2.4 and blue by 1.4–2.2.
  In half of the images white lies beyond the sensor's range, so that it has no noise.
- The noise, on a Bayer mosaic whose first red pixel is at any of four places: a raw value x on 0–1 becomes x + sqrt(shot·x + read)·n with
  n standard normal. At strength k, shot = 0.0005·k²·2^u with u from −1 to 1, and ln read = 2.18·ln shot + 1.2 + v with v normal of standard
  deviation 0.26; both are variances. Strength 1 is about ISO 1600 to 3200. In one image of seven, rows or columns share a noise of standard
  deviation 0.05–0.3·sqrt(read); in one of ten, a pixel in 100,000 is hot, brighter by 0.1–0.5, at strengths below 1 by k times that. One
  sensor in eight cuts negative values off, the others keep them until the end. What the image gets is half the difference of the tone curve
  with the noise added and subtracted, so that the mean of many shots is the truth.
- The demosaicking: two thirds Malvar, He and Cutler's, a third bilinear.
- The camera's denoising, in two cameras of five. It stands for filters that keep edges: it takes a share a of each of the r finest octaves
  of the noise, not of the image, the last one in part. For brightness a is 0.5–1 (in 17 images of 20) and r 1–2.2; for the colour
  differences a is 0.9–1 (in nine of ten) and r 2–5. Of all that remains, 0.2–0.8 of brightness is taken in seven images of ten; of the
  colour differences a share of 0.2–0.9 plus 0.8·(r − 2)/3 stays, which may be above 1, since sensors have more coarse noise than pixels
  independent of each other.
- The finish: in a third of the images the colour differences are smoothed with a Gaussian of sigma 0.7–3 pixels, in half an unsharp mask
  follows, of amount 0.2–1.2 and sigma 0.6–1.5. At last seven tenths of the degraded images are saved as JPEG, of quality 85–100 or, one in
  five, 70–95, three in four with 4:2:0.

An image of one channel has one curve, no mosaic and no colours, and the rest alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.image import demosaic

Planes = NDArray[np.float32]

# From a camera's colours to linear sRGB, each row summing to 1: a warm, a neutral and a strong separation of a sensor's colours.
MATRICES = np.array(
    [
        [[1.55, -0.45, -0.10], [-0.20, 1.40, -0.20], [0.00, -0.40, 1.40]],
        [[1.75, -0.65, -0.10], [-0.25, 1.55, -0.30], [0.05, -0.55, 1.50]],
        [[2.00, -0.85, -0.15], [-0.30, 1.75, -0.45], [0.05, -0.75, 1.70]],
    ]
)
SHOT = 0.0005  # the variance of a strength of 1 at white
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
STEPS = 16384  # of a table
ALL = (1.0,)  # of the noise stays, in every octave
SATURATED = 1.4  # how far beyond the sensor's range a saturated white lies
ENLARGED_FROM = 32  # pixels of the shorter side


@dataclass(frozen=True)
class _Camera:
    """What is drawn for one image; see the module's docstring."""

    enlargement: float
    gamma: float
    contrast: float
    matrix: NDArray[np.float64]
    balance: NDArray[np.float64]
    saturates: bool
    phase: tuple[int, int]
    spread: float
    read_spread: float
    banding: float
    by_columns: bool
    hot: float
    cuts_negative: bool
    correction: float
    kept_luma: tuple[float, ...]
    kept_chroma: tuple[float, ...]
    chroma_sigma: float
    sharpening: float
    sharpening_sigma: float
    quality: int
    subsamples: bool

    @staticmethod
    def draw(rng: np.random.Generator) -> "_Camera":
        def now_and_then(share: float, low: float, high: float) -> float:
            value = rng.uniform(low, high)
            return float(value) if rng.random() < share else 0.0

        denoises = rng.random() >= 0.6
        quality = int(rng.integers(85, 101)) if rng.random() < 0.8 else int(rng.integers(70, 96))
        reach = rng.uniform(2, 5)
        return _Camera(
            enlargement=now_and_then(1 / 3, 1.2, 2.2),
            gamma=rng.uniform(1.8, 2.4),
            contrast=rng.uniform(0, 1),
            matrix=np.tensordot(rng.dirichlet((1, 1, 1)), MATRICES, 1),
            balance=np.array([rng.uniform(1.5, 2.4), 1, rng.uniform(1.4, 2.2)]),
            saturates=rng.random() < 0.5,
            phase=(int(rng.integers(2)), int(rng.integers(2))),
            spread=2 ** rng.uniform(-1, 1),
            read_spread=float(np.exp(rng.normal(1.2, 0.26))),
            banding=now_and_then(1 / 7, 0.05, 0.3),
            by_columns=rng.random() < 0.3,
            hot=now_and_then(0.1, 0.1, 0.5),
            cuts_negative=rng.random() < 0.125,
            correction=float(rng.random() < 2 / 3),
            kept_luma=_kept(3, now_and_then(0.85, 0.5, 1), rng.uniform(1, 2.2), 1 - now_and_then(0.7, 0.2, 0.8)) if denoises else ALL,
            kept_chroma=_kept(5, now_and_then(0.9, 0.9, 1), reach, rng.uniform(0.2, 0.9) + 0.8 * (reach - 2) / 3) if denoises else ALL,
            chroma_sigma=now_and_then(1 / 3, 0.7, 3),
            sharpening=now_and_then(1 / 2, 0.2, 1.2),
            sharpening_sigma=rng.uniform(0.6, 1.5),
            quality=quality if rng.random() < 0.7 else 0,
            subsamples=rng.random() < 0.75,
        )


def _kept(octaves: int, taken: float, reach: float, rest: float) -> tuple[float, ...]:
    """The share of each octave's noise that stays, the finest first, and at the end that of all coarser ones together."""
    return (*(rest * (1 - taken * min(max(reach - octave, 0), 1)) for octave in range(octaves)), rest)


def develop(image: NDArray[np.float32], strength: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The H×W×3 or H×W×1 image on 0–1 developed (with noise and sometimes JPEG, without either), float32 on 0–1.

    `strength` is 0 (no noise) or more; the standard deviation of the noise grows about in proportion. The result depends on
    image, strength and seed only.
    """
    drawing, noising = np.random.default_rng(seed).spawn(2)
    camera = _Camera.draw(drawing)
    height, width = image.shape[:2]
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0), np.float32).clip(0, 1)
    if camera.enlargement and min(height, width) >= ENLARGED_FROM:
        planes = _enlarged(planes, camera.enlargement, drawing)
    planes = _padded(planes)
    raw = _raw(planes, camera)
    truth, noise = _developed(np.clip(raw, 0, 1), _noise(raw, strength, camera, noising), camera)
    pair = _finished(truth, noise, camera)
    degraded, truth = (np.ascontiguousarray(np.moveaxis(each[:, :height, :width], 0, 2)) for each in pair)
    if camera.quality:
        degraded = _through_jpeg(degraded, camera)
    return degraded, truth


def _padded(planes: Planes) -> Planes:
    """The planes mirrored at the bottom and at the right to even sides of at least 4."""
    height, width = planes.shape[1:]
    below, right = (max(4, length + length % 2) - length for length in (height, width))
    return np.pad(planes, ((0, 0), (0, below), (0, right)), mode="symmetric") if below or right else planes


def _enlarged(planes: Planes, factor: float, rng: np.random.Generator) -> Planes:
    """A window of 1/factor the sides, anywhere, enlarged to the full size; bicubic (Catmull and Rom's)."""
    for axis in (1, 2):
        length = planes.shape[axis]
        start = rng.uniform(0, length - length / factor)
        places = (np.arange(length) + 0.5) / factor - 0.5 + start
        whole = np.floor(places).astype(np.intp)
        t = (places - whole).astype(np.float32).reshape(-1, *[1] * (2 - axis))
        weights = (
            ((2 - t) * t - 1) * t / 2,
            ((3 * t - 5) * t * t + 2) / 2,
            ((4 - 3 * t) * t + 1) * t / 2,
            (t - 1) * t * t / 2,
        )
        total = np.zeros(planes.shape, np.float32)
        for offset, weight in enumerate(weights, -1):
            total += weight * planes.take((whole + offset).clip(0, length - 1), axis)
        planes = total
    return planes.clip(0, 1)


# --- There and back ---


def _curve(light: NDArray[np.float32], camera: _Camera) -> NDArray[np.float32]:
    """From linear light to the image's values, both on 0–1, rising strictly; odd, since noise goes below black.

    The power is of exponential and logarithm, which NumPy has vectorised.
    """
    encoded = np.maximum(np.abs(light), np.float32(1e-12))
    np.log(encoded, out=encoded)
    encoded *= np.float32(1 / camera.gamma)
    np.exp(encoded, out=encoded)
    contrast = np.float32(camera.contrast)
    bent = encoded * (3 * contrast)
    bent -= np.square(encoded) * (2 * contrast)
    bent += 1 - contrast
    bent *= encoded
    return np.copysign(bent, light, out=bent)


def _raw(planes: Planes, camera: _Camera) -> Planes:
    """What the sensor would have to see: sites of a mosaic, or one plane; a saturated white lies above 1."""
    linear = np.linspace(0, 1, 2 * STEPS, dtype=np.float32) ** 2
    table = np.interp(np.linspace(0, 1, STEPS), _curve(linear, camera), linear).astype(np.float32)
    light = np.stack([table.take(np.rint(plane * np.float32(STEPS - 1)).astype(np.intp)) for plane in planes])
    shine = np.square(np.maximum(light.mean(0) - np.float32(0.9), 0) * np.float32(10))
    if len(light) == 1:
        return light + shine * np.float32(SATURATED - 1) if camera.saturates else light
    seen = np.tensordot(np.linalg.inv(camera.matrix).astype(np.float32), light, 1)
    for plane, gain in zip(seen, camera.balance, strict=True):
        plane *= np.float32(1 / gain)
        if camera.saturates:
            plane += shine * (np.float32(SATURATED) - plane)
    return demosaic.mosaic(seen, camera.phase)


def _noise(raw: Planes, strength: float, camera: _Camera, rng: np.random.Generator) -> Planes:
    """What noise adds to the raw values within the sensor's range."""
    shot = SHOT * strength**2 * camera.spread
    read = camera.read_spread * shot**2.18
    noise = rng.standard_normal(raw.shape, np.float32)
    light = np.maximum(raw, 0)
    noise *= np.sqrt(np.float32(shot) * light + np.float32(read))
    noise += light
    if camera.banding:
        lines = noise.shape[-1] if camera.by_columns else noise.shape[-2]
        band = rng.standard_normal((*noise.shape[:-2], lines), np.float32) * np.float32(camera.banding * np.sqrt(read))
        noise += band[..., None, :] if camera.by_columns else band[..., :, None]
    if camera.hot:
        places = rng.integers(noise.size, size=rng.poisson(1e-5 * noise.size))
        noise.reshape(-1)[places] += np.float32(camera.hot * min(1.0, strength))
    np.clip(noise, 0 if camera.cuts_negative else None, 1, out=noise)
    return np.subtract(noise, np.minimum(light, 1), out=noise)


def _developed(raw: Planes, noise: Planes, camera: _Camera) -> tuple[Planes, Planes]:
    """The image on 0–1 of a raw mosaic or plane, and the noise upon it, both C×H×W.

    The noise is half the difference of the developments with it added and subtracted: the curve bends, and would otherwise move the mean of
    many shots away from the truth.
    """
    if raw.ndim == 4:
        raw, noise = demosaic.demosaic(np.stack([raw, noise]), camera.phase, camera.correction)
    above, truth, below = (_encoded(each, camera) for each in (raw + noise, raw, raw - noise))
    above -= below
    above *= np.float32(0.5)
    return np.maximum(truth, 0, out=truth), above


def _encoded(sensed: Planes, camera: _Camera) -> Planes:
    """The sensor's colours or one plane, C×H×W, as values of the image, not yet cut at black but within −1 to 1."""
    if len(sensed) == 3:
        balanced = np.minimum(sensed * camera.balance.astype(np.float32)[:, None, None], 1)
        sensed = np.matmul(camera.matrix.astype(np.float32), balanced.reshape(3, -1)).reshape(sensed.shape)
    return np.stack([_curve(np.clip(plane, -1, 1), camera) for plane in sensed])


# --- The camera's own denoising and finish ---


def _finished(truth: Planes, noise: Planes, camera: _Camera) -> tuple[Planes, Planes]:
    """The image with the noise, which the camera first denoises, and without it, C×H×W, both finished and on 0–1."""
    clean, noisy = _luma_chroma(truth), _luma_chroma(noise)
    noisy[:1] = _octaves_kept(noisy[:1], camera.kept_luma)
    noisy[1:] = _octaves_kept(noisy[1:], camera.kept_chroma)
    noisy += clean
    for planes in (noisy, clean):
        if camera.chroma_sigma:
            planes[1:] = _gaussian(planes[1:], camera.chroma_sigma)
        if camera.sharpening:
            planes[:1] += np.float32(camera.sharpening) * (planes[:1] - _gaussian(planes[:1], camera.sharpening_sigma))
    degraded, truth = (np.clip(_red_green_blue(planes), 0, 1) for planes in (noisy, clean))
    return degraded, truth


def _luma_chroma(planes: Planes) -> Planes:
    """Y, B − Y, R − Y of red, green, blue; a single plane stays."""
    if len(planes) == 1:
        return planes
    luma = np.tensordot(LUMA, planes, 1)
    return np.stack([luma, planes[2] - luma, planes[0] - luma])


def _red_green_blue(planes: Planes) -> Planes:
    if len(planes) == 1:
        return planes
    luma, blue, red = planes
    return np.stack([luma + red, luma - (LUMA[0] * red + LUMA[2] * blue) / LUMA[1], luma + blue])


def _octaves_kept(planes: Planes, kept: tuple[float, ...]) -> Planes:
    """The planes with a share of each octave, the finest first: differences of ever wider smoothings by 1 2 1 (à trous)."""
    if not planes.size or min(kept) == 1:
        return planes
    total = np.zeros_like(planes)
    for octave, share in enumerate(kept[:-1]):
        smooth = _weighted(planes, np.array([0.5, 0.25]), 2**octave)
        planes = planes - smooth
        planes *= np.float32(share)
        total += planes
        planes = smooth
    total += np.float32(kept[-1]) * planes
    return total


def _gaussian(planes: Planes, sigma: float) -> Planes:
    taps = np.exp(-0.5 * (np.arange(int(3 * sigma + 0.5) + 1) / sigma) ** 2)
    return _weighted(planes, taps / (2 * taps.sum() - taps[0]), 1)


def _weighted(planes: Planes, taps: NDArray[np.float64], step: int) -> Planes:
    """C×H×W planes under a symmetric separable kernel, half of it given from its centre, `step` pixels from tap to tap; edges mirrored."""
    reach = step * (len(taps) - 1)
    weights = taps.astype(np.float32)
    result = np.empty_like(planes)
    height, width = planes.shape[1:]
    for plane, target in zip(planes, result, strict=True):
        padded = np.pad(plane, reach, mode="symmetric")
        rows = padded[reach : reach + height] * weights[0]
        for offset, weight in zip(range(step, reach + 1, step), weights[1:], strict=True):
            both = padded[reach - offset : reach - offset + height] + padded[reach + offset : reach + offset + height]
            both *= weight
            rows += both
        np.multiply(rows[:, reach : reach + width], weights[0], out=target)
        for offset, weight in zip(range(step, reach + 1, step), weights[1:], strict=True):
            across = rows[:, reach - offset : reach - offset + width] + rows[:, reach + offset : reach + offset + width]
            across *= weight
            target += across
    return result


def _through_jpeg(image: Planes, camera: _Camera) -> Planes:
    import pyvips

    pixels = np.rint(image * np.float32(255)).astype(np.uint8)
    saved = pyvips.Image.new_from_array(pixels).jpegsave_buffer(Q=camera.quality, subsample_mode="on" if camera.subsamples else "off")
    loaded = pyvips.Image.new_from_buffer(saved, "").numpy().reshape(image.shape)
    floats: Planes = loaded.astype(np.float32) / np.float32(255)
    return floats
