"""What the benchmarks share: the machine's name, a rival's own environment, tf.keras's seed network, results with their spread."""

import json
import os
import platform
import statistics
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from burnish.cpus import available_cpus

HERE = Path(__file__).parent
TENSORFLOW = "tensorflow-cpu==2.21.0"


VECTORS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")  # of those a processor says it has


def machine() -> str:
    """The processor, the vector instructions that it has, and how many cores of it this process may use."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    told = dict((part.strip() for part in line.split(":", 1)) for line in reversed(lines) if ":" in line)
    has = told.get("flags", told.get("Features", "")).split()
    vectors = " ".join(name for name in VECTORS if name in has) or "vector instructions not known"
    masked = f" masked to {os.environ['ONEDNN_MAX_CPU_ISA']}" if "ONEDNN_MAX_CPU_ISA" in os.environ else ""
    name = told.get("model name") or platform.processor()
    return f"{name} ({vectors}{masked}), {available_cpus()} cores, {platform.system()}, Python {platform.python_version()}"


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Median, lowest and highest."""
    return {
        "median": round(statistics.median(values), digits),
        "lowest": round(min(values), digits),
        "highest": round(max(values), digits),
    }


def write(name: str, result: dict[str, Any]) -> None:
    """The result to NAME.json beside the scripts, and to the screen."""
    text = json.dumps({"machine": machine(), **result}, indent=1)
    print(text)
    (HERE / f"{name}.json").write_text(text + "\n")


def own_python(name: str, *packages: str) -> str:
    """The interpreter of an environment of its own, `.venv-NAME`, with these packages; made if it is not there."""
    folder = HERE.parent / f".venv-{name}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return str(python)


def last_line(command: Sequence[str]) -> dict[str, Any]:
    """What a run in a process of its own printed last, as JSON."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def trained(network: Any, source: Any, plan: Any, folder: str) -> Any:
    """The state in which Burnish's own loop ends, in this process alone."""
    from burnish.progress import silent
    from burnish.training import loop
    from burnish.training.parallel import Team

    return loop.train(network, source, plan, Path(folder), limits=loop.Limits(), team=Team("cpu"), progress=silent, log=loop.no_log)


def keras_seed(seed: int) -> Any:
    """The classic exercise's network in tf.keras, compiled as it is taught."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2D(3, 3, activation="sigmoid", padding="same", dtype="float32"),
        ]
    )
    network.compile(optimizer="adam", loss="mse", metrics=["accuracy"])
    return network


def keras_version() -> str:
    import keras
    import tensorflow as tf

    return f"tensorflow {tf.__version__}, keras {keras.__version__}"
