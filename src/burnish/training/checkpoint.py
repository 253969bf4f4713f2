"""Checkpoints: everything a run needs to go on as if it had never stopped, in one safetensors file that appears whole or not at all."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from burnish.errors import InputError
from burnish.files import atomic


@dataclass
class State:
    """Where a run stands: `step` steps of epoch `epoch` (from 1) are done; sums run over the epoch; one history row an epoch."""

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    accuracy_sum: float = 0.0
    seconds: float = 0.0
    resumed_at: int | None = None  # the step at which this epoch was last resumed
    stopped_early: bool = False  # the time allowed ran out; never set in a checkpoint
    history: list[dict[str, Any]] = field(default_factory=list)


def save(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Write weights, optimiser state, random state and `state` to `path`. Raises InputError when it cannot be written."""
    tensors = {f"network/{name}": value.contiguous() for name, value in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state[parameter].items():
            tensors[f"optimizer/{name}/{key}"] = value.contiguous()
    tensors["random/torch"] = torch.get_rng_state()
    with atomic(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"state": json.dumps(asdict(state))})
        except SafetensorError as error:
            raise OSError(f"{error}") from error


def load(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """Bring `network`, `optimizer` and torch's random state back to what `save` wrote and return its state.

    Raises InputError when the file is missing, truncated, or of another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            state = State(**json.loads(file.metadata()["state"]))
        network.load_state_dict({name.removeprefix("network/"): value for name, value in tensors.items() if name.startswith("network/")})
        for name, parameter in network.named_parameters():
            optimizer.state[parameter] = _optimizer_state(tensors, f"optimizer/{name}/", parameter)
        torch.set_rng_state(tensors["random/torch"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = str(error)[:200]  # torch lists every tensor that does not fit
        raise InputError(f"{path}: not a checkpoint of this run ({why}); start again in another folder") from error
    return state


def _optimizer_state(tensors: dict[str, Tensor], prefix: str, parameter: Tensor) -> dict[str, Tensor]:
    """The tensors under `prefix`, laid out in memory as the parameter is: sums come out bit-identical only then."""
    found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    return {key: torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value for key, value in found.items()}
