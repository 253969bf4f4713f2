"""Network → model file, with a parity check; model file → network."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from burnish import __version__
from burnish.errors import ModelError
from burnish.files import atomic
from burnish.image import model as image_model
from burnish.model import file as model_file
from burnish.model.card import Card, licence_for
from burnish.training import graph
from burnish.training.image import networks
from burnish.training.network import Network, placed, restored

TOLERANCE = 1e-5  # between torch and ONNX Runtime, on the 0–1 scale; what goes far beyond is rounded as much more coarsely
COUNTED = (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d)


def export(
    network: Network,
    path: Path,
    *,
    name: str,
    summary: str,
    degradation: str,
    recipe: dict[str, Any],
    data: dict[str, Any],
) -> Card:
    """Write the network as a model file at `path`, whole or not at all, and return its card, which has no scores yet.

    The graph is fp32 and takes any batch, and any H and W that are multiples of the network's, or its only size. Raises ModelError when
    weights are not finite or ONNX Runtime does not give what torch gives.
    """
    network = placed(copy.deepcopy(network).float().eval(), "cpu", torch.contiguous_format)
    if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
        raise ModelError(f"{path}: the network's weights are not finite, so it is not exported; train it again")
    card = Card(
        **describe(network),
        name=name,
        summary=summary,
        input_size=network.input_size,
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
        _check_parity(network, image_model.load(temporary), path)
    return card


def to_network(source: str | Path) -> Network:
    """The network in a model file (or shipped model) with its weights, ready to train. Raises ModelError when they do not fit."""
    loaded = model_file.read(source)
    network = networks.build(loaded.card.network, loaded.card.network_args)
    fill(network, loaded)
    return network


def fill(network: nn.Module, loaded: model_file.ModelFile) -> None:
    """Give a network the weights in its model file, by its parameters' names. Raises ModelError when they do not fit."""
    import onnx

    stored = {each.name: torch.from_numpy(onnx.numpy_helper.to_array(each).copy()) for each in onnx.load(loaded.path).graph.initializer}
    try:
        network.load_state_dict({key: stored[key] for key in network.state_dict()})
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{loaded.path}: does not hold the weights of its network {loaded.card.network!r} ({error})") from error


def describe(network: Network) -> dict[str, Any]:
    """What is measured of a network for its card: layers at 32×32 or the next size that it takes, parameters, macs_per_pixel, halo, and
    what it declares itself."""
    side = network.input_size[0] if network.input_size else -(-32 // network.multiple_of) * network.multiple_of
    layers, macs = _layers(network, side)
    return {
        "channels": network.channels,
        "multiple_of": network.multiple_of,
        "network": network.name,
        "network_args": network.args,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "macs_per_pixel": macs / side**2,
        "layers": layers,
        "halo": halo(network),
    }


def _layers(network: Network, side: int) -> tuple[list[dict[str, Any]], int]:
    """The layers in the order they run, [H, W, C] out, for a side×side input; and the multiply-adds of all."""
    rows: list[dict[str, Any]] = []
    macs = 0

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, name: str) -> None:
        nonlocal macs
        batch, channels, height, width = output.shape
        known = any(row["name"] == name for row in rows)  # a layer that runs again brings no new parameters
        count = 0 if known else sum(parameter.numel() for parameter in module.parameters())
        rows.append({"name": name, "output_shape": [height, width, channels], "parameters": count})
        if isinstance(module, nn.Conv2d):
            macs += module.weight.numel() * height * width * batch
        elif isinstance(module, nn.ConvTranspose2d):
            macs += module.weight.numel() * inputs[0].shape[2] * inputs[0].shape[3] * batch

    hooks = [
        module.register_forward_hook(lambda m, i, o, name=name: note(m, i, o, name))
        for name, module in network.named_modules()
        if isinstance(module, COUNTED)
    ]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, network.channels, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return rows, macs


def halo(network: Network) -> int:
    """How many pixels beyond itself an output pixel depends on, in the farthest direction.

    Measured on a copy with positive weights and no non-linearity, where no path can hide: ReLU and zero weights make a perturbed
    pixel's reach only a lower bound. The gradient of output pixels is read off an input grown until the reach stays clear of its border.
    Kernels and pools are rectangles, so that rows and columns reach alike whatever the other: the diagonal of one period tells all. A
    network that takes one size only is never run in tiles: its halo is 0.
    """
    if network.input_size:
        return 0
    probe = copy.deepcopy(network).cpu().double()
    _make_transparent(probe)
    period = network.multiple_of
    side = 8 * period
    while True:
        image = torch.zeros(1, network.channels, side, side, dtype=torch.double, requires_grad=True)
        output = restored(probe(image))
        start = side // 2 // period * period
        reach = 0
        for place in range(start, start + period):
            (gradient,) = torch.autograd.grad(output[0, :, place, place].sum(), image, retain_graph=True)
            touched = gradient[0].abs().sum(0).nonzero()
            reach = max(reach, int((touched - place).abs().max()))
        if reach < start - period:
            return reach
        side *= 2


def _make_transparent(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU | nn.Sigmoid):
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size))
        else:
            _make_transparent(child)
    for parameter in module.parameters(recurse=False):
        nn.init.ones_(parameter)


def _graph(network: Network) -> Any:
    """The network as an ONNX ModelProto with dynamic N, and H and W unless it takes one size only."""
    period = network.multiple_of
    sizes = {0: torch.export.Dim("n")}
    if not network.input_size:
        sizes |= {2: period * torch.export.Dim("h"), 3: period * torch.export.Dim("w")}
    names = ["restored", "latent"] if network.has_latent else ["restored"]
    example = torch.zeros(2, network.channels, *(network.input_size or (4 * period, 5 * period)))
    return graph.exported(network, (example,), ["image"], names, (sizes,))


def _check_parity(network: Network, exported: image_model.Model, path: Path) -> None:
    """ONNX Runtime gives what torch gives, at several sizes and batches, for noise that goes beyond 0–1; the latent too."""
    period = network.multiple_of
    rng = np.random.default_rng(0)
    sizes = ((1, 1, 1), (3, 1, 1)) if network.input_size else ((1, 1, 1), (1, 8, 8), (3, 5, 2), (2, 16, 9))
    outputs = ["restored", "latent"] if network.has_latent else ["restored"]
    for n, h, w in sizes:
        batch = rng.normal(0.5, 0.3, (n, network.channels, h * period, w * period)).astype(np.float32)
        with torch.inference_mode():
            result = network(torch.from_numpy(batch))
        wanted = result if isinstance(result, tuple) else (result,)
        for given, truth in zip(exported.file.run(outputs, {"image": batch}), wanted, strict=True):
            difference = float(np.abs(given - truth.numpy()).max())
            if not difference <= TOLERANCE * max(1.0, float(truth.abs().max())):
                raise ModelError(
                    f"{path}: the exported model differs from its network by {difference:.2g} at {batch.shape}; it is not written"
                )
