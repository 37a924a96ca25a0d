"""Feature-level attention over a bag of segment embeddings, equations (4) to (6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIDDEN = 120
"""H, the width of the two fully-connected layers (the paper's)."""

LEAST_SPEECH = 3.0
"""So much gate a window must hold, in segments, for a decision: one sound that resembles speech is not enough."""


class FeatureAttention(nn.Module):
    """Feature-Att: a weight for every dimension of every segment.

    With h_i = FC2(FC1(x_i)): u = linear(h), w = sigmoid(linear(h)), q = g w / sum_j g_j w_j,
    U_d = sum_i q_id u_id (4, 5), p = softmax(FC(dropout(ReLU(batch norm(U))))) (6). The gate g >= 0 comes from outside:
    0 masks a segment, so padding takes no part.

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K.
        features: D, dimension of the bag representation.
        dropout: rate after each hidden layer and before the classifier.
    """

    def __init__(self, embedding: int, emotions: int, features: int = HIDDEN, dropout: float = 0.4) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(embedding, HIDDEN),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.value = nn.Linear(HIDDEN, features)
        self.weight = nn.Sequential(nn.Linear(HIDDEN, features), nn.Sigmoid())
        self.classifier = nn.Sequential(
            nn.BatchNorm1d(features), nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, emotions)
        )

    @property
    def features(self) -> int:
        """D, dimension of the bag representation."""
        return self.value.out_features

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Each segment's part in the two sums of the ratio U.

        Args:
            embeddings: (..., F).
            gate: (...), 0..1.

        Returns:
            weights g w, (..., D), and weighted values g w u, (..., D).
        """
        h = self.hidden(embeddings)
        weights = self.weight(h) * gate.unsqueeze(-1)
        return weights, weights * self.value(h)

    def forward(self, embeddings: Tensor, gate: Tensor) -> Tensor:
        """Logits (B, K) of bags (B, N, F) with gates (B, N), each row of which has a positive sum."""
        weights, weighted = self.contributions(embeddings, gate)
        logits: Tensor = self.classifier(ratio(weighted.sum(1), weights.sum(1)))
        return logits


def ratio(weighted: Tensor, weights: Tensor) -> Tensor:
    """Sum of weighted values over sum of weights; 0 where nothing was weighed."""
    return torch.where(weights > 0, weighted / weights.clamp_min(1e-20), 0.0)


def speech_gate(speech: Tensor) -> Tensor:
    """How much of a segment's attention weight its speech probability leaves: 0 up to 1/2, then linear to 1.

    Exactly zero below one half, so that a window without speech has no weight at all and the decision abstains.
    """
    return (2.0 * speech - 1.0).clamp(0.0, 1.0)


def heard(gate: Tensor) -> Tensor:
    """Whether windows hold enough speech to decide on: gates (B, W) to bool (B,).

    Enough is `LEAST_SPEECH`, or half of a window too short to hold it.
    """
    half = 0.5 * torch.ones_like(gate).sum(1)
    return gate.sum(1) >= half.clamp_max(LEAST_SPEECH)
