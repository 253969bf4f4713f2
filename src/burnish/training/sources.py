"""Which source of pairs a recipe asks for."""

from burnish.data import PictureSet
from burnish.degrade import Degradation
from burnish.training import noise
from burnish.training.crops import Crops
from burnish.training.noisy_only import Recorrupted
from burnish.training.pairs import Source
from burnish.training.recipe import Recipe
from burnish.training.views import Degrading, Paired, View
from burnish.training.whole import Whole


def source(pictures: PictureSet, recipe: Recipe) -> Source:
    """The pairs that `recipe` makes of `pictures`. Raises InputError when they are too few, too small or, with no crop, of many sizes."""
    return Crops(pictures, recipe, view(pictures, recipe)) if recipe.crop else Whole(pictures, recipe)


def view(pictures: PictureSet, recipe: Recipe) -> View:
    """The pictures before and after, as `recipe` has it."""
    if pictures.degraded is not None:
        return Paired(pictures)
    if recipe.noisy_only:
        return Recorrupted(pictures, noise.measured(pictures))
    return Degrading(pictures, Degradation.parse(recipe.degradation))
