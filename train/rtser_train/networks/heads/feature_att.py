"""Feature-Att: attention on every dimension of a segment, the paper's best system."""

from __future__ import annotations

from torch import Tensor, nn

from rtser_train.networks.bag_network import HIDDEN, BagNetwork, ratio, total
from rtser_train.networks.randomness import Dropout
from rtser_train.registry import HEADS

SATURATED = 17.0
"""Beyond it a weight is 0 or 1 in float32, or nearly."""


class Logistic(nn.Module):
    """A sigmoid, cut off at -17 and 17, whose tiny values ONNX Runtime computes as torch does.

    ONNX Runtime's own sigmoid has errors of about 1e-7, and a window may hold no larger weights.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Values between 0 and 1, of any shape."""
        return 1 / (1 + (-x.clamp(-SATURATED, SATURATED)).exp())


@HEADS.register("Feature-Att")
class FeatureAttention(BagNetwork):
    """Feature-Att: a weight for every dimension of every segment, equations (4) to (6).

    With u = linear(h) and w = sigmoid(linear(h)), at least 4e-8: q = g w / sum_j g_j w_j, U_d = sum_i q_id u_id (4, 5),
    p = softmax(FC(dropout(ReLU(batch norm(U))))) (6).

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K.
        features: D, dimension of the bag representation.
        dropout: rate after each hidden layer and before the classifier.
    """

    def __init__(self, embedding: int, emotions: int, features: int, dropout: float) -> None:
        super().__init__(embedding, emotions, features, dropout)
        self.features = features
        self.value = nn.Linear(HIDDEN, features)
        self.weight = nn.Sequential(nn.Linear(HIDDEN, features), Logistic())
        self.classifier = nn.Sequential(
            nn.BatchNorm1d(features), nn.ReLU(), Dropout(dropout), nn.Linear(features, emotions)
        )

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The two sums' terms: g w and g w u."""
        h = self.hidden(embeddings)
        weights = self.weight(h) * gate.unsqueeze(-1)
        return weights, weights * self.value(h)

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The classifier on U."""
        logits: Tensor = self.classifier(ratio(total(values), total(weights)))
        return logits
