import base64
import json
from pathlib import Path

import numpy as np
import pytest
import pyvips
from command import burnish_
from skimage import data, io
from told import told

import burnish
from burnish.errors import InputError, ModelError
from burnish.image.datasets import resized
from burnish.latent import store, thumb


def test_a_models_latents_come_back_as_what_it_restores(picture_folder: Path, tmp_path: Path) -> None:
    done = burnish_("encode", picture_folder, "-o", tmp_path / "l.npz", "-m", "seed")
    assert done.returncode == 0, done.stderr
    found = store.read(tmp_path / "l.npz")
    assert found.latent.shape == (24, 16, 8, 8)
    back = burnish_("decode", tmp_path / "l.npz", "-o", tmp_path / "seen")
    assert back.returncode == 0, back.stderr
    model = burnish.load("seed")
    for name in found.paths[:3]:
        wanted = model.restore(io.imread(picture_folder / name))
        assert np.abs(io.imread(tmp_path / "seen" / name).astype(int) - wanted).max() <= 1


def test_decode_undoes_encode_for_one_image_and_many(small_pictures: np.ndarray) -> None:
    model = burnish.load("seed")
    latent = model.encode(small_pictures[:5])
    images = model.decode(latent)
    assert images.shape == (5, 32, 32, 3)
    np.testing.assert_allclose(model.decode(latent[2]), images[2], atol=1e-6)
    restored = model.restore(small_pictures[:5].astype(np.float32) / 255)
    np.testing.assert_allclose(images, restored, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_batch_is_encoded_as_each_of_its_images(channels: int) -> None:
    model = burnish.load("patches")
    images = np.random.default_rng(channels).integers(0, 256, (3, 50, 77, channels), np.uint8)
    alone = np.stack([model.encode(image) for image in images])
    np.testing.assert_allclose(model.encode(images), alone, atol=1e-5)


@pytest.mark.parametrize("latent", [np.zeros((3, 8, 8)), np.zeros((16, 8)), np.full((16, 8, 8), np.nan), np.zeros((0, 16, 8, 8))])
def test_what_is_no_latent_is_told(latent: np.ndarray) -> None:
    with pytest.raises(InputError):
        burnish.load("seed").decode(latent)


def test_a_model_without_a_latent_says_so(picture_folder: Path, tmp_path: Path) -> None:
    told(burnish_("encode", picture_folder, "-o", tmp_path / "l.npz", "-m", "tiny-deblur"), 1, "has no latent")
    with pytest.raises(ModelError, match="no latent"):
        burnish.load("tiny-deblur").decode(np.zeros((16, 8, 8)))


def test_placeholders_of_a_folder(picture_folder: Path, tmp_path: Path) -> None:
    text = burnish_("encode", picture_folder, "--bytes", "24", "--text")
    assert text.returncode == 0
    lines = [line.split("\t") for line in text.stdout.splitlines()]
    assert len(lines) == 24
    done = burnish_("encode", picture_folder, "--bytes", "24", "-o", tmp_path / "p.npz")
    assert done.returncode == 0, done.stderr
    found = store.read(tmp_path / "p.npz")
    assert found.latent.shape == (24, 24)
    for (code, name), path, row in zip(lines, found.paths, found.latent, strict=True):
        assert name == path
        assert base64.b64decode(code) == row.tobytes().rstrip(b"\0")
        assert thumb.decoded(base64.b64decode(code))[0].shape == (32, 32, 3)
    assert burnish_("decode", tmp_path / "p.npz", "-o", tmp_path / "seen").returncode == 0
    assert io.imread(tmp_path / "seen" / found.paths[0]).shape[2] == 3


def test_a_broken_image_is_named_and_the_others_done(picture_folder: Path, tmp_path: Path) -> None:
    for file in sorted(picture_folder.iterdir())[:3]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "broken.png").write_bytes((tmp_path / "00.png").read_bytes()[:300])
    done = burnish_("encode", tmp_path, "-o", tmp_path / "l.npz", "--bytes", "40")
    assert done.returncode == 1
    assert "broken.png" in done.stderr
    assert store.read(tmp_path / "l.npz").paths == ["00.png", "01.png", "02.png"]


def test_latents_of_another_model_are_told(picture_folder: Path, tmp_path: Path) -> None:
    assert burnish_("encode", picture_folder, "-o", tmp_path / "l.npz", "-m", "seed").returncode == 0
    found = store.read(tmp_path / "l.npz")
    writer = store.Writer(tmp_path / "other.npz", "", ("seed", "0" * 16))
    head = store.Head("seed", "0" * 16, found.head.shape, "float32", [32, 32])
    writer.add(head, found.paths, found.latent, [(32, 32)] * len(found.paths))
    writer.finish()
    told(burnish_("decode", tmp_path / "other.npz", "-o", tmp_path / "seen"), 1, "another model")
    assert not (tmp_path / "seen").exists()


def test_a_path_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    writer = store.Writer(tmp_path / "l.npz", "", ("thumb", "thumb 1"))
    writer.add(store.Head("thumb", "thumb 1", [12], "uint8"), ["../../out.png"], np.ones((1, 12), np.uint8), [(9, 9)])
    writer.finish()
    told(burnish_("decode", tmp_path / "l.npz", "-o", tmp_path / "seen"), 1, "leads out")


def test_nothing_is_overwritten_and_wrong_usage_is_told(picture_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "l.npz").write_bytes(b"mine")
    told(burnish_("encode", picture_folder, "-o", tmp_path / "l.npz", "--bytes", "24"), 1, "exists already")
    assert (tmp_path / "l.npz").read_bytes() == b"mine"
    assert burnish_("encode", picture_folder).returncode == 2
    assert burnish_("encode", picture_folder, "--bytes", "24").returncode == 2
    assert burnish_("encode", picture_folder, "-o", tmp_path / "x.npz", "-m", "seed", "--size", "0x9").returncode == 2
    told(burnish_("decode", tmp_path / "l.npz", "-o", tmp_path / "seen"), 1, "l.npz")


def test_images_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    for index, side in enumerate((32, 48)):
        io.imsave(tmp_path / f"{index}.png", np.full((side, side, 3), 99, np.uint8), check_contrast=False)
    told(burnish_("encode", tmp_path, "-o", tmp_path / "l.npz", "-m", "seed"), 1, "one size")
    done = burnish_("encode", tmp_path, "-o", tmp_path / "l.npz", "-m", "seed", "--size", "32x32")
    assert done.returncode == 0, done.stderr
    assert json.loads(json.dumps(store.read(tmp_path / "l.npz").head.size)) == [32, 32]


def test_without_a_model_images_of_any_kind_become_the_latents_of_latent(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    colour = np.ascontiguousarray(data.chelsea()[100:170, 90:210])
    io.imsave(folder / "colour.png", colour)
    io.imsave(folder / "grey.png", colour[:40, :, 0])
    io.imsave(folder / "alpha.png", np.concatenate([colour, np.full((70, 120, 1), 128, np.uint8)], 2))
    pyvips.Image.new_from_array(colour.astype(np.uint16) * 257, interpretation="rgb16").write_to_file(str(folder / "deep.png"))
    io.imsave(folder / "dot.png", colour[:1, :1], check_contrast=False)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    done = burnish_("encode", folder, "-o", tmp_path / "l.npz")
    assert done.returncode == 1
    assert "broken.jpg" in done.stderr
    found = store.read(tmp_path / "l.npz")
    assert (found.head.model, found.latent.shape) == ("latent", (5, 64))
    rows = dict(zip(found.paths, found.latent, strict=True))
    np.testing.assert_allclose(rows["deep.png"], rows["colour.png"], atol=0.05)
    assert burnish_("decode", tmp_path / "l.npz", "-o", tmp_path / "seen").returncode == 0
    seen = io.imread(tmp_path / "seen" / "colour.png").astype(float)
    assert seen.shape == (19, 32, 3)
    assert np.abs(seen - resized(colour, 19, 32)).mean() < 20
    assert io.imread(tmp_path / "seen" / "dot.png").shape == (1, 1, 3)
    grey = io.imread(tmp_path / "seen" / "grey.png").astype(float)
    assert np.ptp(grey, axis=2).mean() < 8
    (tmp_path / "empty").mkdir()
    told(burnish_("encode", tmp_path / "empty", "-o", tmp_path / "e.npz"), 1, "holds no image")


def test_surfaces_of_any_size_become_grids(tmp_path: Path) -> None:
    surface = np.random.default_rng(0).integers(90, 110, (50, 77, 3), np.uint8)
    io.imsave(tmp_path / "a.png", surface, check_contrast=False)
    assert burnish_("encode", tmp_path / "a.png", "-o", tmp_path / "l.npz", "-m", "patches").returncode == 0
    assert store.read(tmp_path / "l.npz").latent.shape == (1, 16, 7, 10)
    assert burnish_("decode", tmp_path / "l.npz", "-o", tmp_path / "seen").returncode == 0
    seen = io.imread(tmp_path / "seen" / "a.png")
    assert seen.shape == surface.shape
    assert np.abs(seen.astype(float) - surface).mean() < 10
