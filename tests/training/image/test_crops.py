"""Crops from the memory and from files: the same either way, prepared in the background, and not stopped by an image that is lost."""

import threading
from pathlib import Path

import numpy as np
import pytest
import pyvips
import torch
from conftest import crops as scenes

from burnish.errors import InputError
from burnish.image import datasets
from burnish.training.image import crops, sources
from burnish.training.image.pairs import Source
from burnish.training.recipe import Recipe, from_mapping

COUNT = 12


def plan(folder: Path, **changes: object) -> Recipe:
    values = {"name": "a", "summary": "b", "network": "residual", "degradation": "noise:5-30", "crop": 16, "crops": 60, "epochs": 5}
    return from_mapping(values | {"data": str(folder)} | changes, "test")


def made(recipe: Recipe) -> Source:
    return sources.source(sources.pictures(recipe)[0], recipe)


@pytest.fixture
def streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is decoded as it is used."""
    for index, picture in enumerate(scenes(COUNT, 48)):
        pyvips.Image.new_from_array(picture).write_to_file(str(tmp_path / f"{index:02d}.png"))
    monkeypatch.setattr(datasets, "RESIDENT", 1000)
    return tmp_path


def test_an_epoch_from_files_is_what_it_is_from_the_memory(streamed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = plan(streamed)
    from_files = made(recipe)
    monkeypatch.setattr(datasets, "RESIDENT", 1 << 30)
    from_memory = made(recipe)
    for epoch in (1, 2, 4):  # 2 was prepared while 1 was in use; 4 was not
        one, other = from_files.epoch(epoch), from_memory.epoch(epoch)
        assert torch.equal(one.degraded, other.degraded)
        assert torch.equal(one.clean, other.clean)
    assert len(from_files.held_out.images) == round(0.2 * COUNT)
    assert not set(from_files.held_out.names) & set(from_files.training.names)
    from_files.close()
    from_memory.close()


def test_the_next_epoch_is_made_in_the_background(streamed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made(plan(streamed))
    threads = []
    cut = source.view.cut  # type: ignore[attr-defined]
    monkeypatch.setattr(source.view, "cut", lambda *a: (threads.append(threading.current_thread()), cut(*a))[1])  # type: ignore[attr-defined]
    source.epoch(1)
    here = len(threads)
    source.epoch(2)
    assert threading.main_thread() in threads[:here]
    assert threading.main_thread() not in threads[here:]
    source.close()


def test_a_file_lost_during_training_is_told_and_the_others_go_on(streamed: Path) -> None:
    source = made(plan(streamed, epochs=1, crops=600))
    lost = source.training.names[0]
    (streamed / lost).unlink()
    with pytest.warns(UserWarning, match=f"{lost}: No such file or directory; check the path; going on without it"):
        pairs = source.epoch(1)
    assert len(pairs) == 600
    for name in source.training.names[:6]:
        (streamed / name).unlink(missing_ok=True)
    with pytest.warns(UserWarning, match="going on without it"), pytest.raises(InputError, match=r"\d of \d+ images could not be read"):
        source.epoch(2)
    source.close()


def test_a_large_picture_gives_a_part_of_itself_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "REGION", 40)
    pictures = datasets.PictureSet("two", list(scenes(2, 200)), ["a", "b"], "")
    recipe = plan(Path(), degradation="blur:2.0", validation=0.5)
    source = sources.source(pictures, recipe)
    degraded, clean = (each.numpy() for each in (source.epoch(1).degraded, source.epoch(1).clean))
    (picture,) = source.training.images
    from burnish.degradation import Degradation

    blurred = Degradation.parse("blur:2.0").apply(picture)
    windows = np.lib.stride_tricks.sliding_window_view(picture[..., 0], (16, 16))
    for one, other in zip(degraded, clean, strict=True):
        places = np.argwhere((windows == other[..., 0]).all((2, 3)))
        assert any(np.abs(blurred[y : y + 16, x : x + 16] - one).max() < 1e-6 for y, x in places)
    source.close()


def test_most_crops_begin_where_jpegs_blocks_do_and_some_do_not() -> None:
    y, x = np.meshgrid(np.arange(208, dtype=np.uint8), np.arange(208, dtype=np.uint8), indexing="ij")
    places = np.stack([y, x, np.zeros_like(x)], 2)  # a crop's first pixel says where it was cut
    pictures = datasets.PictureSet("two", [places, 255 - places], ["a", "b"], "")
    source = sources.source(pictures, plan(Path(), degradation="8bit", crops=4000))
    first = source.epoch(1).clean.numpy()[:, 0, 0]
    source.close()
    corners = np.where(first[:, 2:] == 255, 255 - first, first)[:, :2]
    shares = (corners % 8 == 0).mean(0)
    assert ((shares > 0.65) & (shares < 0.9)).all(), shares  # three regions in four, and an eighth of the rest by chance
    assert corners.min() == 0
    assert corners.max() == 192
    assert len(np.unique(corners % 8)) == 8
