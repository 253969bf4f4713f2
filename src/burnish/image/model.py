"""A model that restores images: arrays in, arrays out, whole or in tiles."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.errors import InputError, ModelError
from burnish.image import channels
from burnish.image.channels import Layout
from burnish.image.tiling import Tile, best_tile, padded, tiled
from burnish.model import file as model_file
from burnish.model.card import Card
from burnish.model.file import ModelFile

PIL_MODES = ("L", "LA", "RGB", "RGBA", "I;16", "1", "P", "PA")  # the last three come back as L, RGB or RGBA
WHOLE = 5 << 17  # pixels run as one: with more, a photo of 12 megapixels takes over half a gigabyte
FAR, MEAN_FAR = 50.0, 1.5  # from the middle of 0–1: floats there, or a mean there, are on another scale; the worst noise stays within


def load(model: str | Path, threads: int | None = None) -> "Model":
    """The image model with a shipped name or in a file. Raises ModelError as burnish.load does, and for a model of another medium."""
    return Model(model_file.read(model, threads))


class Model:
    """A loaded image model: any number of threads may share it, and take turns. It can be pickled and deep-copied: it loads again.

    Raises ModelError for a file whose graph takes or gives other than images, or contradicts its card.
    """

    def __init__(self, file: ModelFile) -> None:
        _check_graph(file)
        self.file = file
        self.has_latent = len(file.outputs) > 1

    @property
    def card(self) -> Card:
        """What the model says of itself."""
        return self.file.card

    @property
    def path(self) -> Path:
        """The file it was loaded from."""
        return self.file.path

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell its file from another."""
        return self.file.digest

    @property
    def only_rebuilds(self) -> bool:
        """Whether it has learnt to give back what it is given, from its latent, and nothing else."""
        return self.has_latent and self.card.takes_nothing

    def check_restores(self) -> None:
        """Raises ModelError for a model that restores nothing."""
        if self.only_rebuilds:
            raise ModelError(
                f"{self.card.name}: restores nothing, it turns images into latents and back; use it with burnish encode and decode, or "
                "restore with another model, such as photo"
            )

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The graph as it is: N×C×H×W float32 on 0–1 (H and W multiples of the card's `multiple_of`) to the same, not clipped."""
        return self.file.run(["restored"], {"image": batch})[0]

    def _sound(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `run` gives, kept within 0–1. Raises ModelError when it is no number."""
        result = self.run(batch)
        if not np.isfinite(result).all():
            raise ModelError(f"{self.card.name}: gave values that are no numbers; the model file is broken, or was trained badly")
        return np.clip(result, 0, 1, out=result)

    def restore(self, array: Any, tile: int | None = None, strength: float = 1.0) -> Any:
        """The restored image, of the same shape and dtype.

        `array` is H×W or H×W×C with C of 1 to 4, uint8, uint16 or float (on 0–1, and so is the result), or N×H×W×C for a batch of small
        images in one run; or a PIL image, for which a PIL image comes back. Grey goes through a colour model as three equal channels,
        colour through a grey one channel by channel; of 2 or 4 channels the last is alpha, which is not touched, unless the model takes
        as many. `tile` is the side of the tiles in pixels, chosen when None; the result does not depend on it. `strength` blends, from 0
        (as it was) to 1 (as restored). Raises InputError for what is no such image (floats far beyond 0–1 are none), a tile or a strength
        that cannot be, ModelError for an image that this model cannot take. Threads may share the model.
        """
        check_options(tile, strength)
        if not isinstance(array, np.ndarray) and hasattr(array, "convert"):
            return _restored_pil(self, array, tile, strength)
        pictures = _checked_pictures(array)
        bands = pictures.shape[-1]
        layout = self.layout(bands, alpha=bands in (2, 4) and bands != self.card.channels, shape=pictures.shape[1:3])
        scale = _white(array)
        planes = [layout.planes(each) for each in pictures]
        height, width = pictures.shape[1:3]
        step = self.card.multiple_of
        if len(planes) > 1 and len(layout.groups) == 1 and not layout.alpha and height * width * len(planes) <= WHOLE:
            batch = channels.unit(np.stack([padded(each, step) for each in planes]), 0, scale)
            blended = _blended(batch, self._sound(batch), strength)
            restored = list(channels.stored(blended[..., :height, :width], 0, scale, array.dtype))
        else:
            run = self.runner(layout, 0, scale, strength)
            sides = (tile, tile) if tile else self.tile(layout, height, width)
            restored = [tiled(run, each, sides, self.halo(layout), step) for each in planes]
        result = np.stack([layout.picture(*pair) for pair in zip(restored, pictures, strict=True)])
        return result.reshape(array.shape).astype(array.dtype, copy=False)  # bytes in the order that they came in

    def tile(self, layout: Layout, height: int, width: int, rows: int | None = None) -> Tile:
        """The tile that an image of that layout and size is best run in, of at most `rows` rows with its halo; itself if it is small."""
        pixels = WHOLE // len(layout.groups) if self.card.input_size is None else height * width
        return best_tile(height, width, self.halo(layout), self.card.multiple_of, pixels, rows or height)

    def halo(self, layout: Layout) -> int:
        """How many pixels around a tile its result depends on, for an image of that layout."""
        return self.card.halo + (channels.FILL_REACH if layout.hides else 0)

    def runner(self, layout: Layout, low: float, high: float, strength: float = 1.0) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """The graph as a function from a layout's planes, whose values lie on `low` to `high`, to the same restored.

        Each group is one image of a batch. Whole numbers are rounded; floats beyond the range are kept within it. `strength` blends,
        from 0 (as it was) to 1 (as restored). Hidden colours stay as they are. Raises ModelError when the graph gives what is no number.
        """
        groups = len(layout.groups)

        def run(planes: NDArray[Any]) -> NDArray[Any]:
            before = planes[:-1] if layout.alpha else planes
            values = channels.unit(layout.cleared(planes, low)[: len(before)], low, high)
            shown = 1 - values if layout.inverted else values
            hidden = layout.hidden(planes) if layout.hides else None
            if hidden is not None:
                shown = channels.filled(shown, hidden)
            after = self._sound(np.ascontiguousarray(shown).reshape(groups, -1, *planes.shape[1:])).reshape(values.shape)
            after = 1 - after if layout.inverted else after
            result = channels.stored(_blended(values, after, strength), low, high, planes.dtype)
            if hidden is not None:
                result[:, hidden] = before[:, hidden]
            return np.concatenate([result, planes[-1:]]) if layout.alpha else result

        return run

    def encode(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """The bottleneck's values of an image (an array as `restore` takes it), C×h×w float32; of a batch N×H×W×C, N×C×h×w.

        Alpha is left out; colour in a grey model gives the channels' latents one after the other. Raises ModelError when the model has no
        latent, and what `restore` raises.
        """
        if not self.has_latent:
            raise ModelError(f"{self.card.name}: has no latent to encode into; take a model with a bottleneck, such as latent")
        pictures = _checked_pictures(array)
        bands = pictures.shape[-1]
        layout = self.layout(bands, alpha=bands in (2, 4) and bands != self.card.channels, shape=pictures.shape[1:3])
        colours = len(layout.groups) * self.card.channels
        step = max(1, WHOLE // (pictures[0].size * len(layout.groups)))  # images at a time
        latents = []
        for first in range(0, len(pictures), step):
            planes = padded(layout.planes(pictures[first : first + step])[:, :colours], self.card.multiple_of)
            batch = channels.unit(planes, 0, _white(array)).reshape(-1, self.card.channels, *planes.shape[2:])
            latent = self.file.part("image", "latent", batch)
            latents.append(latent.reshape(len(planes), -1, *latent.shape[2:]))
        result = np.concatenate(latents)
        return result if array.ndim == 4 else result[0]

    def decode(self, latent: NDArray[Any]) -> NDArray[np.float32]:
        """The images of latents: C×h×w (or of whatever shape `encode` gives one image) to H×W×C float32 on 0–1; N of them to N×H×W×C.

        H and W are those of the padded image that was encoded. Raises ModelError when the model has no latent, InputError for an array that
        is none of this model, or holds values that are not finite.
        """
        if not self.has_latent:
            raise ModelError(f"{self.card.name}: has no latent to decode from; take a model with a bottleneck, such as latent")
        known = self.file.outputs[1].shape
        values = np.asarray(latent, np.float32)
        batch = values[None] if values.ndim == len(known) - 1 else values
        if batch.ndim != len(known) or any(isinstance(k, int) and k != n for k, n in zip(known[1:], batch.shape[1:], strict=True)):
            told = "×".join(str(each) if isinstance(each, int) else "any" for each in known[1:])
            raise InputError(f"an array of shape {values.shape} is no latent of {self.card.name}, whose are {told}; give what encode gives")
        if 0 in batch.shape or not np.isfinite(batch).all():
            raise InputError("the latent is empty or holds values that are not finite; encode the image again")
        restored = np.clip(self.file.part("latent", "restored", batch), 0, 1).transpose(0, 2, 3, 1)
        return restored if values.ndim == len(known) else restored[0]

    def layout(
        self, bands: int, *, alpha: bool, shape: tuple[int, ...], inks: bool = False, extra: int = 0, nodata: float | None = None
    ) -> Layout:
        """How an image of so many channels goes through this model. Raises ModelError when it cannot.

        `extra`: how many channels behind the colours are neither colours nor transparency; `nodata`: the value of pixels without any.
        """
        size = self.card.input_size
        if size and size != list(shape):
            raise ModelError(f"{self.card.name}: takes only images of {size[0]}×{size[1]} (height × width), this is {shape[0]}×{shape[1]}")
        layout = channels.layout(bands, self.card.channels, alpha=alpha, inks=inks, extra=extra)
        if layout is None:
            raise ModelError(f"{self.card.name}: takes {self.card.channels} channel(s), the image has {bands}; give grey or colour")
        return layout if nodata is None else replace(layout, nodata=nodata)


def check_options(tile: int | None, strength: float) -> None:
    """Raises InputError for a tile of less than one pixel and for a strength beyond 0 to 1."""
    if tile is not None and tile < 1:
        raise InputError(f"tile = {tile!r} must be at least 1 pixel, or None to have it chosen")
    if not 0 <= strength <= 1:  # NaN compares false
        raise InputError(f"strength = {strength!r} must lie between 0 (as it was) and 1 (as restored)")


def _blended(before: NDArray[np.float32], after: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    return before + np.float32(strength) * (after - before) if strength < 1 else after


def _white(array: NDArray[Any]) -> float:
    return float(np.iinfo(array.dtype).max) if array.dtype.kind == "u" else 1.0


def _checked_pictures(array: NDArray[Any]) -> NDArray[Any]:
    """The array as N×H×W×C, if it is one image or a batch of them."""
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise InputError(f"an array of shape {getattr(array, 'shape', None)} is no image; give H×W or H×W×C with at least one pixel")
    if array.dtype.newbyteorder("=") not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        raise InputError(f"an array of {array.dtype} is no image; give uint8, uint16 or float on 0–1")
    if array.dtype.kind == "f":
        low, high, mean = float(array.min()), float(array.max()), float(array.mean(dtype=np.float64))
        if not np.isfinite([low, high]).all():
            raise InputError("the array holds values that are not finite; replace them first")
        if max(abs(low - 0.5), abs(high - 0.5)) > FAR or abs(mean - 0.5) > MEAN_FAR:
            raise InputError(
                f"the array's floats run from {low:g} to {high:g}, but floats are taken to be on 0–1: divide them by what white is "
                "(255 of 8 bits, 65535 of 16), or give uint8 or uint16"
            )
    return array[None, ..., None] if array.ndim == 2 else array if array.ndim == 4 else array[None]


def _restored_pil(model: Model, image: Any, tile: int | None, strength: float) -> Any:
    from PIL import Image

    if image.mode not in PIL_MODES:
        raise InputError(f"a PIL image of mode {image.mode} has no known range or colours; convert it to one of {', '.join(PIL_MODES)}")
    full = {"1": "L", "P": "RGBA" if image.has_transparency_data else "RGB", "PA": "RGBA"}.get(image.mode)
    result = Image.fromarray(model.restore(np.asarray(image.convert(full) if full else image), tile, strength))
    result.info = {key: value for key, value in image.info.items() if key != "transparency"}  # profile, resolution, EXIF
    return result


def _check_graph(file: ModelFile) -> None:
    """Raises ModelError unless the graph takes images and gives restored ones, of as many channels as its card says."""
    card, path = file.card, file.path
    if card.kind != "image":
        raise ModelError(f"{path}: restores {card.kind}, not images; name a model for images")
    inputs, outputs = [each.name for each in file.inputs], [each.name for each in file.outputs]
    if inputs != ["image"] or outputs not in (["restored"], ["restored", "latent"]):
        raise ModelError(
            f"{path}: has inputs {', '.join(inputs)} and outputs {', '.join(outputs)}, a Burnish model has image and restored (and latent)"
        )
    image, restored = file.inputs[0], file.outputs[0]
    if image.type != "tensor(float)" or len(image.shape) != 4 or image.shape[1] != card.channels:
        raise ModelError(f"{path}: its card says {card.channels} channel(s), its graph takes {image.type} of {image.shape}; export it anew")
    if len(restored.shape) != 4 or (isinstance(restored.shape[1], int) and restored.shape[1] != card.channels):
        raise ModelError(f"{path}: its card says {card.channels} channel(s), its graph gives {restored.shape}; export it anew")
