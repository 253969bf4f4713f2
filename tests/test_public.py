"""The public names: all that one needs from outside stands in `burnish` itself, and costs nothing until it is used."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import burnish
from burnish import errors

RESULTS = {"Card", "Degradation", "ImageBoard", "Model", "PictureSet", "RestoreResult", "Sample", "Scoreboard", "SoundResult", "Verdict"}
FUNCTIONS = {"evaluate", "load", "restore_file"}


def test_every_exception_result_and_function_is_public() -> None:
    exceptions = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert len(exceptions) >= 7
    assert set(burnish.__all__) == exceptions | RESULTS | FUNCTIONS | {"__version__"}
    assert dir(burnish) == sorted([*burnish.__all__, "training"])


@pytest.mark.parametrize("name", sorted({*burnish.__all__} - {"__version__"}))
def test_every_name_is_what_it_says(name: str) -> None:
    value = getattr(burnish, name)
    assert value.__name__ == name
    assert value.__doc__
    assert issubclass(value, burnish.BurnishError) if name.endswith("Error") else callable(value)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(burnish.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {(alias.asname, node.module) for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {(name, f"burnish.{home}") for name, home in burnish._HOME.items()}


def test_importing_loads_neither_numpy_nor_a_runtime() -> None:
    code = "import sys, burnish; dir(burnish); burnish.InputError; print({'numpy', 'onnxruntime', 'torch', 'pyvips'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_training_comes_when_it_is_asked_for() -> None:
    from burnish import training

    assert burnish.training is training
    assert {"Recipe", "Run", "fine_tuning", "fit", "load_recipe"} <= set(training.__all__)
    assert all(callable(getattr(training, name)) for name in training.__all__)
    for module in (burnish, training):
        with pytest.raises(AttributeError, match="nothing"):
            _ = module.nothing
