"""CNN-MAX-RF: a random forest on the largest embeddings."""

from __future__ import annotations

from torch import Tensor

from rtser_train.evaluation.random_forest import PooledForest
from rtser_train.fitting.embeddings import Embedded
from rtser_train.registry import BASELINES


@BASELINES.register("CNN-MAX-RF")
class MaximumForest(PooledForest):
    """CNN-MAX-RF, equation (7): U_f = max_i x_if over the segments that hold speech."""

    @classmethod
    def pooled(cls, one: Embedded) -> Tensor:
        """U, (F,)."""
        return one.embeddings[one.gate > 0].amax(0)
