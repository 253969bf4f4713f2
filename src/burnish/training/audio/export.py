"""Network for sound → model file, with a parity check."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from burnish import __version__
from burnish.audio import model as audio_model
from burnish.audio.frames import BINS, HOP, RATE
from burnish.errors import ModelError
from burnish.files import atomic
from burnish.model import file as model_file
from burnish.model.card import Card, licence_for
from burnish.training import graph
from burnish.training.audio import networks
from burnish.training.audio.networks import BANDS, Bands, Lines
from burnish.training.export import TOLERANCE, fill


def export(
    network: Bands,
    path: Path,
    *,
    name: str,
    summary: str,
    degradation: str,
    recipe: dict[str, Any],
    data: dict[str, Any],
) -> Card:
    """Write the network as a model file at `path`, whole or not at all, and return its card, which has no scores yet.

    The graph is fp32 and takes any number of frames, and hands its state on. Raises ModelError when weights are not finite or ONNX Runtime
    does not give what torch gives.
    """
    network = copy.deepcopy(network).float().cpu().eval()
    if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
        raise ModelError(f"{path}: the network's weights are not finite, so it is not exported; train it again")
    card = Card(
        **describe(network),
        name=name,
        summary=summary,
        degradation=degradation,
        recipe=recipe,
        data=data,
        scores=[],
        licence=licence_for(str(data.get("terms", ""))),
        version=__version__,
    )
    proto = _graph(network)
    proto.metadata_props.add(key="burnish", value=card.to_json())
    with atomic(path) as temporary:
        temporary.write_bytes(proto.SerializeToString())
        _check_parity(network, audio_model.load(temporary), path)
    return card


def to_network(source: str | Path) -> Bands:
    """The network in a model file (or shipped model) with its weights, as the file has them. Raises ModelError when they do not fit."""
    loaded = model_file.read(source)
    network = networks.build(loaded.card.network, loaded.card.network_args)
    fill(network, loaded)
    return network


def describe(network: Bands) -> dict[str, Any]:
    """What is measured of a network for its card: layers, parameters, multiply-adds for a second of sound, and what it declares itself."""
    rows, macs = _layers(network)
    return {
        "kind": "audio",
        "channels": 1,
        "input_size": None,
        "multiple_of": 1,
        "halo": 2 * HOP,
        "network": network.name,
        "network_args": network.args,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "macs_per_second": macs * RATE / HOP,
        "layers": rows,
    }


def _layers(network: Bands) -> tuple[list[dict[str, Any]], int]:
    """The layers in the order they run, [bands, features] out, and the multiply-adds of one frame in all of them."""
    rows: list[dict[str, Any]] = []
    macs = 0
    for name, module in network.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters())
        if isinstance(module, Lines):
            shape, count = [module.weight.shape[0], module.weight.shape[2]], module.weight.numel()
        elif isinstance(module, nn.GRU):
            shape = [BANDS, module.hidden_size * (1 + module.bidirectional)]
            count = BANDS * sum(p.numel() for p in module.parameters() if p.ndim == 2)
        elif isinstance(module, nn.Linear):
            shape = [BANDS if "speech" not in name else 1, module.out_features]
            count = shape[0] * module.weight.numel()
        elif isinstance(module, nn.LayerNorm):
            shape, count = [BANDS, *module.normalized_shape], 0
        else:
            continue
        rows.append({"name": name, "output_shape": shape, "parameters": own})
        macs += count
    return rows, macs


def _graph(network: Bands) -> Any:
    """The network as an ONNX ModelProto with dynamic numbers of items and frames."""
    count, time = torch.export.Dim("n"), torch.export.Dim("t")
    blocks, width = network.args["blocks"], network.args["width"]
    example = (torch.zeros(2, 5, BINS, 2), torch.zeros(blocks, 2, BANDS, width))
    return graph.exported(network, example, audio_model.INPUTS, audio_model.OUTPUTS, ({0: count, 1: time}, {1: count}))


def _check_parity(network: Bands, exported: audio_model.Model, path: Path) -> None:
    """ONNX Runtime gives what torch gives, in runs of several lengths that hand their states on."""
    rng = np.random.default_rng(0)
    state, theirs = exported.start(), None
    for time in (1, 2, 37, 250, 3):
        spectrum = rng.normal(0, 3, (time, BINS, 2)).astype(np.float32)
        filters, speech, state = exported.run(spectrum.view(np.complex64)[..., 0], state)
        with torch.inference_mode():
            wanted, presence, theirs = network(torch.from_numpy(spectrum)[None], theirs)
        ours = np.ascontiguousarray(filters.transpose(0, 2, 1)).view(np.float32)
        difference = max(
            float(np.abs(ours - wanted[0].numpy()).max()),
            float(np.abs(speech - torch.sigmoid(presence)[0].numpy()).max()),
            float(np.abs(state - theirs.numpy()).max()),
        )
        if not difference <= TOLERANCE * max(1.0, float(wanted.abs().max())):
            raise ModelError(f"{path}: the exported model differs from its network by {difference:.2g}; it is not written")
