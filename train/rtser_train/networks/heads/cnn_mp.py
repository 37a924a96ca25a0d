"""CNN-MP: maximum pooling of the segments' decisions."""

from __future__ import annotations

from torch import Tensor

from rtser_train.networks.bag_network import logarithm
from rtser_train.networks.mean_decision import PooledDecision
from rtser_train.registry import HEADS


@HEADS.register("CNN-MP")
class MaximumPooling(PooledDecision):
    """CNN-MP: for each class the surest segment decides, p_k = max_i f_k(x_i), equation (8); gates only mask."""

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Every segment's mask, and its decision."""
        return super().contributions(embeddings, (gate > 0).to(gate.dtype))

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:  # noqa: ARG002  # masked values are zero
        """The logarithm of the maximum."""
        return logarithm(values.amax(1))
