"""Images to look at: as they were, degraded and restored, on a page or in one image."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from burnish.arrays import centre, evenly
from burnish.errors import MissingExtraError
from burnish.files import atomic

CROP = 256  # pixels a side shown of a larger photograph
TINY = 128  # an image under this is shown enlarged

Kind = Literal["worst", "middle", "best"]


@dataclass(frozen=True)
class Sample:
    """An image to show: H×W×3 uint8 as it was, as it was degraded and as the model restored it; no original where there is none. Where
    nothing was taken away from it (`rebuilt`), as it was and as the model gave it back.

    Of a large image they are its middle; `size` is the whole one's height and width (None: they are all of it). The figures are of all.
    """

    name: str
    kind: Kind
    original: NDArray[np.uint8] | None
    degraded: NDArray[np.uint8]
    restored: NDArray[np.uint8]
    psnr_input: float
    psnr_model: float
    size: tuple[int, int] | None = None
    rebuilt: bool = False

    @property
    def gain(self) -> float:
        """In dB."""
        return self.psnr_model - self.psnr_input

    def captioned(self) -> list[tuple[str, NDArray[np.uint8]]]:
        """The images that there are, at most CROP pixels a side, each with what it is."""
        after = f"{'Given back' if self.rebuilt else 'Restored'}, {self.psnr_model:.2f} dB"
        captions = ("Original", f"Degraded, {self.psnr_input:.2f} dB", after)
        images = (self.original, None if self.rebuilt else self.degraded, self.restored)
        return [(caption, centre(image, CROP)) for caption, image in zip(captions, images, strict=True) if image is not None]

    def html(self) -> str:
        """A line about the image, and a figure for each of its states."""
        height, width = self.size or self.degraded.shape[:2]
        zoom = max(1, TINY // max(height, width))
        told = f", shown {zoom} times" if zoom > 1 else (f", its central {CROP} pixels" if max(height, width) > CROP else "")
        told += "" if self.rebuilt else f"; gain {self.gain:+.2f} dB"
        parts = [f"<p><b>{self.kind}</b> {escape(self.name)} <span class=quiet>{width}×{height}{told}</span></p>"]
        for caption, image in self.captioned():
            size = f'width="{image.shape[1] * zoom}" height="{image.shape[0] * zoom}"'
            alt = escape(f"{self.name}: {caption}")
            parts.append(
                f'<figure><img src="data:image/png;base64,{_png(image)}" {size} alt="{alt}"><figcaption>{caption}</figcaption></figure>'
            )
        return "".join(parts)


class _Board(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def samples(self) -> Sequence[object]: ...


def write_picture(path: Path, boards: Sequence[_Board], each: int = 2) -> None:
    """Write a PNG with rows Original / Degraded / Restored, up to `each` images a model. Raises InputError or MissingExtraError."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("the image needs matplotlib: pip install 'burnish[evaluate]'") from error
    rows = [(board.model, sample) for board in boards for sample in _chosen(board.samples, each)]
    figure = Figure(figsize=(10, 3.5 * len(rows)), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for line, (model, sample) in zip(axes, rows, strict=True):
        shown = sample.captioned()
        for axis in line[: 3 - len(shown)]:
            axis.remove()
        for axis, (caption, image) in zip(line[3 - len(shown) :], shown, strict=True):
            axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(caption.replace("Restored,", f"Restored by {model},").replace("$", r"\$"), fontsize=10)
            axis.set_axis_off()
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png")


def _chosen(samples: Sequence[object], count: int) -> list[Sample]:
    """The best and worst first: an honest pair where only two are shown."""
    ordered = sorted((sample for sample in samples if isinstance(sample, Sample)), key=lambda sample: sample.gain)
    return sorted((ordered[i] for i in evenly(len(ordered), count)), key=lambda sample: sample.name)


def _png(image: NDArray[np.uint8]) -> str:
    import pyvips

    encoded: bytes = pyvips.Image.new_from_array(np.ascontiguousarray(image)).pngsave_buffer()
    return base64.b64encode(encoded).decode()
