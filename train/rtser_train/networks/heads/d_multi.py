"""D-Multi: attention on decisions at two hidden layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rtser_train.networks.bag_network import BagNetwork, ratio, total
from rtser_train.networks.decision_attention import DecisionModule
from rtser_train.registry import HEADS


@HEADS.register("D-Multi")
class DecisionMulti(BagNetwork):
    """D-Multi: two modules like that of D-Single, on FC1 and on FC2, and a linear layer on both decisions.

    With p' by equations (2) and (3) on FC1(x) and p'' on FC2(FC1(x)): p = softmax(FC([p', p''])). D is 2 K.
    """

    def __init__(self, embedding: int, emotions: int, features: int, dropout: float) -> None:
        super().__init__(embedding, emotions, features, dropout)
        self.features = 2 * emotions
        self.first, self.second = DecisionModule(emotions), DecisionModule(emotions)
        self.classifier = nn.Linear(2 * emotions, emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Both modules' terms, side by side."""
        lower = self.hidden[:3](embeddings)
        modules = self.first(lower, gate), self.second(self.hidden[3:](lower), gate)
        weights, values = (torch.cat(parts, -1) for parts in zip(*modules, strict=True))
        return weights, values

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The linear layer on the two decisions."""
        logits: Tensor = self.classifier(ratio(total(values), total(weights)))
        return logits
