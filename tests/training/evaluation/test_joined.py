"""Labels on joined recordings, on a case made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from rtser_train.data.corpora import Recording
from rtser_train.evaluation import joined

from rtser.engine.contract import SAMPLE_RATE, segment_end_s
from rtser.engine.decision import Utterance

SEGMENTS = 80


def shown(*stretches, utterances=()):
    """Shown from stretches (first segment, number after the last, label, leaning, speech); silence elsewhere."""
    labels, leanings, speech = [None] * SEGMENTS, [None] * SEGMENTS, [0.0] * SEGMENTS
    for first, end, label, leaning, probability in stretches:
        for place in range(first, end):
            labels[place], leanings[place], speech[place] = label, leaning, probability
    speaking = [one >= 0.4 for one in speech]
    times_s = [segment_end_s(place) for place in range(SEGMENTS)]
    return joined.Shown(times_s, labels, leanings, speech, speaking, list(utterances))


def utterance(first, last, label):
    return Utterance.of(first, last, {"angry": 0.3, "sad": 0.3, "happy": 0.3} | {label: 0.9}, 0.5, final=True)


@pytest.fixture
def case():
    """Four recordings: angry; sad, where angry lasts until its own label; happy, never named; sad, told as angry."""
    says = shown(
        (5, 10, None, None, 0.9),
        (10, 20, "angry", "angry", 0.9),
        (20, 23, "angry", "angry", 0.45),  # the pause; the label lasts, and somebody speaks still
        (23, 26, "angry", "angry", 0.9),  # the second recording's speech begins at segment 23
        (26, 28, None, "sad", 0.9),
        (28, 33, "happy", "happy", 0.9),
        (33, 36, None, "sad", 0.9),
        (36, 40, "sad", "sad", 0.9),
        (45, 55, None, "happy", 0.9),
        (62, 65, None, None, 0.9),
        (65, 75, "angry", "sad", 0.9),
        utterances=[utterance(5, 22, "angry"), utterance(23, 39, "sad"), utterance(62, 74, "angry")],
    )
    bounds = [("angry", 5, 20), ("sad", 23, 40), ("happy", 45, 55), ("sad", 62, 75)]
    parts = [joined.Part(name, segment_end_s(a) - 0.01, segment_end_s(b) - 0.01) for name, a, b in bounds]
    return says, parts


def test_each_figure_of_a_case_made_by_hand(case):
    found = dict(zip(joined.FIGURES, joined.figures(*case), strict=True))
    hops = 15 + 3 + 17 + 10 + 13
    assert found == pytest.approx(
        {
            "utterances": 3,
            "named %": 200 / 3,
            "right of named %": 50,
            "right of all %": 100 / 3,
            "likeliest right %": 100,
            "previous first %": 50,  # angry lasts in the second; the last one is angry after happy; nothing in happy
            "no label %": 100 / 3,
            "first label s": 0.335 + 0.06 * (5 + 3) / 2,  # after 5 hops in the second, and 3 in the last
            "first right label s": 0.335 + 0.06 * 13,
            "emotion changes/s": 2 / (0.06 * hops),  # angry to happy and happy to sad, in the second utterance
            "shown changes/s": 6 / (0.06 * hops),  # angry, none, happy, none, sad, and the last one's angry
        }
    )


def test_a_label_that_lasts_into_a_recording_is_no_label_of_its_own():
    says = shown((5, 30, "sad", "sad", 0.9), utterances=[utterance(5, 29, "sad")])
    part = joined.Part("sad", segment_end_s(15), segment_end_s(30))
    found = joined.heard(says, part, None)
    assert (found.first, found.wait_s, found.right_wait_s) == ("sad", None, None)


def test_what_the_next_utterance_names_is_no_change_within_one():
    says = shown(
        (5, 15, "sad", "sad", 0.9),
        (25, 35, "happy", "happy", 0.9),
        utterances=[utterance(5, 14, "sad"), utterance(25, 34, "happy")],
    )
    assert joined.emotion_changes(says) == 0
    assert joined.shown_changes(says) == 2


def test_recordings_are_joined_with_pauses_and_know_their_places(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(SAMPLE_RATE, 0.5), SAMPLE_RATE)
    recording = Recording(path, "mine", "eve", "sad", "")
    samples, parts = joined.join([(recording, "sad"), (recording, "happy")], (0.5, 1.0), np.random.default_rng(0))
    assert [part.emotion for part in parts] == ["sad", "happy"]
    assert parts[0].start_s == 1
    assert 0.5 <= parts[1].start_s - parts[0].end_s <= 1
    for part in parts:
        assert (samples[round(part.start_s * SAMPLE_RATE) + 1 : round(part.end_s * SAMPLE_RATE) - 1] > 0.4).all()
