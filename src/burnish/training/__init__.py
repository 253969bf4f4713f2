"""Training: the only part of Burnish that needs PyTorch (`pip install 'burnish[train]'`)."""

import importlib
from typing import TYPE_CHECKING, Any

from burnish.errors import MissingExtraError

if TYPE_CHECKING:
    from burnish.training.recipe import Recipe as Recipe
    from burnish.training.recipe import load as load_recipe
    from burnish.training.run import Run as Run
    from burnish.training.run import fit as fit
    from burnish.training.start import fine_tuning as fine_tuning

__all__ = ["Recipe", "Run", "fine_tuning", "fit", "load_recipe"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'burnish.training' has no attribute {name!r}")
    if name in ("Recipe", "load_recipe"):
        return getattr(importlib.import_module("burnish.training.recipe"), name.removesuffix("_recipe"))
    try:
        return getattr(importlib.import_module(f"burnish.training.{'start' if name == 'fine_tuning' else 'run'}"), name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"training needs the package {error.name}: pip install 'burnish[train]'") from error
