"""A network as an ONNX graph, by torch's exporter."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

OPSET = 18


def exported(network: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str], sizes: tuple[Any, ...]) -> Any:
    """The ONNX ModelProto of a network in evaluation mode, with its parameters' names.

    `example` is what the network takes, by the names `inputs`; `sizes` says of each which of its axes are free, as torch.export has it.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it logs which packages it looked for in vain
    # While it exports, torch has a GRU loop over any number of steps; but a kernel that was looked up before, in an earlier export, stays,
    # and would count the example's steps.
    torch.ops.aten.gru.input._dispatch_cache.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making: deprecations between torch and onnxscript
        program = torch.onnx.export(
            network,
            example,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=sizes,
            dynamo=True,
            external_data=False,
            verbose=False,
            optimize=False,  # the optimiser drops parameters that happen to be zero, and with them their names
            opset_version=OPSET,
        )
    assert program is not None
    proto = program.model_proto
    for node in proto.graph.node:  # where in torch each node came from: nine tenths of the file
        del node.metadata_props[:]
    return proto
