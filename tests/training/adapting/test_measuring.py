"""What adapting is worth."""

from __future__ import annotations

import re

import pytest
from rtser_train.adapting.measuring import measure
from training.bags import a_bag

EMOTIONS = ["angry", "happy", "sad"]


def measured(people, before, after, apart=True):
    """Of each speaker one recording of class 0 and one of class 2."""
    bags = [a_bag(20, label=label, speaker=speaker) for speaker in people for label in (0, 2)]
    return measure(bags, before * len(people), after * len(people), EMOTIONS, apart)


def test_recall_and_its_mean_are_of_the_emotions_that_occur():
    found = measured("ab", before=[0, 1], after=[0, 2])
    assert found.ua == (50, 100)
    assert found.recall == {"angry": ((100, 100), 2), "sad": ((0, 100), 2)}
    assert found.speakers == {"a": (50, 100), "b": (50, 100)}
    assert found.recordings == 4


def test_a_recording_without_a_decision_is_wrong():
    assert measured("ab", before=[-1, 2], after=[-1, -1]).ua == (50, 0)


def test_five_speakers_give_an_interval_and_four_do_not():
    assert measured("abcd", [0, 1], [0, 2]).interval is None
    assert measured("abcde", [0, 1], [0, 2]).interval == (50, 50)
    assert measured("abcde", [0, 1], [0, 2], apart=False).interval is None


def test_the_interval_is_wide_where_speakers_differ():
    bags = [a_bag(20, label=0, speaker=speaker) for speaker in "abcdef"]
    found = measure(bags, [0, 0, 0, 1, 1, 1], [1, 1, 0, 0, 0, 0], EMOTIONS, True)
    low, high = found.interval
    assert low < found.ua.gain < high
    assert found.ua.gain == pytest.approx(100 / 6)


@pytest.mark.parametrize(
    ("people", "before", "after", "apart", "says"),
    [
        ("ab", [0, 2], [0, 1], True, "Adapting does not help on speakers that it was not adapted on"),
        ("ab", [0, 1], [0, 1], True, "keep default"),
        ("ab", [0, 1], [0, 2], True, "These are few speakers"),
        ("abcde", [0, 1], [0, 2], True, r"Adapting helps on speakers .* after\)\.$"),
        ("a", [0, 1], [0, 2], False, "That says nothing about other people"),
    ],
)
def test_the_verdict_says_what_was_found(people, before, after, apart, says):
    verdict = measured(people, before, after, apart).verdict("default")
    assert re.search(says, verdict), verdict


def test_a_gain_that_may_be_chance_is_told_as_such():
    bags = [a_bag(20, label=0, speaker=speaker) for speaker in "abcdef"]
    found = measure(bags, [0, 0, 0, 1, 1, 1], [1, 1, 0, 0, 0, 0], EMOTIONS, True)
    assert "may be chance" in found.verdict("default")
