"""Opening: six formats by their content, and no other code of libvips' is reached by what a file calls itself."""

import os
import struct
import sys
import zlib
from pathlib import Path

import gallery
import numpy as np
import pytest
import pyvips

from burnish.errors import InputError
from burnish.image import opening

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'


def written(path: Path, **options: object) -> Path:
    pyvips.Image.new_from_array(PIXELS).write_to_file(str(path), **options)
    return path


def refused(path: Path, *words: str, **options: int) -> None:
    with pytest.raises(InputError) as caught:
        opening.opened(path, **options)
    assert "\n" not in str(caught.value)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif", "gif"])
def test_a_file_is_what_its_content_says_not_its_name(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{ending}").rename(tmp_path / "a.dat")
    image = opening.opened(path)
    assert (image.width, image.height) == (30, 20)
    assert opening.format_of(path) == {"jpg": "jpeg", "tif": "tiff"}.get(ending, ending)


def test_what_is_no_such_image(tmp_path: Path) -> None:
    for name, content in [("a.png", SVG), ("b.png", b"%PDF-1.4"), ("c.jpg", b"hello"), ("d.tif", b"MATLAB 5.0 MAT-file"), ("e", b"x")]:
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "no JPEG, PNG, WebP, TIFF, AVIF or GIF")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "empty")
    refused(tmp_path, "is no file")
    refused(tmp_path / "none.png", "No such file")


def test_other_loaders_stay_as_they_were_for_the_host_process(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(SVG)
    opening.opened(written(tmp_path / "a.png"))
    assert pyvips.Image.new_from_file(str(tmp_path / "a.svg")).width == 9


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    refused(tmp_path / "a.png", "is no file")


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_no_utf8_is_opened_like_any_other(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png"))
    written(tmp_path / "a.png").rename(path)
    np.testing.assert_array_equal(opening.opened(path).numpy(), PIXELS)


def test_a_name_with_brackets_holds_no_options(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in" / "a.png").rename(tmp_path / "a.png[shrink=2]")
    assert opening.opened(path).width == 30


def test_a_file_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png")
    assert opening.opened(path).numpy().max() > 0
    pyvips.Image.new_from_array(np.zeros((4, 5, 3), np.uint8)).write_to_file(str(path))
    assert opening.opened(path).numpy().shape == (4, 5, 3)


def test_bombs_and_limits(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(3_000_000))) + chunk(b"IEND", b"")
    )
    refused(tmp_path / "bomb.png", "100,000×100,000", "no real image")
    refused(written(tmp_path / "a.png"), "more than the limit of 599", max_pixels=599)
    assert opening.opened(tmp_path / "a.png", max_pixels=600).width == 30


def test_pages_one_by_one_and_all_at_once(tmp_path: Path) -> None:
    (stack,) = gallery.write(tmp_path, "stack.tif")
    pages = opening.opened(stack).get("n-pages")
    whole = opening.opened(stack, pages=-1).numpy()
    height = whole.shape[0] // pages
    np.testing.assert_array_equal(opening.opened(stack, page=1).numpy(), whole[height : 2 * height])
    refused(stack, page=pages)
    assert opening.opened(written(tmp_path / "a.png"), pages=-1).height == 20
