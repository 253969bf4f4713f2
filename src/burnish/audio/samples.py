"""A recording to show on a page: spectrograms of it before, after and as it should be, each with a player."""

import base64
import io
import struct
import zlib
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from burnish.audio import frames
from burnish.audio.frames import HOP, RATE

Samples = NDArray[np.float32]

SHOWN = 8  # seconds
RANGE = 70.0  # decibels from black to white
# Dark blue over red to yellow: corners of a colour map, evenly spaced.
COLOURS = np.array([[0, 0, 20], [60, 15, 110], [160, 40, 110], [235, 95, 60], [252, 190, 60], [255, 255, 200]], np.float64)


@dataclass(frozen=True)
class Sample:
    """A recording at 16 kHz as it was given, restored, and clean."""

    name: str
    degraded: Samples
    restored: Samples
    clean: Samples

    def html(self) -> str:
        """Itself as a part of a page."""
        figures = "".join(
            f'<figure style="min-width:16rem"><img src="{_picture(samples)}" alt="spectrogram, {label}" style="width:100%;height:256px">'
            f'<audio controls preload="none" style="width:100%" src="{_player(samples)}"></audio><figcaption>{label}</figcaption></figure>'
            for label, samples in (("degraded", self.degraded), ("restored", self.restored), ("clean", self.clean))
        )
        return f"<p>{escape(self.name)}</p>{figures}"


def spectrogram(samples: Samples) -> NDArray[np.uint8]:
    """The first seconds of a recording at 16 kHz as a picture: time to the right, 0 to 8 kHz upwards, H×W×3."""
    part = samples[: SHOWN * RATE]
    spectra = frames.spectra(np.pad(part, (HOP, HOP + -len(part) % HOP)), HOP)
    level = 20 * np.log10(np.abs(spectra) + 1e-6)
    unit = np.clip((level - 30) / RANGE + 1, 0, 1)[:, ::-1].T[:256] * (len(COLOURS) - 1)
    low = np.minimum(unit.astype(int), len(COLOURS) - 2)
    share = (unit - low)[..., None]
    picture: NDArray[np.uint8] = (COLOURS[low] * (1 - share) + COLOURS[low + 1] * share).astype(np.uint8)
    return picture


def _picture(samples: Samples) -> str:
    return f"data:image/png;base64,{base64.b64encode(_png(spectrogram(samples))).decode()}"


def _png(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in picture)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def _player(samples: Samples) -> str:
    import soundfile

    stored = io.BytesIO()
    soundfile.write(stored, np.clip(samples[: SHOWN * RATE], -1, 1), RATE, format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(stored.getvalue()).decode()}"
