from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.engine.contract import segment_end_s
from rtser.engine.decider import Decider, DecideSettings
from rtser.errors import ArgumentError

PROMPT = DecideSettings(smoothing_s=0, hold_s=0, onset_s=0, hangover_s=0.36, silence_s=0.6)
LABELS = ("angry", "sad")


def read(speech, angry=0.8, settings=PROMPT, label_threshold=0.4):
    """What a decider says of each segment, and all its utterances."""
    one = Decider(LABELS, label_threshold, settings)
    angry = angry if isinstance(angry, list) else [angry] * len(speech)
    told = [
        one.push(k, heard, [share, 1 - share] if heard > 0.1 else [0.0, 0.0])
        for k, (heard, share) in enumerate(zip(speech, angry, strict=True))
    ]
    found = [reading.utterance for reading in told if reading.utterance]
    last = one.clear()
    return told, [*found, last] if last else found


def utterances(speech, settings=PROMPT, **more):
    return read(speech, settings=settings, **more)[1]


def labels(angry, settings):
    return [LABELS[one.label] if one.label >= 0 else None for one in read([0.9] * len(angry), angry, settings)[0]]


def test_speech_between_silences_is_an_utterance():
    (one,) = utterances([0.0] * 10 + [0.9] * 20 + [0.0] * 20)
    assert one.start_s == pytest.approx(0.06 * 10)
    assert one.end_s == pytest.approx(0.335 + 0.06 * 29)
    assert one.label == "angry"
    assert one.confidence == pytest.approx(0.8)
    assert one.final


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
    told, _ = read([0.9] * 10 + [0.0, 0.2] * 10)
    named = [one.label >= 0 for one in told]
    assert named[:10] == [True] * 10
    assert not any(named[16:])
    assert [one.speaking for one in told] == [True] * 15 + [False] * 15


def test_an_utterance_says_what_its_last_decisions_say():
    (one,) = utterances([0.9] * 30, angry=[0.1] * 15 + [0.9] * 15)
    assert one.label == "angry"
    assert one.emotions["angry"] > 0.85


def test_in_long_speech_all_decisions_over_full_windows_count_alike():
    settings = DecideSettings(report_s=3600)
    (one,) = utterances([0.9] * 1000, angry=[0.2] * 500 + [0.9] * 500, settings=settings)
    assert one.emotions["angry"] == pytest.approx(0.55, abs=0.03)


def test_an_utterance_that_names_nothing_still_leans():
    (one,) = utterances([0.9] * 20, angry=0.52, label_threshold=0.6)
    assert one.label is None
    assert one.confidence is None
    assert (one.leaning.label, round(one.leaning.confidence, 3)) == ("angry", 0.52)


def test_while_it_abstains_it_leans():
    told, _ = read([0.9] * 20, angry=0.52, label_threshold=0.6)
    assert [one.label for one in told] == [-1] * 20
    assert [one.leaning for one in told] == [0] * 20
    assert told[-1].leaning_confidence == pytest.approx(0.52)
    assert told[-1].confidence == 0


def test_speech_without_a_pause_is_reported_every_ten_seconds_and_goes_on():
    found = utterances([0.9] * 400)
    assert [one.final for one in found] == [False, False, True]
    assert {one.start_s for one in found} == {0.0}
    assert [one.end_s for one in found] == pytest.approx([segment_end_s(k) for k in (167, 334, 399)])


def test_a_new_emotion_is_named_at_once_without_smoothing_and_hold():
    assert labels([0.8] * 5 + [0.1] * 5, PROMPT) == ["angry"] * 5 + ["sad"] * 5


def test_a_named_emotion_is_held():
    settings = DecideSettings(smoothing_s=0, hold_s=0.6, onset_s=0)
    changed = labels([0.8] * 2 + [0.1] * 20, settings).index("sad")
    assert changed == 10


def test_smoothing_outvotes_a_single_segment():
    settings = DecideSettings(smoothing_s=0.6, hold_s=0, onset_s=0)
    assert set(labels([0.8] * 10 + [0.1] + [0.8] * 10, settings)) == {"angry"}


def test_between_the_thresholds_a_named_emotion_stays_and_none_is_named():
    settings = DecideSettings(smoothing_s=0, hold_s=0, onset_s=0, label_threshold=0.7, leave_threshold=0.6)
    shares = [0.65] * 3 + [0.75] * 3 + [0.65] * 3 + [0.55] * 3
    assert labels(shares, settings) == [None] * 3 + ["angry"] * 6 + [None] * 3


def idle_after_each(speech):
    one, idle = Decider(LABELS, 0.4, DecideSettings(onset_s=0.3, silence_s=0.6)), []
    for k, heard in enumerate(speech):
        one.push(k, heard, [0.8, 0.2])
        idle.append(one.idle)
    return idle


def test_it_is_idle_before_all_speech_and_where_an_utterance_has_ended():
    assert idle_after_each([0.0] * 3 + [0.9] * 6 + [0.0] * 12) == [True] * 3 + [False] * 15 + [True] * 3


def test_a_beginning_that_breaks_off_is_forgotten_only_after_as_much_silence_as_ends_an_utterance():
    assert idle_after_each([0.9] * 4 + [0.0] * 9 + [0.9] * 4 + [0.0] * 11) == [False] * 26 + [True] * 2


def test_speech_too_soft_to_begin_an_utterance_is_not_forgotten_before_what_follows():
    assert not any(idle_after_each([0.6] * 12 + [0.9] * 6))


def test_clearing_it_tells_what_is_cut_off_and_forgets_it():
    one = Decider(LABELS, 0.4, PROMPT)
    for k in range(10):
        one.push(k, 0.9, [0.5, 0.5])
    assert one.clear().end_s == pytest.approx(segment_end_s(9))
    assert one.clear() is None
    assert one.idle


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"leave_threshold": 0.5}, "model's label threshold"),
        ({"label_threshold": 0.3, "leave_threshold": 0.5}, "above"),
    ],
)
def test_an_emotion_cannot_be_dropped_above_where_it_is_named(settings, message):
    with pytest.raises((ArgumentError, ValueError), match=message):
        Decider(LABELS, 0.4, DecideSettings(**settings))


@pytest.mark.parametrize("wrong", [{"silence_s": 0.3}, {"onset_s": -1}, {"hold_s": float("nan")}, {"unknown": 1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DecideSettings(**wrong)


@given(st.lists(st.floats(0, 1, width=32), max_size=300))
def test_utterances_never_overlap_and_never_end_before_they_begin(speech):
    found = [one for one in utterances(speech) if one.final]
    assert all(one.start_s < one.end_s for one in found)
    assert all(one.end_s <= other.end_s and one.start_s < other.start_s for one, other in pairwise(found))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=300))
def test_a_label_is_the_likeliest_or_above_where_it_is_dropped_and_only_while_somebody_speaks(said):
    for one in read([speech for speech, _ in said], [angry for _, angry in said], DecideSettings(hold_s=0))[0]:
        assert one.speaking or one.leaning == one.label == -1
        assert one.leaning_confidence >= one.confidence >= (0.3 if one.label >= 0 else 0)
        assert one.label in (-1, one.leaning) or one.confidence >= 0.3


def test_while_somebody_speaks_a_label_outlasts_decisions_that_the_window_is_too_short_for():
    one, labels = Decider(LABELS, 0.4, PROMPT), []
    for k in range(20):
        labels.append(one.push(k, 0.9, [0.8, 0.2] if k % 3 else [0.0, 0.0]).label)
    assert labels == [-1] + [0] * 19


def test_an_utterance_lasts_through_its_pauses_and_longer_than_its_label():
    told, _ = read([0.9] * 10 + [0.0] * 14)
    assert [one.lasts for one in told] == [True] * 20 + [False] * 4
