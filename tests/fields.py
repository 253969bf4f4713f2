"""Every field of an image file, as exiftool reads it, and what of two files' fields differs."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

needs_exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool (libimage-exiftool-perl)")
OF_THE_FILE = ("SourceFile", "System:", "ExifTool:")  # name, size and times; exiftool's version


def fields(path: Path) -> dict[str, Any]:
    """Group, number of the copy and name of each field, with its value, binary ones too."""
    command = ["exiftool", "-a", "-u", "-G1:4", "-j", "-b", "-ee", "-struct", "-n", "-api", "largefilesupport=1", str(path)]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)
    return {name: value for name, value in found.items() if not name.startswith(OF_THE_FILE)}


def differing(before: Path, after: Path, but: str = "") -> dict[str, tuple[str, str]]:
    """The fields whose values differ, shortened, but for those whose whole names match the pattern `but`."""
    was, now = fields(before), fields(after)
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return {name: (str(was.get(name))[:60], str(now.get(name))[:60]) for name in names if not re.fullmatch(but, name)}
