"""Restoring thousands of tiny files, where all but the network counts: `burnish restore` beside the plainest loop that does the same.

    python benchmarks/tiny_files.py [--files 3000] [--runs 3] [--model photo]      (nothing else may run beside it)

The files are 32 to 64 pixels a side, noisy, half PNG and half JPEG. The rival is a loop over Pillow and ONNX Runtime in one process: it
opens, runs the same graph, saves, and keeps nothing of what a file carries. Runs alternate, each into a fresh folder; seconds are wall
clock from start to end of the process. Result: `tiny_files.json`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import numpy as np

LOOP = """
import io, sys
from pathlib import Path
import numpy as np, onnxruntime
from PIL import Image
source, target, model = map(Path, sys.argv[1:4])
session = onnxruntime.InferenceSession(str(model))
for path in sorted(source.iterdir()):
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
    high, wide = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -high % 8), (0, -wide % 8), (0, 0)), mode="symmetric")
    restored = session.run(["restored"], {"image": padded.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)[:high, :wide]
    Image.fromarray((restored.clip(0, 1) * 255).round().astype(np.uint8)).save(target / path.name)
"""


def made(folder: Path, count: int) -> None:
    """`count` noisy crops of photographs as tiny files."""
    from PIL import Image
    from skimage import data

    photographs = [data.astronaut(), data.coffee(), data.chelsea()]
    rng = np.random.default_rng(0)
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        high, wide = (int(side) for side in rng.integers(32, 65, 2))
        y, x = (int(rng.integers(length - side)) for length, side in zip(photograph.shape, (high, wide), strict=False))
        noisy = photograph[y : y + high, x : x + wide] + rng.normal(0, 15, (high, wide, 3))
        ending = ("png", "jpg")[index % 2]
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{index:05}.{ending}")


def main() -> None:
    """Run both in turn, print and write what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", default="photo")
    chosen = parser.parse_args()
    from burnish.model.file import shipped

    model = shipped()[chosen.model]
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "tiny"
        source.mkdir()
        made(source, chosen.files)
        commands = {
            "burnish": [sys.executable, "-m", "burnish", "restore", str(source), "-m", chosen.model, "-o"],
            "Pillow and ONNX Runtime in a loop": [sys.executable, "-c", LOOP, str(source)],
        }
        seconds: dict[str, list[float]] = {method: [] for method in commands}
        for run in range(chosen.runs):
            for method, command in commands.items():
                target = Path(name) / f"{len(seconds[method])}-{method.split()[0]}"
                target.mkdir()
                whole = [*command, str(target), *([] if method == "burnish" else [str(model)])]
                began = time.perf_counter()
                subprocess.run(whole, check=True, capture_output=True)
                seconds[method].append(time.perf_counter() - began)
                written = len(list(target.iterdir()))
                if written != chosen.files:
                    raise SystemExit(f"{method} wrote {written} of {chosen.files} files")
                print(f"run {run + 1}/{chosen.runs}  {method:34} {seconds[method][-1]:7.2f} s", flush=True)
    common.write(
        "tiny_files",
        {
            "files": chosen.files,
            "model": chosen.model,
            "runs": chosen.runs,
            "seconds": {method: common.spread(values) for method, values in seconds.items()},
        },
    )


if __name__ == "__main__":
    main()
