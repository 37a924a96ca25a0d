"""Networks that decide for a bag of segment embeddings: the paper's three attention models, and two poolings.

All share one form, which is what lets them stream: each segment contributes weights and values on its own, and the
decision is a function of the contributions of the window's segments, whatever their order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIDDEN = 120
"""H, the width of the two fully-connected layers (the paper's)."""

LEAST_SPEECH = 3.0
"""So much gate a window must hold, in segments, for a decision: one sound that resembles speech is not enough."""

LEAST_PROBABILITY = 1e-6
"""Of which the logarithm is still taken."""


class BagNetwork(nn.Module):
    """Base of the networks on bags: contributions of each segment, and a decision on all of them.

    The gate g >= 0 of a segment comes from outside: 0 masks it, so that padding takes no part. The hidden layers are
    h_i = FC2(FC1(x_i)).

    Args:
        embedding: F, dimension of the segment embeddings.
        dropout: rate after each hidden layer.

    Attributes:
        features: D, how many weights, and as many values, a segment contributes.
    """

    features: int

    def __init__(self, embedding: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(embedding, HIDDEN),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Each segment's part in the decision.

        Args:
            embeddings: (..., F).
            gate: (...), 0..1.

        Returns:
            weights and values, (..., D) each; zero where the gate is.
        """
        raise NotImplementedError

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """Logits (B, K) from the contributions (B, N, D) of N segments."""
        raise NotImplementedError

    def forward(self, embeddings: Tensor, gate: Tensor) -> Tensor:
        """Logits (B, K) of bags (B, N, F) with gates (B, N), each row of which has a positive sum."""
        return self.decide(*self.contributions(embeddings, gate))


class FeatureAttention(BagNetwork):
    """Feature-Att: a weight for every dimension of every segment, equations (4) to (6).

    With u = linear(h) and w = sigmoid(linear(h)): q = g w / sum_j g_j w_j, U_d = sum_i q_id u_id (4, 5),
    p = softmax(FC(dropout(ReLU(batch norm(U))))) (6).

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K.
        features: D, dimension of the bag representation.
        dropout: rate after each hidden layer and before the classifier.
    """

    def __init__(self, embedding: int, emotions: int, features: int = HIDDEN, dropout: float = 0.4) -> None:
        super().__init__(embedding, dropout)
        self.features = features
        self.value = nn.Linear(HIDDEN, features)
        self.weight = nn.Sequential(nn.Linear(HIDDEN, features), nn.Sigmoid())
        self.classifier = nn.Sequential(
            nn.BatchNorm1d(features), nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, emotions)
        )

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The two sums' terms: g w and g w u."""
        h = self.hidden(embeddings)
        weights = self.weight(h) * gate.unsqueeze(-1)
        return weights, weights * self.value(h)

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The classifier on U."""
        logits: Tensor = self.classifier(ratio(values.sum(1), weights.sum(1)))
        return logits


class _DecisionModule(nn.Module):
    """Equations (2) and (3) on one hidden layer: v and f, both softmax over the classes."""

    def __init__(self, emotions: int) -> None:
        super().__init__()
        self.attention = nn.Linear(HIDDEN, emotions)
        self.classifier = nn.Linear(HIDDEN, emotions)

    def forward(self, h: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.attention(h).softmax(-1) * gate.unsqueeze(-1)
        return weights, weights * self.classifier(h).softmax(-1)


class DecisionSingle(BagNetwork):
    """D-Single: every segment decides, and decisions are weighed for each class, equations (2) and (3).

    p_k = sum_i a_k(x_i) f_k(x_i), a_k = g v_k / sum_j g_j v_k. The p_k do not sum to one; their logarithms are taken
    for logits, so that the probabilities are p_k / sum p (our choice).

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K, which is D too.
        dropout: rate after each hidden layer.
    """

    def __init__(self, embedding: int, emotions: int, dropout: float = 0.4) -> None:
        super().__init__(embedding, dropout)
        self.features = emotions
        self.module = _DecisionModule(emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The two sums' terms: g v and g v f."""
        weights, values = self.module(self.hidden(embeddings), gate)
        return weights, values

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The logarithm of p."""
        return _log(ratio(values.sum(1), weights.sum(1)))


class DecisionMulti(BagNetwork):
    """D-Multi: two modules as of D-Single, on FC1 and on FC2; a linear layer on both decisions.

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K; D is 2 K.
        dropout: rate after each hidden layer.
    """

    def __init__(self, embedding: int, emotions: int, dropout: float = 0.4) -> None:
        super().__init__(embedding, dropout)
        self.features = 2 * emotions
        self.first, self.second = _DecisionModule(emotions), _DecisionModule(emotions)
        self.classifier = nn.Linear(2 * emotions, emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Both modules' terms, side by side."""
        lower = self.hidden[:3](embeddings)
        modules = self.first(lower, gate), self.second(self.hidden[3:](lower), gate)
        weights, values = (torch.cat(parts, -1) for parts in zip(*modules, strict=True))
        return weights, values

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The linear layer on the two decisions."""
        logits: Tensor = self.classifier(ratio(values.sum(1), weights.sum(1)))
        return logits


class AveragePooling(BagNetwork):
    """CNN-AP: the mean of the segments' decisions, p_k = mean_i f_k(x_i), equation (9); gates weigh the mean.

    Args:
        embedding: F, dimension of the segment embeddings.
        emotions: K, which is D too.
        dropout: rate after each hidden layer.
    """

    def __init__(self, embedding: int, emotions: int, dropout: float = 0.4) -> None:
        super().__init__(embedding, dropout)
        self.features = emotions
        self.classifier = nn.Linear(HIDDEN, emotions)

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Every segment's gate, and its gated decision."""
        posteriors = self.classifier(self.hidden(embeddings)).softmax(-1)
        weights = gate.unsqueeze(-1).expand_as(posteriors)
        return weights, weights * posteriors

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:
        """The logarithm of the mean."""
        return _log(ratio(values.sum(1), weights.sum(1)))


class MaximumPooling(AveragePooling):
    """CNN-MP: for each class the surest segment decides, p_k = max_i f_k(x_i), equation (8); gates only mask."""

    def contributions(self, embeddings: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Every segment's mask, and its decision."""
        return super().contributions(embeddings, (gate > 0).to(gate.dtype))

    def decide(self, weights: Tensor, values: Tensor) -> Tensor:  # noqa: ARG002  # masked values are zero
        """The logarithm of the maximum."""
        return _log(values.amax(1))


TITLES = {
    "feature-att": "Feature-Att",
    "d-single": "D-Single",
    "d-multi": "D-Multi",
    "cnn-ap": "CNN-AP",
    "cnn-mp": "CNN-MP",
}
"""The paper's names of the networks, by those in `rtser_train.config`."""


def bag_network(name: str, embedding: int, emotions: int, features: int, dropout: float = 0.4) -> BagNetwork:
    """The network of a name among `TITLES`; `features` is D of Feature-Att."""
    if name == "feature-att":
        return FeatureAttention(embedding, emotions, features, dropout)
    kinds = {"d-single": DecisionSingle, "d-multi": DecisionMulti, "cnn-ap": AveragePooling, "cnn-mp": MaximumPooling}
    return kinds[name](embedding, emotions, dropout)


def _log(probabilities: Tensor) -> Tensor:
    return probabilities.clamp_min(LEAST_PROBABILITY).log()


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
