"""tools/measure_voice.py on cases made by hand."""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pytest
from conftest import ROOT

from rtser.testing import tiny_model

pytest.importorskip("rtser_train")
sys.path.insert(0, str(ROOT / "tools"))
import measure_voice

TINY = tiny_model()
AVERAGE = np.log([0.2, 0.6, 0.2])


def heard(emotion, *probabilities, segments=40):
    """An utterance whose window says the same all along."""
    rows = np.tile(np.array(probabilities, np.float32), (segments, 1))
    return measure_voice.Heard(emotion, rows, np.full(segments, 0.9, np.float32))


NEUTRAL = heard("neutral", 0.1, 0.4, 0.5)  # this speaker sounds sad when neutral
SPEAKER = [NEUTRAL] * 3 + [heard("angry", 0.4, 0.1, 0.5), heard("sad", 0.1, 0.1, 0.8)]


def options(**more):
    return argparse.Namespace(**{"seed": 0, "seeds": 1, "enrol": 2, "others": 0, "strengths": (0.0, 0.5)} | more)


def test_ua_without_and_with_the_voice():
    counts, tests = measure_voice.measured(TINY, {"eve": SPEAKER}, AVERAGE, options())
    assert tests == 3
    assert [measure_voice.accuracy(one.sum(axis=0)) for one in counts] == pytest.approx([100 / 3, 100])


def test_every_draw_counts_and_speakers_of_too_few_neutral_utterances_do_not():
    counts, tests = measure_voice.measured(
        TINY, {"bob": SPEAKER[2:], "eve": SPEAKER}, AVERAGE, options(seeds=3, enrol=1)
    )
    assert counts.shape == (2, 1, 2, 3)
    assert tests == 4
    assert counts[0].sum(axis=0)[1].tolist() == [3, 6, 3]


def test_others_are_heard_and_not_tested():
    _, tests = measure_voice.measured(TINY, {"eve": SPEAKER}, AVERAGE, options(others=1))
    assert tests == 2


def test_a_file_without_an_utterance_is_wrong():
    silent = measure_voice.Heard("sad", np.zeros((40, 3), np.float32), np.zeros(40, np.float32))
    assert measure_voice.right(TINY, [silent], None) == [False]
    assert measure_voice.enrolled(TINY, [silent]) is None


def test_a_row_has_intervals_for_enough_speakers_only():
    counts = np.stack([measure_voice.measured(TINY, {"eve": SPEAKER}, AVERAGE, options())[0][:, 0]] * 5, axis=1)
    assert measure_voice.gains(counts) == ["33.3", "100.0 (+66.7 to +66.7)"]
    assert measure_voice.gains(counts[:, :4]) == ["33.3", "100.0"]
