"""What an evaluation makes of predictions and of streamed decisions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtser_train.data.corpora import Utterance
from rtser_train.evaluation.figures import confusion_figure
from rtser_train.evaluation.metrics import interval
from rtser_train.evaluation.streaming import Course, heard_curve

from rtser.errors import InputError


def course(emotion, *labels):
    return Course(Utterance(Path("x.wav"), "mine", "eve", emotion, ""), emotion, list(labels))


def test_an_utterance_that_ended_keeps_its_last_label():
    curve = heard_curve([course("sad", "sad"), course("angry", "", "sad", "angry")])
    assert [row["UA"] for row in curve[:2]] == [50, 50]
    assert [row["utterances going on"] for row in curve[:2]] == [2, 1]


def test_changes_are_counted_from_one_emotion_to_another_and_not_from_none():
    curve = heard_curve([course("angry", "", "sad", "angry"), course("sad", "sad", "sad", "sad")])
    assert [row["flips a second"] for row in curve] == pytest.approx([0, 0, 0.5 / 0.06])


def test_a_model_that_hears_no_speech_has_no_curve():
    with pytest.raises(InputError, match="no speech"):
        heard_curve([course("sad")])


def test_one_utterance_alone_has_the_widest_interval():
    assert interval(np.array(["sad"]), np.array([1.0])) == (-100, 100)


def test_the_confusion_matrix_shows_what_an_emotion_was_taken_for_even_if_no_utterance_is_that():
    figure = confusion_figure(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 0]]), ["angry", "sad", "happy"], "")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["angry", "sad"]
    assert [text.get_text() for text in axes.texts] == ["75.0", "25.0", "0.0", "0.0"]
