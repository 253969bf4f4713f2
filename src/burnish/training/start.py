"""Starting from a model that exists: its network, its weights, and settings that adapt it without unlearning what it knows."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from torch import nn

from burnish.errors import RecipeError
from burnish.model import file as model_file
from burnish.model.card import Card
from burnish.training import choose, export, recipe
from burnish.training.audio import export as audio_export
from burnish.training.recipe import Recipe

MEDIA = {"image": "images", "audio": "recordings"}
SLOWER = 2  # times lower than its own recipe's is the learning rate that adapts a model


def completed(plan: Recipe) -> Recipe:
    """`plan` with the network and the fingerprint of the model it starts from; one that starts afresh as it is.

    Raises RecipeError when it names another network than the model's or another model was meant, ModelError when there is no such model.
    """
    if not plan.start:
        return plan
    card = model_file.read_card(plan.start)
    if plan.kind != card.kind:
        raise RecipeError(
            f"recipe {plan.name!r}: is for {MEDIA[plan.kind]}, but {plan.start} restores {MEDIA[card.kind]}; start from another model"
        )
    other = "network" if plan.network not in ("", card.network) else ""
    if not plan.network_args.items() <= card.network_args.items():  # a card has the defaults too
        other = other or "network_args"
    if other:
        raise RecipeError(
            f"recipe {plan.name!r}: {other} = {getattr(plan, other)!r}, but {plan.start} is a network {card.network!r} with "
            f"{card.network_args}; leave out {other}, or start from another model"
        )
    found = fingerprint((audio_export if card.kind == "audio" else export).to_network(plan.start))
    if plan.start_fingerprint not in ("", found):
        raise RecipeError(
            f"recipe {plan.name!r}: starts from {plan.start} as {plan.start_fingerprint}, but the model there is {found} now; "
            "put the other model back, or take start_fingerprint out to start from this one"
        )
    return replace(plan, network=card.network, network_args=dict(card.network_args), start_fingerprint=found)


def fine_tuning(start: str, named: str | None = None, changes: Mapping[str, Any] = recipe.NO_CHANGES) -> Recipe:
    """The recipe that adapts the model `start`: the `named` one, or the model's own, made gentler; `changes` have the last word.

    Raises RecipeError and ModelError.
    """
    card = model_file.read_card(start)
    known = {item.name for item in fields(Recipe)}
    plan = recipe.load(named) if named else recipe.from_mapping({key: card.recipe[key] for key in known & card.recipe.keys()}, start)
    gentle = _gentle(card, plan, start) | ({} if card.kind == "audio" else _gentle_image(plan, changes))
    return recipe.from_mapping(plan.to_dict() | gentle | dict(changes), start)


def _gentle(card: Card, plan: Recipe, start: str) -> dict[str, Any]:
    """Settings that adapt a model of any medium to data of somebody's own."""
    return {
        "name": f"{card.name}-tuned",
        "summary": f"{card.name}, tuned to {MEDIA[card.kind]} of one kind.",
        "start": start,
        "start_fingerprint": "",
        "clean": "",
        "noises": "",
        "noisy_only": False,
        "schedule": "one-cycle",
        "learning_rate": plan.learning_rate / SLOWER,
        "warm_up": 0.1,
        "threads": 0,
        "validation": max(plan.validation, 0.2),  # few items come, and what is gained is measured on those kept out
    }


def _gentle_image(plan: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "crop": plan.crop or (choose.PATCH if changes.get("noisy_only") else 0),  # which learns from crops only
        "crops": plan.crops or 4096,  # where its own images were whole
        "copies": 0.0,
        "precision": "auto",  # what suited the machine that the model came from
    }


def fingerprint(network: nn.Module) -> str:
    """Sixteen hexadecimal digits that tell one set of weights from another."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
