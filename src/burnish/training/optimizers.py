"""Muon: a layer's momentum, made orthogonal, as its step; Adam for the layers at both ends."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ITERATIONS, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)
ADAMS_SIZE = 0.2  # the root mean square of a typical step of Adam's, in units of the learning rate


class Muon(torch.optim.Adam):
    """Adam, but for a network's inner kernels, whose momentum is orthogonalised: every direction that a layer can learn in gets an equal
    step, where Adam's steps go mostly into the few strongest.

    After Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); a step is scaled to the size of one of Adam's, so
    that one learning rate does for both (Liu et al., "Muon is scalable for LLM training", 2025). The first and the last kernel, and
    whatever is no kernel, stay with Adam, as there.
    """

    def __init__(self, network: nn.Module, lr: float, eps: float) -> None:
        super().__init__(network.parameters(), lr=lr, eps=eps)
        self.kernels = [parameter for parameter in network.parameters() if parameter.ndim == 4][1:-1]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step with the gradients at hand; those of the kernels are used up."""
        rate = self.param_groups[0]["lr"]
        for kernel in self.kernels:
            if kernel.grad is None:
                continue
            state = self.state[kernel]
            if not state:
                state["momentum"] = torch.zeros_like(kernel)
            momentum = state["momentum"].lerp_(kernel.grad, 1 - MOMENTUM)
            update = orthogonal(kernel.grad.lerp(momentum, MOMENTUM).flatten(1))  # a look ahead, as Nesterov's
            kernel.sub_(update.view_as(kernel), alpha=rate * ADAMS_SIZE * max(update.shape) ** 0.5)
            kernel.grad = None  # Adam passes over what has no gradient
        return super().step(closure)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with all its singular values brought near 1 (0.7 to 1.2), by Newton and Schulz's iteration.

    Every iteration multiplies by a polynomial of x xᵀ, which stays square and small where a kernel is many times wider than high. So the
    polynomials are gathered, and the matrix itself is multiplied twice only: in fp32 as quick as the plain iteration in bf16 where a CPU
    has instructions for that, and a hundred times quicker where it has none.
    """
    a, b, c = COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (x.norm() + 1e-7)
    square = x @ x.T
    product = torch.eye(len(square), dtype=x.dtype, device=x.device)
    for _ in range(ITERATIONS):
        factor = torch.addmm(square, square, square, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product
        square = factor @ square @ factor
    result: Tensor = product @ x
    return result if wide else result.T
