"""Figures of a run."""

from __future__ import annotations

import numpy as np
from rtser_train.evaluation.figures import confusion_figure


def test_the_confusion_matrix_shows_what_an_emotion_was_taken_for_even_if_no_utterance_is_that():
    figure = confusion_figure(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 0]]), ["angry", "sad", "happy"], "")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["angry", "sad"]
    assert [text.get_text() for text in axes.texts] == ["75.0", "25.0", "0.0", "0.0"]
