"""The headers that shut out of a browser what the page does not need, and give it the threads that it does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from burnish.serve.page import Asset

FILE = "headers.json"  # among the page's files: which headers it is made for
DEFAULT = {  # of answers that are no page
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Raw = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Safety:
    """The headers of every answer: `worker` for addresses that begin with one of `workers`, which may do more, `page` for all others."""

    page: dict[str, str] = field(default_factory=lambda: DEFAULT)
    worker: dict[str, str] = field(default_factory=lambda: DEFAULT)
    workers: tuple[str, ...] = ()

    def headers(self, path: str) -> Raw:
        """Those of the answer to a request for that path, such as /index.html."""
        chosen = self.worker if path.startswith(tuple(f"/{each}" for each in self.workers)) else self.page
        return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in chosen.items()]


def safety(files: Iterable[Asset]) -> Safety:
    """The headers that a page is made for, as it says itself; without a page, those that shut out everything."""
    for asset in files:
        if asset.name == FILE:
            told = json.loads(asset.read())
            return Safety(DEFAULT | told["page"], DEFAULT | told["worker"], tuple(told["workers"]))
    return Safety()
