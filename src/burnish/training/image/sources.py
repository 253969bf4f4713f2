"""What a recipe learns from: the images, looked over, and the source of pairs made of them."""

import contextlib
from pathlib import Path

from burnish.degradation import Degradation
from burnish.errors import InputError, RecipeError
from burnish.image import datasets
from burnish.image import pairs as own_pairs
from burnish.image.datasets import PictureSet
from burnish.progress import Progress
from burnish.training.image import networks, noise
from burnish.training.image.crops import Crops
from burnish.training.image.noisy_only import Recorrupted
from burnish.training.image.pairs import Source
from burnish.training.image.views import Degrading, Paired, View
from burnish.training.image.whole import Whole
from burnish.training.recipe import Recipe

NOISY = 6.0  # sigma of 255 from which images that are to be learnt from as clean are called noisy


def pictures(recipe: Recipe, progress: Progress | None = None) -> tuple[PictureSet, list[str]]:
    """The images that `recipe` learns from, grey ones with one channel if its network can; and what must be told of them, a line each.

    Raises InputError when there is nothing to learn from.
    """
    open_still = networks.takes_channels(recipe.network) and not recipe.start
    channels = recipe.network_args.get("channels") or (None if open_still else 3)
    if recipe.clean:
        found, notes = own_pairs.load(Path(recipe.data), Path(recipe.clean), channels, progress)
        return found, [f"Skipped {name}: {why}" for name, why in found.skipped] + notes
    found = datasets.load(recipe.data, "train", progress, channels)
    lines = [f"Skipped {name}: {why}" for name, why in found.skipped]
    if found.skipped:
        lines.append(f"{len(found.skipped)} of {len(found.skipped) + len(found.images)} images could not be read")
    if recipe.crop and not datasets.has_test_split(recipe.data):
        with contextlib.nullcontext() if recipe.noisy_only else contextlib.suppress(InputError):  # clean ones may be too small to tell
            lines += _about_noise(noise.measured(found), recipe.noisy_only)
    return found, lines


def _about_noise(found: noise.Noise, noisy_only: bool) -> list[str]:
    strongest = found.sigmas[1]
    told = f"sigma about {strongest:.2g} of 255"
    if not noisy_only:
        return [f"The images are noisy themselves ({told}): a model learns to leave that in; --noisy-only learns from such"] * (
            strongest > NOISY
        )
    if strongest < 1:
        return [f"The images show hardly any noise ({told}): there is little to learn from them with --noisy-only"]
    if found.correlation > noise.CORRELATED:
        return [
            f"The noise of neighbouring pixels goes together (correlation about {found.correlation:.2f}): --noisy-only takes it for "
            "independent, so that the model will leave much of it in. Use unscaled images that were never JPEG, or pairs (--clean)"
        ]
    return []


def source(found: PictureSet, recipe: Recipe) -> Source:
    """The pairs that `recipe` makes of its images. Raises InputError when they are too few, too small or, with no crop, of many sizes.

    Raises RecipeError for crops that the network cannot take.
    """
    check(found, recipe)
    return Crops(found, recipe, view(found, recipe)) if recipe.crop else Whole(found, recipe)


def check(found: PictureSet, recipe: Recipe) -> None:
    """Refuse what the recipe's network cannot learn from: RecipeError where the recipe is wrong, InputError where the images are."""
    network = networks.build(recipe.network, recipe.network_args)
    if network.channels != found.channels:
        raise RecipeError(
            f"recipe {recipe.name!r}: the network takes images of {network.channels} channels, and those of {found.name} have "
            f"{found.channels}; change channels in network_args, or learn from others"
        )
    step = network.multiple_of
    if recipe.crop % step:
        raise RecipeError(f"recipe {recipe.name!r}: crop = {recipe.crop} must be a multiple of {step} for the network {recipe.network!r}")
    if recipe.crop:
        return
    if found.degraded is not None:
        raise RecipeError(f"recipe {recipe.name!r}: pairs are learnt from in crops of them; add --set crop=64 --set crops=4096")
    if any(length % step for shape in found.shapes for length in shape[:2]):
        raise InputError(
            f"{found.name}: the network {recipe.network!r} takes whole images whose sides are multiples of {step} only; "
            "train on crops of them (--set crop=64 --set crops=4096)"
        )


def view(found: PictureSet, recipe: Recipe) -> View:
    """The images before and after, as `recipe` has it."""
    if found.degraded is not None:
        return Paired(found)
    if recipe.noisy_only:
        return Recorrupted(found, noise.measured(found))
    return Degrading(found, Degradation.parse(recipe.degradation))
