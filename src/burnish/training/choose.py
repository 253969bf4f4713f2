"""What a recipe leaves open, chosen by looking at the images: channels, noise; when asked, a patch and a schedule that fits."""

import contextlib
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from burnish.arrays import evenly
from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training import speed
from burnish.training.image import networks, noise, sources, views
from burnish.training.image.crops import REGION
from burnish.training.image.views import Box, View
from burnish.training.recipe import LONG, Recipe
from burnish.wording import counted

PATCH, SMALLEST = 64, 16  # pixels a side of the crops, where the images are large enough, and where they are not
SHARE = 0.85  # of the time allowed is planned for: validation, checkpoints and other programs take some
EPOCHS, LEAST = 30, 8  # epochs at most, and steps in one at least
EPOCH_PIXELS = 1 << 25  # of an epoch's crops at most, which are held in the memory
KEYS = ("crop", "validation", "epochs", "crops")  # that `planned` chooses
SPEED = ("precision", "threads")  # that are measured where a recipe leaves them open
PICTURES = 4  # that are timed


def completed(plan: Recipe, pictures: PictureSet) -> Recipe:
    """The recipe with what follows from the images: one channel for grey ones, and for noisy ones the noise they have."""
    if pictures.channels == 1 and "channels" not in plan.network_args and networks.takes_channels(plan.network) and not plan.start:
        plan = replace(plan, network_args=plan.network_args | {"channels": 1})
    return replace(plan, degradation=noise.measured(pictures).spec) if plan.noisy_only else plan


@dataclass(frozen=True)
class Plan:
    """A recipe whose schedule ends within `minutes` where a step of the optimiser, with what it takes to make its crops, takes `seconds`.

    `lines` say what was chosen, and why.
    """

    recipe: Recipe
    seconds: float
    minutes: float
    lines: tuple[str, ...]


def settled(plan: Recipe, pictures: PictureSet, device: str, *, alone: bool) -> Recipe:
    """The recipe with precision and threads as this machine is fastest, measured on the images' size. Raises as `sources.check` does."""
    sources.check(pictures, plan)
    if plan.precision != "auto" and (plan.threads or not alone or device != "cpu"):
        return plan
    size = (plan.crop, plan.crop) if plan.crop else pictures.shapes[0][:2]
    return speed.settled(plan, (size[0], size[1]), device, alone=alone, seen=sources.view(pictures, plan).seen)


def planned(plan: Recipe, pictures: PictureSet, minutes: float, device: str, fixed: Collection[str], *, alone: bool = True) -> Plan:
    """The recipe with a patch that suits the images and a schedule that ends within `minutes` here.

    Keys in `fixed` stay as they are. Raises InputError when the images are too small.
    """
    sides = np.array([min(shape[:2]) for shape in pictures.shapes])
    patch = plan.crop if "crop" in fixed else min(PATCH, int(np.quantile(sides, 0.25)) // 8 * 8)
    if patch < SMALLEST:
        raise InputError(f"{pictures.name}: most images are under {SMALLEST} pixels a side, too small to learn from; add larger ones")
    validation = plan.validation if "validation" in fixed else 0.1
    plan = completed(replace(plan, crop=patch, crops=plan.crops or plan.batch, validation=validation), pictures)
    plan = settled(plan, pictures, device, alone=alone)
    view = sources.view(pictures, plan)
    seconds = speed.step_seconds(plan, (patch, patch), device, view.seen) + plan.batch * _crop_seconds(plan, pictures, view)
    plan = scheduled(plan, seconds, minutes, fixed)
    depth = "8 bits" if views.depth(pictures) is np.uint8 else "16 bits"
    height, width = np.median([shape[:2] for shape in pictures.shapes], axis=0).astype(int)
    shape = f" ({', '.join(f'{key} {value}' for key, value in plan.network_args.items())})" if plan.network_args else ""
    small = int(np.count_nonzero(sides < patch))
    lines = (
        f"Images: {len(sides):,}, {'grey' if pictures.channels == 1 else 'colour'}, {depth}, {width}×{height} in the middle"
        + (f"; {small:,} {'is' if small == 1 else 'are'} smaller than a patch and left out" if small else ""),
        f"Chosen: {plan.network}{shape} learns from patches of {patch} pixels against {plan.degradation}: " + _why(plan, minutes),
        f"Schedule: {counted(plan.epochs, 'epoch')} of {counted(plan.crops, 'patch', 'patches')}, as a step of {plan.batch} takes "
        f"{1000 * seconds:.0f} ms here ({_how(plan)}); that ends within {counted(minutes, 'minute')}, and scoring comes after",
    )
    return Plan(plan, seconds, minutes, lines)


def scheduled(plan: Recipe, seconds: float, minutes: float, fixed: Collection[str]) -> Recipe:
    """The recipe with epochs and crops, but for those `fixed`, that end within `minutes` where a step takes `seconds`."""
    steps = max(LEAST, int(SHARE * 60 * minutes / seconds))
    most = max(LEAST, EPOCH_PIXELS // (plan.crop**2 * plan.batch))
    epochs = plan.epochs if "epochs" in fixed else max(min(EPOCHS, steps // LEAST), -(-steps // most))
    crops = plan.crops if "crops" in fixed else plan.batch * max(1, steps // epochs)
    return replace(plan, epochs=epochs, crops=crops)


def _how(plan: Recipe) -> str:
    """In which precision, and on how many threads."""
    return plan.precision + (f", {counted(plan.threads, 'thread')}" if plan.threads else "")


def _why(plan: Recipe, minutes: float) -> str:
    if plan.start:
        return f"the network of {plan.start}, made for that"
    return f"the larger network pays from {LONG:g} minutes on" if minutes >= LONG else "what this machine can train well in the time"


def _crop_seconds(plan: Recipe, pictures: PictureSet, view: View) -> float:
    """How long it takes to make one crop, with its share of reading and degrading the image."""
    began = time.monotonic()
    crops = 0
    for index in evenly(len(pictures.images), PICTURES):
        height, width = (min(REGION, length) for length in pictures.shapes[index][:2])
        with contextlib.suppress(InputError):  # it will be named when its turn comes
            view.cut(index, Box(0, 0, height, width), 0)
        crops += max(1, height * width // plan.crop**2)
    return (time.monotonic() - began) / crops
