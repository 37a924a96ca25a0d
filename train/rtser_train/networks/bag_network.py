"""The base of the heads: networks that decide for a bag of segment embeddings.

All heads share one form, and so they can stream: each segment contributes weights and values on its own. The decision
is a function of the contributions of the window's segments, whatever their order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rtser_train.networks.randomness import Dropout

HIDDEN = 120
"""H, the width of the two fully-connected layers (the paper's)."""

LEAST_SPEECH = 3.0
"""Least sum of a window's gates, in segments, for a decision: one sound that resembles speech is not enough."""

LEAST_PROBABILITY = 1e-6
"""Smaller probabilities are replaced by this one before the logarithm."""


class BagNetwork(nn.Module):
    """Base of the networks on bags: contributions of each segment, and a decision on all of them.

    The gate g >= 0 of a segment comes from outside: 0 masks it, so that padding takes no part. The hidden layers are
    h_i = FC2(FC1(x_i)).

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K.
        features: D of Feature-Att; not used by a head whose D follows from K.
        dropout: rate after each hidden layer.

    Attributes:
        features: D, how many weights, and as many values, a segment contributes; K if a head says nothing else.
    """

    def __init__(self, embedding: int, emotions: int, features: int, dropout: float) -> None:  # noqa: ARG002
        super().__init__()
        self.features = emotions
        self.hidden = nn.Sequential(
            nn.Linear(embedding, HIDDEN),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            Dropout(dropout),
        )

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Each segment's part in the decision.

        Args:
            embeddings: (..., F).
            gate: (...), 0..1.

        Returns:
            weights and values, (..., D) each; zero where the gate is zero.
        """
        raise NotImplementedError

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """Logits (B, K) from the contributions (B, N, D) of N segments."""
        raise NotImplementedError

    def forward(self, embeddings: Tensor, gate: Tensor) -> Tensor:
        """Logits (B, K) of bags (B, N, F) with gates (B, N), each row of which has a positive sum."""
        return self.decide(*self.contributions(embeddings, gate))


def logarithm(probabilities: Tensor) -> Tensor:
    """The natural logarithm of probabilities of at least `LEAST_PROBABILITY`; the same shape."""
    return probabilities.clamp_min(LEAST_PROBABILITY).log()


def ratio(weighted: Tensor, weights: Tensor) -> Tensor:
    """Sum of weighted values over sum of weights; 0 if all weights are 0, because the weighted values are 0 too."""
    return weighted / weights.clamp_min(1e-20)


def total(parts: Tensor) -> Tensor:
    """Sum (B, D) over the segments of (B, N, D).

    Computed as a product with ones. For one stream, ONNX Runtime needs a third of the time of `Tensor.sum`.
    """
    return parts.new_ones(parts.shape[1]) @ parts


def speech_gate(speech: Tensor) -> Tensor:
    """How much of a segment's attention weight its speech probability leaves: 0 up to 1/2, then linear to 1.

    Exactly zero below one half, so that a window without speech has no weight at all and the decision abstains.
    """
    return (2.0 * speech - 1.0).clamp(0.0, 1.0)


def enough_speech(gate: Tensor) -> Tensor:
    """Whether windows hold enough speech to decide on: gates (B, W, ...) to bool (B, ...).

    Enough is `LEAST_SPEECH`, or half of a window too short to hold it.
    """
    half = torch.scalar_tensor(gate.shape[1]) * 0.5
    return gate.sum(1) >= half.clamp_max(LEAST_SPEECH)
