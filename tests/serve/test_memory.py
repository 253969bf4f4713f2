"""A server's memory, given back when it is not needed any more."""

import platform
import subprocess
import sys

import pytest
from conftest import needs_proc

CODE = """
import sys
from burnish.serve import memory
from burnish.serve.metrics import resident
if sys.argv[1] == "told": memory.give_back_what_is_freed()
pins = []
for _ in range(3):
    blocks = [bytearray(b"x") * 8_000_000 for _ in range(10)]
    pins.append(bytearray(b"x") * 500_000)  # lies behind the blocks where these are not the system's
    del blocks[:]
print(resident())
"""


def held(how: str) -> int:
    """Bytes that such a process holds at its end."""
    return int(subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True).stdout)


@needs_proc
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the allocator whose ways are changed")
def test_large_blocks_go_back_to_the_system() -> None:
    assert held("told") < held("left alone") - 50e6
