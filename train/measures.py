"""Measures of utterance-level predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import recall_score


def unweighted_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """UA, the mean recall of the classes that occur among the labels, 0..1; a prediction of -1 is wrong."""
    present = np.unique(np.asarray(labels))
    return float(recall_score(labels, predictions, labels=present, average="macro", zero_division=0))


def by_corpus(labels: Sequence[int], predictions: Sequence[int], corpora: Sequence[str]) -> dict[str, float]:
    """UA of each corpus, and their mean under the key ``mean``."""
    scores = {}
    for corpus in sorted(set(corpora)):
        rows = [i for i, name in enumerate(corpora) if name == corpus]
        scores[corpus] = unweighted_accuracy([labels[i] for i in rows], [predictions[i] for i in rows])
    return scores | {"mean": float(np.mean(list(scores.values())))}


def expected_calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = 10) -> float:
    """ECE, 0..1: the gap between confidence and accuracy over equally wide bins of confidence, weighted by their sizes.

    Args:
        probabilities: (n, K).
        labels: (n,), class indices.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))
