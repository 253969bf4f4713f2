"""What pyproject.toml cannot say: links and images of the README that are relative in the repository are whole on PyPI."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
REPOSITORY = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]


def whole(match: re.Match[str]) -> str:
    """The Markdown link with its target in the repository's address; an image needs the file itself, a link the page that shows it."""
    mark, words, target = match.groups()
    return f"{mark}[{words}]({REPOSITORY}/{'raw' if mark else 'blob'}/main/{target})"


readme = re.sub(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)", whole, (HERE / "README.md").read_text("utf-8"))
setup(long_description=readme, long_description_content_type="text/markdown")
