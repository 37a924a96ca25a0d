from __future__ import annotations

import numpy as np
import pytest

from rtser.bench.search import largest
from rtser.bench.trial import TICK_S, Clock, Driver, NoBank, Pushed
from rtser.engine.contract import HOP_SAMPLES, LEAD_SAMPLES

SOUND = np.arange(50 * HOP_SAMPLES, dtype=np.float32)


class VirtualClock(Clock):
    """Passes when a `SlowBank` works or a trial waits."""

    def __init__(self):
        self.now_s = self.cpu_s = 0.0

    def now(self):
        return self.now_s

    def cpu(self):
        return self.cpu_s

    def sleep(self, seconds):
        self.now_s += seconds


class SlowBank:
    """A hop of a stream takes so many seconds."""

    def __init__(self, clock, hop_s, stalls=()):
        self.clock, self.hop_s, self.stalls, self.waiting, self.pushed = clock, hop_s, list(stalls), [], []

    def open(self):
        self.waiting.append(LEAD_SAMPLES)
        self.pushed.append([])
        return len(self.waiting) - 1

    def push(self, stream, samples):
        self.waiting[stream] += len(samples)
        self.pushed[stream].append(samples)

    def step(self):
        due = [stream for stream, samples in enumerate(self.waiting) if samples >= HOP_SAMPLES]
        for stream in due:
            self.waiting[stream] -= HOP_SAMPLES
        took_s = len(due) * self.hop_s
        if self.stalls and self.clock.now_s >= self.stalls[0]:
            self.stalls.pop(0)
            self.clock.now_s += 0.2
        self.clock.now_s += took_s
        self.clock.cpu_s += took_s
        return Pushed(due) if due else None


def trial(streams, hop_s, parts=1, seconds=20.0, stalls=()):
    clock = VirtualClock()
    return Driver(SlowBank(clock, hop_s, stalls), SOUND, streams, parts).run(seconds, 2.0, clock)


@pytest.mark.parametrize("parts", [1, 3])
def test_lateness_is_the_wait_for_the_tick_and_the_step(parts):
    late = trial(4, 0.001, parts).lateness_ms
    assert 1.0 <= late["p50"] <= late["max"] <= 1000 * TICK_S + 4


def test_cpu_is_counted_a_stream_and_hop():
    done = trial(30, 0.001)
    assert done.hop_us == pytest.approx(1000)
    assert done.cpu_percent == pytest.approx(50, abs=1)
    assert done.in_time


def test_a_stall_in_the_warm_up_does_not_count_and_a_later_one_does():
    assert trial(4, 0.001, stalls=[1.0]).lateness_ms["max"] < 20
    assert trial(4, 0.001, stalls=[9.0]).lateness_ms["max"] > 180


def test_time_that_neither_works_nor_waits_is_other_programs():
    assert trial(4, 0.001).others_percent == 0
    assert trial(4, 0.001, stalls=[5.0, 9.0]).others_percent == pytest.approx(100 * 0.4 / 20, abs=0.1)


def test_streams_that_fall_ever_further_behind_are_given_up():
    done = trial(90, 0.001)
    assert done.behind
    assert not done.in_time
    assert done.lateness_ms["p99"] > 60
    assert done.hop_us == pytest.approx(1000)


def test_streams_that_are_hopeless_are_given_up_in_the_warm_up():
    done = trial(1000, 0.001)
    assert done.behind
    assert done.cpu_percent == pytest.approx(100, abs=5)
    assert done.hop_us == pytest.approx(1000)


def test_the_search_finds_the_knee():
    found = largest(lambda number: trial(number, 0.001), lambda one: one.in_time, 8, 4096)
    assert 56 <= found.streams <= 60


def test_every_stream_gets_the_sound_in_order_without_a_gap():
    clock = VirtualClock()
    bank = SlowBank(clock, 0.001)
    Driver(bank, SOUND, 5, 3).run(1.0, 0.0, clock)
    for pushed in bank.pushed:
        samples = np.concatenate(pushed)
        assert len(samples) > 60 * 320
        assert set(np.diff(samples)) <= {1.0, 1.0 - len(SOUND)}


def test_streams_differ_in_place_and_begin_anywhere_within_a_hop():
    bank = SlowBank(VirtualClock(), 0.0)
    driver = Driver(bank, SOUND, 20)
    assert len({pushed[0][0] for pushed in bank.pushed}) > 10
    assert np.ptp(driver._phases) > 0.04


def test_a_bank_that_does_nothing_leaves_the_cost_of_the_driver():
    done = Driver(NoBank(3), SOUND, 40, 3).run(0.3, 0.0)
    assert 0 < done.hop_us < 1000


@pytest.mark.parametrize(("limit", "first", "most"), [(437, 32, 4096), (5, 32, 4096), (1, 32, 4096), (900, 8, 300)])
def test_the_search_ends_within_a_twentieth_of_the_limit_and_below_the_most(limit, first, most):
    tried = []
    found = largest(lambda number: tried.append(number) or number, lambda number: number <= limit, first, most)
    assert min(limit, most) * 0.94 <= found <= min(limit, most)
    assert max(tried) <= most
    assert len(set(tried)) == len(tried) < 16


def test_the_search_finds_nothing_where_one_is_too_many():
    assert largest(lambda number: number, lambda _: False, 32, 4096) is None
