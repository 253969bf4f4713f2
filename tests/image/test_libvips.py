"""libvips, which must not end the process."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import pyvips

# Opens a file about which libvips has something to log, and has another one opened while that is logged, as the collection of garbage may.
CODE = """
import gc, logging, sys
from pathlib import Path
from burnish.image import opening

class Again(logging.Handler):
    def emit(self, record):
        opening.opened(Path(sys.argv[1])).avg()

if sys.argv[2] == "as pyvips has it":
    opening.libvips.load = lambda: None
logging.getLogger("pyvips").addHandler(Again())
opening.opened(Path(sys.argv[1])).avg()
"""


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """A PNG with EXIF whose checksum is wrong, which is worth a warning to libvips, and no more."""
    plain = pyvips.Image.black(8, 8).pngsave_buffer()
    exif = b"eXIf" + b"II*\0" + bytes(8)
    wrong = (zlib.crc32(exif) ^ 1).to_bytes(4, "big")
    path = tmp_path / "doubtful.png"
    path.write_bytes(plain[:33] + (len(exif) - 4).to_bytes(4, "big") + exif + wrong + plain[33:])
    return path


def run(path: Path, how: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", CODE, str(path), how], capture_output=True, text=True, check=False)


def test_what_libvips_logs_ends_no_process(doubtful: Path) -> None:
    done = run(doubtful, "as it is loaded here")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run(doubtful, "as pyvips has it").returncode != 0, "the file is no trial any more"


def test_threads_that_open_the_first_image_together_log_nothing() -> None:
    """Taken away twice, pyvips' handler is worth a warning to GLib: slow down what takes it, and both threads would."""
    code = """
import threading, time
import pyvips
from burnish.image import libvips

taken = pyvips._remove_handler
def slowly(*what):
    time.sleep(0.2)
    taken(*what)
pyvips._remove_handler = slowly
threads = [threading.Thread(target=libvips.load) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
