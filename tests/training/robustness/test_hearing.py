"""What a model says of utterances."""

from __future__ import annotations

import numpy as np
import pytest
from rtser_train.evaluation.streaming import file_decision
from rtser_train.robustness.hearing import NONE, Heard, Outcomes, hear

import rtser as library
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES
from rtser.engine.stream import Stream

LABELS = ("angry", "sad")


@pytest.fixture(scope="module")
def shipped():
    return library.load(provider="cpu")


def heard(probabilities, *so_far):
    return Heard(np.array(probabilities, np.float32), list(so_far))


def test_what_is_decided_after_some_speech_is_what_the_cut_file_gives(shipped, voice):
    samples = voice[: 4 * SAMPLE_RATE]
    so_far = hear(shipped, samples).so_far
    steps = list(Stream(shipped).steps(samples))
    ends = [SEGMENT_SAMPLES + place * HOP_SAMPLES for place, one in enumerate(steps) if one.speech[0] > 0.5]
    assert len(ends) == len(so_far) > 20
    for place in range(0, len(ends), 6):
        cut = file_decision(list(Stream(shipped).steps(samples[: ends[place]])))
        assert [*shipped.labels, ""][so_far[place]] == cut


def test_the_probabilities_are_those_of_the_step_that_decides(shipped, voice):
    samples = voice[: 3 * SAMPLE_RATE]
    found = hear(shipped, samples)
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-3)
    assert shipped.labels[int(found.probabilities.argmax())] == file_decision(list(Stream(shipped).steps(samples)))


@pytest.mark.parametrize("length", [0, 100, SAMPLE_RATE])
def test_silence_and_too_short_sounds_are_not_decided_on(shipped, length):
    found = hear(shipped, np.zeros(length, np.float32))
    assert np.isnan(found.probabilities).all()
    assert found.so_far == []


def test_an_utterance_without_a_decision_has_no_label_and_no_confidence():
    outcomes = Outcomes.of([heard([np.nan, np.nan]), heard([0.3, 0.7])], LABELS, so_far=False)
    assert outcomes.decided.tolist() == ["", "sad"]
    assert outcomes.confidence.tolist() == pytest.approx([0, 0.7])
    assert outcomes.undecided.tolist() == [True, False]


def test_an_utterance_shorter_than_the_cut_is_heard_to_its_end():
    said = [heard([0.9, 0.1], NONE, 1), heard([0.2, 0.8], NONE, 0, 0, 0)]
    outcomes = Outcomes.of(said, LABELS, so_far=True)
    assert outcomes.after(0.34).tolist() == ["", ""]
    assert outcomes.after(0.40).tolist() == ["sad", "angry"]
    assert outcomes.after(0.46).tolist() == ["angry", "angry"]
    assert outcomes.after(60).tolist() == outcomes.decided.tolist() == ["angry", "sad"]
