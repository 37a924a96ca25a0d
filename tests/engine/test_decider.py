from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from reference_decider import ReferenceDecider

from rtser.engine.contract import segment_end_s
from rtser.engine.decider import Deciders, DecideSettings
from rtser.errors import ArgumentError

PROMPT = DecideSettings(smoothing_s=0, hold_s=0, onset_s=0, hangover_s=0.36, silence_s=0.6)
LABELS = ("angry", "sad")


def deciders(rows, settings=PROMPT, label_threshold=0.4, labels=LABELS):
    made = Deciders(labels, label_threshold, settings)
    made.grow(rows)
    return made


def read(speech, angry=0.8, settings=PROMPT, **more):
    """What one stream's decider says of each segment, and all its utterances."""
    one, told, found = deciders(1, settings, **more), [], []
    angry = angry if isinstance(angry, list) else [angry] * len(speech)
    for k, (heard, share) in enumerate(zip(speech, angry, strict=True)):
        emotions = [[share, 1 - share] if heard > 0.1 else [0, 0]]
        readings = one.push(slice(None), np.array([k]), np.array([heard], np.float32), np.array(emotions, np.float32))
        told.append(readings)
        found += [utterance for _, utterance in readings.utterances]
    last = one.clear(0)
    return told, [*found, last] if last else found


def utterances(speech, settings=PROMPT, **more):
    return read(speech, settings=settings, **more)[1]


def labels(angry, settings):
    return [LABELS[one.label[0]] if one.label[0] >= 0 else None for one in read([0.9] * len(angry), angry, settings)[0]]


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
    named = [bool(one.label[0] >= 0) for one in told]
    assert named[:10] == [True] * 10
    assert not any(named[16:])
    assert [bool(one.speaking[0]) for one in told] == [True] * 15 + [False] * 15


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
    assert [one.label[0] for one in told] == [-1] * 20
    assert [one.leaning[0] for one in told] == [0] * 20
    assert told[-1].leaning_confidence[0] == pytest.approx(0.52)
    assert told[-1].confidence[0] == 0


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


def test_it_is_idle_where_no_utterance_lasts_and_none_may_be_beginning():
    one, idle = deciders(1, DecideSettings(onset_s=0.3, silence_s=0.6)), []
    for k, heard in enumerate([0.0] * 3 + [0.9] * 4 + [0.0] + [0.9] * 6 + [0.0] * 12):
        one.push(slice(None), np.array([k]), np.array([heard], np.float32), np.array([[0.8, 0.2]], np.float32))
        idle.append(bool(one.idle(slice(None))[0]))
    assert idle == [True] * 3 + [False] * 4 + [True] + [False] * 15 + [True] * 3


def test_clearing_a_row_tells_what_it_cuts_off_and_forgets_it():
    both = deciders(2)
    for k in range(10):
        both.push(slice(None), np.array([k, k]), np.full(2, 0.9, np.float32), np.full((2, 2), 0.5, np.float32))
    assert both.clear(0).end_s == pytest.approx(segment_end_s(9))
    assert both.clear(0) is None
    assert both.idle(slice(None)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"leave_threshold": 0.5}, "model's label threshold"),
        ({"label_threshold": 0.3, "leave_threshold": 0.5}, "above"),
    ],
)
def test_an_emotion_cannot_be_dropped_above_where_it_is_named(settings, message):
    with pytest.raises((ArgumentError, ValueError), match=message):
        deciders(1, DecideSettings(**settings))


@pytest.mark.parametrize("wrong", [{"silence_s": 0.3}, {"onset_s": -1}, {"hold_s": float("nan")}, {"unknown": 1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DecideSettings(**wrong)


seconds = st.sampled_from([0, 0.06, 0.3, 0.42, 0.6, 1.2])
some_settings = st.builds(
    DecideSettings,
    smoothing_s=seconds,
    hold_s=seconds,
    onset_s=seconds,
    hangover_s=seconds,
    silence_s=st.sampled_from([0.36, 0.6, 1.2]),
    report_s=st.sampled_from([1, 2, 10]),
    label_threshold=st.sampled_from([None, 0.3, 0.5]),
    leave_threshold=st.sampled_from([None, 0.2]),
)


@limits(deadline=None, max_examples=60)
@given(some_settings, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_many_rows_at_once_are_decided_as_each_alone_in_plain_python(settings, rows, seed):
    rng, kinds = np.random.default_rng(seed), 3
    many = deciders(rows, settings, labels=("a", "b", "c"))
    plain = [ReferenceDecider(kinds, 0.4, settings) for _ in range(rows)]
    counts = np.zeros(rows, np.int64)
    level = np.zeros(rows)
    for _ in range(150):
        some = np.flatnonzero(rng.random(rows) < 0.8)  # each step has decisions of other rows
        if not len(some):
            continue
        level = np.where(rng.random(rows) < 0.1, rng.random(rows), level)  # stretches of speech and of silence
        speech = np.clip(level + rng.normal(0, 0.1, rows), 0, 1).astype(np.float32)[some]
        emotions = rng.dirichlet(np.ones(kinds), len(some)).astype(np.float32) * (rng.random((len(some), 1)) < 0.8)
        readings = many.push(some if len(some) < rows else slice(None), counts[some], speech, emotions)
        told = dict(readings.utterances)
        for place, row in enumerate(some.tolist()):
            heard = float(speech[place]), [float(one) for one in emotions[place]]
            speaking, label, confidence, leaning, likeliest, utterance = plain[row].push(int(counts[row]), *heard)
            assert readings.speaking[place] == speaking
            assert readings.label[place] == (-1 if label is None else label)
            assert readings.confidence[place] == pytest.approx(confidence or 0.0, abs=1e-12)
            assert readings.leaning[place] == (-1 if leaning is None else leaning)
            assert readings.leaning_confidence[place] == pytest.approx(likeliest or 0.0, abs=1e-12)
            assert (place in told) == (utterance is not None)
            if utterance:
                first, last, means, final = utterance
                ours = told[place]
                assert (ours.start_s, ours.end_s, ours.final) == (first * 960 / 16_000, segment_end_s(last), final)
                assert list(ours.emotions.values()) == pytest.approx(means)
        counts[some] += 1
    assert many.idle(slice(None)).tolist() == [one.idle for one in plain]


@given(st.lists(st.floats(0, 1, width=32), max_size=300))
def test_utterances_never_overlap_and_never_end_before_they_begin(speech):
    found = [one for one in utterances(speech) if one.final]
    assert all(one.start_s < one.end_s for one in found)
    assert all(one.end_s <= other.end_s and one.start_s < other.start_s for one, other in pairwise(found))
