"""Heads whose decision is a weighted mean of the segments' decisions."""

from __future__ import annotations

from torch import Tensor, nn

from rtser_train.networks.bag_network import HIDDEN, BagNetwork, logarithm, ratio, total


class MeanDecision(BagNetwork):
    """A head with p_k = sum_i w_ik f_k(x_i) / sum_i w_ik; its logits are log p_k."""

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The logarithm of the weighted mean."""
        return logarithm(ratio(total(values), total(weights)))


class PooledDecision(MeanDecision):
    """The mean with the gates as the only weights: p_k = sum_i g_i f_k(x_i) / sum_i g_i. D is K."""

    def __init__(self, embedding: int, emotions: int, features: int, dropout: float) -> None:
        super().__init__(embedding, emotions, features, dropout)
        self.classifier = nn.Linear(HIDDEN, emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Every segment's gate, and its gated decision."""
        posteriors = self.classifier(self.hidden(embeddings)).softmax(-1)
        weights = gate.unsqueeze(-1).expand_as(posteriors)
        return weights, weights * posteriors
