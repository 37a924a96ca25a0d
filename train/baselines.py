"""The outside baseline: openSMILE eGeMAPS functionals and a support vector machine, on the same speakers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from rtser.features import SAMPLE_RATE
from rtser.sources.file import read_audio
from train.cache import CACHE, Arrays, cached

EGEMAPS = CACHE / "egemaps"


def egemaps(paths: Sequence[Path], jobs: int = -1, folder: Path = EGEMAPS) -> NDArray[np.float32]:
    """The 88 eGeMAPSv02 functionals of each file, (n, 88); kept in a cache addressed by content."""
    return np.stack(Parallel(n_jobs=jobs)(delayed(_functionals)(path, folder) for path in paths))


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


def _functionals(path: Path, folder: Path) -> NDArray[np.float32]:
    def make() -> Arrays:
        return {"functionals": _extractor().process_signal(read_audio(path), SAMPLE_RATE).to_numpy(np.float32)[0]}

    return cached(folder, path, f"eGeMAPSv02 opensmile {version('opensmile')}".encode(), make)["functionals"]
