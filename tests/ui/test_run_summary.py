"""What a run sums up to, in the plain lines and below the live view."""

from __future__ import annotations

from made import spoken, started

from rtser.events import EndEvent
from rtser.ui.run_summary import RunSummary

END = EndEvent(60.0, 900, 0, 0, {}, {})


def summary(*events, **about):
    summed = RunSummary(("angry", "neutral", "sad"))
    for event in (started(), *events):
        summed.take(event)
    return "\n".join(row.plain for row in summed.rows(END, **about))


def said(start_s, label):
    named = label or "neutral"
    others = {one: 0.1 for one in ("angry", "neutral", "sad") if one != named}
    return spoken(start_s, start_s + 2.0, label, {named: 0.8, **others})


def test_it_says_how_long_it_was_and_which_emotions_it_held():
    shown = summary(said(1, "angry"), said(4, "angry"), said(8, "sad"), said(12, None))
    assert "  overall 0:08.0 of speech in 1:00.0 of sound: angry 50%, sad 25%, uncertain 25%; " in shown
    assert "; angry is likeliest on average (" in shown


def test_turning_points_are_where_the_next_named_emotion_is_another_one():
    shown = summary(said(1, "neutral"), said(4, None), said(8, "angry"), said(12, "angry"), said(50, "sad"))
    assert shown.splitlines()[-1].strip() == "turning points: 0:08.0 neutral to angry"


def test_of_many_turning_points_the_last_are_named():
    shown = summary(*[said(3 * k, ("angry", "sad")[k % 2]) for k in range(10)])
    assert "turning points: 9, the last 0:15.0 angry to sad" in shown


def test_what_is_wrong_with_the_level_is_said():
    assert "the sound: too quiet" in summary(said(1, "sad"), level_findings="too quiet")
    assert summary(level_findings="no signal").splitlines()[-1].strip() == "the sound: no signal"


def test_what_was_forgotten_does_not_count():
    summed = RunSummary(("angry", "neutral", "sad"))
    summed.begin(10.0)
    summed.take(said(9, "angry"))
    assert "0:50.0 of sound, no speech found" in summed.rows(END)[0].plain


def test_after_a_new_beginning_it_says_since_when():
    summed = RunSummary(("angry", "neutral", "sad"))
    summed.begin(10.0)
    summed.take(said(12, "angry"))
    assert summed.rows(END)[0].plain.startswith("  since 0:10.0: 0:02.0 of speech in 0:50.0 of sound: angry 100%")
