"""Calibration: one temperature for the decision's logits, chosen on validation speakers."""

from __future__ import annotations

from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature 0.1..10 that minimises the mean negative log-likelihood (Guo et al., 2017).

    Args:
        logits: (n, K), float.
        labels: (n,), class indices.
    """

    def loss(log_temperature: float) -> float:
        return functional.cross_entropy(logits / 10**log_temperature, labels).item()

    return float(10 ** minimize_scalar(loss, bounds=(-1.0, 1.0), method="bounded").x)
