"""What somebody asks of a training, and the recipe that follows from it: what is given, what is automatic, what a run was begun with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.audio import files as audio_files
from burnish.errors import RecipeError
from burnish.image import datasets
from burnish.training import recipe, start
from burnish.training.audio import run as audio_run
from burnish.training.recipe import Recipe
from burnish.training.run import Device, Run, Say, fit, place

MINUTES = 15.0  # that an automatic training takes, unless somebody says otherwise
PLACES = ("data", "clean", "start")  # keys that say where something lies, which can be written in several ways


@dataclass(frozen=True)
class Order:
    """A training as somebody asks for it. None, False and empty: that is left open."""

    recipe: str | None = None  # a shipped recipe's name or a TOML file
    data: str | None = None  # what to learn from
    clean: str | None = None  # the folder of the clean partners of the images in `data`
    noisy_only: bool = False  # the images are noisy, and there are no clean ones
    start: str | None = None  # the model to go on from: a shipped one's name, or a file
    changes: Mapping[str, Any] = field(default_factory=dict)  # values by a recipe's key; they have the last word
    out: Path | None = None  # the run's folder, if not runs/NAME
    resume: bool = False  # go on with the run in the folder, if there is one
    max_minutes: float | None = None  # stop training after that long

    @property
    def is_automatic(self) -> bool:
        """Whether patch and schedule are to be chosen by looking at the images: somebody's own, with no recipe named for them.

        A recipe that is named together with a model to go on from says how to learn, and leaves them open too.
        """
        named = self.recipe is not None and self.start is None
        return self.data is not None and not named and not datasets.has_test_split(self.data)

    @property
    def given(self) -> dict[str, Any]:
        """What is asked for, as values by a recipe's key."""
        values: dict[str, Any] = {key: value for key in PLACES if (value := getattr(self, key)) is not None}
        if self.noisy_only:
            values["noisy_only"] = True
        return values | dict(self.changes)


def train(order: Order, *, device: Device = "auto", tensorboard: bool = False, say: Say = lambda _line: None) -> Run | audio_run.Run:
    """Train as ordered, and return the run, as `fit` does.

    A run that is gone on with needs no more than its folder: what is not asked for is as it was begun. Raises RecipeError when something is
    asked for that contradicts itself, or the run, and what `fit` raises.
    """
    plan = planned(order)
    folder = place(plan, order.out)
    how: dict[str, Any] = {"device": device, "tensorboard": tensorboard, "say": say}
    before = recipe.of_run(folder) if order.resume else None
    if before is not None:
        for line in _agreed(order, plan, before, folder):
            say(line)
        if before.kind == "audio":
            return audio_run.fit(before, folder, resume=True, max_minutes=order.max_minutes, say=say)
        return fit(before, folder, resume=True, max_minutes=order.max_minutes, **how)
    minutes = (order.max_minutes or MINUTES) if order.is_automatic else order.max_minutes
    fixed = {*order.given, *(["validation"] if order.start else [])}
    if plan.kind == "audio":
        minutes = order.max_minutes if "epochs" in order.changes else minutes
        return audio_run.fit(plan, folder, resume=order.resume, max_minutes=minutes, say=say)
    return fit(plan, folder, resume=order.resume, max_minutes=minutes, fill=order.is_automatic, fixed=fixed, **how)


def planned(order: Order) -> Recipe:
    """The recipe that an order asks for, but for what follows from the images. Raises RecipeError, and ModelError for `start`."""
    if order.noisy_only and "degradation" in order.changes:
        raise RecipeError("--noisy-only measures the noise of the images; leave --set degradation out")
    implied: dict[str, Any] = {"degradation": "own"} if order.clean is not None else {}
    if order.noisy_only:
        implied["loss"] = "mse"
    if order.start is not None:
        return start.fine_tuning(order.start, order.recipe, implied | order.given)
    if not order.is_automatic:
        return recipe.load(order.recipe or "seed", implied | order.given)
    assert order.data is not None
    name = Path(order.data).resolve().name
    if audio_files.any_in(Path(order.data)):
        implied |= {"name": name, "summary": f"Trained on the voices of {name}."}
        return recipe.load("speech", implied | order.given)
    implied |= {"name": name, "summary": f"Trained on the images of {name}."}
    return recipe.load(recipe.suited(order.max_minutes or MINUTES), implied | order.given)


def _agreed(order: Order, plan: Recipe, before: Recipe, folder: Path) -> list[str]:
    """Find that nothing is asked for but what the run was begun with; what the named recipe has otherwise is told, in lines.

    Raises RecipeError for what is asked for otherwise.
    """
    now, begun = plan.to_dict(), before.to_dict()
    named = order.recipe is not None and order.start is None
    for key in (*order.given, *(["name"] if named else [])):
        if not _is_same(key, begun[key], now[key]):
            raise RecipeError(f"{folder}: {recipe.begun_otherwise(key, begun[key], now[key])}")
    if not named:
        return []
    open_still = {"network_args", "start_fingerprint"} | ({"degradation"} if before.noisy_only else set())
    other = [key for key in now if key not in open_still and not _is_same(key, begun[key], now[key])]
    return [f"Goes on as it was begun, with {key} = {begun[key]!r}, not {now[key]!r}" for key in other]


def _is_same(key: str, begun: Any, now: Any) -> bool:
    """Whether a value is what a run was begun with: one left open is, and a place that is written otherwise."""
    if now == begun or (key == "precision" and now == "auto") or (key == "threads" and not now):
        return True
    return key in PLACES and "" not in (begun, now) and Path(begun).resolve() == Path(now).resolve()
