from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import sound

from rtser.audio.pacing import HELD_S, PacedSource
from rtser.audio.source import Gap, MemorySource
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, segment_count
from rtser.engine.decider import DecideSettings
from rtser.errors import ArgumentError, InputError, OutputError
from rtser.session import Session
from rtser.sinks.retrying import RetryingSink
from rtser.statistics import RunStatistics
from rtser.testing import tiny_model

SOUND = sound(3.0)


class Collected:
    """A sink, of events and of sound."""

    def __init__(self, pause_s=0.0):
        self.events, self.blocks, self._pause_s = [], [], pause_s

    def write(self, event):
        time.sleep(self._pause_s)
        self.events.append(event)

    def write_audio(self, samples, start):
        self.blocks.append((start, len(samples)))

    def close(self):
        pass


def run(model, *chunks):
    sink = Collected()
    end = Session(model).run(MemorySource(chunks), [sink], [sink])
    return sink, end


def test_a_source_is_a_start_its_decisions_and_an_end(model):
    sink, end = run(model, SOUND)
    types = [event.type for event in sink.events if event.type != "utterance"]
    assert types == ["start", *["decision"] * segment_count(len(SOUND)), "end"]
    assert end is sink.events[-1]
    assert end.decisions == segment_count(len(SOUND))


def test_every_sink_gets_every_event_and_audio_sinks_know_where_a_block_lies_though_sound_is_missing(model):
    first, second = Collected(), Collected()
    chunks = [SOUND[:1000], SOUND[:500], Gap("lost", "gone"), Gap("open", "back", 800), SOUND[:300]]
    Session(model).run(MemorySource(chunks), [first, second], [first])
    assert first.events == second.events
    assert first.blocks == [(0, 1000), (1000, 500), (2300, 300)]


def decided_after_a_pause(seed):
    """The decisions from the middle of a pause on, on sound, a pause of 2 s and other sound; the window is 6 s."""
    first = np.zeros(0, np.float32) if seed is None else sound(2.0, seed)[: 33 * HOP_SAMPLES]
    chunks = [first, np.zeros(33 * HOP_SAMPLES, np.float32), sound(2.0, seed=9)]
    events = Session(tiny_model(window=100)).events(MemorySource([np.concatenate(chunks)]))
    decisions = [event.emotions for event in events if event.type == "decision"]
    return decisions[len(first) // HOP_SAMPLES + 20 :]


def test_what_was_said_before_a_pause_does_not_count_in_the_next_utterance(monkeypatch):
    alone, after = decided_after_a_pause(None), decided_after_a_pause(1)
    assert len(alone) == len(after) > 30
    for one, other in zip(alone, after, strict=True):
        assert (one is None) == (other is None)
        assert one is None or list(one.values()) == pytest.approx(list(other.values()), abs=1e-6)
    monkeypatch.setattr("rtser.engine.decider.Decider.idle", False)
    assert decided_after_a_pause(1) != after


def test_the_figures_of_a_run_are_of_that_run_alone(model):
    session, sink = Session(model), Collected()
    gap = Gap("skipped", "late", 960)
    ends = [session.run(MemorySource(chunks), [sink]) for chunks in ([SOUND, gap], [SOUND[:6000]])]
    assert [end.dropped_samples for end in ends] == [960, 0]
    assert session.statistics.timed_decisions == ends[1].decisions == segment_count(6000)


def test_missing_and_dropped_samples_are_counted_apart(model):
    _, end = run(model, SOUND, Gap("lost", "gone"), Gap("open", "back", 800), SOUND, Gap("skipped", "late", 960))
    assert (end.missing_samples, end.dropped_samples) == (800, 960)


class Live(MemorySource):
    """A source whose last sample was due 20 ms ago, by a clock of its own."""

    def lag_s(self):
        return 0.02


def test_latency_is_measured_at_the_decision_and_not_after_a_slow_consumer(model):
    end = Session(model).run(Live([SOUND[:8000]]), [Collected(pause_s=0.05)])
    ahead_s = 8000 / SAMPLE_RATE - 0.335  # the first segment of a long block was due that much earlier
    assert end.latency_ms["max"] == pytest.approx(1000 * (0.02 + ahead_s), abs=0.1)


def test_a_source_that_is_not_live_has_no_latency(model):
    _, end = run(model, SOUND)
    assert end.latency_ms == {"p50": None, "p99": None, "max": None}


def test_a_source_that_fails_is_told_after_the_end_of_what_it_gave(model):
    def broken():
        yield SOUND
        raise InputError("a.wav is damaged")

    sink = Collected()
    with pytest.raises(InputError, match="damaged"):
        Session(model).run(MemorySource(broken()), [sink])
    assert sink.events[-1].type == "end"
    assert sink.events[-1].decisions == segment_count(len(SOUND))


def test_a_snapshot_has_the_level_of_the_newest_block_and_an_empty_one_changes_nothing(model):
    session = Session(model)
    assert session.snapshot().level_db == -100
    loud = np.full(HOP_SAMPLES, 0.1, np.float32)
    session.run(MemorySource([loud, np.empty(0, np.float32)]), [])
    assert session.snapshot().level_db == pytest.approx(-20, abs=0.01)


def test_a_snapshot_can_be_taken_from_another_thread_all_the_time(model):
    session, done = Session(model), threading.Event()

    def look():
        seen = []
        while not done.is_set():
            seen.append(len(session.snapshot().steps_s))
        return seen

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look) for _ in range(2)]
        end = session.run(MemorySource([sound(60.0)]), [])
        done.set()
        for seen in (one.result() for one in looking):  # raises what was raised in the thread
            assert max(seen) <= end.decisions
            assert seen == sorted(seen)


def test_statistics_can_be_read_while_they_are_written():
    statistics, done = RunStatistics(), threading.Event()

    def write():
        while not done.is_set():
            statistics.note_decision(0.001, 0.01)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for _ in range(2_000):
            statistics.snapshot()
        statistics.step_ms()
        done.set()
        writing.result()


def test_two_runs_of_a_session_at_once_are_refused(model):
    session = Session(model)
    first = session.events(MemorySource([SOUND]))
    next(first)
    with pytest.raises(ArgumentError, match="one source at a time"):
        next(session.events(MemorySource([SOUND])))
    first.close()
    assert session.run(MemorySource([SOUND]), []).decisions == segment_count(len(SOUND))


def test_the_trouble_of_a_source_is_in_the_snapshot(model):
    session = Session(model)
    session.run(MemorySource([SOUND], trouble="the microphone is gone"), [])
    assert session.snapshot().trouble == "the microphone is gone"


def test_pacing_takes_its_time_and_changes_no_decision(model):
    plain, paced = Collected(), Collected()
    Session(model).run(MemorySource([SOUND[:16_000]]), [plain])
    before_s = time.monotonic()
    Session(model).run(PacedSource(MemorySource([SOUND[:16_000]]), 5, threading.Event()), [paced])
    assert time.monotonic() - before_s >= 0.2
    assert paced.events[1:-1] == plain.events[1:-1]


def test_a_paced_source_ends_when_it_is_told_to(model):
    stop = threading.Event()
    stop.set()
    assert Session(model).run(PacedSource(MemorySource([SOUND]), 1, stop), []).decisions == 0


def test_a_held_source_waits_and_loses_nothing(model):
    plain, held, asked = Collected(), Collected(), []

    def hold():
        asked.append(time.monotonic())
        return len(asked) in (3, 4)

    session = Session(model)
    session.controls.holds = True
    session.controls.pause()
    Session(model).run(MemorySource([SOUND[:16_000]]), [plain])
    session.run(PacedSource(MemorySource([SOUND[:16_000]]), 100, threading.Event(), held=hold), [held])
    assert asked[4] - asked[2] >= 0.1
    assert held.events[1:-1] == plain.events[1:-1]


class SlowToWake(threading.Event):
    """What a source waits for on a busy machine: short waits take longer than they should."""

    def wait(self, timeout=None):
        time.sleep(0.3 if timeout == HELD_S else timeout)
        return self.is_set()


def test_after_a_hold_the_sound_does_not_hurry(model):
    asked = []

    def hold():
        asked.append(time.monotonic())
        return len(asked) == 1

    Session(model).run(PacedSource(MemorySource([SOUND[:16_000]]), 2, SlowToWake(), held=hold), [])
    assert asked[-1] - asked[1] >= 0.45


class Failing:
    """A sink that fails at every utterance."""

    def write(self, event):
        if event.type == "utterance":
            raise OutputError("x cannot be written")

    def close(self):
        pass


def test_an_output_that_fails_is_told_to_the_others_in_its_own_run_even_at_the_end(model):
    session, sink = Session(model, decide=DecideSettings(onset_s=0.12, speech_enter=0.6)), Collected()
    speech = sound(1.0, seed=5, level=0.3)[: 12 * HOP_SAMPLES]
    failing = RetryingSink(Failing(), notify=session.notify)
    session.run(MemorySource([speech]), [failing, sink])
    assert [event.type for event in sink.events][-3:] == ["utterance", "error", "end"]
    assert sink.events[-2].detail == "x cannot be written"
    session.run(MemorySource([np.zeros(8_000, np.float32)]), [sink])
    assert [event.type for event in sink.events].count("error") == 1
