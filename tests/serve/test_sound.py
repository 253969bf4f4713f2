"""Recordings sent to the server: restored as the command restores them, refused before they cost anything."""

import json
from collections.abc import Iterator
from pathlib import Path

import gallery
import numpy as np
import pytest
import soundfile
from command import burnish_
from recordings import tone
from serving import QUICK, Answer, Server, serving

import burnish
from burnish.audio import model as audio_model
from burnish.image.restore import Stopped
from burnish.serve.job import Asked, Job
from burnish.serve.settings import Limits

KINDS = {
    "a.wav": ("WAV", "PCM_24", "audio/wav"),
    "b.flac": ("FLAC", "PCM_16", "audio/flac"),
    "c.ogg": ("OGG", "VORBIS", "audio/ogg"),
    "d.mp3": ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "e.aiff": ("AIFF", "PCM_16", "audio/aiff"),
}
M4A = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + bytes(500)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    models = {QUICK: burnish.load(QUICK, 1), "speech": audio_model.load("speech", 1)}
    with serving(models, Limits(max_duration=3)) as running:
        yield running


def recording(path: Path, seconds: float = 0.7) -> bytes:
    form, subtype, _ = KINDS[path.name]
    with soundfile.SoundFile(path, "w", 44100, 2, subtype, format=form) as file:
        file.title = "An interview"
        file.write(tone(seconds, 44100, 2))
    return path.read_bytes()


def refused(answer: Answer, status: int, code: str, *words: str) -> None:
    """The answer is that refusal, with these words in it."""
    assert (answer.status, answer.error["code"]) == (status, code), answer.body
    for word in words:
        assert word in answer.error["message"]


def test_a_result_is_the_commands(server: Server, tmp_path: Path) -> None:
    sent = {name: recording(tmp_path / name) for name in KINDS}
    burnish_("restore", *(tmp_path / name for name in KINDS), "-o", tmp_path / "out", "--strength", "0.5", "--force")
    for name, (_, _, kind) in KINDS.items():
        answer = server.ask(f"/restore?strength=0.5&force=true&name={name}", sent[name])
        assert (answer.status, answer.headers["burnish-status"]) == (200, "restored"), (name, answer.body[:200])
        assert answer.headers["content-type"] == kind
        assert answer.headers["burnish-model"] == "speech"
        assert float(answer.headers["burnish-duration"]) == pytest.approx(0.7, abs=0.1)
        assert "burnish-megapixels" not in answer.headers
        stem, ending = name.split(".")
        assert f'filename="{stem}-restored.{ending}"' in answer.headers["content-disposition"]
        assert answer.body != sent[name]
        got = tmp_path / f"got.{ending}"
        got.write_bytes(answer.body)
        with soundfile.SoundFile(got) as ours, soundfile.SoundFile(tmp_path / "out" / name) as theirs:
            assert (ours.subtype, ours.title) == (theirs.subtype, "An interview")
            assert np.array_equal(ours.read(), theirs.read()), name


def test_images_go_on_beside_it(server: Server) -> None:
    answer = server.ask("/restore?force=true", gallery.image(gallery.spoilt()).pngsave_buffer())
    assert (answer.status, answer.headers["burnish-model"], answer.headers["content-type"]) == (200, QUICK, "image/png")
    assert server.metric("burnish_megapixels_total")


def test_what_needs_nothing_comes_back_as_it_was_and_why(server: Server, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16000), 16000)
    sent = (tmp_path / "silence.wav").read_bytes()
    before = server.metric("burnish_sound_seconds_total") or 0
    answer = server.ask("/restore", sent)
    assert (answer.status, answer.headers["burnish-status"], answer.body) == (200, "unchanged", sent)
    assert json.loads(answer.headers["burnish-notes"]) == ["it is silent; force=true restores it anyway"]
    assert server.metric("burnish_sound_seconds_total") == before + 1


def test_what_is_too_long_is_422_by_its_header(server: Server, tmp_path: Path) -> None:
    refused(
        server.ask("/restore?name=a.wav", recording(tmp_path / "a.wav", 4)), 422, "too-many-seconds", "a.wav: lasts 4 seconds", "the 3 "
    )


def test_what_is_broken_or_not_read_is_refused(server: Server, tmp_path: Path) -> None:
    whole = recording(tmp_path / "a.wav")
    refused(server.ask("/restore?name=half.wav", whole[: len(whole) // 2]), 422, "not-restored", "half.wav: is cut short")
    refused(server.ask("/restore?name=talk.m4a", M4A), 415, "wrong-type", "talk.m4a", "MPEG-4 sound (AAC)", "convert it to WAV")
    refused(server.ask("/restore?name=a.wav", b"a text"), 415, "wrong-type", "a.wav: is no JPEG", "no WAV")


def test_a_model_restores_what_it_is_for(server: Server, tmp_path: Path) -> None:
    sound, image = recording(tmp_path / "a.wav"), gallery.image(gallery.spoilt()).pngsave_buffer()
    assert server.ask("/restore?model=speech&force=true", sound).status == 200
    refused(server.ask(f"/restore?model={QUICK}", sound), 400, "wrong-parameter", "is a recording, which tiny-deblur does not", "speech")
    refused(server.ask("/restore?model=speech", image), 400, "wrong-parameter", "is an image, which speech does not", QUICK)
    with serving({"speech": audio_model.load("speech", 1)}) as alone:
        assert alone.ask("/restore?force=true", sound).status == 200
        refused(alone.ask("/restore", image), 415, "wrong-type", "no model of this server")
    with serving() as other:
        refused(other.ask("/restore", sound), 415, "wrong-type", "no model of this server")


def test_work_that_nobody_wants_any_more_ends(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    (tmp_path / "a.wav").rename(tmp_path / "sent")
    job = Job(tmp_path, Asked(None, 1.0, True, "a.wav"), {"speech": audio_model.load("speech", 1)}, Limits())
    job.stop()
    with pytest.raises(Stopped):
        job.work()
    assert [path.name for path in tmp_path.iterdir()] == ["sent"]
