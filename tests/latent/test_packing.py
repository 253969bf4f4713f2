import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from command import burnish_
from skimage import io
from told import told

from burnish.errors import InputError
from burnish.image import metrics
from burnish.latent import packing, store
from burnish.latent.packing import Coding
from burnish.model import file as model_file

COMMITTED = Path(__file__).parent / "packed.json"


def latents_of(count: int, shape: tuple[int, ...] = (20,), seed: int = 0) -> np.ndarray:
    """Numbers of all sizes, those of a channel alike."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-2, 1, (shape[0], *[1] * (len(shape) - 1)))
    return (rng.laplace(size=(count, *shape)) * sizes + 3 * sizes).astype(np.float32)


def test_more_bytes_come_nearer_and_none_is_exceeded() -> None:
    latents = latents_of(200)
    coding = Coding.of(latents)
    errors = []
    for size in (2, 4, 8, 16, 32, 64):
        packed = [coding.packed(latent, size) for latent in latents[:20]]
        assert all(len(data) == size for data in packed)
        errors.append(np.mean([np.square(coding.unpacked(data) - latent).mean() for data, latent in zip(packed, latents, strict=False)]))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3 * errors[0]


@pytest.mark.parametrize("shape", [(20,), (6, 3, 5), (1,)])
def test_what_is_read_is_what_was_rounded(shape: tuple[int, ...]) -> None:
    latents = latents_of(100, shape)
    coding = Coding.from_json(json.loads(json.dumps(Coding.of(latents).to_json())))
    for latent in latents[:10]:
        data = coding.packed(latent, 60)
        numbers, fineness = coding.numbers(data)
        means = np.array(coding.means).reshape(-1, *[1] * (len(shape) - 1))
        written = np.array([size - (40 - fineness) + 12 >= 0 for size in coding.sizes]).reshape(means.shape)
        wanted = np.floor(np.abs(latent - means) / packing.step_of(fineness) + packing.ROUNDING) * np.sign(latent - means) * written
        np.testing.assert_array_equal(numbers, wanted.astype(int))


def test_it_beats_rounding_all_numbers_alike() -> None:
    """Twenty numbers in twenty bytes: better than a byte each over the whole range."""
    latents = latents_of(300)
    coding = Coding.of(latents)
    low, high = latents.min(0), latents.max(0)
    plain = np.rint((latents - low) / (high - low) * 255) / 255 * (high - low) + low
    ours = np.stack([coding.unpacked(coding.packed(latent, 20)) for latent in latents[:50]])
    assert np.square(ours - latents[:50]).mean() < np.square(plain - latents)[:50].mean()


def test_bits_written_elsewhere_are_read_here() -> None:
    """A committed file gives the committed whole numbers, on every machine."""
    told_ = json.loads(COMMITTED.read_text("utf-8"))
    coding = Coding.from_json(told_["coding"])
    digest = hashlib.sha256()
    for data in told_["rows"]:
        numbers, fineness = coding.numbers(bytes.fromhex(data))
        digest.update(f"{fineness} {numbers.tolist()}\n".encode())
    assert digest.hexdigest() == told_["sha256"]


def test_any_bytes_give_some_latent() -> None:
    coding = Coding.of(latents_of(100))
    rng = np.random.default_rng(1)
    for size in (0, 1, 5, 40):
        assert np.isfinite(coding.unpacked(rng.bytes(size))).all()
    assert np.isfinite(coding.unpacked(b"\xff" * 200)).all()


@pytest.mark.parametrize("count", [1, 3, 63])
def test_few_images_and_equal_ones_can_be_packed(count: int) -> None:
    latents = np.repeat(latents_of(1), count, axis=0)
    coding = Coding.of(latents)
    assert np.abs(coding.unpacked(coding.packed(latents[0], 100)) - latents[0]).max() < 0.1
    zero = Coding.of(np.zeros((count, 20), np.float32))
    assert not zero.unpacked(zero.packed(np.zeros(20, np.float32), 10)).any()


def test_what_cannot_be_packed_is_told() -> None:
    latents = latents_of(10)
    coding = Coding.of(latents)
    with pytest.raises(InputError, match="not finite"):
        coding.packed(np.full(20, np.nan, np.float32), 24)
    with pytest.raises(InputError, match="not finite"):
        Coding.of(np.full((3, 20), np.inf, np.float32))
    with pytest.raises(InputError, match="one size"):
        coding.packed(latents[0, :10], 24)
    for wrong in ({}, {"shape": [2], "means": [0], "sizes": [0]}, {"shape": [1], "means": [float("nan")], "sizes": [0]}):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Coding.from_json(wrong)


def test_the_command_packs_and_goes_back(picture_folder: Path, tmp_path: Path) -> None:
    scores = []
    for size in (30, 300):
        file = tmp_path / f"{size}.npz"
        done = burnish_("encode", picture_folder, "-o", file, "-m", "seed", "--bytes", size)
        assert done.returncode == 0, done.stderr
        found = store.read(file)
        assert found.latent.shape == (24, size)
        assert found.latent.dtype == np.uint8
        back = burnish_("decode", file, "-o", tmp_path / str(size))
        assert back.returncode == 0, back.stderr
        pairs = [(io.imread(tmp_path / str(size) / name) / 255, io.imread(picture_folder / name) / 255) for name in found.paths]
        scores.append(np.mean([metrics.psnr(*pair) for pair in pairs]))
    assert scores[1] > scores[0] + 2


def test_packed_latents_that_are_damaged_or_anothers_are_refused(picture_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "l.npz"
    assert burnish_("encode", picture_folder, "-o", file, "-m", "seed", "--bytes", 50).returncode == 0
    whole = file.read_bytes()
    told(burnish_("decode", file, "-o", tmp_path / "x", "-m", "tiny-deblur"), 1, "another model")
    for damaged in (whole[:-40], whole[:200], whole[:-700] + bytes(100) + whole[-600:]):
        file.write_bytes(damaged)
        told(burnish_("decode", file, "-o", tmp_path / "x"), 1, "l.npz")
    assert not (tmp_path / "x").exists()
    digest = model_file.load("seed").digest
    writer = store.Writer(tmp_path / "odd.npz", "", ("seed", digest))
    writer.add(store.Head("seed", digest, [5], "uint8", [32, 32], {"shape": "x"}), ["a.png"], np.zeros((1, 5), np.uint8), [(32, 32)])
    writer.finish()
    told(burnish_("decode", tmp_path / "odd.npz", "-o", tmp_path / "x"), 1, "damaged")


def test_sizes_that_cannot_be_are_told(picture_folder: Path, tmp_path: Path) -> None:
    told(burnish_("encode", picture_folder, "-o", tmp_path / "l.npz", "-m", "seed", "--bytes", "1"), 1, "2 to 65,536")
    assert burnish_("encode", picture_folder, "--text", "-m", "seed").returncode == 2
