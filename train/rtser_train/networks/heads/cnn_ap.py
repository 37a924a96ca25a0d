"""CNN-AP: average pooling of the segments' decisions."""

from __future__ import annotations

from rtser_train.networks.mean_decision import PooledDecision
from rtser_train.registry import HEADS


@HEADS.register("CNN-AP")
class AveragePooling(PooledDecision):
    """CNN-AP: the mean of the segments' decisions, p_k = mean_i f_k(x_i), equation (9); gates weigh the mean."""
