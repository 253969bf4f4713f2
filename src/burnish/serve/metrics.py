"""What the server has done, counted, as text that Prometheus reads (its exposition format, version 0.0.4)."""

import os
from collections import Counter
from pathlib import Path

from burnish.audio.restore import SoundResult
from burnish.image.restore import RestoreResult
from burnish.serve.house import House

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one server, from its start."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()  # by address and status; status 0 for a client that left before its answer
        self.files: Counter[str] = Counter()  # by what became of them
        self.seconds = self.megapixels = self.sound = 0.0

    def add(self, result: RestoreResult | SoundResult) -> None:
        """Count a file."""
        self.files[result.status] += 1
        self.seconds += result.seconds
        self.megapixels += result.megapixels
        self.sound += result.duration if isinstance(result, SoundResult) else 0

    def text(self, house: House) -> str:
        """All of it, with how full the house is now."""
        answers = {f'path="{path}",status="{status}"': count for (path, status), count in sorted(self.answers.items())}
        files = {f'outcome="{outcome}"': count for outcome, count in sorted(self.files.items())}
        series: list[tuple[str, str, str, dict[str, float]]] = [
            ("burnish_answers_total", "counter", "Answers by address and status; 0: the client left before its answer.", {**answers}),
            ("burnish_files_total", "counter", "Files by what became of them.", {**files}),
            ("burnish_work_seconds_total", "counter", "Seconds for which files were worked on.", {"": self.seconds}),
            ("burnish_megapixels_total", "counter", "Megapixels of the files that were answered.", {"": self.megapixels}),
            ("burnish_sound_seconds_total", "counter", "Seconds that the recordings last that were answered.", {"": self.sound}),
            ("burnish_files_working", "gauge", "Files that are worked on.", {"": house.working}),
            ("burnish_files_waiting", "gauge", "Files that wait for their turn.", {"": house.waiting}),
            ("burnish_files_inside", "gauge", "Files on their way in, waiting, at work or on their way out.", {"": house.inside}),
        ]
        if (memory := resident()) is not None:
            series.append(("process_resident_memory_bytes", "gauge", "Memory that the process holds.", {"": memory}))
        lines = []
        for name, kind, words, values in series:
            lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{{{labels}}} {value:.12g}" if labels else f"{name} {value:.12g}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"


def resident() -> int | None:
    """Bytes of memory that this process holds; None where the platform does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError, ValueError):
        return None
