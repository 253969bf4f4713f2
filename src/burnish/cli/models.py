"""`burnish models`, `burnish recipes` and `burnish show`: what there is, and what it says of itself."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from burnish.cli.words import say
from burnish.errors import MissingExtraError, UnknownModelError
from burnish.wording import counted


@click.command(epilog="\b\nExamples:\n  burnish models\n  burnish models --json")
@click.option("--json", "as_json", is_flag=True, help="One line: a list of cards.")
def models(as_json: bool) -> None:
    """The models that come with Burnish: what for, how well, how fast, from what, and their limits."""
    from burnish.model import describe
    from burnish.model import file as model_file

    found = [model_file.read_card(path) for path in model_file.shipped().values()]
    if as_json:
        say(json.dumps([json.loads(card.to_json()) for card in found]))
        return
    say("\n\n".join(map(describe.summary, found)))


@click.command(epilog="\b\nExamples:\n  burnish recipes\n  burnish train photo-fast --data images/")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a recipe, a line each, with every key.")
def recipes(as_json: bool) -> None:
    """The recipes that come with Burnish, for burnish train: what for, which network, from what, and how long."""
    from burnish.training import recipe

    for name in recipe.shipped():
        found = recipe.load(name)
        if as_json:
            say(json.dumps(found.to_dict()))
        else:
            say(f"{name}: {found.summary}")
            say(f"  network {found.network}; learns from {found.data}, {found.degradation}; {counted(found.epochs, 'epoch')}")


@click.command(epilog="\b\nExamples:\n  burnish show seed\n  burnish show runs/mine/model.onnx --json")
@click.argument("model_or_network", metavar="MODEL|NETWORK")
@click.option("--json", "as_json", is_flag=True, help="The card as one JSON object.")
def show(model_or_network: str, as_json: bool) -> None:
    """The layers, parameters and card of a model, or the layers of an untrained network."""
    from burnish.model import describe
    from burnish.model import file as model_file

    path = Path(model_or_network)
    if model_or_network in model_file.shipped() or path.suffix == ".onnx" or path.is_file():
        card = json.loads(model_file.read_card(model_or_network).to_json())
    else:
        card = _network_card(model_or_network, model_file.shipped())
    say(json.dumps(card) if as_json else describe.description(card))


def _network_card(name: str, shipped: Iterable[str]) -> dict[str, Any]:
    try:
        from burnish.training.export import describe
        from burnish.training.image.networks import NETWORKS, build
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{name}: no shipped model; to show a network, install its package {error.name}: pip install 'burnish[train]'"
        ) from error
    if name not in NETWORKS:
        run = Path(name) / "model.onnx"
        hint = (
            f"show its model, {run}" if run.is_file() else f"name a model file, or one of {', '.join(dict.fromkeys([*shipped, *NETWORKS]))}"
        )
        raise UnknownModelError(f"{name}: is no model and no network; {hint}")
    return {"name": name, **describe(build(name, {}))}
