import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from command import burnish_
from told import told

from burnish.errors import InputError, ModelError
from burnish.image.datasets import PictureSet
from burnish.latent import map as maps
from burnish.latent import nearness
from burnish.model import wire


def blobs(count: int, kinds: int = 4) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures of one of a few kinds: a bright square in one of the corners, each a little different."""
    rng = np.random.default_rng(0)
    kind = rng.integers(kinds, size=count)
    pictures = []
    for which in kind:
        picture = rng.integers(0, 40, (32, 32, 3)).astype(np.uint8)
        y, x = 4 + 14 * (which // 2) + rng.integers(-2, 3), 4 + 14 * (which % 2) + rng.integers(-2, 3)
        picture[y : y + 10, x : x + 10] = rng.integers(150, 255)
        pictures.append(picture)
    return pictures, kind


def pictures_of(count: int) -> PictureSet:
    return PictureSet("blobs", blobs(count)[0], [f"{k % 3}/{k}.png" for k in range(count)], "mine")


@pytest.fixture(scope="module")
def learnt() -> tuple[maps.Placed, maps.Encoder]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(maps, "STEPS", 60)
        done, encoder = maps.placed(pictures_of(200), None, 0)
    assert encoder is not None
    return done, encoder


def test_what_is_alike_lies_together(learnt: tuple[maps.Placed, maps.Encoder]) -> None:
    done, _ = learnt
    kind = blobs(200)[1]
    near, _ = nearness.nearest(done.places, 5)
    assert np.mean(kind[near] == kind[:, None]) > 0.9
    assert np.mean(kind[done.similar] == kind[:, None]) > 0.9
    assert done.trust > 0.75


def test_a_place_depends_neither_on_the_others_nor_on_their_order(learnt: tuple[maps.Placed, maps.Encoder], tmp_path: Path) -> None:
    done, encoder = learnt
    encoder.save(tmp_path / "map.onnx")
    again = maps.Encoder.load(tmp_path / "map.onnx")
    alone = np.concatenate([again.run(done.thumbs[index : index + 1])[0] for index in (7, 3)])
    np.testing.assert_allclose(alone, done.places[[7, 3]], atol=1e-4)


def test_the_order_of_the_files_does_not_change_what_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "STEPS", 3)
    pictures = pictures_of(70)
    one, _ = maps.placed(pictures, None, 0)
    other, _ = maps.placed(pictures.chosen(list(range(70))[::-1]), None, 0)
    np.testing.assert_allclose(one.places, other.places[::-1], atol=1e-4)


def test_near_duplicates_are_listed(learnt: tuple[maps.Placed, maps.Encoder]) -> None:
    pictures = [*blobs(20)[0]]
    pictures.append((pictures[4].astype(int) + 1).clip(0, 255).astype(np.uint8))
    done, _ = maps.placed(PictureSet("b", pictures, [str(k) for k in range(21)], ""), learnt[1], 0)
    assert done.twins == [(4, 20)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_images_are_placed_by_their_components(count: int) -> None:
    done, encoder = maps.placed(pictures_of(count), None, 0)
    assert encoder is None
    assert done.places.shape == (count, 2)
    assert np.isfinite(done.places).all()
    assert "too few" in done.notes[0]


def test_images_that_are_all_the_same() -> None:
    done, _ = maps.placed(PictureSet("same", [blobs(1)[0][0]] * 30, [str(k) for k in range(30)], ""), None, 0)
    assert np.isfinite(done.places).all()
    assert np.ptp(done.places) < 1e-3


def test_trust_is_high_for_the_truth_and_low_for_chance() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((400, 2)).astype(np.float32)
    assert nearness.trustworthiness(points, points) == pytest.approx(1)
    assert nearness.trustworthiness(points, rng.standard_normal((400, 2)).astype(np.float32)) == pytest.approx(0.5, abs=0.05)


def test_neighbours_are_the_nearest() -> None:
    points = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    found, distances = nearness.nearest(points, 4)
    gaps = np.square(points[:, None] - points).sum(2)
    np.fill_diagonal(gaps, np.inf)
    np.testing.assert_array_equal(found, np.argsort(gaps, 1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(gaps, 1)[:, :4], atol=1e-4)


def test_components_are_those_of_the_exact_way() -> None:
    points = np.random.default_rng(0).standard_normal((300, 20)).astype(np.float32) * np.linspace(5, 0.1, 20, dtype=np.float32)
    found = nearness.Basis.of(points, 3).of_each(points)
    _, _, exact = np.linalg.svd(points - points.mean(0), full_matrices=False)
    for place in range(3):
        assert abs(np.corrcoef(found[:, place], (points - points.mean(0)) @ exact[place])[0, 1]) > 0.99


def test_descriptions_of_many_images_are_not_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "SAMPLE", 64)
    thumbs = np.random.default_rng(0).integers(0, 256, (4096, 32, 32, 3)).astype(np.uint8)
    tracemalloc.start()
    try:
        reduced = maps.reduced_by(maps._pixels, thumbs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reduced.shape == (4096, maps.COMPONENTS)
    assert peak < thumbs.size  # all pixels as floats would take four times that


def test_an_encoder_that_another_version_has_kept_is_told(learnt: tuple[maps.Placed, maps.Encoder], tmp_path: Path) -> None:
    (tmp_path / "old.onnx").write_bytes(wire.with_metadata(learnt[1].data, maps.KEY, "1 3"))
    with pytest.raises(ModelError, match="another version"):
        maps.Encoder.load(tmp_path / "old.onnx")


def test_the_command_writes_a_page_that_needs_nothing_else(picture_folder: Path, tmp_path: Path) -> None:
    done = burnish_("map", picture_folder, "-o", tmp_path / "map.html", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["input"] for row in rows] == [f"{k:02d}.png" for k in range(24)]
    assert all(np.isfinite([row["x"], row["y"]]).all() for row in rows)
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "/*DATA*/" not in page
    assert not re.search(r"https?://", page)
    assert "principal components" in done.stderr


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    from burnish.latent import map_page

    pictures = PictureSet("x", blobs(2)[0], ["</script><b>.png", "é\u2028.png"], "")
    map_page.write(tmp_path / "m.html", maps.placed(pictures, None, 0)[0], "<title>")
    assert (tmp_path / "m.html").read_text("utf-8").count("</script>") == 1


def test_wrong_usage_and_bad_input_are_told(picture_folder: Path, tmp_path: Path) -> None:
    assert burnish_("map", picture_folder).returncode == 2
    told(burnish_("map", tmp_path, "-o", tmp_path / "m.html"), 1, "holds no image")
    told(burnish_("map", picture_folder, "-o", tmp_path / "m.html", "-m", picture_folder / "00.png"), 1, "00.png", "--keep")
    (tmp_path / "m.html").write_text("mine")
    told(burnish_("map", picture_folder, "-o", tmp_path / "m.html"), 1, "exists already")
    with pytest.raises(ModelError):
        maps.Encoder.load(tmp_path / "m.html")
    with pytest.raises(InputError, match="can be read"):
        maps.placed(PictureSet("none", [], [], "", (("a.png", "is cut off"),)), None, 0)
