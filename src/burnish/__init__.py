"""Burnish restores blurred, noisy or compressed images with small denoising autoencoders.

`burnish.load("seed").restore(array)` restores an array; `burnish.training.fit(recipe)` trains. Names are loaded when first used,
so that `import burnish` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from burnish.degradation import Degradation as Degradation
    from burnish.errors import BurnishError as BurnishError
    from burnish.image.restore import restore_file as restore_file
    from burnish.model.card import Card as Card
    from burnish.model.file import Model as Model
    from burnish.model.file import load as load

_HOME = {
    "BurnishError": "burnish.errors",
    "Card": "burnish.model.card",
    "Degradation": "burnish.degradation",
    "Model": "burnish.model.file",
    "load": "burnish.model.file",
    "restore_file": "burnish.image.restore",
}

__all__ = ["BurnishError", "Card", "Degradation", "Model", "__version__", "load", "restore_file"]


def __getattr__(name: str) -> Any:
    if name == "training":
        return importlib.import_module("burnish.training")
    if name not in _HOME:
        raise AttributeError(f"module 'burnish' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
