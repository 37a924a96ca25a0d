"""What a recording comes to."""

from __future__ import annotations

import pytest
from made import spoken

from rtser.summary import Tally, summarise

LIKELY = {"neutral": 0.3, "angry": 0.2, "sad": 0.5}


def said(start_s, label):
    return spoken(start_s, start_s + 1.0, label, LIKELY)


def test_the_shares_are_of_the_speech_and_add_up_to_one():
    figures = summarise(60.0, [said(0, "sad"), said(2, None), said(4, "angry"), said(6, "sad")])
    assert (figures.seconds, figures.speech_s, figures.utterances) == (60.0, 4.0, 4)
    assert figures.shares == {"sad": 0.5, "uncertain": 0.25, "angry": 0.25}
    assert next(iter(figures.shares)) == "sad"


def test_its_figures_are_told_to_the_millisecond():
    told = summarise(1 / 3, [said(0, "sad"), said(2, None), spoken(4 + 1 / 3, 6, "angry", LIKELY)]).content()
    assert (told["seconds"], told["speech_seconds"]) == (0.333, 3.667)
    assert told["shares"] == {"angry": 0.455, "sad": 0.273, "uncertain": 0.273}
    assert told["turning_points"] == [{"time": 4.333, "before": "sad", "after": "angry"}]


def test_silence_has_no_shares():
    assert summarise(60.0, []).shares == {}


def test_a_turning_point_is_where_the_next_named_emotion_is_another_one():
    figures = summarise(60.0, [said(0, "neutral"), said(2, None), said(4, "angry"), said(6, "angry")])
    assert [(turn.time, turn.before, turn.after) for turn in figures.turns] == [(4, "neutral", "angry")]


@pytest.mark.parametrize(("later_s", "count"), [(30.9, 1), (31.1, 0)])
def test_utterances_more_than_half_a_minute_apart_are_no_turning_point(later_s, count):
    assert len(summarise(60.0, [said(0, "neutral"), said(later_s, "angry")]).turns) == count


def test_a_tally_sums_up_utterance_by_utterance_and_keeps_only_the_last_turning_points():
    tally = Tally(kept_turns=2)
    for number in range(6):
        tally.add(said(2.0 * number, ("angry", "sad")[number % 2]))
    assert tally.turn_count == 5
    assert [(turn.time, turn.after) for turn in tally.turns] == [(8, "angry"), (10, "sad")]
    assert tally.means() == pytest.approx(LIKELY)
    assert tally.summary(60.0).shares == {"angry": 0.5, "sad": 0.5}
