"""The wall: what uses a model never needs what makes one, and pays nothing for what it does not use."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import burnish

SOURCE = Path(burnish.__file__).parent
TRAINING_ONLY = {"torch", "onnx", "onnxscript", "safetensors"}
LIMIT = 200e6  # bytes installed, dependencies and bytecode included


def imported(file: Path) -> set[str]:
    """The top-level packages that a module imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_only_training_imports_torch() -> None:
    runtime = [file for file in SOURCE.rglob("*.py") if SOURCE / "training" not in file.parents]
    assert len(runtime) > 10
    for file in runtime:
        assert not imported(file) & TRAINING_ONLY, file
    assert any("torch" in imported(file) for file in (SOURCE / "training").rglob("*.py"))  # the check sees imports


def python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_import_loads_nothing_heavy() -> None:
    loaded = python("import sys, burnish; print(*sorted(sys.modules))").split()
    assert "burnish" in loaded
    assert not {"torch", "onnxruntime", "pyvips", "numpy", "skimage", "matplotlib"} & set(loaded)


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
from burnish.cli import main
try: main(["--help"])
except SystemExit: pass
print(*sorted(sys.modules))
"""
    loaded = python(code).splitlines()[-1].split()
    assert "click" in loaded
    assert not {"torch", "onnxruntime", "pyvips", "numpy", "skimage", "matplotlib"} & set(loaded)


def test_restoring_scoring_and_showing_work_where_torch_cannot_be_imported() -> None:
    out = python(f"""
import sys
for name in {sorted(TRAINING_ONLY)}: sys.modules[name] = None
import numpy as np, burnish
from burnish.image import datasets
from burnish.image.score import scored
from burnish.cli import main
picture = np.full((9, 7, 3), 128, np.uint8)
assert burnish.load("seed").restore(picture).shape == (9, 7, 3)
boards = scored([burnish.load("seed")], datasets.load("photos", "test"), burnish.Degradation.parse("blur:1.0+8bit"))
assert boards[0].psnr["model"] > 20
for arguments in (["show", "seed"], ["models"], ["train", "seed"], ["demo"]):
    try: main(arguments)
    except SystemExit as stop: print("exit", stop.code)
""")
    assert "6,467" in out
    assert [code.split()[0] for code in out.split("exit ")[1:]] == ["0", "0", "1", "1"]


def test_training_without_torch_says_what_to_install(tmp_path: Path) -> None:
    code = f"import sys; sys.modules['torch'] = None\nfrom burnish.cli import main\nmain(['train', 'seed', '--out', {str(tmp_path)!r}])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "pip install 'burnish[train]'" in result.stderr
    assert "Traceback" not in result.stderr


def runtime_packages() -> set[str]:
    """What `pip install burnish` brings: the closure of its requirements without extras."""
    found: set[str] = set()
    wanted: list[str] = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    while wanted:
        requirement = wanted.pop()
        name = re.split(r"[\s<>=!~;\[(]", requirement)[0].lower()
        if name not in found and "extra ==" not in requirement and not ("platform_" in requirement and "win" in requirement):
            found.add(name)
            wanted += importlib.metadata.requires(name) or []
    return found


def test_the_runtime_is_small() -> None:
    packages = runtime_packages()
    assert "onnxruntime" in packages
    assert not packages & (TRAINING_ONLY | {"scikit-image", "matplotlib", "scipy"})
    sizes = {}
    for name in packages:
        files = importlib.metadata.files(name) or []
        sizes[name] = sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())
    shipped = (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    sizes["burnish"] = sum(path.stat().st_size * (1 + (path.suffix == ".py")) for path in shipped)  # bytecode is as large again
    assert 30e6 < sum(sizes.values()) < LIMIT, sizes
