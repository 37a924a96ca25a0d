"""What a person changes of a running session: done between two decisions, and told in events."""

from __future__ import annotations

import threading

import numpy as np
from conftest import sound

from rtser.audio.source import MemorySource
from rtser.controls import Controls
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, window_segments
from rtser.engine.decider import Decider, DecideSettings
from rtser.session import Session

LOUD = np.concatenate([sound(1.0, seed=5, level=0.3)[: 12 * HOP_SAMPLES]] * 4)
QUICK = DecideSettings(onset_s=0.12, speech_enter=0.6)


def run(model, *asked, decide=QUICK, sound=LOUD):
    """All events of a session; `asked`: what is asked of its controls before which hop."""
    session = Session(model, decide=decide)

    def hops():
        for number, at in enumerate(range(0, len(sound), HOP_SAMPLES)):
            for when, ask in asked:
                if when == number:
                    ask(session.controls)
            yield sound[at : at + HOP_SAMPLES]

    return session, list(session.events(MemorySource(hops())))


def of(events, kind):
    return [event for event in events if event.type == kind]


def test_controls_begin_with_the_sessions_own_threshold_and_window(model):
    controls = Session(model, 2.0, DecideSettings(label_threshold=0.55)).controls
    assert (controls.label_threshold, controls.window_s) == (0.55, 2.0)
    assert Session(model).controls.label_threshold == model.metadata.label_threshold


def test_another_threshold_is_told_and_the_utterance_goes_on(model):
    before, after = run(model)[1], run(model, (20, lambda controls: controls.move_threshold(12)))[1]
    (told,) = of(after, "settings")
    assert told.changed == {"decide.label_threshold": 1.0}
    assert [one.emotions for one in of(before, "decision")] == [one.emotions for one in of(after, "decision")]
    assert [(one.start, one.end) for one in of(before, "utterance")] == [
        (one.start, one.end) for one in of(after, "utterance")
    ]
    assert of(before, "utterance")[-1].label is not None
    assert of(after, "utterance")[-1].label is None


def test_a_threshold_below_the_leave_threshold_takes_it_along_there_and_back(model, monkeypatch):
    decide = QUICK.model_copy(update={"label_threshold": 0.6, "leave_threshold": 0.55})
    obeyed, change = [], Decider.change

    def note(decider, settings):
        change(decider, settings)
        obeyed.append((decider._enter, decider._leave))

    monkeypatch.setattr(Decider, "change", note)
    moves = [(at, lambda controls, steps=steps: controls.move_threshold(steps)) for at, steps in ((5, -6), (9, 6))]
    _, events = run(model, *moves, decide=decide)
    assert obeyed[-3:] == [(0.6, 0.55), (0.3, 0.3), (0.6, 0.55)]
    assert [one.changed for one in of(events, "settings")] == [
        {"decide.label_threshold": 0.3, "decide.leave_threshold": 0.3},
        {"decide.label_threshold": 0.6, "decide.leave_threshold": 0.55},
    ]


def test_a_threshold_above_the_leave_threshold_leaves_it(model):
    decide = QUICK.model_copy(update={"label_threshold": 0.6, "leave_threshold": 0.3})
    _, events = run(model, (5, lambda controls: controls.move_threshold(-2)), decide=decide)
    assert of(events, "settings")[0].changed == {"decide.label_threshold": 0.5}


def test_a_new_beginning_asked_for_while_the_last_one_is_looked_up_is_not_lost(monkeypatch):
    controls, is_set = Controls(), threading.Event.is_set

    def asked_meanwhile(event):
        before = is_set(event)
        controls.restart()
        return before

    with monkeypatch.context() as patched:
        patched.setattr(threading.Event, "is_set", asked_meanwhile)
        assert not controls.take_restart()
    assert controls.take_restart()


def test_another_window_ends_the_utterance_and_begins_anew_while_time_goes_on(model):
    session, events = run(model, (24, Controls.next_window))
    (told,) = of(events, "settings")
    assert told.changed == {"window_s": session.controls.window_s}
    assert session.window == window_segments(session.controls.window_s)
    at = events.index(told)
    assert events[at - 1].type == "utterance"
    assert told.time == 24 * HOP_SAMPLES / SAMPLE_RATE
    assert next(one for one in events[at:] if one.type == "decision").time == told.time + 0.335
    assert events[-1].time == len(LOUD) / SAMPLE_RATE


def test_in_a_pause_there_are_no_decisions_and_time_goes_on(model):
    _, events = run(model, (12, Controls.pause), (36, Controls.pause))
    times = [one.time for one in of(events, "decision")]
    assert [time for time in times if 12 < time * SAMPLE_RATE / HOP_SAMPLES < 36] == []
    assert times[-1] > 36 * HOP_SAMPLES / SAMPLE_RATE
    assert [one.detail for one in of(events, "source")] == ["paused", "paused for 1.4 s"]
    assert events[-1].dropped_samples == 24 * HOP_SAMPLES
    assert events[-1].time == len(LOUD) / SAMPLE_RATE


def test_after_a_new_beginning_decisions_are_those_of_a_new_stream(model):
    _, anew = run(model, (24, Controls.restart))
    alone = run(model, sound=LOUD[24 * HOP_SAMPLES :])[1]
    again = [one.emotions for one in of(anew, "decision") if one.time * SAMPLE_RATE > 24 * HOP_SAMPLES]
    assert again == [one.emotions for one in of(alone, "decision")]


def test_a_session_without_any_changes_tells_of_none(model):
    _, events = run(model)
    assert of(events, "settings") == of(events, "source") == []
