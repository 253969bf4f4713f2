"""How much the server takes on, and from whom."""

from dataclasses import dataclass, field

from burnish.cpus import available_cpus
from burnish.errors import InputError


def _workers() -> int:
    return min(4, max(2, available_cpus()))


@dataclass(frozen=True)
class Limits:
    """What one request may cost, and how many there may be. Raises InputError for a value that is none."""

    max_bytes: int = 100_000_000
    """Bytes of a file that is sent: more are answered with 413."""
    max_pixels: int = 100_000_000
    """Pixels of an image, all its frames or pages together, as its header tells them: more are answered with 422."""
    max_frames: int = 200
    """Frames of an animation or pages of a stack: more are answered with 422."""
    max_duration: float = 7200.0
    """Seconds that a recording lasts, as its header tells them: more are answered with 422."""
    max_seconds: float = 300.0
    """Seconds for which one file is worked on, not counting those in which it waits: then the answer is 503."""
    queue: int = 64
    """Files that may wait for their turn: one more is answered with 429."""
    clients: int = 256
    """Files that may be on their way in, waiting, at work or on their way out: one more is answered with 429."""
    at_once: int = field(default_factory=_workers)
    """Files that are worked on at the same time: while one is read or written, another is computed."""
    patience: float = 30.0
    """Seconds for which a client may keep the server waiting: with its request's head, or by taking nothing of a result. A body has as
    long, and a second more for each 10,000 bytes that have come: then the answer is 408."""

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_frames", "max_duration", "max_seconds", "queue", "clients", "at_once", "patience"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} = {getattr(self, name)} must be more than 0")


@dataclass(frozen=True)
class Access:
    """Who may ask: `token`, what a request for work must bear (None: nothing); `hosts`, the names under which the server is reached, beside
    addresses in numbers and localhost; `origins`, other sites whose pages may use the API ("https://example.org")."""

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
