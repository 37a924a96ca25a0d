"""eGeMAPS + SVM: openSMILE's functionals of whole utterances, one SVM for all corpora together."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from rtser_train.data.folds import Fold
from rtser_train.evaluation.baseline import Baseline, BaselineInput
from rtser_train.evaluation.egemaps import egemaps_predictions
from rtser_train.registry import BASELINES


@BASELINES.register("eGeMAPS + SVM")
class EgemapsSvm(Baseline):
    """An SVM on all training and validation utterances, as our models are trained."""

    probabilistic: ClassVar[bool] = False

    @classmethod
    def check(cls, fold: Fold) -> None:  # noqa: ARG003
        """Check that openSMILE is installed."""
        import opensmile  # noqa: F401

    @classmethod
    def predict(cls, data: BaselineInput) -> Tensor:
        """1 for the class that the SVM predicts."""
        fold = data.fold
        return egemaps_predictions([*fold.train, *fold.validation], fold.test, data.emotions)
