"""Rows as they come, made into a libvips image: a BigTIFF that is never whole anywhere, so an image larger than memory can be saved.

libvips has no way to be handed rows one after another, but it reads files from a source that a program provides. Ours is an uncompressed
TIFF with one row a strip: its head is made when asked for, its pixels are the rows in their order.
"""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS = 256, 257, 258, 259, 262, 273
SAMPLES, ROWS_PER_STRIP, BYTE_COUNTS, PLANAR, EXTRA, FORMAT = 277, 278, 279, 284, 338, 339
SHORT, LONG, LONG8 = 3, 4, 16
SMALL = 1 << 20  # bytes
VIPS_TYPES = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
CODES = {SHORT: "H", LONG: "I", LONG8: "Q"}


class RowSource:
    """A readable, seekable file of H×W×B pixels that come as `rows`, arrays of any number of rows each.

    An error among the rows, an interrupt too, ends the file early and stays in `error`: exceptions cannot pass through libvips.
    """

    def __init__(self, rows: Iterator[NDArray[Any]], height: int, width: int, bands: int, dtype: np.dtype[Any]) -> None:
        self.error: BaseException | None = None
        self._rows = rows
        self._shape, self._dtype = (height, width, bands), dtype
        self._head = _head(height, width, bands, dtype)
        self._size = len(self._head) + height * width * bands * dtype.itemsize
        self._at = 0
        self._chunk = b""
        self._chunk_at = len(self._head)

    def image(self) -> Any:
        """The pyvips image that reads from here, once and from top to bottom; a small one has been read already."""
        import pyvips

        if self._size <= SMALL:  # to be asked for portions of so little takes longer than to hold it
            pixels = np.concatenate(list(self._rows))
            if pixels.shape != self._shape or pixels.dtype != self._dtype:
                raise ValueError(f"rows of {pixels.shape} {pixels.dtype} are no image of {self._shape} {self._dtype}")
            return pyvips.Image.new_from_memory(pixels.tobytes(), *self._shape[1::-1], self._shape[2], VIPS_TYPES[self._dtype.name])
        source = pyvips.SourceCustom()
        source.signal_connect("read", self._read)  # on_read() would have no way to say that reading failed
        source.on_seek(self._seek)
        return pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")

    def _read(self, buffer: Any) -> int:
        try:
            data = self._bytes(len(buffer))
        except BaseException as error:
            self.error = error
            return -1
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _bytes(self, count: int) -> bytes:
        if self.error:
            raise self.error
        if self._at < len(self._head):
            return self._head[self._at : self._at + count]
        if self._at >= self._size:
            return b""
        while self._at >= self._chunk_at + len(self._chunk):
            self._chunk_at += len(self._chunk)
            self._chunk = next(self._rows).tobytes()
        start = self._at - self._chunk_at
        if start < 0:
            raise RuntimeError("libvips went back in an image that it reads once")
        return self._chunk[start : start + count]

    def _seek(self, offset: int, whence: int) -> int:
        self._at = {0: 0, 1: self._at, 2: self._size}[whence] + offset
        return self._at


def _head(height: int, width: int, bands: int, dtype: np.dtype[Any]) -> bytes:
    """Everything before the pixels: header, one directory, and the values that do not fit into it (BigTIFF, little-endian)."""
    coloured = 3 if bands >= 3 else 1
    strip = width * bands * dtype.itemsize
    fields = {
        WIDTH: (LONG, [width]),
        HEIGHT: (LONG, [height]),
        BITS: (SHORT, [8 * dtype.itemsize] * bands),
        COMPRESSION: (SHORT, [1]),
        PHOTOMETRIC: (SHORT, [2 if coloured == 3 else 1]),
        OFFSETS: (LONG8, [0] * height),
        SAMPLES: (SHORT, [bands]),
        ROWS_PER_STRIP: (LONG, [1]),
        BYTE_COUNTS: (LONG8, [strip] * height),
        PLANAR: (SHORT, [1]),
        FORMAT: (SHORT, [{"u": 1, "i": 2, "f": 3}[dtype.kind]] * bands),
    }
    if bands > coloured:
        fields[EXTRA] = (SHORT, [0] * (bands - coloured))
    far_at = 16 + 8 + 20 * len(fields) + 8
    size = far_at + sum(-(-len(values) * struct.calcsize(CODES[kind]) // 8) * 8 for kind, values in fields.values())
    fields[OFFSETS] = (LONG8, [size + strip * row for row in range(height)])
    directory, far = [], b""
    for tag, (kind, values) in sorted(fields.items()):
        data = struct.pack(f"<{len(values)}{CODES[kind]}", *values)
        inline = data.ljust(8, b"\0") if len(data) <= 8 else struct.pack("<Q", far_at + len(far))
        directory.append(struct.pack("<HHQ", tag, kind, len(values)) + inline)
        far += data.ljust(-(-len(data) // 8) * 8, b"\0") if len(data) > 8 else b""
    head = b"II" + struct.pack("<HHHQ", 43, 8, 0, 16) + struct.pack("<Q", len(directory)) + b"".join(directory) + struct.pack("<Q", 0)
    return (head + far).ljust(size, b"\0")
