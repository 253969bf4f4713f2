"""Sets of pictures: where they come from, how files become arrays, and what is said of those that do not."""

import os
from pathlib import Path

import numpy as np
import pytest
import pyvips
from skimage import data as photographs
from skimage import io

from burnish.errors import InputError
from burnish.image import datasets

COFFEE = photographs.coffee()[:41, :67]


def vips(image: np.ndarray, **keywords: object) -> pyvips.Image:
    return pyvips.Image.new_from_array(image, **keywords)


def test_photos_are_split_by_scene_and_named() -> None:
    train, test = datasets.load("photos", "train"), datasets.load("photos", "test")
    assert list(test.names) == ["chelsea", "coffee"]
    assert len(train.images) == 6
    assert not set(train.names) & set(test.names)
    np.testing.assert_array_equal(test.images[1], photographs.coffee())
    assert "free to use" in train.terms


def test_pictures_of_every_mode_become_eight_or_sixteen_bit_colours(tmp_path: Path) -> None:
    vips(COFFEE).write_to_file(str(tmp_path / "colour.png"))
    vips(COFFEE[..., :1]).write_to_file(str(tmp_path / "grey.png"))
    vips(COFFEE).bandjoin(128).write_to_file(str(tmp_path / "alpha.png"))
    vips(COFFEE).colourspace("cmyk").write_to_file(str(tmp_path / "cmyk.jpg"))
    vips(COFFEE).write_to_file(str(tmp_path / "palette.gif"))
    vips(COFFEE.astype(np.uint16) * 257, interpretation="rgb16").write_to_file(str(tmp_path / "deep.tif"))
    vips((COFFEE[..., 0] > 128).astype(np.uint8)[..., None] * 255).write_to_file(str(tmp_path / "bits.tif"), bitdepth=1)
    vips(COFFEE[:1, :1]).write_to_file(str(tmp_path / "one.png"))
    read = {file.name: datasets.read(file) for file in datasets.pictures_in(tmp_path)}
    assert all(image.ndim == 3 and image.shape[2] == 3 for image in read.values())
    assert read["deep.tif"].dtype == np.uint16
    assert {image.dtype for name, image in read.items() if name != "deep.tif"} == {np.dtype(np.uint8)}
    np.testing.assert_array_equal(read["colour.png"], COFFEE)
    np.testing.assert_array_equal(read["alpha.png"], COFFEE)
    np.testing.assert_array_equal(read["grey.png"], COFFEE[..., :1].repeat(3, 2))
    np.testing.assert_array_equal(read["deep.tif"], COFFEE.astype(np.uint16) * 257)
    assert np.corrcoef(read["cmyk.jpg"].ravel(), COFFEE.ravel())[0, 1] > 0.9
    assert read["one.png"].shape == (1, 1, 3)


def test_a_folder_is_read_in_order_with_its_unreadable_files_named(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("b.png", "a.png", "inner/c.png"):
        io.imsave(tmp_path / name, COFFEE, check_contrast=False)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.txt").write_text("no picture")
    os.symlink(tmp_path, tmp_path / "loop")
    found = datasets.load(tmp_path, "train")
    assert list(found.names) == ["a.png", "b.png", "inner/c.png"]
    assert [name for name, _why in found.skipped] == ["cut.png", "empty.jpg"]
    assert all("cannot be read as a picture" in why for _name, why in found.skipped)
    assert found.terms == datasets.TERMS["folder"]
    (tmp_path / "TERMS.txt").write_text("CC0, all\nof them\n")
    assert datasets.load(tmp_path, "test").terms == "CC0, all of them"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _folder: None, "holds no picture"),
        (lambda folder: (folder / "a.png").write_bytes(b"nonsense"), "none of its 1 pictures can be read; the first, a.png"),
    ],
)
def test_a_folder_without_a_readable_picture_is_refused(tmp_path: Path, make: object, message: str) -> None:
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        datasets.load(tmp_path, "test")


def test_an_unknown_source_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'cifar10'"):
        datasets.load("cifar-10", "train")
    with pytest.raises(InputError, match="nowhere: no such file or folder; give cifar10, photos"):
        datasets.load(tmp_path / "nowhere", "train")


def test_the_fingerprint_tells_pictures_apart() -> None:
    a = datasets.PictureSet("a", [COFFEE], ["1"], "none")
    assert a.fingerprint() == datasets.PictureSet("b", COFFEE[None].copy(), ["2"], "other").fingerprint()
    for other in (COFFEE[:40], COFFEE[:, :, ::-1], COFFEE.astype(np.uint16), COFFEE.reshape(67, 41, 3)):
        assert a.fingerprint() != datasets.PictureSet("a", [other], ["1"], "none").fingerprint()


def test_what_is_tuned_on_is_not_what_is_scored(picture_folder: Path) -> None:
    assert datasets.tuning_for("photos").names == datasets.load("photos", "train").names
    assert datasets.tuning_for(picture_folder).name == "photos"
    assert datasets.has_test_split("photos")
    assert not datasets.has_test_split(picture_folder)


def test_png_of_eight_and_sixteen_bits_reads_back(tmp_path: Path) -> None:
    for depth in (np.uint8, np.uint16):
        levels = np.iinfo(depth).max
        pixels = np.random.default_rng(0).integers(0, levels, (5, 7, 3), depth, endpoint=True)
        datasets.write_png(tmp_path / "a.png", (pixels / levels).astype(np.float32), np.dtype(depth))
        np.testing.assert_array_equal(datasets.read(tmp_path / "a.png"), pixels)


def test_files_keep_their_names_and_folders_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    out = tmp_path / "out"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.jpg").touch()
    assert list(datasets.mapped([tmp_path / "a.png", tmp_path / "deep"], out, ".png")) == [
        (tmp_path / "a.png", out / "a.png"),
        (tmp_path / "deep" / "b.jpg", out / "b.png"),
    ]
