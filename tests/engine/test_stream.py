from __future__ import annotations

import numpy as np
import pytest
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st

import rtser
from rtser.engine.bank import Bank
from rtser.engine.contract import segment_count
from rtser.errors import ArgumentError
from rtser.testing import tiny_model

TINY = tiny_model()
SOUND = sound(4.0)
WHOLE = rtser.Stream(TINY).push(SOUND)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=60))
def test_any_chunking_gives_the_same_bits(sizes):
    stream, decisions, start = rtser.Stream(TINY), [], 0
    for size in [*sizes, len(SOUND)]:
        decisions += stream.push(SOUND[start : start + size])
        start += size
    assert decisions == WHOLE


def test_single_samples_give_the_same_bits():
    stream = rtser.Stream(TINY)
    decisions = [d for i in range(8_000) for d in stream.push(SOUND[i : i + 1])]
    assert decisions == rtser.Stream(TINY).push(SOUND[:8_000])


@pytest.mark.parametrize("samples", [0, 1, 559, 560, 5359, 5360, 6319, 6320, 6321, 64_000])
def test_one_decision_a_segment_and_none_below_one(samples):
    assert len(rtser.Stream(TINY).push(np.zeros(samples, np.float32))) == segment_count(samples)


def test_a_decision_is_timed_at_the_end_of_its_segment():
    assert [d.time_s for d in WHOLE] == pytest.approx([0.335 + 0.06 * k for k in range(len(WHOLE))])


def test_a_window_without_speech_abstains():
    decision = rtser.Stream(TINY).push(np.zeros(16_000, np.float32))[-1]
    assert decision.emotions is None
    assert decision.label is None
    assert decision.confidence is None
    assert decision.salience == 0


def test_a_confidence_below_the_threshold_names_nothing_but_tells_the_probabilities():
    decision = next(d for d in rtser.Stream(TINY, label_threshold=1.0).push(SOUND) if d.emotions)
    assert decision.label is None
    assert decision.confidence is None


def test_probabilities_sum_to_one():
    assert all(sum(d.emotions.values()) == pytest.approx(1, abs=1e-5) for d in WHOLE if d.emotions)


def test_the_window_forgets():
    loud_then_silent = np.concatenate([sound(2.0, level=0.3), np.zeros(16_000 * 3, np.float32)])
    decisions = rtser.Stream(TINY, window_s=1.0).push(loud_then_silent)
    assert any(d.emotions for d in decisions)
    assert decisions[-1].emotions is None


def test_reset_starts_anew():
    stream = rtser.Stream(TINY)
    stream.push(sound(1.7, seed=5))
    stream.reset()
    assert stream.push(SOUND) == WHOLE
    assert stream.time_s == 4.0


def test_nothing_can_be_pushed_after_finish_until_reset():
    stream = rtser.Stream(TINY)
    assert stream.finish() == []
    with pytest.raises(ValueError, match="finished"):
        stream.push(SOUND)
    stream.reset()
    assert stream.push(SOUND) == WHOLE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.0, 0.1], "float32"),
        (np.zeros(100), "float64"),
        (np.zeros(100, np.int16), "int16"),
        (np.zeros((2, 100), np.float32), "dimension"),
        (np.full(10, np.nan, np.float32), "NaN"),
        (np.full(10, np.inf, np.float32), "infinite"),
        (np.full(10, 1e30, np.float32), "huge"),
        (np.ma.array(np.full(10, np.nan, np.float32), mask=True), "NaN"),
    ],
)
def test_a_wrong_push_is_refused_and_leaves_the_stream_usable(wrong, message):
    stream = rtser.Stream(TINY)
    before = stream.push(SOUND[:20_000])
    with pytest.raises(ValueError, match=message):
        stream.push(wrong)
    assert before + stream.push(SOUND[20_000:]) == WHOLE


def test_a_stream_keeps_no_hold_on_the_callers_array():
    stream, buffer, decisions = rtser.Stream(TINY), np.empty(100, np.float32), []
    for start in range(0, len(SOUND), 100):
        buffer[:] = SOUND[start : start + 100]
        decisions += stream.push(buffer)
    assert decisions == WHOLE


def test_the_name_of_a_model_is_no_model():
    with pytest.raises(ArgumentError, match=r"needs a loaded model, not str; use rtser\.load"):
        rtser.Stream("a.onnx")


@pytest.mark.parametrize("stream", [-1, 2, 99])
def test_a_stream_that_a_bank_does_not_have_is_named(stream):
    bank = Bank(TINY, 2)
    for call in (bank.reset, bank.hop_samples, bank.state):
        with pytest.raises(ArgumentError, match=f"there is no stream {stream} .the bank has 2"):
            call(stream)


@pytest.mark.parametrize("window_s", [0, -1, 0.3, 4000, float("nan")])
def test_a_window_out_of_range_is_refused(window_s):
    with pytest.raises(ValueError, match="window"):
        rtser.Stream(TINY, window_s=window_s)


def test_a_bank_of_many_streams_gives_what_each_alone_gives():
    sounds = [sound(1.5, seed) for seed in range(64)]
    bank = Bank(TINY, 64)
    together: list[list[rtser.Decision]] = [[] for _ in sounds]
    starts = [0] * 64
    rng = np.random.default_rng(0)
    while True:
        ready = [s for s in range(64) if len(sounds[s]) - starts[s] >= bank.hop_samples(s) and rng.random() < 0.7]
        if not ready:
            if all(len(sounds[s]) - starts[s] < bank.hop_samples(s) for s in range(64)):
                break
            continue
        hops = {s: sounds[s][starts[s] : starts[s] + bank.hop_samples(s)] for s in ready}
        starts = [start + len(hops.get(s, ())) for s, start in enumerate(starts)]
        for s, decision in bank.step(hops).items():
            together[s].append(decision)
    for one, many in zip(sounds, together, strict=True):
        alone = rtser.Stream(TINY).push(one)
        assert [d.time_s for d in many] == [d.time_s for d in alone]
        for ours, its in zip(many, alone, strict=True):
            assert (ours.emotions is None) == (its.emotions is None)
            if ours.emotions and its.emotions:
                assert list(ours.emotions.values()) == pytest.approx(list(its.emotions.values()), abs=1e-5)


def same(ours, its):
    assert (ours.emotions is None) == (its.emotions is None)
    assert ours.speech == pytest.approx(its.speech, abs=1e-5)
    assert ours.time_s == its.time_s
    if ours.emotions:
        assert list(ours.emotions.values()) == pytest.approx(list(its.emotions.values()), abs=1e-5)


def test_resetting_or_restarting_one_stream_of_a_bank_leaves_the_others():
    bank, first, second = Bank(TINY, 2), rtser.Stream(TINY), rtser.Stream(TINY)
    starts = [0, 0]
    for hop in range(60):
        restart = []
        if hop == 9:
            bank.reset(0)
            first.reset()
            starts[0] = 0
        if hop in (30, 45):
            restart = [0]
            first.restart()
        hops = {}
        for stream in (0, 1) if hop % 7 else (1,):  # now and then a step of one stream alone
            size = bank.hop_samples(stream)
            hops[stream] = SOUND[starts[stream] : starts[stream] + size]
            starts[stream] += size
        decisions = bank.step(hops, [stream for stream in restart if stream in hops])
        for stream, lone in ((0, first), (1, second)):
            expected = lone.push(hops[stream]) if stream in hops else []
            assert len(expected) == (stream in decisions)
            for one in expected:
                same(decisions[stream], one)


def test_a_restart_without_a_hop_is_refused():
    with pytest.raises(ArgumentError, match="stream 1 cannot restart"):
        Bank(TINY, 2).step({0: SOUND[:560]}, [1])


def test_the_state_that_is_given_out_is_a_copy():
    bank = Bank(TINY, 1)
    bank.step({0: SOUND[:560]})
    before = bank.state(0)["state_tail"]
    assert before.any()
    bank.reset(0)
    assert before.any()


@given(st.lists(st.integers(0, len(WHOLE) - 1), max_size=20), st.lists(st.integers(1, 5_000), min_size=1, max_size=30))
@settings(deadline=None)
def test_restarts_at_any_hops_give_the_same_bits_for_any_chunking(restarts, sizes):
    def streamed(cuts):
        stream, decisions, start = rtser.Stream(TINY), [], 0
        for size in cuts:
            for hop in range(start, min(start + size, len(SOUND)), 960):  # one hop at a time: a restart is for the next
                decisions += stream.push(SOUND[hop : min(hop + 960, start + size)])
                if len(decisions) in restarts:
                    stream.restart()
            start += size
        return decisions

    by_hops = streamed([len(SOUND)])
    assert len(by_hops) == len(WHOLE)
    assert [one.speech for one in by_hops] == [one.speech for one in WHOLE]
    assert streamed([*sizes, len(SOUND)]) == by_hops


def test_pushing_nothing_again_and_again_keeps_nothing():
    stream = rtser.Stream(TINY)
    assert [stream.push(np.empty(0, np.float32)) for _ in range(1000)] == [[]] * 1000
    assert stream.push(SOUND) == WHOLE


@pytest.mark.parametrize(
    ("hops", "message"),
    [
        ({2: SOUND[:560]}, "no stream 2"),
        ({-1: SOUND[:560]}, "no stream -1"),
        ({1: SOUND[:560], 0: SOUND[:960]}, "has 560 samples, not 960"),
        ({0: SOUND[:560].astype(np.float64)}, "float64"),
        ({0: np.full(560, np.nan, np.float32)}, "NaN"),
    ],
)
def test_a_bank_refuses_a_wrong_hop_and_stays_as_it_was(hops, message):
    bank = Bank(TINY, 2)
    with pytest.raises(ValueError, match=message):
        bank.step(hops)
    assert [bank.hop_samples(0), bank.hop_samples(1)] == [560, 560]
