"""A folder of pictures: what its headers tell, and what is decoded when it is asked for."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
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
    with pytest.raises(InputError, match=r"1\.png: no such file"):
        streamed.images[1]
    assert datasets.load(tmp_path, "train").fingerprint() != before


def test_what_is_cut_off_is_found_at_once_where_it_is_to_be_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.png", COFFEE)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:3000])
    monkeypatch.setattr(datasets, "RESIDENT", 1000)
    assert len(datasets.load(tmp_path, "train").images) == 2
    found = datasets.load(tmp_path, "test")
    assert (list(found.names), [name for name, _ in found.skipped]) == (["a.png"], ["b.png"])
