"""The whole story for sound, offline, in two minutes: voices made, a small network trained on them, scored and shown."""

from pathlib import Path

from burnish.audio.frames import RATE
from burnish.files import atomic
from burnish.scoreboard.board import Scoreboard
from burnish.training import recipe
from burnish.training.audio import run, voices
from burnish.training.run import Say

MINUTES = 1.5  # of training
VOICES, SECONDS = 24, 6.0
SMALL = {"network_args": {"width": 16, "blocks": 1, "across": 8}, "crops": 200, "validation": 0.2, "name": "demo-speech"}


def demo(out: Path, say: Say, minutes: float = MINUTES) -> list[Scoreboard]:
    """Make voices under `out`, train on them for so many minutes and return the scoreboard; report.html stands in out/demo-speech.

    A demo that was broken off goes on where it stopped. Raises InputError when `out` cannot be written to.
    """
    import soundfile

    for seed in range(VOICES):
        path = out / "voices" / f"{seed:02d}.wav"
        if not path.exists():
            with atomic(path) as temporary:
                soundfile.write(temporary, voices.voice(SECONDS, seed), RATE, subtype="PCM_16")
    plan = recipe.load("speech", SMALL | {"data": str(out / "voices"), "degradation": "noise:0-15"})
    return run.fit(plan, out / plan.name, resume=True, max_minutes=minutes, say=say).boards
