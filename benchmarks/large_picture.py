"""An image far larger than what is held of it: a TIFF of 20,000×20,000 RGB pixels is restored, and the memory's peak taken.

    python benchmarks/large_picture.py [--side 20000] [--model photo-fast]

The image is a noisy photograph repeated, 1.2 GB uncompressed, in strips; the result is as large: there must be room for both in the
folder for temporary files. The command is `burnish restore`, the peak the kernel's for its process. Written to large_picture.json.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

MAKE = """
import sys, pyvips
from skimage import data
target, side = sys.argv[1], int(sys.argv[2])
scene = pyvips.Image.new_from_array(data.coffee())
photo = scene.replicate(side // scene.width + 1, side // scene.height + 1).crop(0, 0, side, side)
noise = pyvips.Image.gaussnoise(side, side, mean=0, sigma=15)
(photo + noise).cast("uchar").copy(interpretation="srgb").tiffsave(target, bigtiff=True)
"""
CHECK = """
import sys, pyvips
before, after = (pyvips.Image.new_from_file(path, access="sequential") for path in sys.argv[1:])
assert (before.width, before.height, before.bands, before.format) == (after.width, after.height, after.bands, after.format)
print((before - after).abs().avg())
"""


def main() -> None:
    """Make the image, restore it, see that the result is one, and write what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--model", default="photo-fast")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "large.tif", Path(name) / "restored.tif"
        # In processes of their own: the kernel counts the parent's size into a child's peak, so this one stays small.
        subprocess.run([sys.executable, "-c", MAKE, before, str(chosen.side)], check=True)
        began = time.perf_counter()
        command = [sys.executable, "-m", "burnish", "restore", before, "-o", after, "-m", chosen.model]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status:
            raise SystemExit(f"burnish restore ended with {status}")
        changed = subprocess.run([sys.executable, "-c", CHECK, before, after], check=True, capture_output=True, text=True)
        picture = {"side": chosen.side, "megabytes": round(before.stat().st_size / 1e6), "model": chosen.model}
    result = {"seconds": round(seconds), "peak_megabytes": round(usage.ru_maxrss / 1024), "mean_change": round(float(changed.stdout), 2)}
    common.write("large_picture", {**picture, **result})


if __name__ == "__main__":
    main()
