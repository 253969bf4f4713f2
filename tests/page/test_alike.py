"""The page's way of a file, run in Node, beside `restore_file`: the same judgement, and the same file within one level."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import pyvips
import soundfile
from browsing import WEB
from recordings import tone
from skimage import data

import burnish
from burnish.audio import model as audio_model
from burnish.audio import restore as sound
from burnish.model.file import shipped

MODEL = "photo-fast"
SCRIPT = Path(__file__).parent / "restore.mjs"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (WEB / "node_modules").exists(), reason="needs Node and the page's packages: make page"
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs clean, noisy, compressed, transparent, deep and large; drawings; dots of print."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(1)
    clean = data.coffee()[40:240, 100:340].astype(np.float64)
    noisy = np.clip(np.rint(clean + rng.normal(0, 15, clean.shape)), 0, 255)
    drawn = np.full((200, 240, 3), 255.0)
    drawn[40:160:9, 20:220] = (200, 30, 30)
    dots = np.broadcast_to((np.indices((200, 240)).sum(axis=0) % 6 < 3)[..., None] * 60.0 + 90, (200, 240, 3))
    alpha = np.full((200, 240, 1), 255.0)
    alpha[:, 100:140] = 0
    grey = noisy[..., :1]
    made = {
        "clean.png": clean,
        "noisy.png": noisy,
        "drawn.png": drawn,
        "dots.png": dots,
        "clear.png": np.concatenate([noisy, alpha], axis=2),
        "grey.png": grey,
    }
    for name, values in made.items():
        pyvips.Image.new_from_array(values.astype(np.uint8)).copy(interpretation="srgb" if values.shape[2] > 2 else "b-w").write_to_file(
            str(folder / name)
        )
    large = (np.tile(noisy, (4, 4, 1)) * 257).astype(np.uint16)
    pyvips.Image.new_from_array(large).copy(interpretation="rgb16").write_to_file(str(folder / "large.png"))
    pyvips.Image.new_from_array((noisy * 16).astype(np.uint16)).copy(interpretation="rgb16").write_to_file(str(folder / "deep.tif"))
    pyvips.Image.new_from_array(clean.astype(np.uint8)).copy(interpretation="srgb").write_to_file(str(folder / "blocks.jpg"), Q=20)
    return sorted(folder.iterdir())


def test_photos_are_judged_and_restored_alike(pictures: list[Path], tmp_path: Path) -> None:
    card = json.loads(burnish.load(MODEL).card.to_json())
    (tmp_path / "models.json").write_text(json.dumps({"models": [{"name": MODEL, "card": card}]}), encoding="utf-8")
    pairs = [str(path) for picture in pictures for path in (picture, tmp_path / f"page-{picture.name}")]
    command = ["node", str(SCRIPT), str(tmp_path / "models.json"), str(shipped()[MODEL]), MODEL, *pairs]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    seen = set()
    for picture, line in zip(pictures, done.stdout.splitlines(), strict=True):
        page = json.loads(line)
        status, words = _library(picture, tmp_path / picture.name)
        assert page["status"] == status, (picture.name, page, words)
        assert page["why"].removeprefix("nothing was written") in words
        seen.add(status)
        if status == "failed":
            continue
        ours, theirs = (
            pyvips.Image.new_from_file(str(tmp_path / name)).numpy().astype(np.int64) for name in (f"page-{picture.name}", picture.name)
        )
        assert np.abs(ours - theirs).max() <= (1 if picture.suffix != ".jpg" else 12), picture.name
    assert {"restored", "unchanged"} <= seen


def _library(picture: Path, to: Path) -> tuple[str, str]:
    try:
        told = burnish.restore_file(picture, to, MODEL, gate=True)
    except burnish.InputError as error:
        return "failed", str(error)
    return told.status, " ".join(told.notes)


# --- Sound ---

SOUND = Path(__file__).parent / "sound.mjs"
LEVELS = {"PCM_U8": 1 / 128, "PCM_16": 1 / 32768, "PCM_24": 8 / 8388608, "PCM_32": 1e-6, "FLOAT": 1e-6, "DOUBLE": 1e-6}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Recordings of every depth at several rates, of one channel and more; silence, and one that is cut short."""
    folder = tmp_path_factory.mktemp("recordings")
    kinds = {
        "PCM_U8": (8000, 1),
        "PCM_16": (44100, 2),
        "PCM_24": (48000, 3),
        "PCM_32": (16000, 1),
        "FLOAT": (96000, 1),
        "DOUBLE": (22050, 2),
    }
    for subtype, (rate, channels) in kinds.items():
        soundfile.write(folder / f"{subtype}.wav", tone(1.3, rate, channels), rate, subtype=subtype)
    soundfile.write(folder / "silence.wav", np.zeros(8000), 16000)
    (folder / "cut.wav").write_bytes((folder / "PCM_16.wav").read_bytes()[:9000])
    return sorted(folder.iterdir())


@pytest.mark.parametrize("force", [False, True])
def test_recordings_are_judged_and_restored_alike(recordings: list[Path], tmp_path: Path, force: bool) -> None:
    model, strength = audio_model.load("speech", 1), 0.6 if force else 1.0
    pairs = [str(path) for recording in recordings for path in (recording, tmp_path / f"page-{recording.name}")]
    command = ["node", str(SOUND), str(shipped()["speech"]), str(strength), str(force).lower(), *pairs]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    for recording, line in zip(recordings, done.stdout.splitlines(), strict=True):
        page, ours, theirs = json.loads(line), tmp_path / f"page-{recording.name}", tmp_path / recording.name
        if recording.name == "cut.wav":
            assert page["why"].startswith("is cut short: its header promises")
            continue
        told = sound.restore_file(recording, theirs, model, gate=not force, strength=strength)
        assert page["status"] == told.status, (recording.name, page, told.notes)
        assert page["why"] in " ".join(told.notes)
        assert page["steady"]
        level = LEVELS[soundfile.info(recording).subtype]
        assert np.abs(_heard(ours) - _heard(theirs)).max() <= 1.01 * level, recording.name
        if force and recording.name != "silence.wav":
            assert np.abs(_heard(ours) - _heard(recording)).max() > 0.005
            taken = tmp_path / f"page-{recording.name}.residual.wav"
            assert np.abs(_heard(recording) - _heard(ours) - strength * _heard(taken)).max() < 2 * level + 1e-4
        head = (recording.read_bytes()[:44], ours.read_bytes()[:44])
        assert head[0] == head[1]
        assert len(ours.read_bytes()) == len(recording.read_bytes())


def _heard(path: Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0]
