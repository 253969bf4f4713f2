"""Every kind of file: the same kind comes out, as long, with all that it carries; what is broken is refused in one line."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recordings import tone

from burnish.audio import files
from burnish.errors import BurnishError, InputError

KINDS = [
    ("a.wav", "WAV", "PCM_16", 48000, 2),
    ("b.wav", "WAV", "PCM_24", 48000, 6),
    ("c.wav", "WAV", "FLOAT", 96000, 1),
    ("d.wav", "WAV", "PCM_U8", 8000, 1),
    ("e.wav", "WAV", "DOUBLE", 44100, 2),
    ("f.wav", "WAV", "ULAW", 8000, 1),
    ("g.wav", "RF64", "PCM_16", 48000, 2),
    ("h.aiff", "AIFF", "PCM_24", 44100, 2),
    ("i.aiff", "AIFF", "FLOAT", 44100, 1),
    ("j.flac", "FLAC", "PCM_16", 44100, 2),
    ("k.flac", "FLAC", "PCM_24", 48000, 1),
    ("l.ogg", "OGG", "VORBIS", 44100, 2),
    ("m.opus", "OGG", "OPUS", 48000, 2),
    ("n.mp3", "MP3", "MPEG_LAYER_III", 44100, 2),
]


def written(path: Path, form: str, subtype: str, rate: int, channels: int, seconds: float = 0.5) -> Path:
    with soundfile.SoundFile(path, "w", rate, channels, subtype, format=form) as file:
        file.title, file.artist, file.comment = "An interview", "Müller", "second take"
        file.write(tone(seconds, rate, channels))
    return path


def samples(path: Path) -> np.ndarray:
    return np.concatenate(list(files.open_sound(path).blocks()))


@pytest.mark.parametrize(("name", "form", "subtype", "rate", "channels"), KINDS)
def test_a_file_comes_out_as_it_went_in(tmp_path: Path, name: str, form: str, subtype: str, rate: int, channels: int) -> None:
    source, target = written(tmp_path / name, form, subtype, rate, channels), tmp_path / f"out-{name}"
    sound = files.open_sound(source)
    before = samples(source)
    lost = files.save(sound, target, files.format_for(sound, target), iter(np.array_split(before, 3)))
    again = files.open_sound(target)
    assert lost == []
    assert (again.rate, again.channels, again.samples, again.subtype) == (rate, channels, sound.samples, subtype)
    if subtype not in ("VORBIS", "OPUS", "MPEG_LAYER_III"):
        assert np.array_equal(samples(target), before)
    else:
        after = samples(target)
        assert np.vdot(after, before) > 0.8 * np.linalg.norm(after) * np.linalg.norm(before)  # not delayed
    with soundfile.SoundFile(target) as file:
        assert (file.title, file.artist, file.comment) == ("An interview", "Müller", "second take")


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def broadcast(path: Path) -> Path:
    """A WAV with cue points, BWF, iXML and an unknown chunk, before and after its samples."""
    written(path, "WAV", "PCM_16", 16000, 1)
    data = path.read_bytes()
    place = data.index(b"data")
    before = chunk(b"bext", b"Field recorder".ljust(602, b"\0")) + chunk(b"iXML", b"<BWFXML><SCENE>7</SCENE></BWFXML>")
    after = chunk(b"cue ", struct.pack("<IIIIIII", 1, 1, 4000, 0x61746164, 0, 0, 4000)) + chunk(b"what", b"odd")
    whole = data[:place] + before + data[place:] + after
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


def test_cue_points_bwf_and_ixml_are_carried(tmp_path: Path) -> None:
    source, target = broadcast(tmp_path / "field.wav"), tmp_path / "out.wav"
    sound = files.open_sound(source)
    files.save(sound, target, "wav", iter([np.zeros((sound.samples, 1), np.float32)]))
    before, after = source.read_bytes(), target.read_bytes()
    assert len(before) == len(after)
    for name in (b"bext", b"iXML", b"cue ", b"what", b"fmt "):
        begin = before.index(name)
        size = struct.unpack("<I", before[begin + 4 : begin + 8])[0]
        assert after[begin : begin + 8 + size] == before[begin : begin + 8 + size]
    assert not samples(target).any()


def test_flac_carries_its_pictures_and_odd_blocks(tmp_path: Path) -> None:
    source, target = written(tmp_path / "a.flac", "FLAC", "PCM_16", 16000, 1), tmp_path / "out.flac"
    data = source.read_bytes()
    shown = struct.pack(">II9sIIIIII", 3, 9, b"image/png", 0, 1, 1, 24, 0, 20) + bytes(range(20))
    kept = b"BURN" + bytes(range(40))
    blocks = b"".join(bytes([kind]) + len(each).to_bytes(3, "big") + each for kind, each in ((6, shown), (2, kept)))
    source.write_bytes(data[:42] + blocks + data[42:])  # behind STREAMINFO
    sound = files.open_sound(source)
    files.save(sound, target, "flac", sound.blocks())
    assert shown in target.read_bytes()
    assert kept in target.read_bytes()
    assert np.array_equal(samples(target), samples(source))


def test_mp3_carries_its_tags(tmp_path: Path) -> None:
    source, target = written(tmp_path / "a.mp3", "MP3", "MPEG_LAYER_III", 44100, 1), tmp_path / "out.mp3"
    data = source.read_bytes()
    body = data[10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]) :] if data[:3] == b"ID3" else data
    body = body[:-128] if body[-128:-125] == b"TAG" else body
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x1e" + b"PRIV\x00\x00\x00\x14\x00\x00" + b"a marker of mine!!!!"
    source.write_bytes(tag + body + b"TAG".ljust(128, b"x"))
    sound = files.open_sound(source)
    files.save(sound, target, "mp3", sound.blocks())
    after = target.read_bytes()
    assert after.startswith(tag)
    assert after.endswith(b"TAG".ljust(128, b"x"))
    assert files.open_sound(target).samples == sound.samples


def test_a_long_comment_of_an_ogg_file_is_carried(tmp_path: Path) -> None:
    source, target = tmp_path / "a.ogg", tmp_path / "out.ogg"
    with soundfile.SoundFile(source, "w", 44100, 1, "VORBIS", format="OGG") as file:
        file.comment = "x" * 200_000  # over several pages
        file.write(tone(0.5, 44100))
    sound = files.open_sound(source)
    files.save(sound, target, "ogg", sound.blocks())
    with soundfile.SoundFile(target) as file:
        assert file.comment == "x" * 200_000
        assert file.frames == sound.samples


@pytest.mark.parametrize("name", ["a.wav", "j.flac", "l.ogg", "n.mp3", "h.aiff"])
def test_no_cut_ends_in_more_than_a_line(tmp_path: Path, name: str) -> None:
    _, form, subtype, rate, channels = next(kind for kind in KINDS if kind[0] == name)
    whole = written(tmp_path / name, form, subtype, rate, channels).read_bytes()
    path = tmp_path / f"broken-{name}"
    refused = 0
    for part in range(16):
        path.write_bytes(whole[: len(whole) * part // 16])
        told = ""
        try:
            samples(path)
        except BurnishError as error:
            told = str(error)
        refused += bool(told)
        assert not told or str(path) in told
        assert "\n" not in told
    assert refused >= (1 if name == "n.mp3" else 16)  # an MP3 may end anywhere


@pytest.mark.parametrize("promised", [1 << 20, 1 << 30])
def test_a_header_that_promises_more_than_there_is(tmp_path: Path, promised: int) -> None:
    path = written(tmp_path / "a.wav", "WAV", "PCM_16", 16000, 1)
    data = path.read_bytes()
    place = data.index(b"data") + 4
    path.write_bytes(data[:place] + struct.pack("<I", promised) + data[place + 4 :])
    with pytest.raises(InputError, match="cut short"):
        files.open_sound(path)


def test_a_recorder_that_was_cut_off_left_no_length(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", "WAV", "PCM_16", 16000, 1)
    data = path.read_bytes()
    place = data.index(b"data") + 4
    path.write_bytes(data[:place] + b"\xff\xff\xff\xff" + data[place + 4 : place + 4 + 8000])
    assert files.open_sound(path).samples == 4000
    sound, target = files.open_sound(path), tmp_path / "out.wav"
    files.save(sound, target, "wav", sound.blocks())
    assert target.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"RIFF", "no kind"),
        (b"hello, this is no sound at all", "no kind"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", "AAC"),
        (b"RIFF\x04\0\0\0WAVE", "sound"),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=word):
        files.open_sound(path)


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", "FLAC", "PCM_16", 16000, 1).rename(tmp_path / "a.wav")
    sound = files.open_sound(path)
    assert sound.format == "flac"
    files.save(sound, tmp_path / "out.wav", files.format_for(sound, tmp_path / "out.wav"), sound.blocks())
    assert files.open_sound(tmp_path / "out.wav").format == "flac"
    assert files.holds_sound(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    values = tone(0.2, 16000)
    values[100] = value
    soundfile.write(tmp_path / "x.wav", values, 16000, subtype="FLOAT")
    with pytest.raises(InputError, match="not finite"):
        samples(tmp_path / "x.wav")
