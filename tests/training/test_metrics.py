"""Metrics of predictions."""

from __future__ import annotations

import numpy as np
from rtser_train.metrics import accuracy_by_corpus, interval, unweighted_accuracy


def test_unweighted_accuracy_is_the_mean_recall_of_the_classes_present():
    assert unweighted_accuracy([0, 0, 0, 1], [0, 0, 0, 0]) == 0.5
    assert unweighted_accuracy([0, 0, 5], [0, -1, 5]) == 0.75
    assert accuracy_by_corpus([0, 1, 0], [0, 1, 1], ["a", "a", "b"]) == {"a": 1.0, "b": 0.0, "mean": 0.5}


def test_one_utterance_alone_has_the_widest_interval():
    assert interval(np.array(["sad"]), np.array([1.0])) == (-100, 100)
