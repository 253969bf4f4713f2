"""The page that restores photos in the browser: static files, and where they lie."""

from pathlib import Path

__version__ = "0.1.0"


def files() -> Path:
    """The folder of the page's files. It has no `index.html` in a checkout where `make page` has not been run."""
    return Path(__file__).parent / "page"
