"""Burnish restores blurred, noisy or compressed images with small denoising autoencoders.

`burnish.load("photo").restore(array)` restores an array, `burnish.restore_file(source, target)` a file; `burnish.evaluate` scores models,
and `burnish.training.fit(recipe)` trains them. Names are loaded when first used, so that `import burnish` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from burnish.audio.restore import SoundResult as SoundResult
    from burnish.degradation import Degradation as Degradation
    from burnish.errors import BurnishError as BurnishError
    from burnish.errors import DegradationError as DegradationError
    from burnish.errors import DivergedError as DivergedError
    from burnish.errors import InputError as InputError
    from burnish.errors import MissingExtraError as MissingExtraError
    from burnish.errors import ModelError as ModelError
    from burnish.errors import RecipeError as RecipeError
    from burnish.errors import StoreError as StoreError
    from burnish.errors import TakenError as TakenError
    from burnish.errors import UnknownModelError as UnknownModelError
    from burnish.image.datasets import PictureSet as PictureSet
    from burnish.image.evaluate import evaluate as evaluate
    from burnish.image.gate import Verdict as Verdict
    from burnish.image.model import Model as Model
    from burnish.image.restore import RestoreResult as RestoreResult
    from burnish.image.restore import restore_file as restore_file
    from burnish.image.samples import Sample as Sample
    from burnish.image.score import ImageBoard as ImageBoard
    from burnish.model.card import Card as Card
    from burnish.model.file import load as load
    from burnish.scoreboard.board import Scoreboard as Scoreboard

_HOME = {
    "BurnishError": "errors",
    "Card": "model.card",
    "Degradation": "degradation",
    "DegradationError": "errors",
    "DivergedError": "errors",
    "ImageBoard": "image.score",
    "InputError": "errors",
    "MissingExtraError": "errors",
    "Model": "image.model",
    "ModelError": "errors",
    "PictureSet": "image.datasets",
    "RecipeError": "errors",
    "RestoreResult": "image.restore",
    "Sample": "image.samples",
    "Scoreboard": "scoreboard.board",
    "SoundResult": "audio.restore",
    "StoreError": "errors",
    "TakenError": "errors",
    "UnknownModelError": "errors",
    "Verdict": "image.gate",
    "evaluate": "image.evaluate",
    "load": "model.file",
    "restore_file": "image.restore",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "training":
        return importlib.import_module("burnish.training")
    if name not in _HOME:
        raise AttributeError(f"module 'burnish' has no attribute {name!r}")
    return getattr(importlib.import_module(f"burnish.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "training"])
