from __future__ import annotations

import threading
import time
from itertools import count, islice

import numpy as np
import pytest
from conftest import sound

from rtser.audio.devices import LastingDeviceError
from rtser.audio.lateness import Lateness
from rtser.audio.source import Gap, MemorySource
from rtser.audio.supervisor import Supervisor
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, segment_count
from rtser.errors import DeviceError
from rtser.session import Session
from rtser.settings import SourceSettings
from rtser.testing import VirtualClock, VirtualDevice

SOUND = sound(6.0)[: 100 * HOP_SAMPLES]
QUICK = SourceSettings(retry_min_s=0.01, retry_max_s=0.02)


def supervised(opener, clock, pieces, settings=QUICK):
    """So many pieces of a supervised source."""
    with Supervisor(opener, settings, threading.Event(), clock=clock) as supervisor:
        return list(islice(supervisor.chunks(), pieces))


def samples(pieces):
    return np.concatenate([piece for piece in pieces if not isinstance(piece, Gap)])


def breaks(pieces):
    return [piece for piece in pieces if isinstance(piece, Gap)]


def test_a_source_that_is_well_is_given_out_bit_for_bit():
    clock = VirtualClock()
    heard = supervised(lambda _: VirtualDevice(SOUND, clock), clock, 100)
    assert breaks(heard) == []
    assert (samples(heard) == SOUND).all()


def test_a_source_that_ends_is_opened_again_and_what_it_said_last_is_heard():
    clock, opened = VirtualClock(), []

    def opener(lost):
        assert (lost is None) == (not opened)
        opened.append(VirtualDevice(SOUND, clock, lasts_s=0.6))
        return opened[-1]

    heard = supervised(opener, clock, 26)
    assert [one.state for one in breaks(heard)] == ["lost", "open"] * (len(opened) - 1)
    assert len(opened) >= 2
    assert (samples(heard)[: 10 * HOP_SAMPLES] == SOUND[: 10 * HOP_SAMPLES]).all()


def test_a_source_that_cannot_be_opened_is_tried_again_and_the_hole_is_told():
    clock, tries = VirtualClock(), count()

    def opener(_lost):
        if next(tries) in (1, 2, 3):
            clock.now_s += 1.0
            raise DeviceError("there is no audio input device; connect a microphone.")
        return VirtualDevice(SOUND, clock, lasts_s=0.6)

    heard = supervised(opener, clock, 14)
    _, back = breaks(heard)
    assert back.missing_samples == pytest.approx(3 * SAMPLE_RATE, abs=0.2 * SAMPLE_RATE)


class Slow(VirtualDevice):
    """Delivers three seconds late from some point on: its sound hangs in the driver."""

    def wait(self, timeout_s):
        if self.delivered == 20 * HOP_SAMPLES:
            self._clock.now_s += 3.0
        super().wait(timeout_s)


def test_a_source_whose_sound_hangs_in_the_driver_is_opened_again_and_time_catches_up():
    clock, opened = VirtualClock(), []

    def opener(_lost):
        opened.append((VirtualDevice if opened else Slow)(SOUND, clock))
        return opened[-1]

    heard = supervised(opener, clock, 60)
    lost, back = breaks(heard)
    assert "500 ms late" in lost.detail
    assert back.missing_samples == pytest.approx(3 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)


class Deaf(VirtualDevice):
    """Delivers nothing after a while, and says nothing of it: a suspended source."""

    @property
    def ended(self):
        return False

    def wait(self, timeout_s):
        if self.delivered >= 10 * HOP_SAMPLES:
            self._clock.now_s += timeout_s
        else:
            super().wait(timeout_s)


def test_a_source_that_falls_silent_without_a_word_is_found_out_by_the_watchdog():
    clock = VirtualClock()
    heard = supervised(lambda _: Deaf(SOUND, clock), clock, 13)
    lost, back = breaks(heard)
    assert "no sound for 2 s" in lost.detail
    assert back.missing_samples == pytest.approx(2 * SAMPLE_RATE, abs=0.3 * SAMPLE_RATE)


def test_sound_that_waits_too_long_is_skipped_up_to_the_newest_hop_and_counted():
    clock = VirtualClock()
    source = VirtualDevice(SOUND, clock)
    with Supervisor(lambda _: source, QUICK, threading.Event(), clock=clock) as supervisor:
        pieces = supervisor.chunks()
        heard = [next(pieces)]
        for _ in range(15):  # the consumer does something else for 0.9 s
            source.wait(0)
        heard += [next(pieces) for _ in range(3)]
    assert [len(piece) for piece in heard if not isinstance(piece, Gap) and len(piece)] == [HOP_SAMPLES] * 2
    (skipped,) = breaks(heard)
    assert skipped.state == "skipped"
    assert skipped.missing_samples == 15 * HOP_SAMPLES
    assert (samples(heard[2:]) == SOUND[16 * HOP_SAMPLES : 17 * HOP_SAMPLES]).all()


def test_the_least_lag_that_may_be_asked_for_is_enough_to_hear_on():
    """Sound that comes in blocks of 60 ms, on a clock that goes on while old sound is skipped."""
    clock, stop = VirtualClock(), threading.Event()

    class Busy(VirtualDevice):
        def wait(self, timeout_s):
            for _ in range(3):
                super().wait(timeout_s)

    with Supervisor(lambda _: Busy(SOUND, clock), SourceSettings(max_lag_ms=100), stop, clock=clock) as live:
        heard = list(islice(live.chunks(), 30))
    assert len(samples(heard)) > 0


def test_after_a_break_the_decisions_are_those_of_a_new_stream_and_time_goes_on(model):
    chunks = [SOUND[:20_000], Gap("lost", "gone"), Gap("open", "back", 8_000), SOUND[:20_000]]
    events = list(Session(model).events(MemorySource(chunks)))
    decisions = [event for event in events if event.type == "decision"]
    each = segment_count(20_000)
    assert len(decisions) == 2 * each
    first, second = decisions[:each], decisions[each:]
    assert [event.speech for event in first] == [event.speech for event in second]
    assert [event.time + 28_000 / SAMPLE_RATE for event in first] == pytest.approx([event.time for event in second])
    lost, back = (event for event in events if event.type == "source")
    assert (lost.time, back.time) == (20_000 / SAMPLE_RATE, 28_000 / SAMPLE_RATE)
    assert events[-1].time == 48_000 / SAMPLE_RATE


def test_a_source_that_never_opens_is_an_error_at_the_start():
    def opener(_lost):
        raise DeviceError("there is no audio input device; connect a microphone.")

    with pytest.raises(DeviceError), Supervisor(opener, QUICK, threading.Event()):
        pass


def test_a_close_that_hangs_keeps_nobody():
    class Hanging(VirtualDevice):
        def close(self):
            time.sleep(30)

    clock = VirtualClock()
    began_s = time.monotonic()
    supervised(lambda _: Hanging(SOUND, clock), clock, 1)
    assert time.monotonic() - began_s < 3


def test_lateness_is_measured_against_the_promptest_arrival_and_forgets_drift():
    lateness = Lateness(SAMPLE_RATE)
    assert lateness.note(0.06, 960) == 0
    assert lateness.note(0.15, 1920) == pytest.approx(0.03)
    assert lateness.lag_s(0.15, 960) == pytest.approx(0.09)
    for minute in range(1, 60):  # a device clock that is 100 ppm slow: 0.36 s in an hour
        now_s = 60.0 * minute
        assert lateness.note(now_s, round(now_s * SAMPLE_RATE * (1 - 1e-4))) < 0.01 + 0.03


class Named(VirtualDevice):
    def __init__(self, name, clock, lasts_s=None):
        super().__init__(SOUND, clock, lasts_s=lasts_s)
        self.name = name


def test_another_device_is_opened_on_request_and_told_as_a_loss_and_a_return():
    clock, names = VirtualClock(), ["first"]
    with Supervisor(lambda _: Named(names[-1], clock), QUICK, threading.Event(), clock=clock) as live:
        pieces = live.chunks()
        next(pieces)
        names.append("second")
        live.change("changing to second")
        told = breaks(islice(pieces, 5))
        assert [(one.state, one.detail) for one in told] == [
            ("lost", "changing to second"),
            ("open", "second at 16000 Hz"),
        ]
        assert live.name == "second"
        assert live.trouble == ""


def test_a_request_does_not_wait_until_the_next_try_to_open_a_lost_device():
    clock, wanted, opened = VirtualClock(), ["first"], []

    def choose():
        wanted.append("second")
        live.change("changing to second")

    def opener(_lost):
        if opened and wanted[-1] == "first":
            threading.Timer(0.2, choose).start()
            raise DeviceError("first is not there")
        opened.append(Named(wanted[-1], clock, lasts_s=None if opened else 0.06))
        return opened[-1]

    live = Supervisor(opener, SourceSettings(retry_min_s=30, retry_max_s=30), threading.Event(), clock=clock)
    before_s = time.monotonic()
    with live:
        assert [one.state for one in breaks(islice(live.chunks(), 5))] == ["lost", "open"]
    assert time.monotonic() - before_s < 5


def test_a_device_is_waited_for_where_that_is_asked_for():
    clock, tries, told = VirtualClock(), count(), []

    def opener(_lost):
        if next(tries) < 3:
            raise DeviceError("there is no audio input device", "connect a microphone")
        return VirtualDevice(SOUND, clock)

    with Supervisor(opener, QUICK, threading.Event(), clock=clock, waiting=told.append) as live:
        assert live.is_open
        assert len(next(live.chunks())) == HOP_SAMPLES
    assert [error.problem for error in told] == ["there is no audio input device"]


def test_waiting_ends_when_the_end_is_asked_for():
    def opener(_lost):
        raise DeviceError("there is no audio input device")

    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with Supervisor(opener, QUICK, stop, waiting=lambda _: None) as live:
        assert not live.is_open


def test_what_waiting_does_not_mend_is_an_error_at_once():
    def opener(_lost):
        raise LastingDeviceError("it has no channel 5")

    with pytest.raises(DeviceError, match="no channel 5"):
        Supervisor(opener, QUICK, threading.Event(), waiting=lambda _: None).__enter__()
