"""The recogniser: any number of streams, cut anyhow, say what each says alone."""

from __future__ import annotations

import itertools
import queue

import numpy as np
import pytest
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import alike

from rtser.audio.source import Gap, MemorySource
from rtser.events import DecisionEvent, EndEvent, ErrorEvent, SourceEvent
from rtser.recognition import Recognition
from rtser.serve.recogniser import Recogniser, ServedStream
from rtser.session import Session
from rtser.testing import tiny_model

TIMED = ("step_ms", "latency_ms")


class Told:
    """Collects what a recogniser tells, until all streams have ended."""

    def __init__(self):
        self.inbox = queue.SimpleQueue()

    def until_last(self, *streams):
        events, ended = {stream: [] for stream in streams}, set()
        while ended != set(streams):
            for told in self.inbox.get(timeout=10):
                events[told.stream] += told.events
                ended |= {told.stream} if told.last else set()
        return [events[stream] for stream in streams]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def recogniser(model, told):
    made = Recogniser(model, told.inbox.put, wait_s=0.0)
    yield made
    made.stop()


def stream(**options):
    return ServedStream(lambda _: None, **options)


def alone(model, *chunks):
    """What a session says of the chunks."""
    return [event for event in Session(model).events(MemorySource(chunks)) if event.type != "start"]


def same(events, expected):
    """Whether events are the same, but for the times that they took."""
    untimed = [[event.content() | dict.fromkeys(TIMED) for event in told] for told in (events, expected)]
    assert alike(*untimed)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 9_000), min_size=1, max_size=12), count=st.integers(1, 5))
def test_streams_side_by_side_say_what_each_says_alone(cuts, count):
    model, told = tiny_model(), Told()
    recogniser = Recogniser(model, told.inbox.put, wait_s=0.001)
    sounds = [sound(1.5, seed=seed) for seed in range(count)]
    streams = [stream() for _ in sounds]
    left, lengths = list(sounds), itertools.cycle(cuts)
    while any(len(one) for one in left):
        for number, one in enumerate(left):
            cut = next(lengths)
            recogniser.push(streams[number], one[:cut])
            left[number] = one[cut:]
    for one in streams:
        recogniser.finish(one)
    try:
        for events, samples in zip(told.until_last(*streams), sounds, strict=True):
            same(events, alone(model, samples))
    finally:
        recogniser.stop()


def test_a_break_begins_anew_and_time_goes_on(model, recogniser, told):
    one, gap = stream(), Gap("open", "the client reset the stream", 8_000)
    recogniser.push(one, sound(1.0))
    recogniser.broken(one, gap)
    recogniser.push(one, sound(1.0, seed=1))
    recogniser.finish(one)
    [events] = told.until_last(one)
    same(events, alone(model, sound(1.0), gap, sound(1.0, seed=1)))
    assert [event.time for event in events if isinstance(event, SourceEvent)] == [1.5]


def test_a_stream_can_begin_later(recogniser, told):
    one = stream(begin=16_000)
    recogniser.push(one, sound(0.4))
    recogniser.finish(one)
    [events] = told.until_last(one)
    assert events[0].time == 1.335


@pytest.mark.parametrize(("every", "times"), [(0, 32), (16_000, 2), (3_200, 10)])
def test_decisions_can_be_thinned(recogniser, told, every, times):
    one = stream(every=every)
    recogniser.push(one, sound(2.2))
    recogniser.finish(one)
    [events] = told.until_last(one)
    assert sum(isinstance(event, DecisionEvent) for event in events) == times
    assert events[-1].decisions == 32


def test_without_decisions_the_rest_is_told(recogniser, told):
    one = stream(decisions=False)
    recogniser.push(one, sound(1.0))
    recogniser.finish(one)
    [events] = told.until_last(one)
    assert not any(isinstance(event, DecisionEvent) for event in events)
    assert isinstance(events[-1], EndEvent)


def test_what_is_given_is_done_in_the_end(recogniser, told):
    one = stream()
    recogniser.push(one, sound(0.999))
    assert one.given == 15_984
    recogniser.finish(one)
    told.until_last(one)
    assert one.backlog == 0


def test_an_abandoned_stream_ends_without_events(recogniser, told):
    one = stream()
    recogniser.push(one, sound(0.2))
    recogniser.abandon(one)
    [events] = told.until_last(one)
    assert events == []


def test_a_stream_that_has_ended_takes_nothing_more(recogniser, told):
    one = stream()
    recogniser.finish(one)
    told.until_last(one)
    recogniser.push(one, sound(1.0))
    two = stream()
    recogniser.finish(two)
    [events] = told.until_last(two)
    assert isinstance(events[-1], EndEvent)
    assert told.inbox.empty()


def fail(*_):
    raise RuntimeError("out of memory")


def test_a_failing_network_ends_its_streams_with_an_error(recogniser, told, monkeypatch):
    one, two = stream(), stream()
    with monkeypatch.context() as broken:
        broken.setattr(recogniser._bank, "step", fail)
        recogniser.push(one, sound(0.5))
        [events] = told.until_last(one)
    assert isinstance(events[-1], ErrorEvent)
    recogniser.push(two, sound(0.5))
    recogniser.finish(two)
    [events] = told.until_last(two)
    assert isinstance(events[-1], EndEvent)


def test_a_bug_ends_the_thread_and_is_told(recogniser, told, monkeypatch):
    monkeypatch.setattr(recogniser, "_decided", fail)
    one = stream()
    recogniser.push(one, sound(0.5))
    [events] = told.until_last(one)
    assert isinstance(events[-1], ErrorEvent)
    recogniser._thread.join(5)
    assert not recogniser.alive
    assert isinstance(recogniser.failure, RuntimeError)


def test_lateness_is_counted_for_live_streams_only(recogniser, told):
    one, two = stream(), stream(live=False)
    for each in (one, two):
        recogniser.push(each, sound(1.0))
        recogniser.finish(each)
    events, others = told.until_last(one, two)
    assert events[-1].latency_ms["max"] >= 0
    assert others[-1].latency_ms["max"] is None


def test_a_recognition_of_a_file_is_the_reference(model, recogniser, told, voice):
    one = stream()
    for part in np.array_split(voice, 50):
        recogniser.push(one, part)
    recogniser.finish(one)
    [events] = told.until_last(one)
    reference = Recognition()
    Session(model).run(MemorySource([voice]), [reference])
    assert [event for event in events if event.type == "decision"] == reference.decisions
