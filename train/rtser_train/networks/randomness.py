"""Randomness of networks, from generators that the caller hands over.

PyTorch's layers draw from its global generator when they are made. `initialise` replaces all that they drew, and
`Dropout` draws its masks from a generator of its own, so no result depends on the global one. Two networks can be
trained in two threads of one process, and each gives what it would give alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own: in training, each value is zero with probability `rate`.

    Without parameters and buffers it leaves no trace in a state dict; in evaluation and export it does nothing.

    Args:
        rate: 0..1.

    Attributes:
        generator: what the masks are drawn from, set by `draw_from`; None draws from PyTorch's global generator.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """The values that are kept, divided by 1 - rate; the same shape and dtype."""
        if not self.training or self.rate == 0:
            return x
        mask = torch.empty(self._mask_shape(x), dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(1 - self.rate, generator=self.generator).div_(1 - self.rate)

    def _mask_shape(self, x: Tensor) -> torch.Size:
        return x.shape

    def extra_repr(self) -> str:
        """The rate, where a network is printed."""
        return f"rate={self.rate}"


class Dropout2d(Dropout):
    """Dropout of whole channels of (B, C, T, M)."""

    def _mask_shape(self, x: Tensor) -> torch.Size:
        return torch.Size([*x.shape[:2], 1, 1])


def draw_from(network: nn.Module, generator: torch.Generator | None) -> None:
    """Let all dropout of a network draw from `generator`, which is on the network's device."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = generator


@torch.no_grad()
def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all linear and 2-D convolutional layers anew, from PyTorch's default distributions.

    Weights and biases are uniform in +-1 / sqrt(n), where n is the number of inputs of one output value. Any other
    parameter keeps its values, which must all be the same, like those of batch norm.

    Raises:
        TypeError: the network has other parameters with different values, such as those of a GRU. They may have been
            drawn from PyTorch's global generator. (A single value cannot be told from a constant.)
    """
    for name, module in network.named_modules():
        drawn = isinstance(module, (nn.Linear, nn.Conv2d))
        for own, values in module.named_parameters(recurse=False):
            if not (drawn and own in ("weight", "bias")) and (values != values.flatten()[0]).any():
                where = ".".join(part for part in (name, own) if part)
                raise TypeError(
                    f"initialise draws the weights of Linear and Conv2d only, and cannot draw {where} "
                    f"(of {type(module).__name__}), which does not start at one constant"
                )
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                bound = 1 / math.sqrt(module.weight[0].numel())
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)
