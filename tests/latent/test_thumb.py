import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from burnish.errors import InputError
from burnish.latent import thumb

SCRIPT = Path(thumb.__file__).with_name("thumb.js")
CODES = Path(__file__).with_name("placeholders.json")  # written once; every later Burnish must read them so


def psnr(code: bytes, picture: NDArray[np.uint8]) -> float:
    difference = thumb.decoded(code)[0].astype(float) - thumb.squeezed(picture)
    return float(10 * np.log10(255**2 / np.square(difference).mean()))


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    return [data.astronaut(), data.coffee(), data.chelsea()]


def test_more_bytes_never_more_than_asked_and_nearer_to_the_picture(pictures: list[NDArray[np.uint8]]) -> None:
    for picture in pictures:
        scores = []
        for size in (16, 30, 90):
            code = thumb.encoded(picture, size)
            assert 0 < len(code) <= size
            scores.append(psnr(code, picture))
        assert scores == sorted(scores)
        assert scores[-1] > scores[0] + 2


def test_24_bytes_show_what_a_picture_looks_like(pictures: list[NDArray[np.uint8]]) -> None:
    mean = [10 * np.log10(255**2 / thumb.squeezed(picture).var((0, 1)).mean()) for picture in pictures]
    scores = [psnr(thumb.encoded(picture, 24), picture) for picture in pictures]
    assert np.mean(scores) > np.mean(mean) + 3  # than one colour


@pytest.mark.parametrize(("height", "width", "wanted"), [(300, 400, (4, 3)), (900, 1600, (16, 9)), (512, 512, (1, 1)), (640, 427, (2, 3))])
def test_the_shape_is_kept(height: int, width: int, wanted: tuple[int, int]) -> None:
    assert thumb.decoded(thumb.encoded(np.full((height, width, 3), 90, np.uint8), 24))[1] == wanted


def test_one_colour_stays_one_colour() -> None:
    picture = np.full((40, 60, 3), (200, 30, 90), np.uint8)
    shown, _ = thumb.decoded(thumb.encoded(picture, 24))
    assert np.abs(shown.astype(int) - (200, 30, 90)).max() < 12


@given(st.binary(min_size=1, max_size=80))
def test_any_bytes_give_a_picture(code: bytes) -> None:
    shown, shape = thumb.decoded(code)
    assert shown.shape == (32, 32, 3)
    assert shape in thumb.SHAPES


@pytest.mark.parametrize("size", [0, 11, 1001, -3])
def test_sizes_that_cannot_be_are_refused(size: int) -> None:
    with pytest.raises(InputError, match="12 to 1000"):
        thumb.encoded(np.zeros((32, 32, 3), np.uint8), size)


def test_no_bytes_are_refused() -> None:
    with pytest.raises(InputError, match="at least one byte"):
        thumb.decoded(b"")


def test_codes_written_once_decode_as_they_did() -> None:
    for code, digest in json.loads(CODES.read_text("utf-8")).items():
        assert hashlib.sha256(thumb.decoded(bytes.fromhex(code))[0].tobytes()).hexdigest()[:16] == digest


def test_the_script_holds_the_same_tables() -> None:
    found = re.search(r"^const TABLES = (.*);$", SCRIPT.read_text("utf-8"), re.MULTILINE)
    assert found
    assert json.loads(found[1]) == json.loads(thumb.TABLES.read_text("utf-8"))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript_decodes_to_the_same_picture(pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    codes = [thumb.encoded(picture, size) for picture in pictures for size in (24, 90)] + [b"\x01", bytes(range(200, 256))]
    program = (
        f"const {{ thumb }} = require({json.dumps(str(SCRIPT))});"
        "const out = JSON.parse(process.argv[1]).map(c => { const t = thumb(Buffer.from(c, 'hex'));"
        "return [Buffer.from(t.pixels).toString('hex'), t.width, t.height]; }); console.log(JSON.stringify(out));"
    )
    done = subprocess.run(
        ["node", "-e", program, json.dumps([code.hex() for code in codes])], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    for code, (pixels, width, height) in zip(codes, json.loads(done.stdout), strict=True):
        shown, shape = thumb.decoded(code)
        seen = np.frombuffer(bytes.fromhex(pixels), np.uint8).reshape(32, 32, 4)
        assert np.abs(seen[..., :3].astype(int) - shown).max() <= 1
        assert (seen[..., 3] == 255).all()
        assert (width, height) == shape
