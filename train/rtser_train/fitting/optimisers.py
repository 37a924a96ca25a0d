"""Optimisers: Adam, or Muon for the matrices and Adam for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from rtser_train.settings import Fit

LEAST_SIDE = 9
"""A weight is a matrix for `Muon` if both its sides are at least this long; outputs for a few emotions use Adam."""
MOMENTUM = 0.95
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the Newton-Schulz iteration; they raise small singular values fastest."""
UPDATE_RMS = 0.2
"""Root mean square of an update at a learning rate of 1. Adam's is about the same, so both share one rate."""


class Muon(Optimizer):
    """Momentum whose every update is made orthogonal, so that no direction of a weight outweighs the others.

    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); the size of the update is
    that of J. Liu et al., arXiv:2502.16982. A convolution counts as the matrix of its output channels. Computed in the
    weights' own type: the implementations in libraries compute in bfloat16, which is slow on most CPUs.

    Args:
        parameters: weights of two or more dimensions.
        lr: learning rate, as for Adam.
        weight_decay: share of the weights that a step at a learning rate of 1 removes.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update all weights that have a gradient; `closure` must be None."""
        assert closure is None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                matrix = weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1)
                size = UPDATE_RMS * max(matrix.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(orthogonal(matrix).view(weight.shape), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """About U V^T of a matrix (m, n) = U S V^T: the same directions; singular values near 1, except the smallest."""
    first, second, third = COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    found: Tensor = wide / wide.norm().clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = found @ found.T
        found = first * found + (second * gram + third * gram @ gram) @ found
    return found if matrix.shape[0] <= matrix.shape[1] else found.T


def optimisers(network: nn.Module, settings: Fit) -> list[Optimizer]:
    """The optimisers of a network, as `Fit.optimiser` says; each weight belongs to one of them."""
    decay = settings.weight_decay
    if settings.optimiser == "adam":
        return [Adam(network.parameters(), lr=settings.learning_rate, weight_decay=decay)]
    matrices = [one for one in network.parameters() if _is_matrix(one)]
    others = [one for one in network.parameters() if not _is_matrix(one)]
    kinds = [(Muon, matrices), (Adam, others)]
    return [kind(weights, lr=settings.learning_rate, weight_decay=decay) for kind, weights in kinds if weights]


def _is_matrix(parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and min(parameter.flatten(1).shape) >= LEAST_SIDE
