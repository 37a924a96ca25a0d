"""Metrics of utterance-level predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap
from sklearn.metrics import recall_score

RESAMPLES = 2000


def unweighted_accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """UA, the mean recall of the classes among the labels, 0..1; a prediction without a class counts as wrong."""
    present = np.unique(np.asarray(labels))
    return float(recall_score(labels, predictions, labels=present, average="macro", zero_division=0))


def interval(labels: NDArray[np.str_], hits: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the mean over classes of the mean of `hits` in each, in per cent, by bootstrap over utterances.

    With hits of 0 or 1 that mean is the UA; with differences between two systems' hits, the difference of their UAs.
    One utterance alone says nothing: -100 to 100.

    Args:
        labels: (n,), the class of each utterance.
        hits: (n,), how often it was recognised, 0..1; or differences, -1..1.
    """
    _, classes = np.unique(labels, return_inverse=True)

    def accuracy(rows: NDArray[np.int64]) -> float:
        sizes = np.bincount(classes[rows])
        return 100 * float((np.bincount(classes[rows], hits[rows])[sizes > 0] / sizes[sizes > 0]).mean())

    if len(labels) < 2:
        return -100.0, 100.0
    rows = (np.arange(len(labels)),)
    found = bootstrap(
        rows, accuracy, vectorized=False, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)


def accuracy_by_corpus(labels: Sequence[int], predictions: Sequence[int], corpora: Sequence[str]) -> dict[str, float]:
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
