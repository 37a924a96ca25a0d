"""The base of the baselines: systems measured on the same folds as the heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from rtser_train.data.folds import Fold
from rtser_train.fitting.embeddings import Embedded


@dataclass(frozen=True)
class BaselineInput:
    """What a baseline may learn from, and what it predicts.

    Attributes:
        fold: the fold with its bags.
        train: the training utterances as stage 2 saw them, in any order.
        test: the fold's test utterances in order, embedded by the fold's network.
        emotions: K.
        seed: seed of all randomness.
    """

    fold: Fold
    train: Sequence[Embedded]
    test: Sequence[Embedded]
    emotions: int
    seed: int


class Baseline(ABC):
    """One baseline.

    Attributes:
        probabilistic: whether its predictions are probabilities, for which a calibration error makes sense.
    """

    probabilistic: ClassVar[bool] = True

    @classmethod  # noqa: B027  # most baselines need nothing
    def check(cls, fold: Fold) -> None:
        """Find out before any training whether the baseline can be trained on a fold.

        Raises:
            InputError: it cannot.
            ModuleNotFoundError: a package is missing.
        """

    @classmethod
    @abstractmethod
    def predict(cls, data: BaselineInput) -> Tensor:
        """Train, and predict the test utterances: (n, K) float32, rows that sum to 1."""
