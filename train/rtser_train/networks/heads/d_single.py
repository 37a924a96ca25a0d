"""D-Single: attention on the decisions of the segments."""

from __future__ import annotations

from torch import Tensor

from rtser_train.networks.decision_attention import DecisionModule
from rtser_train.networks.mean_decision import MeanDecision
from rtser_train.registry import HEADS


@HEADS.register("D-Single")
class DecisionSingle(MeanDecision):
    """D-Single: every segment decides, and decisions are weighed for each class, equations (2) and (3).

    p_k = sum_i a_k(x_i) f_k(x_i), a_k = g v_k / sum_j g_j v_k. The p_k do not sum to one; their logarithms are the
    logits, so that the probabilities are p_k / sum p (our choice).

    D is K.
    """

    def __init__(self, embedding: int, emotions: int, features: int, dropout: float) -> None:
        super().__init__(embedding, emotions, features, dropout)
        self.module = DecisionModule(emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The two sums' terms: g v and g v f."""
        weights, values = self.module(self.hidden(embeddings), gate)
        return weights, values
