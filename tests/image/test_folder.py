"""A folder of images: what its headers tell, and what is decoded when it is asked for."""

import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image
from skimage import data as photographs

from burnish.errors import InputError
from burnish.image import datasets, folder

COINS = photographs.coins()[:60, :80]
COFFEE = photographs.coffee()[:60, :80]


def write(path: Path, image: NDArray[np.generic], **keywords: object) -> None:
    pyvips.Image.new_from_array(image, **keywords).write_to_file(str(path))


def write_stack(path: Path, pages: NDArray[np.uint16]) -> None:
    image = pyvips.Image.new_from_array(np.concatenate(list(pages)), interpretation="grey16").copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", pages.shape[1])
    image.write_to_file(str(path))


def test_grey_pictures_keep_one_channel_unless_one_is_coloured(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COINS)
    grey = datasets.load(tmp_path, "train", channels=None)
    assert (grey.channels, grey.images[0].shape) == (1, (60, 80, 1))
    np.testing.assert_array_equal(grey.images[0][..., 0], COINS)
    write(tmp_path / "b.png", COFFEE)
    mixed = datasets.load(tmp_path, "train", channels=None)
    assert [image.shape for image in mixed.images] == [(60, 80, 3), (60, 80, 3)]
    np.testing.assert_array_equal(mixed.images[0], COINS[..., None].repeat(3, 2))
    assert datasets.load(tmp_path, "train", channels=1).images[1].shape == (60, 80, 1)


def test_the_pages_of_a_stack_are_pictures_of_their_own(tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(0, 65536, (3, 20, 30), np.uint16)
    write_stack(tmp_path / "stack.tif", pages)
    found = datasets.load(tmp_path, "train", channels=None)
    assert list(found.names) == ["stack.tif#1", "stack.tif#2", "stack.tif#3"]
    np.testing.assert_array_equal(np.stack(list(found.images))[..., 0], pages)


def test_twelve_bits_in_a_tiff_of_sixteen_have_their_own_white(tmp_path: Path) -> None:
    counts = np.array([[0, 1000], [2000, 4000]], np.uint16)
    write(tmp_path / "a.tif", counts, interpretation="grey16")
    write(tmp_path / "b.png", counts, interpretation="grey16")  # a PNG says how many bits it has
    tiff, png = datasets.load(tmp_path, "train", channels=None).images
    np.testing.assert_array_equal(tiff[..., 0], counts.astype(np.uint32) * 65535 // 4095)
    np.testing.assert_array_equal(png[..., 0], counts)


def test_a_folder_beyond_the_limit_is_decoded_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(4):
        write(tmp_path / f"{index}.png", np.roll(COFFEE, index, 0))
    resident = datasets.load(tmp_path, "train")
    monkeypatch.setattr(datasets, "RESIDENT", 1000)
    streamed = datasets.load(tmp_path, "train")
    assert isinstance(streamed.images, folder.Files)
    assert streamed.shapes == resident.shapes
    assert (streamed.channels, streamed.names) == (resident.channels, resident.names)
    np.testing.assert_array_equal(streamed.images[2], resident.images[2])
    assert list(streamed.chosen([3, 1]).names) == ["3.png", "1.png"]
    before = streamed.fingerprint()
    (tmp_path / "1.png").unlink()
    with pytest.raises(InputError, match=r"1\.png: No such file"):
        streamed.images[1]
    assert datasets.load(tmp_path, "train").fingerprint() != before


def test_what_is_broken_in_a_folder_beyond_the_limit_is_found_when_its_turn_comes(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:3000])
    found = datasets.load(tmp_path, "test", resident=1000)
    assert len(found.images) == 2
    with pytest.raises(InputError, match=r"b\.png: cannot be read as an image"):
        found.images[1]
    assert [name for name, _ in datasets.load(tmp_path, "test").skipped] == ["b.png"]


# --- Upright ---


def turned(path: Path, image: NDArray[np.uint8], orientation: int) -> None:
    """The image as a camera that was held so would store it."""
    stored = {1: image, 3: image[::-1, ::-1], 6: np.rot90(image), 8: np.rot90(image, -1), 2: image[:, ::-1], 5: image.swapaxes(0, 1)}
    made = pyvips.Image.new_from_array(np.ascontiguousarray(stored[orientation])).copy()
    made.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    made.write_to_file(str(path))


@pytest.mark.parametrize("orientation", [1, 2, 3, 5, 6, 8])
@pytest.mark.parametrize("ending", ["png", "tif", "webp[lossless]"])
def test_a_turned_image_is_read_upright_and_surveyed_so(ending: str, orientation: int, tmp_path: Path) -> None:
    turned(tmp_path / f"a.{ending}", COFFEE, orientation)
    found = datasets.load(tmp_path, "train")
    np.testing.assert_array_equal(found.images[0], COFFEE)
    assert folder.survey(tmp_path)[0][0].shape == COFFEE.shape
    assert datasets.load(tmp_path, "train", resident=0).shapes == [COFFEE.shape]


def test_a_turned_jpeg_is_read_as_the_upright_one(tmp_path: Path) -> None:
    turned(tmp_path / "a.jpg", COFFEE, 6)
    difference = folder.read(tmp_path / "a.jpg").astype(float) - COFFEE
    assert folder.read(tmp_path / "a.jpg").shape == COFFEE.shape
    assert np.abs(difference).mean() < 8


# --- Colours ---


def icc(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float], gamma: float) -> bytes:
    """An ICC profile (version 2, matrix and curve) of a space with these primaries (x, y), white D50 after adaptation, and gamma."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in (x, y, z))

    white = np.array([0.95047, 1.0, 1.08883])
    primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (red, green, blue)]).T
    matrix = primaries * np.linalg.solve(primaries, white)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.96422, 1.0, 0.82521])
    adapted = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford @ matrix
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"made\0" + bytes(78 + 1)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": xyz(*d50)}
    tags |= {name: xyz(*adapted[:, index]) for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(struct.pack(">i", round(value * 65536)) for value in d50)
    return head.ljust(128, b"\0") + table + body


P3 = icc((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), 2.2)
ADOBE = icc((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), 2.2)
ALMOST_SRGB = icc((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), 2.2)


def profiled(path: Path, image: NDArray[np.generic], profile: bytes, **keywords: object) -> None:
    made = pyvips.Image.new_from_array(image, **keywords).copy()
    made.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    made.write_to_file(str(path), **({"Q": 100, "subsample_mode": "off"} if path.suffix == ".jpg" else {}))


def in_srgb(image: NDArray[np.float64], red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]) -> NDArray[Any]:
    """By the textbook: linear light through the primaries' matrices (both whites are D65), clipped, and sRGB's curve."""
    white = np.array([0.95047, 1.0, 1.08883])

    def matrix(*places: tuple[float, float]) -> NDArray[np.float64]:
        primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in places]).T
        return primaries * np.linalg.solve(primaries, white)

    linear = image**2.2 @ (np.linalg.inv(matrix((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))) @ matrix(red, green, blue)).T
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    ("name", "profile", "primaries"),
    [
        ("p3.png", P3, ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
        ("adobe.jpg", ADOBE, ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))),
        ("adobe.tif", ADOBE, ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))),
    ],
)
def test_colours_with_a_profile_come_as_srgb(name: str, profile: bytes, primaries: Any, tmp_path: Path) -> None:
    profiled(tmp_path / name, COFFEE, profile)
    wanted = in_srgb(COFFEE / 255, *primaries) * 255
    assert np.abs(folder.read(tmp_path / name) - wanted).mean() < (3 if name.endswith("jpg") else 0.6)
    assert np.abs(COFFEE - wanted).mean() > 4, "as it was stored, it would be wrong"


def test_deep_colours_with_a_profile_keep_their_depth(tmp_path: Path) -> None:
    deep = COFFEE.astype(np.uint16) * 257
    profiled(tmp_path / "deep.png", deep, P3, interpretation="rgb16")
    read = folder.read(tmp_path / "deep.png")
    assert read.dtype == np.uint16
    wanted = in_srgb(deep / 65535, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)) * 65535
    assert np.abs(read - wanted).mean() < 60
    assert (read % 257 != 0).mean() > 0.9, "more than eight bits were worked on"


def test_a_deep_tiff_with_a_profile_has_all_of_its_bits(tmp_path: Path) -> None:
    profiled(tmp_path / "dark.tif", np.full((4, 5, 3), 900, np.uint16), P3, interpretation="rgb16")
    assert datasets.load(tmp_path, "train").images[0].max() < 2000


def test_srgb_by_any_other_name_stays_as_it_is_to_the_last_bit(tmp_path: Path) -> None:
    profiled(tmp_path / "a.png", COFFEE, pyvips.Image.new_from_array(COFFEE).icc_export(output_profile="srgb").get("icc-profile-data"))
    np.testing.assert_array_equal(folder.read(tmp_path / "a.png"), COFFEE)


@pytest.mark.parametrize("profile", [b"nonsense", P3[:200], P3[:16] + b"GRAY" + P3[20:]])
def test_a_profile_that_cannot_be_used_leaves_the_colours_as_stored(profile: bytes, tmp_path: Path) -> None:
    profiled(tmp_path / "a.tif", COFFEE, profile)
    np.testing.assert_array_equal(folder.read(tmp_path / "a.tif"), COFFEE)


def test_inks_with_a_profile_are_converted_by_it(tmp_path: Path) -> None:
    pyvips.Image.new_from_array(COFFEE).icc_export(output_profile="cmyk").write_to_file(str(tmp_path / "inks.tif"))
    assert np.abs(folder.read(tmp_path / "inks.tif").astype(float) - COFFEE).mean() < 12


def test_grey_stays_grey(tmp_path: Path) -> None:
    profiled(tmp_path / "a.png", COINS, P3)  # no profile for grey
    assert folder.read(tmp_path / "a.png", 1).shape == (60, 80, 1)
    np.testing.assert_array_equal(folder.read(tmp_path / "a.png", 1)[..., 0], COINS)


# --- Broken and odd files ---


def with_a_broken_page(path: Path, how: str) -> None:
    """Three pages without compression, of which the second is broken."""
    pages = [Image.fromarray(np.full((20, 30, 3), 50 * page, np.uint8)) for page in range(1, 4)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    directories = []
    (place,) = struct.unpack_from("<I", content, 4)
    while place:
        (count,) = struct.unpack_from("<H", content, place)
        directories.append((place, count))
        (place,) = struct.unpack_from("<I", content, place + 2 + 12 * count)
    place, count = directories[1]
    if how == "pixels":
        entries = {tag: value for tag, _, _, value in (struct.unpack_from("<HHII", content, place + 2 + 12 * i) for i in range(count))}
        content[entries[273] : entries[273] + entries[279]] = b"\xff" * entries[279]
    elif how == "directory":
        content[place : place + 2 + 12 * count] = b"\xff" * (2 + 12 * count)
    else:
        first, entries_of_first = directories[0]
        struct.pack_into("<I", content, first + 2 + 12 * entries_of_first, len(content) + 99)
    path.write_bytes(content)


@pytest.mark.parametrize(("how", "left"), [("pixels", ["a.tif#1", "a.tif#3"]), ("directory", ["a.tif#1"]), ("link", ["a.tif#1"])])
def test_a_stack_with_a_broken_page_loses_that_page_and_names_it(how: str, left: list[str], tmp_path: Path) -> None:
    with_a_broken_page(tmp_path / "a.tif", how)
    write(tmp_path / "b.png", COFFEE)
    found = datasets.load(tmp_path, "train")
    assert list(found.names) == [*left, "b.png"]
    assert [name for name, _ in found.skipped] == ["a.tif#2"]
    assert (found.images[0] == 50).all()


def test_a_bomb_and_a_foreign_format_are_skipped_with_why(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "b.png").write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')
    (tmp_path / "c.png").write_bytes(bomb())
    found = datasets.load(tmp_path, "train")
    assert list(found.names) == ["a.png"]
    assert "no JPEG, PNG" in dict(found.skipped)["b.png"]
    assert "no real image" in dict(found.skipped)["c.png"]


def bomb() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(3_000_000))) + chunk(b"IEND", b"")


def test_the_shadows_that_macos_writes_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7" + bytes(60))
    found = datasets.load(tmp_path, "train")
    assert (list(found.names), found.skipped) == (["a.png"], ())


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_names_that_are_no_utf8_are_read_and_can_be_written(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "a.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    found = datasets.load(tmp_path, "train")
    assert list(found.names) == ["caf\N{REPLACEMENT CHARACTER}.png"]
    assert datasets.load(tmp_path, "train", resident=0).fingerprint().startswith("sha256:")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may look everywhere")
def test_a_folder_that_is_closed_to_us_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "closed").mkdir(mode=0)
    assert [name for name, _ in datasets.load(tmp_path, "train").skipped] == ["closed"]
