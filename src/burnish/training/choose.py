"""What a recipe leaves open, chosen by looking at the pictures: channels, noise; when asked, a patch and a schedule that fits."""

import contextlib
import time
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from burnish.errors import InputError
from burnish.image.datasets import PictureSet
from burnish.training import loop
from burnish.training.image import networks, noise, sources, views
from burnish.training.image.crops import REGION
from burnish.training.image.views import Box, View
from burnish.training.recipe import LONG, Recipe

PATCH, SMALLEST = 64, 16  # pixels a side of the crops, where the pictures are large enough, and where they are not
SHARE = 0.85  # of the time allowed is planned for: validation, checkpoints and other programs take some
EPOCHS, LEAST = 30, 8  # epochs at most, and steps in one at least
EPOCH_PIXELS = 1 << 25  # of an epoch's crops at most, which are held in the memory
KEYS = ("crop", "validation", "epochs", "crops")  # that `planned` chooses
STEPS, PICTURES = 5, 4  # that are timed


def completed(plan: Recipe, pictures: PictureSet) -> Recipe:
    """The recipe with what follows from the pictures: one channel for grey ones, and for noisy ones the noise they have."""
    if pictures.channels == 1 and "channels" not in plan.network_args and networks.takes_channels(plan.network) and not plan.start:
        plan = replace(plan, network_args=plan.network_args | {"channels": 1})
    return replace(plan, degradation=noise.measured(pictures).spec) if plan.noisy_only else plan


def planned(plan: Recipe, pictures: PictureSet, minutes: float, device: str, fixed: Collection[str]) -> tuple[Recipe, list[str]]:
    """The recipe with a patch that suits the pictures and a schedule that ends within `minutes` here, and three lines that say why.

    Keys in `fixed` stay as they are. Raises InputError when the pictures are too small.
    """
    sides = np.array([min(shape[:2]) for shape in pictures.shapes])
    patch = plan.crop if "crop" in fixed else min(PATCH, int(np.quantile(sides, 0.25)) // 8 * 8)
    if patch < SMALLEST:
        raise InputError(f"{pictures.name}: most pictures are under {SMALLEST} pixels a side, too small to learn from; add larger ones")
    plan = completed(replace(plan, crop=patch, validation=plan.validation if "validation" in fixed else 0.1), pictures)
    view = sources.view(pictures, plan)
    seconds = _step_seconds(plan, view, device) + plan.batch * _crop_seconds(plan, pictures, view)
    steps = max(LEAST, int(SHARE * 60 * minutes / seconds))
    most = max(LEAST, EPOCH_PIXELS // (patch**2 * plan.batch))
    epochs = plan.epochs if "epochs" in fixed else max(min(EPOCHS, steps // LEAST), -(-steps // most))
    crops = plan.crops if "crops" in fixed else plan.batch * max(1, steps // epochs)
    plan = replace(plan, epochs=epochs, crops=crops)
    depth = "8 bits" if views.depth(pictures) is np.uint8 else "16 bits"
    height, width = np.median([shape[:2] for shape in pictures.shapes], axis=0).astype(int)
    shape = ", ".join(f"{key} {value}" for key, value in plan.network_args.items())
    small = int(np.count_nonzero(sides < patch))
    return plan, [
        f"Pictures: {len(sides):,}, {'grey' if pictures.channels == 1 else 'colour'}, {depth}, {width}×{height} in the middle"
        + (f"; {small:,} are smaller than a patch and left out" if small else ""),
        f"Chosen: {plan.network} ({shape}) learns from patches of {patch} pixels against {plan.degradation}: " + _why(plan, minutes),
        f"Schedule: {epochs} epochs of {crops:,} patches, as a step of {plan.batch} takes {1000 * seconds:.0f} ms here; "
        f"that ends within {minutes:g} minutes, and scoring comes after",
    ]


def _why(plan: Recipe, minutes: float) -> str:
    if plan.start:
        return f"the network of {plan.start}, made for that"
    return f"the larger network pays from {LONG:g} minutes on" if minutes >= LONG else "what this machine can train well in the time"


def _step_seconds(plan: Recipe, view: View, device: str) -> float:
    """How long a step of the optimiser takes: the middle one of a few, after one that warms up."""
    network = networks.build(plan.network, plan.network_args).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = loop.OPTIMIZERS[plan.optimizer](network, plan.learning_rate, plan.epsilon)
    batch = torch.rand(plan.batch, network.channels, plan.crop, plan.crop, device=device).to(memory_format=torch.channels_last)
    taken = []
    for _ in range(STEPS + 1):
        began = time.monotonic()
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=plan.precision == "bf16"):
            output = networks.restored(network(batch)).float()
        optimizer.zero_grad()
        functional.mse_loss(view.seen(output), batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        taken.append(time.monotonic() - began)
    return float(np.median(taken[1:]))


def _crop_seconds(plan: Recipe, pictures: PictureSet, view: View) -> float:
    """How long it takes to make one crop, with its share of reading and degrading the picture."""
    began = time.monotonic()
    crops = 0
    for index in np.unique(np.linspace(0, len(pictures.images) - 1, PICTURES).astype(int)).tolist():
        height, width = (min(REGION, length) for length in pictures.shapes[index][:2])
        with contextlib.suppress(InputError):  # it will be named when its turn comes
            view.cut(index, Box(0, 0, height, width), 0)
        crops += max(1, height * width // plan.crop**2)
    return (time.monotonic() - began) / crops
