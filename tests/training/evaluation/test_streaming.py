"""Streaming curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtser_train.data.corpora import Recording
from rtser_train.evaluation.streaming import StreamedUtterance, StreamingCurve, curve_points, file_decision
from rtser_train.evaluation.tables import write_curves

from rtser.engine.bank import Decisions
from rtser.engine.contract import segment_end_s
from rtser.engine.decider import Reading
from rtser.errors import InputError

LABELS = ("angry", "happy", "sad")


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


def decided(emotion, lasts):
    """A step of one stream; an emotion with the probability 0.4, too little to be named, or none."""
    emotions = np.array([[0.4 if label == emotion else 0.3 for label in LABELS]], np.float32) * (emotion is not None)
    one = np.zeros(1, np.float32)
    return Decisions(LABELS, [0], [segment_end_s(0)], emotions, emotions, one, one, None, [Reading(lasts=lasts)])


def test_a_file_is_decided_by_the_last_decision_while_an_utterance_lasts_its_pauses_included():
    said = [decided("angry", True), decided("sad", True), decided(None, True), decided("happy", False)]
    assert file_decision(said) == "sad"


def test_a_file_in_which_no_utterance_begins_is_decided_by_its_last_decision():
    assert file_decision([decided("angry", False), decided("happy", False), decided(None, False)]) == "happy"


def test_a_file_whose_utterances_had_no_emotions_is_not_decided():
    assert file_decision([decided("angry", False), decided(None, True), decided("happy", False)]) == ""


def test_a_file_without_emotions_is_not_decided():
    assert file_decision([]) == file_decision([decided(None, False)]) == ""


def test_the_table_of_a_curve_has_the_decisions_on_whole_files(tmp_path):
    points = curve_points([streamed("sad", "sad")])
    write_curves({"mine": StreamingCurve(1, 87.5, 62.5, points)}, tmp_path / "curve.csv")
    head, row = (tmp_path / "curve.csv").read_text().split()
    assert head.endswith(",ua_decided,ua_longest")
    assert row.endswith(",87.5,62.5")
