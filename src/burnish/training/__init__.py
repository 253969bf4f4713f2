"""Training: the only part of Burnish that needs PyTorch (`pip install 'burnish[train]'`)."""

import importlib
from typing import TYPE_CHECKING, Any

from burnish.errors import MissingExtraError

if TYPE_CHECKING:
    from burnish.training.order import Order as Order
    from burnish.training.order import train as train
    from burnish.training.recipe import Recipe as Recipe
    from burnish.training.recipe import load as load_recipe
    from burnish.training.run import Run as Run
    from burnish.training.run import fit as fit
    from burnish.training.start import fine_tuning as fine_tuning

WHERE = {  # each public name, and the module that holds it
    "Order": "order",
    "Recipe": "recipe",
    "Run": "run",
    "fine_tuning": "start",
    "fit": "run",
    "load_recipe": "recipe",
    "train": "order",
}
__all__ = ["Order", "Recipe", "Run", "fine_tuning", "fit", "load_recipe", "train"]


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'burnish.training' has no attribute {name!r}")
    try:
        module = importlib.import_module(f"burnish.training.{WHERE[name]}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"training needs the package {error.name}: pip install 'burnish[train]'") from error
    return getattr(module, "load" if name == "load_recipe" else name)
