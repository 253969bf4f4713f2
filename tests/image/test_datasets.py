"""Sets of images: where they come from, how files become arrays, and what is said of those that do not."""

import os
from pathlib import Path

import numpy as np
import pytest
import pyvips
from skimage import data as photographs
from skimage import io

from burnish.errors import InputError
from burnish.image import datasets, folder

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
    (tmp_path / "notes.txt").write_text("no image")
    if os.name == "posix":
        os.symlink(tmp_path, tmp_path / "loop")
    found = datasets.load(tmp_path, "train")
    assert list(found.names) == ["a.png", "b.png", "inner/c.png"]
    assert [name for name, _why in found.skipped] == ["cut.png", "empty.jpg"]
    assert "cannot be read as an image" in found.skipped[0][1]
    assert "is empty" in found.skipped[1][1]
    assert found.terms == "unstated"
    (tmp_path / "TERMS.txt").write_text("CC0, all\nof them\n")
    assert datasets.load(tmp_path, "test").terms == "CC0, all of them"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _folder: None, "holds no image"),
        (lambda folder: (folder / "a.png").write_bytes(b"nonsense"), "none of its images can be read; the first, a.png"),
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


def test_a_name_may_come_as_a_path() -> None:
    assert list(datasets.load(Path("photos"), "test").names) == list(datasets.photos("test").names)


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


def test_a_folder_that_exists_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "cifar10"):
        (tmp_path / name).mkdir()
        io.imsave(tmp_path / name / "mine.png", COFFEE, check_contrast=False)
        found = datasets.load(name, "test")
        assert (found.name, list(found.names)) == (name, ["mine.png"])
        assert not datasets.has_test_split(name)
        assert list(datasets.tuning_for(name).names) == list(datasets.photos("train").names), "not the folder that is scored"


def test_one_image_is_no_set_of_them(tmp_path: Path) -> None:
    io.imsave(tmp_path / "one.png", COFFEE, check_contrast=False)
    with pytest.raises(InputError, match=r"one\.png: is one image, .* give the folder that it is in"):
        datasets.load(tmp_path / "one.png", "test")


def test_no_terms_are_told_from_a_folders_name(tmp_path: Path) -> None:
    for name in ("bsds500-train", "cbsd68"):
        (tmp_path / name).mkdir()
        assert datasets.terms(tmp_path / name) == "unstated"
        (tmp_path / name / "TERMS.txt").write_text(" \n")
        assert datasets.terms(tmp_path / name) == "unstated"


def test_only_what_is_asked_for_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(6):
        io.imsave(tmp_path / f"{index}.png", np.roll(COFFEE, index, 0), check_contrast=False)
    decoded: list[str] = []
    whole = folder.read
    monkeypatch.setattr(folder, "read", lambda path, *more: decoded.append(path.name) or whole(path, *more))
    assert list(datasets.load(tmp_path, "test", limit=2).names) == ["0.png", "1.png"]
    assert decoded == ["0.png", "1.png"]
    decoded.clear()
    streamed = datasets.load(tmp_path, "test", limit=4, resident=1000)
    assert (len(streamed.images), decoded) == (4, [])
    assert len(datasets.load(tmp_path, "test").images) == len(decoded) == 6
