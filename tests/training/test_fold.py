"""One fold."""

from __future__ import annotations

from rtser_train.fold import best_epochs


def test_the_epochs_are_best_for_the_inner_folds_together():
    assert best_epochs([[0.2, 0.5, 0.4], [0.1, 0.2, 0.9]]) == 3
    assert best_epochs([[0.2, 0.5], [0.1, 0.2, 0.3, 0.2]]) == 3
