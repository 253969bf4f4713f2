"""What an answer says of a result, in its headers."""

import json
import re
from pathlib import PurePosixPath
from urllib.parse import quote

from burnish.audio import files as audio_files
from burnish.audio.restore import SoundResult
from burnish.image import files as image_files
from burnish.serve.job import Job, Outcome

TYPES = {  # of formats that are restored
    **{kind: f"image/{kind}" for kind in ("jpeg", "png", "webp", "tiff", "avif", "gif")},
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aiff": "audio/aiff",
}
ENDINGS = {kind: f".{kind}" for kind in TYPES} | {"jpeg": ".jpg", "tiff": ".tif"}
KNOWN = image_files.FORMATS | audio_files.ENDINGS  # endings of names, and the formats that they stand for
NOTES = 4000  # letters of notes in a header, which clients limit
EXPOSED = ("Burnish-Status", "Burnish-Model", "Burnish-Seconds", "Burnish-Megapixels", "Burnish-Duration", "Burnish-Notes", "Retry-After")


def headers(job: Job, outcome: Outcome) -> dict[str, str]:
    """The headers of the answer that holds a result, in ASCII letters alone, so that nothing in a name or note can end a header."""
    result = outcome.result
    notes = [job.told(note) for note in result.notes]
    while len(told := json.dumps(notes)) > NOTES:
        notes = [*notes[: len(notes) // 2], "and more"] if len(notes) > 2 else [notes[0][: NOTES // 8]]
    if isinstance(result, SoundResult):
        size = {"Burnish-Duration": f"{result.duration:.3f}"}
    else:
        size = {"Burnish-Megapixels": f"{result.megapixels:.6f}"}
    return {
        "Content-Type": TYPES[outcome.format],
        "Content-Disposition": disposition(job.name, outcome.format),
        "Cache-Control": "no-store",
        "Burnish-Status": result.status,
        "Burnish-Model": outcome.model,
        "Burnish-Seconds": f"{result.seconds:.3f}",
        **size,
        "Burnish-Notes": told,
    }


def disposition(name: str, kind: str) -> str:
    """The name to save a result under, as RFC 6266 has it: a plain one, and the whole one percent-encoded."""
    path = PurePosixPath(name)
    ending = path.suffix if KNOWN.get(path.suffix.lower()) == kind else ENDINGS[kind]
    stem = path.stem if path.suffix.lower() in KNOWN else name
    full = f"{stem}-restored{ending}"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", full)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"
