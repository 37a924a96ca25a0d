"""Attention on decisions: D-Single has one such module, and D-Multi has two."""

from __future__ import annotations

from torch import Tensor, nn

from rtser_train.networks.bag_network import HIDDEN


class DecisionModule(nn.Module):
    """Equations (2) and (3) on one hidden layer: v and f, both softmax over the classes.

    Args:
        emotions: K.
    """

    def __init__(self, emotions: int) -> None:
        super().__init__()
        self.attention = nn.Linear(HIDDEN, emotions)
        self.classifier = nn.Linear(HIDDEN, emotions)

    def forward(self, h: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The two sums' terms (..., K), g v and g v f, of hidden layers (..., H) and gates (...)."""
        weights = self.attention(h).softmax(-1) * gate.unsqueeze(-1)
        return weights, weights * self.classifier(h).softmax(-1)
