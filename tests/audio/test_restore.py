"""A file becomes a file: judged, restored, copied, refused; the command does so for folders of images and sounds."""

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command import BURNISH, burnish_, refused
from conftest import needs_posix
from recordings import tone
from skimage import data, io

from burnish.audio import noises
from burnish.audio.gate import Frames, verdict
from burnish.audio.model import Model
from burnish.audio.restore import restore_file
from burnish.errors import InputError


def noisy(path: Path, rate: int = 16000, channels: int = 1, seconds: float = 1.0, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, tone(seconds, rate, channels), rate, subtype=subtype)
    return path


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0]


def test_a_file_is_restored_as_its_samples_are(tmp_path: Path, model: Model) -> None:
    source = noisy(tmp_path / "a.wav", 48000, 2, seconds=9.0)  # several blocks
    result = restore_file(source, tmp_path / "b.wav", model)
    assert result.status == "restored"
    assert result.duration == pytest.approx(9)
    before, after = read(source).astype(np.float32), read(tmp_path / "b.wav")
    assert np.abs(after - model.restore(before, 48000)).max() < 1e-4
    assert restore_file(source, tmp_path / "b.wav", model).status == "skipped"


def test_the_residual_is_what_was_taken_away(tmp_path: Path, model: Model) -> None:
    source = noisy(tmp_path / "a.wav", 44100, 2, seconds=5.0)
    restore_file(source, tmp_path / "b.wav", model, residual=tmp_path / "r.wav")
    taken = read(tmp_path / "r.wav")
    assert np.abs(read(tmp_path / "b.wav") + taken - read(source)).max() < 1e-4
    assert np.abs(taken).max() > 1e-3


def test_loud_floats_stay_loud(tmp_path: Path, model: Model) -> None:
    values = tone(1, 96000) * 8
    soundfile.write(tmp_path / "a.wav", values, 96000, subtype="FLOAT")
    restore_file(tmp_path / "a.wav", tmp_path / "b.wav", model, strength=0.0)
    assert np.abs(values).max() > 1
    assert np.abs(read(tmp_path / "b.wav") - values).max() < 1e-5


@pytest.mark.parametrize("name", ["silence", "one", "dc", "click", "tone"])
def test_what_holds_no_speech_is_left_alone(tmp_path: Path, model: Model, name: str) -> None:
    values = {"silence": np.zeros(16000), "one": np.full(1, 0.25), "dc": np.full(32000, 0.5), "click": np.zeros(48000)}.get(
        name, 0.2 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 16000)
    )
    if name == "click":
        values[20000] = 0.9
    soundfile.write(tmp_path / "a.wav", values, 16000)
    result = restore_file(tmp_path / "a.wav", tmp_path / "b.wav", model, gate=True)
    assert result.status == "unchanged"
    assert any("silent" in note or "no speech" in note or "clean" in note for note in result.notes)
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()


def test_the_gate_tells_clean_from_noisy_and_speech_from_the_rest() -> None:
    speech = np.where(np.arange(200) % 50 < 30, 0.99, 0.05).astype(np.float32)
    power = np.where(speech > 0.5, 1.0, 1e-4)
    deep = np.full(200, 0.8, np.float32)
    assert verdict(Frames(speech, deep, power + 0.1, np.full(200, 0.1)), 0.016).restore
    clean = verdict(Frames(speech, deep, power, np.full(200, 1e-4)), 0.016)
    assert not clean.restore
    assert "clean" in clean.why
    music = verdict(Frames(np.full(200, 0.2, np.float32), deep, np.ones(200), np.full(200, 0.5)), 0.016)
    assert not music.restore
    assert "no speech" in music.why
    birds = verdict(Frames(speech, np.full(200, 0.02, np.float32), power + 0.1, np.full(200, 0.1)), 0.016)
    assert not birds.restore
    assert "no speech" in birds.why


@pytest.mark.parametrize("kind", ["birds", "music"])
def test_what_sounds_like_speech_and_is_none_is_left_alone(tmp_path: Path, model: Model, kind: str) -> None:
    alone = 0
    for seed in range(4):
        soundfile.write(tmp_path / f"{seed}.wav", getattr(noises, kind)(64000, np.random.default_rng(seed)) * 0.05, 16000)
        alone += restore_file(tmp_path / f"{seed}.wav", tmp_path / f"{seed}-out.wav", model, gate=True).status == "unchanged"
    assert alone >= 3


def test_a_file_that_is_being_written_is_refused(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    from burnish.audio import gate

    source = noisy(tmp_path / "a.flac")
    surveyed = gate.surveyed

    def meanwhile(sound: gate.Sound, *_rest: object) -> gate.Survey:
        survey = surveyed(sound)
        with source.open("ab") as file:
            file.write(b"more")
        return survey

    monkeypatch.setattr(gate, "surveyed", meanwhile)
    with pytest.raises(InputError, match="changed while"):
        restore_file(source, tmp_path / "b.flac", model)
    assert not (tmp_path / "b.flac").exists()


def test_a_mixed_folder_in_one_command(tmp_path: Path) -> None:
    inside = tmp_path / "in" / "deep"
    inside.mkdir(parents=True)
    noisy(inside / "talk.wav", 22050, 2)
    io.imsave(tmp_path / "in" / "photo.png", data.astronaut()[:64, :64], check_contrast=False)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF")
    (tmp_path / "in" / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A \0\0\0\0")
    result = burnish_("restore", tmp_path / "in", "-o", tmp_path / "out", "--force", "--json")
    told = {Path(line["input"]).name: line for line in map(json.loads, result.stdout.splitlines())}
    assert result.returncode == 1
    assert told["talk.wav"]["status"] == told["photo.png"]["status"] == "restored"
    assert told["talk.wav"]["duration"] == pytest.approx(1)
    assert "megapixels" in told["photo.png"]
    assert told["broken.wav"]["status"] == told["song.m4a"]["status"] == "failed"
    assert (tmp_path / "out" / "deep" / "talk.wav").exists()


def test_the_command_on_one_file(tmp_path: Path) -> None:
    noisy(tmp_path / "a b.wav")
    result = burnish_("restore", tmp_path / "a b.wav", "--force", "--residual", tmp_path / "taken.flac")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a b-restored.wav").exists()
    assert (tmp_path / "taken.flac").exists()
    refused(burnish_("restore", tmp_path / "missing.wav"), 1, "missing.wav", "No such file")
    io.imsave(tmp_path / "p.png", data.astronaut()[:32, :32], check_contrast=False)
    assert burnish_("restore", tmp_path / "p.png", "--residual", tmp_path / "r.wav").returncode == 2


def test_difficult_names(tmp_path: Path) -> None:
    names = ["-o.wav", "an interview.wav", "Straße ☀[1].wav", "new\nline.wav", "--json.wav", "%s.wav"]
    whole = noisy(tmp_path / "a.wav", seconds=0.3).read_bytes()
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).write_bytes(whole)
    result = burnish_("restore", "--force", "-o", "../out", "--", *names, cwd=tmp_path / "in")
    assert result.returncode == 0, result.stderr
    assert {each.name for each in (tmp_path / "out").iterdir()} == set(names)
    assert len({each.read_bytes() for each in (tmp_path / "out").iterdir()}) == 1


@needs_posix
def test_broken_off_it_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    noisy(tmp_path / "in" / "a.wav", seconds=0.3)
    soundfile.write(tmp_path / "in" / "long.wav", np.tile(tone(10.0, 48000, 2), (120, 1)), 48000)
    command = [*BURNISH, "restore", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--threads", "1", "--force"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    while not (tmp_path / "out" / "a.wav").exists():
        assert time.monotonic() < started + 120
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"a.wav"}


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    noisy(tmp_path / "a.wav", 48000, 2, seconds=2.0)
    result = burnish_("restore", tmp_path / "a.wav", "-o", tmp_path / "b.wav", "--force", room=50_000)
    assert result.returncode == 1
    assert "b.wav" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "b.wav").exists()


def test_an_image_is_not_put_through_a_model_for_sound(tmp_path: Path, model: Model) -> None:
    from burnish.image import restore as images

    io.imsave(tmp_path / "p.png", data.astronaut()[:32, :32], check_contrast=False)
    work = images.Work(tmp_path / "p.png", tmp_path / "q.png", model, images.Settings(), print, print)  # type: ignore[arg-type]
    result = images.restored(work)
    assert result.status == "failed"
    assert "speech restores sound" in str(result.error)
