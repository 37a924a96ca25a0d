"""Random forests on the CNN's embeddings, equation (7)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from rtser_train.evaluation.baseline import Baseline, BaselineInput
from rtser_train.fitting.embeddings import Embedded

TREES = 500


class PooledForest(Baseline):
    """A random forest on one vector per bag: its segments' embeddings, pooled."""

    @classmethod
    def predict(cls, data: BaselineInput) -> Tensor:
        """Class probabilities by the forest."""
        labels = [one.bag.label for one in data.train]
        return random_forest(cls.vectors(data.train), labels, cls.vectors(data.test), data.emotions, data.seed)

    @classmethod
    def vectors(cls, embedded: Sequence[Embedded]) -> NDArray[np.float32]:
        """The pooled embeddings of each bag's segments, (n, F); zeros if no segment holds speech."""
        rows = [cls.pooled(one) if (one.gate > 0).any() else torch.zeros(one.embeddings.shape[1]) for one in embedded]
        vectors: NDArray[np.float32] = torch.stack(rows).numpy()
        return vectors

    @classmethod
    @abstractmethod
    def pooled(cls, one: Embedded) -> Tensor:
        """One vector (F,) of a bag that holds speech."""


def random_forest(
    train: NDArray[np.float32], labels: Sequence[int], test: NDArray[np.float32], emotions: int, seed: int
) -> Tensor:
    """Class probabilities (n, K) by a random forest of 500 trees, classes in balance (our choice)."""
    classifier = RandomForestClassifier(TREES, class_weight="balanced", random_state=seed, n_jobs=1)
    found = classifier.fit(train, labels).predict_proba(test)
    probabilities = torch.zeros(len(test), emotions)
    probabilities[:, classifier.classes_] = torch.from_numpy(found).float()
    return probabilities
