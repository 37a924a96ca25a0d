from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.bank import Decision
from rtser.decide import Utterances


def decision(k, speech, angry=0.8):
    emotions = {"angry": angry, "sad": 1 - angry} if speech > 0.1 else None
    return Decision(0.335 + 0.06 * k, emotions, None, None, speech, {}, 0.0)


def utterances(speech, **settings):
    finder = Utterances(**settings)
    found = [finder.push(decision(k, s)) for k, s in enumerate(speech)]
    return [one for one in [*found, finder.finish()] if one]


def test_speech_between_silences_is_an_utterance():
    (one,) = utterances([0.0] * 10 + [0.9] * 20 + [0.0] * 20)
    assert one.start_s == pytest.approx(0.06 * 10)
    assert one.end_s == pytest.approx(0.335 + 0.06 * 29)
    assert one.label == "angry"
    assert one.confidence == pytest.approx(0.8)


def test_a_short_pause_does_not_end_it_and_a_long_one_does():
    assert len(utterances([0.9] * 10 + [0.0] * 5 + [0.9] * 10, silence_s=0.6)) == 1
    assert len(utterances([0.9] * 10 + [0.0] * 15 + [0.9] * 10, silence_s=0.6)) == 2


def test_speech_must_rise_above_one_threshold_to_begin_and_fall_below_another_to_end():
    assert utterances([0.5] * 30) == []
    assert len(utterances([0.9] + [0.5] * 30)) == 1


def test_the_end_of_the_stream_ends_it():
    assert len(utterances([0.9] * 5)) == 1
    assert utterances([]) == []


def test_below_the_least_confidence_it_names_nothing():
    (one,) = utterances([0.9] * 20, min_confidence=0.9)
    assert one.label is None
    assert one.confidence is None
    assert one.emotions["angry"] == pytest.approx(0.8)


@given(st.lists(st.floats(0, 1), max_size=200))
def test_utterances_follow_each_other_and_their_probabilities_sum_to_one(speech):
    found = utterances(speech)
    assert all(one.start_s < one.end_s for one in found)
    assert all(earlier.end_s <= later.end_s for earlier, later in pairwise(found))
    assert all(sum(one.emotions.values()) == pytest.approx(1) for one in found)
