"""Mutated files sent to `burnish serve`, some at once: no answer but a result or a refusal of the 400s, no death, nothing left on the disk.

    python tests/fuzz_serve.py [COUNT] [FIRST]

The files are those of `fuzz.py`, and recordings; each finding can be repeated with `python tests/fuzz_serve.py 1 NUMBER`.
"""

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fuzz
import gallery
import numpy as np
import soundfile
from recordings import tone

RIGHT = (200, 400, 413, 415, 422)
AT_ONCE = 4


def recordings(folder: Path) -> list[Path]:
    """A third of a second in every format of sound."""
    kinds = {"a.wav": "PCM_24", "b.wav": "FLOAT", "c.flac": "PCM_16", "d.ogg": "VORBIS", "e.mp3": "MPEG_LAYER_III", "f.aiff": "PCM_16"}
    for name, subtype in kinds.items():
        soundfile.write(folder / name, tone(0.3, 16000, 2), 16000, subtype=subtype)
    return [folder / name for name in kinds]


def sent(port: int, originals: list[bytes], number: int) -> tuple[int, int, str]:
    """The number, the status of the answer (0: none came), and what is said where that is not right."""
    rng = np.random.default_rng(number)
    body = fuzz.mutated(originals[rng.integers(len(originals))], rng)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=fuzz.WALL_LIMIT)
    try:
        connection.request("POST", f"/restore?force={'true' if number % 2 else 'false'}", body)
        response = connection.getresponse()
        told = response.read()
        return number, response.status, "" if response.status in RIGHT else told[:300].decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return number, 0, repr(error)
    finally:
        connection.close()


def leftovers(place: Path) -> list[str]:
    """What the server keeps on the disk, once it has had time to clear away after its last answers."""
    for _ in range(100):
        left = [path.name for path in place.glob("burnish-serve-*/*") if path.name != "lock"]
        if not left:
            break
        time.sleep(0.1)
    return left


def main(count: int = 10_000, first: int = 0) -> None:
    """Run, print findings as they come and a summary; exit status 1 if there are any."""
    statuses: Counter[int] = Counter()
    findings = 0
    with tempfile.TemporaryDirectory() as name:
        kinds, place = Path(name) / "kinds", Path(name) / "temporary"
        place.mkdir()
        originals = [path.read_bytes() for path in [*gallery.write(kinds), *recordings(kinds)]]
        command = [sys.executable, "-m", "burnish", "serve", "--port", "0", "-m", "seed", "-m", "speech"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(place)})
        assert server.stdout
        port = int(server.stdout.readline().strip().strip("/").rpartition(":")[2])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = pool.map(lambda each: sent(port, originals, each), range(first, first + count))
            for done, (number, status, told) in enumerate(answers, 1):
                statuses[status] += 1
                if told:
                    findings += 1
                    print(f"{number}: {status} {told}", flush=True)
                if done % 1000 == 0:
                    print(f"{done:,} files: {dict(statuses)}", flush=True)
        if server.poll() is not None:
            findings += 1
            print(f"the server ended with {server.returncode}")
        left = leftovers(place)
        if left:
            findings += 1
            print(f"left on the disk: {left}")
        server.terminate()
        server.communicate()
    print(f"{count:,} mutated files, {findings} findings; {dict(statuses)}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
