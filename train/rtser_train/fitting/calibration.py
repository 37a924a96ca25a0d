"""Calibration: a temperature for the decision's logits that depends on how much speech was heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

REFERENCE = 30.0
"""Segments of speech at which the temperature is `Calibration.temperature`."""
BOUNDS = ((np.log(0.1), np.log(10.0)), (-1.0, 1.0))
"""Bounds of the logarithm of the temperature, and of the slope."""


class Heard(NamedTuple):
    """A network's outputs for n windows of utterances that it was not trained on.

    Attributes:
        logits: (n, K).
        speech: (n,), the sum of each window's gates.
        labels: (n,), class indices.
    """

    logits: Tensor
    speech: Tensor
    labels: Tensor


class Calibration(NamedTuple):
    """From logits z on s segments of speech to probabilities: softmax(z / T(s)), T(s) = T ((1 + s) / (1 + R)) ** a.

    One temperature (Guo et al., 2017) may not suit decisions on both little and much speech. So T depends on the amount
    of speech.

    Attributes:
        temperature: T, at R = `REFERENCE` segments.
        slope: a; 0: one temperature for all.
    """

    temperature: float
    slope: float = 0.0

    def probabilities(self, logits: Tensor, speech: Tensor) -> Tensor:
        """Probabilities (n, K) of logits (n, K) for amounts of speech, (n,)."""
        return self.scaled(logits, speech).softmax(-1)

    def scaled(self, logits: Tensor, speech: Tensor) -> Tensor:
        """Logits (n, K), divided by the temperature for each amount of speech, (n,)."""
        if not self.slope:
            return logits / self.temperature
        temperatures = self.temperature * ((1 + speech) / (1 + REFERENCE)) ** self.slope
        return logits / temperatures.unsqueeze(-1)


def calibrate(heard: Sequence[Heard], slope: float | None = None) -> Calibration:
    """The calibration that minimises the mean negative log-likelihood of networks' outputs.

    Args:
        heard: the outputs of each network for utterances that it was not trained on.
        slope: a fixed slope, for too few windows to fit it too; None: it is fitted.
    """
    logits, speech, labels = (torch.cat(parts).double() for parts in zip(*heard, strict=True))

    def of(values: np.ndarray) -> Calibration:
        return Calibration(float(np.exp(values[0])), float(values[1]) if slope is None else slope)

    def loss(values: np.ndarray) -> float:
        return functional.cross_entropy(of(values).scaled(logits, speech), labels.long()).item()

    fitted = 2 if slope is None else 1
    return of(minimize(loss, (0.0,) * fitted, method="Nelder-Mead", bounds=BOUNDS[:fitted]).x)
