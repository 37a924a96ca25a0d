from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.engine.decider import Decider, DecideSettings
from rtser.engine.decision import Decision
from rtser.errors import ArgumentError

PROMPT = DecideSettings(smoothing_s=0, hold_s=0, onset_s=0, hangover_s=0.3, silence_s=0.6)


def decision(k, speech=0.9, angry=0.8):
    emotions = {"angry": angry, "sad": 1 - angry} if speech > 0.1 else None
    return Decision(0.335 + 0.06 * k, emotions, speech, {}, 0.0, None, None)


def readings(decisions, settings=PROMPT, label_threshold=0.4):
    decider = Decider(label_threshold, settings)
    read = [decider.push(one) for one in decisions]
    return read, [one for one in [*(one.utterance for one in read), decider.finish()] if one]


def utterances(speech, settings=PROMPT, **more):
    return readings([decision(k, s) for k, s in enumerate(speech)], settings, **more)[1]


def labels(angry, settings):
    return [one.label for one in readings([decision(k, angry=a) for k, a in enumerate(angry)], settings)[0]]


def test_speech_between_silences_is_an_utterance():
    (one,) = utterances([0.0] * 10 + [0.9] * 20 + [0.0] * 20)
    assert one.start_s == pytest.approx(0.06 * 10)
    assert one.end_s == pytest.approx(0.335 + 0.06 * 29)
    assert one.label == "angry"
    assert one.confidence == pytest.approx(0.8)


def test_a_short_pause_does_not_end_it_and_a_long_one_does():
    assert len(utterances([0.9] * 10 + [0.0] * 5 + [0.9] * 10)) == 1
    assert len(utterances([0.9] * 10 + [0.0] * 15 + [0.9] * 10)) == 2


def test_speech_must_rise_above_one_threshold_to_begin_and_fall_below_another_to_end():
    assert utterances([0.6] * 30) == []
    assert len(utterances([0.9] + [0.5] * 30)) == 1


def test_what_is_shorter_than_the_onset_is_no_speech_and_the_onset_belongs_to_the_utterance():
    settings = DecideSettings(onset_s=0.3)
    assert utterances(([0.9] * 4 + [0.0] * 4) * 5, settings) == []
    (one,) = utterances([0.0] * 10 + [0.9] * 5, settings)
    assert one.start_s == pytest.approx(0.6)


def test_the_label_is_let_go_after_the_hang_over():
    read, _ = readings([decision(k, speech) for k, speech in enumerate([0.9] * 10 + [0.2] * 10)])
    assert [one.label for one in read] == ["angry"] * 14 + [None] * 6
    assert [one.speaking for one in read] == [True] * 14 + [False] * 6


def test_it_abstains_below_the_label_threshold():
    assert labels([0.55] * 5, DecideSettings(onset_s=0, label_threshold=0.6)) == [None] * 5
    (one,) = utterances([0.9] * 20, label_threshold=0.9)
    assert one.label is None
    assert one.confidence is None
    assert one.emotions["angry"] == pytest.approx(0.8)


def test_a_named_emotion_stays_down_to_a_lower_confidence():
    settings = DecideSettings(smoothing_s=0, hold_s=0, onset_s=0, label_threshold=0.7, leave_threshold=0.5)
    assert labels([0.6, 0.7, 0.6, 0.51, 0.45, 0.6], settings) == [None, "angry", "angry", "angry", None, None]


def test_a_named_emotion_is_held_for_a_while():
    settings = DecideSettings(smoothing_s=0, hold_s=0.3, onset_s=0)
    assert labels([0.9] + [0.1] * 6, settings) == ["angry"] * 5 + ["sad"] * 2


def test_the_probabilities_are_averaged_over_the_smoothing_time():
    settings = DecideSettings(smoothing_s=0.6, hold_s=0, onset_s=0)
    read, _ = readings([decision(k, angry=1.0 if k else 0.0) for k in range(12)], settings)
    shares = [one.confidence if one.label == "angry" else 1 - one.confidence for one in read]
    assert shares[10] == pytest.approx(1 - 2.718281828**-1)


def test_after_clearing_nothing_is_remembered():
    decider = Decider(0.4, PROMPT)
    first = [decider.push(decision(k)) for k in range(5)]
    decider.clear()
    assert [decider.push(decision(k)) for k in range(5)] == first


def test_it_is_idle_where_no_utterance_lasts_and_none_may_be_beginning():
    decider, idle = Decider(0.4, DecideSettings(onset_s=0.3, silence_s=0.6)), []
    for k, speech in enumerate([0.0] * 3 + [0.9] * 2 + [0.0] + [0.9] * 8 + [0.0] * 12):
        decider.push(decision(k, speech))
        idle.append(decider.idle)
    assert idle == [True] * 3 + [False] * 2 + [True] + [False] * 8 + [False] * 9 + [True] * 3


def test_the_end_of_the_stream_ends_an_utterance():
    assert len(utterances([0.9] * 5)) == 1
    assert utterances([]) == []


@given(st.lists(st.floats(0, 1), max_size=200))
def test_utterances_follow_each_other_and_their_probabilities_sum_to_one(speech):
    found = utterances(speech, DecideSettings())
    assert all(one.start_s < one.end_s for one in found)
    assert all(earlier.end_s <= later.end_s for earlier, later in pairwise(found))
    assert all(sum(one.emotions.values()) == pytest.approx(1) for one in found)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=200))
def test_a_label_is_named_only_while_somebody_speaks_and_never_below_the_lower_confidence(course):
    settings = DecideSettings(hold_s=0, label_threshold=0.6, leave_threshold=0.5)
    read, _ = readings([decision(k, speech, angry) for k, (speech, angry) in enumerate(course)], settings)
    assert all(one.speaking and one.confidence >= 0.5 for one in read if one.label)


@pytest.mark.parametrize(
    "wrong",
    [{"silence_s": 0.35}, {"hold_s": -1}, {"speech_enter": 1.5}, {"speech_enter": 0.3}, {"smoothing_s": float("nan")}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DecideSettings(**wrong)


@pytest.mark.parametrize("threshold", [float("nan"), -0.1, 1.1])
def test_a_label_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ArgumentError, match="the label threshold must be 0 to 1"):
        Decider(threshold)
