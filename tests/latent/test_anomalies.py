import json
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from command import burnish_
from latent.surfaces import holed, surface
from numpy.typing import NDArray
from skimage import io
from told import told

from burnish.errors import InputError, ModelError
from burnish.image import datasets
from burnish.image.datasets import PictureSet
from burnish.latent import anomalies
from burnish.latent import detector as detectors
from burnish.latent.detector import Detector


def normals(count: int, first: int = 0, side: int = 80) -> PictureSet:
    return PictureSet("normals", [surface(seed, side) for seed in range(first, first + count)], [f"{k}.png" for k in range(count)], "mine")


@pytest.fixture(scope="module")
def detector() -> Detector:
    """What is learnt of 40 surfaces."""
    found, lines = anomalies.learnt(normals(40), 0.1)
    assert not lines
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """normal/ with 24 surfaces, and parts/ with three more and one with a hole."""
    place = tmp_path_factory.mktemp("surfaces")
    for name, pictures in (("normal", [surface(k) for k in range(24)]), ("parts", [surface(90 + k) for k in range(3)] + [holed(99)])):
        (place / name).mkdir()
        for index, picture in enumerate(pictures):
            io.imsave(place / name / f"{index}.png", picture[..., 0], check_contrast=False)
    return place


def test_holes_stand_out_and_are_found_where_they_are(detector: Detector) -> None:
    fresh = [detector.score(surface(seed)) for seed in range(100, 130)]
    odd = [detector.score(holed(seed)) for seed in range(200, 206)]
    assert min(each.score for each in odd) > max(each.score for each in fresh)
    assert all(each.score >= 2 for each in odd)
    for each in odd:
        y, x = np.unravel_index(each.heat.argmax(), each.heat.shape)
        assert abs(4 * y - 40) <= 12
        assert abs(4 * x - 40) <= 12


def test_few_fresh_normals_are_called_odd(detector: Detector) -> None:
    scores = [detector.score(surface(seed)).score for seed in range(300, 420)]
    assert np.mean(np.array(scores) >= 2) <= 0.05
    assert np.mean(np.array(scores) >= 1) <= 0.25


def test_what_is_kept_scores_the_same(detector: Detector, tmp_path: Path) -> None:
    detector.save(tmp_path / "d.npz")
    again = detectors.load(tmp_path / "d.npz")
    before, after = detector.score(holed(5)), again.score(holed(5))
    assert (before.score, before.rival) == (after.score, after.rival)
    np.testing.assert_array_equal(before.heat, after.heat)
    data = bytearray((tmp_path / "d.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "d.npz").write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"d\.npz"):
        detectors.load(tmp_path / "d.npz")


def test_colour_and_16_bits_are_scored_too(detector: Detector) -> None:
    grey = holed(7)
    colour = np.repeat(grey, 3, axis=2)
    deep = grey.astype(np.uint16) * 257
    assert detector.score(colour).score == pytest.approx(detector.score(grey).score, rel=0.05)
    assert detector.score(deep).score == pytest.approx(detector.score(grey).score, rel=1e-4)


def test_too_few_the_same_and_tiny_ones_are_refused() -> None:
    with pytest.raises(InputError, match=r"holds 5 normal images.*at least 16"):
        anomalies.learnt(normals(5), 0.1)
    with pytest.raises(InputError, match="all its images are the same"):
        anomalies.learnt(PictureSet("one", [surface(0)] * 20, [str(k) for k in range(20)], "mine"), 0.1)
    with pytest.raises(InputError, match="48×48"):
        anomalies.learnt(normals(20, side=40), 0.1)


def test_normals_among_which_anomalies_are() -> None:
    mixed = [holed(seed) if seed % 10 == 0 else surface(seed) for seed in range(60)]
    found, lines = anomalies.learnt(PictureSet("mixed", mixed, [str(k) for k in range(60)], "mine"), 0.1, unsorted=True)
    scores = np.array([found.score(each).score for each in mixed])
    odd = np.arange(60) % 10 == 0
    assert scores[odd].min() > scores[~odd].max()
    assert scores[odd].min() >= 2
    assert any("--normal" in line for line in lines)


def test_the_command_learns_keeps_and_reports(folders: Path, tmp_path: Path) -> None:
    options = ["--normal", folders / "normal", "--max-minutes", "0.05", "-o", tmp_path / "r.html", "--keep", tmp_path / "d.npz", "--json"]
    done = burnish_("anomalies", folders / "parts", *options, "--maps", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["input"] for row in rows] == [f"{k}.png" for k in range(4)]
    assert max(rows, key=lambda row: row["score"])["input"] == "3.png"
    assert {row["threshold"] for row in rows} == {2.0}
    assert "PCA on patches" in done.stderr
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.index("3.png") < page.index("0.png")
    assert not re.search(r'(src|href)="(?!data:)', page)
    heat = io.imread(tmp_path / "maps" / "3.png.tif")
    assert heat.shape == (80, 80)
    checked = burnish_("anomalies", folders / "parts", "-m", tmp_path / "d.npz", "--check", "--json")
    assert checked.returncode == (3 if any(json.loads(line)["anomalous"] for line in checked.stdout.splitlines()) else 0)
    assert [json.loads(line)["score"] for line in checked.stdout.splitlines()] == [row["score"] for row in rows]


def test_wrong_usage_and_broken_images_are_told(folders: Path, detector: Detector, tmp_path: Path) -> None:
    detector.save(tmp_path / "d.npz")
    assert burnish_("anomalies", folders / "parts", "-m", tmp_path / "d.npz", "--normal", folders / "normal").returncode == 2
    assert burnish_("anomalies", folders / "parts", "--false-alarms", "0").returncode == 2
    told(burnish_("anomalies", folders / "parts", "-m", folders / "parts" / "0.png"), 1, "0.png", "--keep")
    told(burnish_("anomalies", folders / "parts"), 1, "at least 16")
    (tmp_path / "some").mkdir()
    whole = (folders / "parts" / "0.png").read_bytes()
    (tmp_path / "some" / "whole.png").write_bytes(whole)
    (tmp_path / "some" / "cut.png").write_bytes(whole[: len(whole) // 2])
    done = burnish_("anomalies", tmp_path / "some", "-m", tmp_path / "d.npz", "--json")
    assert done.returncode == 1
    assert {json.loads(line)["input"] for line in done.stdout.splitlines()} == {"whole.png", "cut.png"}
    assert "cut.png" in done.stderr


def test_nothing_is_read_into_memory_at_once(folders: Path, detector: Detector) -> None:
    pictures = datasets.load(folders / "parts", "test", channels=None, resident=0)
    assert isinstance(pictures.images, datasets.Files)
    assert len(list(anomalies.examined(detector, pictures, 0.01))) == 4


class Many(Sequence[NDArray[np.uint8]]):
    """100,000 surfaces, each made when it is asked for, and how many were."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, index: int | slice) -> NDArray[np.uint8]:  # type: ignore[override]
        assert isinstance(index, int | np.integer)
        self.asked += 1
        return surface(int(index), 48)


def test_of_a_folder_of_100000_files_some_hundreds_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalies, "MOST", 60)
    monkeypatch.setattr(PictureSet, "fingerprint", lambda _: "")  # of files it is made from names and sizes
    many = Many()
    found, _ = anomalies.learnt(PictureSet("many", many, [f"{k}.png" for k in range(100_000)], "mine"), 0.05)
    assert many.asked <= 60 + anomalies.POSED
    verdicts = list(islice(anomalies.examined(found, PictureSet("many", many, [f"{k}.png" for k in range(100_000)], "mine"), 0.01), 3))
    assert many.asked <= 300  # no more than a few are read ahead
    kept = verdicts[0][0].without_heat()
    assert kept.to_json() == verdicts[0][0].to_json()
    assert kept.finding is not None
    assert kept.finding.heat.nbytes == 0


def test_an_empty_folder_and_floats_are_told(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    told(burnish_("anomalies", folders / "parts", "--normal", tmp_path / "none"), 1, "none")
    (tmp_path / "floats").mkdir()
    values = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    values[3, 3] = np.nan
    io.imsave(tmp_path / "floats" / "nan.tif", values, check_contrast=False)
    told(burnish_("anomalies", folders / "parts", "--normal", tmp_path / "floats"), 1, "nan.tif", "8 or 16 bits")


def test_screws_at_any_angle_are_turned(tmp_path: Path) -> None:
    """Objects on a plain ground, a fifth of them bent: what is learnt of straight ones in all directions finds the bent ones."""
    straight = [rod(seed) for seed in range(32)]
    found, _ = anomalies.learnt(PictureSet("rods", straight, [f"{k}.png" for k in range(32)], "mine"), 0.1)
    assert found.eye.frame is not None
    fresh = [found.score(rod(seed)).score for seed in range(100, 112)]
    broken = [found.score(rod(seed, gap=True)) for seed in range(200, 208)]
    assert np.median([each.score for each in broken]) > max(fresh)
    assert broken[0].heat.shape == (30, 30)
    found.save(tmp_path / "d.npz")
    assert detectors.load(tmp_path / "d.npz").score(rod(300)).score == found.score(rod(300)).score


def rod(seed: int, gap: bool = False) -> NDArray[np.uint8]:
    """A dark rod with a head on a light ground, 120×120×1, at any angle; `gap`: a piece of it is missing."""
    rng = np.random.default_rng(seed)
    angle, (y, x) = rng.uniform(0, 2 * np.pi), 60 + rng.uniform(-5, 5, 2)
    rows, columns = np.mgrid[:120, :120].astype(np.float32)
    along = np.cos(angle) * (columns - x) + np.sin(angle) * (rows - y)
    across = -np.sin(angle) * (columns - x) + np.cos(angle) * (rows - y)
    inside = ((np.abs(along) < 35) & (np.abs(across) < 6)) | ((np.abs(along + 35) < 6) & (np.abs(across) < 14))
    if gap:
        inside &= ~((np.abs(along - 10) < 4) & (across > 0))
    return np.clip(np.where(inside, 80, 200) + 3 * rng.standard_normal(rows.shape), 0, 255).astype(np.uint8)[..., None]
