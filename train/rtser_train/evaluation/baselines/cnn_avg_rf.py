"""CNN-AVG-RF: a random forest on mean embeddings."""

from __future__ import annotations

from torch import Tensor

from rtser_train.evaluation.random_forest import PooledForest
from rtser_train.fitting.embeddings import Embedded
from rtser_train.registry import BASELINES


@BASELINES.register("CNN-AVG-RF")
class MeanForest(PooledForest):
    """CNN-AVG-RF, equation (7) with the mean: U_f = sum_i g_i x_if / sum_i g_i over the segments, weighted by gates."""

    @classmethod
    def pooled(cls, one: Embedded) -> Tensor:
        """U, (F,)."""
        return (one.embeddings * one.gate.unsqueeze(1)).sum(0) / one.gate.sum()
