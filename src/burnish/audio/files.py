"""Files of sound: told by their content, read in blocks, written with all that they carry."""

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.audio.containers import flac, mp3, ogg, riff
from burnish.audio.frames import HIGHEST, LOWEST
from burnish.errors import InputError, MissingExtraError
from burnish.image import opening

Block = NDArray[np.float32]

FORMATS = "WAV, FLAC, Ogg (Vorbis, Opus), MP3 or AIFF"
ENDINGS = {".wav": "wav", ".wave": "wav", ".bwf": "wav", ".rf64": "wav", ".flac": "flac", ".ogg": "ogg", ".oga": "ogg", ".opus": "ogg"} | {
    ".mp3": "mp3", ".aif": "aiff", ".aiff": "aiff", ".aifc": "aiff"
}  # fmt: skip
OTHERS = (".m4a", ".m4b", ".aac", ".wma", ".amr", ".ape", ".wv", ".caf", ".au", ".snd", ".w64", ".mka")  # sound that is not read here
CHANNELS = 8
SECONDS = 4  # to a block
BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1}
MP3_KBITS = ((320, 0.0), (256, 0.2), (192, 0.4))  # constant rates, and where libsndfile's scale has them at 44.1 and 48 kHz


def is_sound(name: str) -> bool:
    """Whether a file of that name calls itself a recording, one that is read here or not."""
    return Path(name).suffix.lower() in {*ENDINGS, *OTHERS}


def any_in(folder: Path) -> bool:
    """Whether a folder, or one under it, holds a file that calls itself a recording."""
    return any(is_sound(name) for _, _, names in os.walk(folder) for name in names)


def format_of(path: Path) -> str | None:
    """The format of a file by its first bytes: "wav", "flac", "ogg", "mp3", "aiff", or "mp4" (AAC and others, not read here); else None.

    Raises InputError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] in (b"fLaC", b"OggS"):
        return "flac" if head[:4] == b"fLaC" else "ogg"
    if head[:3] == b"ID3" or (len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):  # MPEG's layer III
        return "mp3"
    return "mp4" if head[4:8] == b"ftyp" and head[8:11] in (b"M4A", b"M4B", b"mp4", b"iso") else None


def holds_sound(path: Path) -> bool:
    """Whether a file is a recording by its content; where that is of no kind that is known, and no image, by its name."""
    try:
        return format_of(path) is not None or (is_sound(path.name) and opening.format_of(path) is None)
    except (InputError, ValueError):
        return is_sound(path.name)


@dataclass(frozen=True)
class Sound:
    """A recording in a file, its header read: `samples` of each of its `channels` at `rate` a second.

    `format` is what format_of says, `subtype` how samples are stored, as soundfile calls it ("PCM_16", "OPUS"). `stamp` are the file's
    length in bytes and the time of its last change in nanoseconds.
    """

    path: Path
    rate: int
    channels: int
    samples: int
    format: str
    subtype: str
    stamp: tuple[int, int]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / self.rate

    def blocks(self, start: int = 0, count: int | None = None) -> Iterator[Block]:
        """Its samples from `start` on, at most `count`, n×channels float32, a few seconds at a time; full scale is 1.

        Raises InputError when it cannot be decoded, holds less than its header promises, or values that are not finite.
        """
        import soundfile

        end = self.samples if count is None else min(self.samples, start + count)
        try:
            with soundfile.SoundFile(self.path) as file:
                if start:
                    file.seek(start)
                while start < end:
                    block = file.read(min(SECONDS * self.rate, end - start), dtype="float32", always_2d=True)
                    if not len(block):
                        raise InputError(
                            f"{self.path}: is cut short: its header promises {self.samples / self.rate:.1f} s, "
                            f"there are {start / self.rate:.1f}; copy it anew"
                        )
                    if not np.isfinite(block).all():
                        raise InputError(f"{self.path}: holds samples that are not finite; export it anew from where it was made")
                    start += len(block)
                    yield block
        except soundfile.LibsndfileError as error:
            raise InputError(f"{self.path}: cannot be decoded at {start / self.rate:.1f} s ({_why(error)}); copy it anew") from error

    def check_unchanged(self) -> None:
        """Raises InputError when the file has changed since it was opened."""
        if _stamp(self.path) != self.stamp:
            raise InputError(f"{self.path}: has changed while it was read; restore it again once it is written")


def open_sound(path: Path) -> Sound:
    """The recording in a file. Raises InputError for what is none, an empty or broken one, or one that is not read here."""
    stamp = _stamp(path)
    if stamp[0] == 0:
        raise InputError(f"{path}: is empty (0 bytes); copy it anew")
    kind = format_of(path)
    if kind in (None, "mp4"):
        what = "it is MPEG-4 sound (AAC)" if kind else "its content is of no kind that is"
        raise InputError(f"{path}: cannot be read as sound: {what}; convert it to {FORMATS}")
    assert kind is not None
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            sound = Sound(path, file.samplerate, file.channels, file.frames, kind, file.subtype, stamp)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as sound ({_why(error)}); copy it anew") from error
    if not LOWEST <= sound.rate <= HIGHEST:
        raise InputError(f"{path}: has {sound.rate:,} samples a second, outside {LOWEST:,} to {HIGHEST:,}; resample it")
    if sound.channels > CHANNELS:
        raise InputError(f"{path}: has {sound.channels} channels, more than {CHANNELS}; give them in several files")
    if sound.samples < 1:
        raise InputError(f"{path}: holds no samples; copy it anew")
    if kind in ("wav", "aiff"):
        if sound.subtype not in BYTES:
            raise InputError(f"{path}: stores its samples as {sound.subtype}, which is not written here; convert it to {FORMATS}")
        if sound.samples * sound.channels * BYTES[sound.subtype] > riff.samples(path).size:
            raise InputError(f"{path}: is cut short, or its header is wrong; copy it anew")
    if kind == "ogg":
        ogg.check_whole(path)
    return sound


def _stamp(path: Path) -> tuple[int, int]:
    try:
        if not path.is_file():
            why = "is no file; give a recording or a folder of them" if path.exists() else "No such file or directory; check the path"
            raise InputError(f"{path}: {why}")
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); check the path") from error
    return status.st_size, status.st_mtime_ns


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise MissingExtraError("recordings are read by soundfile, which is not installed: pip install 'burnish[audio]'") from error
    return soundfile


def _why(error: Exception) -> str:
    return str(getattr(error, "error_string", None) or error).removeprefix("Error : ").strip().rstrip(".")


# --- Writing ---


def save(sound: Sound, path: Path, kind: str, blocks: Iterable[Block]) -> list[str]:
    """Write `blocks`, the recording's samples restored, to `path` in the format `kind`, with all that the source carries.

    Where that is the source's own format, its samples are stored as they were. Returns what could not be kept, in words.
    """
    if kind != sound.format:
        _encode(path, kind, _subtype(sound, kind), sound, blocks)
        return [f"the tags, markers and pictures of the {sound.format.upper()} file"]
    if kind in ("wav", "aiff"):
        _replace_samples(sound, path, blocks)
        return []
    with tempfile.TemporaryDirectory(prefix=".burnish-", dir=path.parent) as folder:
        encoded = Path(folder) / f"encoded{path.suffix}"
        _encode(encoded, kind, sound.subtype, sound, blocks)
        carry: Callable[[Path, Path, Path], None] = {"flac": flac.carry, "mp3": mp3.carry, "ogg": ogg.carry}[kind]
        carry(sound.path, encoded, path)
    return []


def format_for(sound: Sound, path: Path) -> str:
    """The format to write to `path`: by its ending, or the source's where that says nothing. Raises InputError for one not written here."""
    ending = path.suffix.lower()
    if ending in OTHERS:
        raise InputError(f"{path}: {ending[1:].upper()} is not written here; choose {FORMATS}")
    return ENDINGS.get(ending, sound.format) if path.suffix.lower() != sound.path.suffix.lower() else sound.format


def _subtype(sound: Sound, kind: str) -> str:
    if kind in ("mp3", "ogg"):
        return "MPEG_LAYER_III" if kind == "mp3" else "VORBIS"
    deep = sound.subtype in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    return "FLOAT" if deep and kind == "wav" else "PCM_24" if deep else "PCM_16"


def _replace_samples(sound: Sound, path: Path, blocks: Iterable[Block]) -> None:
    """The source's file once more, with other samples in it: everything around them stays, byte for byte."""
    place = riff.samples(sound.path)
    shutil.copyfile(sound.path, path)
    peaks = [(0.0, 0)] * sound.channels
    done = 0
    with path.open("r+b") as file:
        file.seek(place.start)
        for block in blocks:
            file.write(encoded(block, sound.subtype, place.little))
            for channel in range(sound.channels):
                index = int(np.argmax(np.abs(block[:, channel]))) if len(block) else 0
                if len(block) and (level := float(abs(block[index, channel]))) > peaks[channel][0]:
                    peaks[channel] = level, done + index
            done += len(block)
    riff.set_peaks(path, peaks)


def encoded(block: Block, subtype: str, little: bool) -> bytes:
    """Samples as they are stored: whole numbers rounded to the nearest, never wrapped."""
    if subtype in ("FLOAT", "DOUBLE"):
        code = "f4" if subtype == "FLOAT" else "f8"
        return bytes(block.astype(f"{'<' if little else '>'}{code}").tobytes())
    bits = {"PCM_S8": 8, "PCM_U8": 8, "PCM_24": 24, "PCM_32": 32}.get(subtype, 16)
    whole = _whole(block, bits)
    if subtype in ("ULAW", "ALAW"):
        return _companded(whole.astype(np.int16), subtype)
    if subtype == "PCM_U8":
        return bytes((whole + 128).astype(np.uint8).tobytes())
    octets = whole.astype("<i8").reshape(-1, 1).view(np.uint8)[:, : bits // 8]
    return bytes((octets if little else octets[:, ::-1]).tobytes())


def _whole(block: Block, bits: int) -> NDArray[np.int64]:
    top = 2 ** (bits - 1)
    whole: NDArray[np.int64] = np.clip(np.rint(block.astype(np.float64) * top), -top, top - 1).astype(np.int64)
    return whole


def _companded(whole: NDArray[np.int16], subtype: str) -> bytes:
    import soundfile

    stored = io.BytesIO()
    soundfile.write(stored, whole, 8000, format="RAW", subtype=subtype)
    return stored.getvalue()


def _encode(path: Path, kind: str, subtype: str, sound: Sound, blocks: Iterable[Block]) -> None:
    """Write the blocks with libsndfile; lossy codecs get the source's bits for a second, and no less than what is clear."""
    import soundfile

    form = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3", "aiff": "AIFF"}[kind]
    try:
        with soundfile.SoundFile(path, "w", sound.rate, sound.channels, subtype, format=form, **_quality(sound, subtype)) as file:
            for block in blocks:
                file.write(_exact(block, subtype))
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path}: could not be written as {form} ({_why(error)}); choose another format with -o NAME.wav") from error
    with contextlib.suppress(soundfile.LibsndfileError):
        written = soundfile.info(path)
        if (written.samplerate, written.frames) != (sound.rate, sound.samples):
            raise InputError(f"{path}: {form} would change its length; choose another format with -o NAME.wav")


def _quality(sound: Sound, subtype: str) -> dict[str, Any]:
    kbits = sound.stamp[0] * 8 / 1000 / sound.seconds if sound.format in ("ogg", "mp3") else 192
    if subtype == "OPUS":
        return {"compression_level": float(np.clip((256 - max(kbits / sound.channels, 24)) / 250, 0, 1))}
    if subtype == "VORBIS":
        return {"compression_level": float(np.clip(1 - kbits / sound.channels / 160, 0.1, 0.8))}
    if subtype == "MPEG_LAYER_III":
        return {"bitrate_mode": "VARIABLE", "compression_level": 0.1 if kbits > 200 else 0.3}
    return {}


def _exact(block: Block, subtype: str) -> NDArray[Any]:
    """The block as libsndfile stores it without a scale of its own: whole numbers for formats that have them."""
    if subtype not in ("PCM_S8", "PCM_16", "PCM_24"):
        return block
    bits = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}[subtype]
    return _whole(block, bits).astype(np.int32) << (32 - bits)
