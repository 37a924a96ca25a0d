"""Baselines: random forests on the CNN's embeddings, equation (7), and openSMILE eGeMAPS with an SVM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import Tensor
from torch.nn import functional

from rtser.engine.features import SAMPLE_RATE
from rtser_train.data.bags import Bag, read_utterance
from rtser_train.data.cache import CACHE, Arrays, cached
from rtser_train.data.corpora import Utterance
from rtser_train.fitting.stage1 import Embedded

EGEMAPS = CACHE / "egemaps"
TREES = 500


def bag_vectors(name: str, embedded: Sequence[Embedded]) -> NDArray[np.float32]:
    """Equation (7): the largest (cnn-max-rf) or mean (cnn-avg-rf) embedding of each bag's segments, (n, F).

    Over the segments that hold speech, the mean weighed by the gate; zeros where none does.
    """
    rows = []
    for one in embedded:
        spoken = one.gate > 0
        if not spoken.any():
            rows.append(torch.zeros(one.embeddings.shape[1]))
        elif name == "cnn-max-rf":
            rows.append(one.embeddings[spoken].amax(0))
        else:
            rows.append((one.embeddings * one.gate.unsqueeze(1)).sum(0) / one.gate.sum())
    vectors: NDArray[np.float32] = torch.stack(rows).numpy()
    return vectors


def random_forest(
    train: NDArray[np.float32], labels: Sequence[int], test: NDArray[np.float32], emotions: int, seed: int
) -> Tensor:
    """Class probabilities (n, K) by a random forest of 500 trees, classes in balance (our choice)."""
    classifier = RandomForestClassifier(TREES, class_weight="balanced", random_state=seed, n_jobs=1)
    found = classifier.fit(train, labels).predict_proba(test)
    probabilities = torch.zeros(len(test), emotions)
    probabilities[:, classifier.classes_] = torch.from_numpy(found).float()
    return probabilities


def egemaps_predictions(seen: Sequence[Bag], test: Sequence[Bag], emotions: int, each: bool) -> Tensor:
    """What SVMs trained on the training and validation utterances say of the test utterances, (n, K), 1 for the class.

    Args:
        seen: what is trained on.
        test: what is predicted.
        emotions: K.
        each: an SVM for each corpus; otherwise one for all together, as our models are trained.
    """
    features, tested = (egemaps([bag.utterance for bag in part]) for part in (seen, test))
    labels = np.array([bag.label for bag in seen])
    if each:
        corpora, tested_corpora = (np.array([bag.utterance.corpus for bag in part]) for part in (seen, test))
        predicted = np.zeros(len(test), np.int64)
        for corpus in np.unique(tested_corpora):
            of, to = corpora == corpus, tested_corpora == corpus
            predicted[to] = egemaps_svm(features[of], labels[of], tested[to])
    else:
        predicted = egemaps_svm(features, labels, tested)
    return functional.one_hot(torch.from_numpy(predicted), emotions).float()


def egemaps(utterances: Sequence[Utterance], folder: Path = EGEMAPS) -> NDArray[np.float32]:
    """The 88 eGeMAPSv02 functionals of each utterance, (n, 88); kept in a cache addressed by content."""
    return np.stack([_functionals(utterance, folder) for utterance in utterances])


def egemaps_svm(train: NDArray[np.float32], labels: NDArray[np.int64], test: NDArray[np.float32]) -> NDArray[np.int64]:
    """Predictions (n,) of an RBF SVM (C = 2, balanced classes) on features standardised over the training files."""
    predictions: NDArray[np.int64] = (
        make_pipeline(StandardScaler(), SVC(C=2, class_weight="balanced")).fit(train, labels).predict(test)
    )
    return predictions


@cache
def _extractor() -> Any:
    import opensmile

    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)


def _functionals(utterance: Utterance, folder: Path) -> NDArray[np.float32]:
    def make() -> Arrays:
        return {
            "functionals": _extractor().process_signal(read_utterance(utterance), SAMPLE_RATE).to_numpy(np.float32)[0]
        }

    return cached(folder, utterance, f"eGeMAPSv02 opensmile {version('opensmile')}".encode(), make)["functionals"]
