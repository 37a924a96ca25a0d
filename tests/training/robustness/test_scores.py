"""From what models said to figures."""

from __future__ import annotations

import numpy as np
import pytest
from rtser_train.robustness.hearing import Heard, Outcomes
from rtser_train.robustness.listening import Told
from rtser_train.robustness.results import CoveragePoint, Detail
from rtser_train.robustness.scores import Scorer, reliability
from rtser_train.robustness.selection import Selection, Spoken
from training.small_corpus import spoken

LABELS = ("angry", "happy", "sad")
NOTHING = [np.nan] * 3


def selection(*said):
    """Utterances from (emotion, speaker, sex)."""
    found = [Spoken(spoken(f"{at}.wav", one, who, sex), one) for at, (one, who, sex) in enumerate(said)]
    emotions = tuple(label for label in LABELS if label in {one.emotion for one in found})
    return Selection("mine", tuple(found), emotions, {}, {}, len(found))


@pytest.fixture
def case():
    """Four utterances of two speakers: right and sure, right, taken for what the corpus lacks, not decided."""
    chosen = selection(("angry", "ann", "female"), ("sad", "ann", "female"), ("angry", "bob", ""), ("sad", "bob", ""))
    rows = [[0.9, 0.1, 0.0], [0.3, 0.3, 0.4], [0.2, 0.7, 0.1], NOTHING]
    return Scorer(chosen, 0), Outcomes.of([Heard(np.array(row, np.float32), []) for row in rows], LABELS, True)


def test_a_label_that_the_corpus_lacks_and_no_decision_are_wrong(case):
    scorer, outcomes = case
    score = scorer.score(outcomes, 0.5, None)
    assert score.ua.value == pytest.approx(50)
    assert score.recall == {"angry": 50, "sad": 50}
    assert score.undecided == 25


def test_named_is_what_reaches_the_threshold(case):
    scorer, outcomes = case
    score = scorer.score(outcomes, 0.5, None)
    assert (score.named.value, score.right_of_named.value) == (50, 50)
    assert scorer.score(outcomes, 0.95, None).right_of_named.value is None


def test_calibration_is_of_the_utterances_with_a_decision(case):
    scorer, outcomes = case
    expected = 100 * (abs(0.9 - 1) + abs(0.4 - 1) + abs(0.7 - 0)) / 3
    assert scorer.score(outcomes, 0.5, None).calibration_error == pytest.approx(expected, abs=1e-3)


def test_a_condition_is_compared_with_clean_speech_utterance_by_utterance(case):
    scorer, outcomes = case
    assert scorer.score(outcomes, 0.5, None).less_clean is None
    less = scorer.score(outcomes, 0.5, outcomes).less_clean
    assert (less.value, less.interval) == (0, (0, 0))


def test_risk_grows_with_coverage_and_utterances_without_a_decision_come_last(case):
    scorer, outcomes = case
    points = {one.coverage: one for one in scorer.coverage(outcomes)}
    assert [points[one].risk for one in (25, 50, 75, 100)] == pytest.approx([0, 50, 100 / 3, 50])
    assert [points[one].confidence for one in (25, 100)] == pytest.approx([0.9, 0])


def test_a_stated_risk_gives_the_threshold_that_names_most_within_it():
    risks = [(10, 0.0, 0.9), (20, 30.0, 0.8), (30, 20.0, 0.6), (40, 50.0, 0.0)]
    points = [CoveragePoint(coverage=coverage, risk=risk, confidence=least) for coverage, risk, least in risks]
    detail = Detail.model_construct(coverage=points)
    assert [detail.threshold(risk).confidence for risk in (0, 20, 30, 60)] == [0.9, 0.6, 0.6, 0.6]
    assert Detail.model_construct(coverage=points[1:]).threshold(10) is None


def test_sex_counts_where_the_corpus_says_it_and_speakers_by_name(case):
    scorer, outcomes = case
    assert {sex: one.ua.value for sex, one in scorer.by_sex(outcomes).items()} == {"female": 100}
    assert {name: one.ua.value for name, one in scorer.by_speaker(outcomes).items()} == {"ann": 100, "bob": 0}


def test_confusions_have_a_column_for_no_decision(case):
    scorer, outcomes = case
    assert scorer.confusion(outcomes) == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_reliability_has_a_bin_for_each_tenth_of_confidence(case):
    _, outcomes = case
    bins = reliability(outcomes, np.array(["angry", "sad", "angry", "sad"]))
    assert (len(bins), sum(one.count for one in bins)) == (10, 3)
    assert (bins[4].low, bins[4].count, bins[4].accuracy) == (0.4, 1, 1)
    assert bins[0].accuracy is None


def test_seconds_of_speech_are_a_share_of_the_final_ua(case):
    scorer, _ = case
    rows = [Heard(np.array([0.9, 0.1, 0.0], np.float32), [-1] * 4 + [2] * 4), *[Heard(np.array(NOTHING), [])] * 3]
    outcomes = Outcomes.of(rows, LABELS, True)
    first, *_, last = scorer.speech([outcomes])
    assert (first.seconds, first.scores[0].ua.value, first.scores[0].share, first.scores[0].undecided) == (
        0.5,
        0,
        0,
        100,
    )
    assert (last.seconds, last.scores[0].ua.value, last.scores[0].share) == (3, 25, 100)
    assert len(scorer.curve(outcomes)) == 9


def test_two_models_are_compared_on_the_same_utterances(case):
    scorer, _ = case
    better, worse = np.ones(4), np.array([1.0, 1, 0, 0])
    assert scorer.difference([worse]) is None
    difference = scorer.difference([better, worse])
    assert difference.value == -50
    assert difference.interval == (-100, 0)


def test_joined_utterances_are_named_or_not_and_right_or_not(case):
    scorer, _ = case
    told = Told(np.array([1, 2, 3]), np.array([2, -1, 0]))
    score = scorer.joined(told, LABELS)
    found = [score.named.value, score.right_of_named.value, score.right.value]
    assert found == pytest.approx([200 / 3, 50, 100 / 3])
