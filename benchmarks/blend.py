"""The weights some way from those of one model to those of another that went on from it, as a model of its own.

    python benchmarks/blend.py FIRST.onnx SECOND.onnx SHARE OUT.onnx

SHARE is how far to go, 0 to 1. The card is the second model's. Models whose networks differ cannot be blended: the script says so.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def main(first: Path, second: Path, share: float, out: Path) -> None:
    """Write the blend."""
    start = {each.name: numpy_helper.to_array(each) for each in onnx.load(first).graph.initializer}
    model = onnx.load(second)
    for each in model.graph.initializer:
        weights = numpy_helper.to_array(each)
        if each.name not in start or start[each.name].shape != weights.shape:
            raise SystemExit(f"{first} has no weights {each.name} of shape {weights.shape}, which {second} has: their networks differ")
        if weights.dtype == np.float32:
            each.CopyFrom(numpy_helper.from_array((1 - share) * start[each.name] + np.float32(share) * weights, each.name))
    onnx.save(model, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
