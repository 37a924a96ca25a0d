"""eGeMAPS + SVM, one per corpus: openSMILE's functionals of whole utterances, an SVM for each corpus alone."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from rtser.errors import InputError
from rtser_train.data.folds import Fold
from rtser_train.evaluation.baseline import Baseline, BaselineInput
from rtser_train.evaluation.egemaps import egemaps_predictions
from rtser_train.registry import BASELINES


@BASELINES.register("eGeMAPS + SVM, one a corpus")
class EgemapsSvmByCorpus(Baseline):
    """An SVM for each corpus, on its training and validation utterances."""

    probabilistic: ClassVar[bool] = False

    @classmethod
    def check(cls, fold: Fold) -> None:
        """Check that openSMILE is installed, and that each tested corpus has two emotions to train on."""
        import opensmile  # noqa: F401

        classes: dict[str, set[int]] = {bag.recording.corpus: set() for bag in fold.test}
        for bag in (*fold.train, *fold.validation):
            if bag.label >= 0 and bag.recording.corpus in classes:
                classes[bag.recording.corpus].add(bag.label)
        for corpus, labels in classes.items():
            if len(labels) < 2:
                raise InputError(
                    f"fold {fold.name} has fewer than two emotions of {corpus} to train on, and the baseline "
                    "egemaps-svm-corpus trains on each corpus alone",
                    "take it out of `baselines` in the configuration",
                )

    @classmethod
    def predict(cls, data: BaselineInput) -> Tensor:
        """1 for the class that the SVM of the utterance's corpus predicts."""
        seen, test = [*data.fold.train, *data.fold.validation], data.fold.test
        predicted = torch.zeros(len(test), data.emotions)
        for corpus in {bag.recording.corpus for bag in test}:
            rows = [row for row, bag in enumerate(test) if bag.recording.corpus == corpus]
            ours = [bag for bag in seen if bag.recording.corpus == corpus]
            predicted[rows] = egemaps_predictions(ours, [test[row] for row in rows], data.emotions)
        return predicted
