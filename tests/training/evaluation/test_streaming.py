"""Streaming curves."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtser_train.data.corpora import Recording
from rtser_train.evaluation.streaming import StreamedUtterance, curve_points

from rtser.errors import InputError


def streamed(emotion, *labels):
    return StreamedUtterance(Recording(Path("x.wav"), "mine", "eve", emotion, ""), emotion, list(labels))


def test_an_utterance_that_ended_keeps_its_last_label():
    curve = curve_points([streamed("sad", "sad"), streamed("angry", "", "sad", "angry")])
    assert [point.ua for point in curve[:2]] == [50, 50]
    assert [point.going_on for point in curve[:2]] == [2, 1]


def test_changes_are_counted_from_one_emotion_to_another_and_not_from_none():
    curve = curve_points([streamed("angry", "", "sad", "angry"), streamed("sad", "sad", "sad", "sad")])
    assert [point.label_changes_per_s for point in curve] == pytest.approx([0, 0, 0.5 / 0.06])


def test_a_model_that_finds_no_speech_has_no_curve():
    with pytest.raises(InputError, match="no speech"):
        curve_points([streamed("sad")])
