"""Intervals by bootstrap over speakers."""

from __future__ import annotations

import numpy as np
import pytest
from rtser_train.intervals import mean_of_recalls, poisson, ratio
from rtser_train.metrics import interval


def case(speakers, each, rng):
    """Half of the speakers are always understood, the others never."""
    units = [f"s{number}" for number in range(speakers) for _ in range(each)]
    emotions = rng.choice(["angry", "sad"], len(units))
    hits = np.array([float(number % 2) for number in range(speakers) for _ in range(each)])
    return units, emotions, hits


def test_speakers_are_drawn_and_not_utterances():
    units, emotions, hits = case(10, 100, np.random.default_rng(0))
    low, high = mean_of_recalls(units, emotions, hits, seed=0)
    narrow_low, narrow_high = interval(emotions, hits)
    assert low < 25
    assert high > 75
    assert narrow_high - narrow_low < 8


def test_the_statistic_is_the_mean_recall_of_the_emotions():
    units = ["a", "a", "a", "b", "b", "b"]
    emotions = ["angry", "angry", "sad"] * 2
    assert mean_of_recalls(units, emotions, [1, 0, 1] * 2, seed=0) == pytest.approx((75, 75))


def test_differences_of_two_systems_may_be_below_zero():
    low, high = mean_of_recalls(["a", "b", "c"], ["sad"] * 3, [-1, -1, 0], seed=0)
    assert (low, high) == (-100, 0)


def test_one_speaker_has_no_interval():
    assert mean_of_recalls(["a", "a"], ["angry", "sad"], [1, 0], seed=0) is None
    assert ratio(["a"], [1], [1], seed=0) is None


def test_an_emotion_that_a_resample_lacks_is_left_out_of_its_mean():
    low, high = mean_of_recalls(["a", "b"], ["angry", "sad"], [1, 0], seed=0)
    assert (low, high) == (0, 100)


def test_a_ratio_is_of_the_sums():
    assert ratio(["a", "b", "b"], [1, 2, 0], [2, 4, 0], seed=0) == pytest.approx((50, 50))


def test_the_seed_decides_the_resamples():
    units, emotions, hits = case(7, 5, np.random.default_rng(1))
    assert mean_of_recalls(units, emotions, hits, seed=1) == mean_of_recalls(units, emotions, hits, seed=1)


def test_no_event_in_an_hour_is_no_proof_of_none():
    low, high = poisson(0, 1.0)
    assert low == 0
    assert high == pytest.approx(3.69, abs=0.01)
    assert poisson(10, 2.0) == pytest.approx((4.795 / 2, 18.39 / 2), rel=1e-3)
