"""openSMILE's eGeMAPS functionals, and an SVM on them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import Tensor
from torch.nn import functional

from rtser.engine.contract import SAMPLE_RATE
from rtser_train.data.bags import Bag, read_samples
from rtser_train.data.cache import CACHE, Arrays, cached
from rtser_train.data.corpora import Recording
from rtser_train.memo import last_of_each_thread

EGEMAPS = CACHE / "egemaps"


def egemaps_predictions(seen: Sequence[Bag], test: Sequence[Bag], emotions: int) -> Tensor:
    """Predictions for some bags by an SVM trained on others, (n, K) float32: 1 for the class, else 0.

    Args:
        seen: the bags to train on; those of no class are left out.
        test: the bags to predict.
        emotions: K.
    """
    seen = [bag for bag in seen if bag.label >= 0]
    features, tested = (egemaps([bag.recording for bag in part]) for part in (seen, test))
    predicted = egemaps_svm(features, np.array([bag.label for bag in seen]), tested)
    return functional.one_hot(torch.from_numpy(predicted), emotions).float()


def egemaps(recordings: Sequence[Recording], folder: Path = EGEMAPS) -> NDArray[np.float32]:
    """The 88 eGeMAPSv02 functionals of each recording, (n, 88); kept in a cache addressed by content."""
    return np.stack([_functionals(recording, folder) for recording in recordings])


def egemaps_svm(train: NDArray[np.float32], labels: NDArray[np.int64], test: NDArray[np.float32]) -> NDArray[np.int64]:
    """Predictions (n,) of an RBF SVM (C = 2, balanced classes) on features standardised over the training files."""
    predictions: NDArray[np.int64] = (
        make_pipeline(StandardScaler(), SVC(C=2, class_weight="balanced")).fit(train, labels).predict(test)
    )
    return predictions


@last_of_each_thread
def _extractor() -> Any:
    import opensmile

    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)


def _functionals(recording: Recording, folder: Path) -> NDArray[np.float32]:
    def make() -> Arrays:
        return {
            "functionals": _extractor().process_signal(read_samples(recording), SAMPLE_RATE).to_numpy(np.float32)[0]
        }

    return cached(folder, recording, f"eGeMAPSv02 opensmile {version('opensmile')}".encode(), make)["functionals"]
