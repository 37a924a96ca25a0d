from __future__ import annotations

import threading

import numpy as np
import pytest
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st

from rtser.engine.bank import PIECE, Bank
from rtser.engine.contract import segment_count
from rtser.engine.decider import DecideSettings
from rtser.engine.decision import Decision, Utterance
from rtser.engine.states import States
from rtser.engine.stream import Stream
from rtser.errors import ArgumentError
from rtser.models.raw import raw_outputs
from rtser.testing import tiny_model

TINY = tiny_model()
DECIDE = DecideSettings(onset_s=0.12, silence_s=0.36, hangover_s=0.3, speech_enter=0.6)
SOUND = sound(4.0)


def said_of(samples, **more):
    """All that one stream says of some samples, and at its end."""
    stream = Stream(TINY, decide=DECIDE, **more)
    said = stream.push(samples)
    last = stream.reset()
    return [*said, last] if last else said


def decisions(said):
    return [one for one in said if isinstance(one, Decision)]


WHOLE = said_of(SOUND)


def same(ours, its):
    """Two of a batch's and a lone row's results: equal to 1e-5."""
    assert type(ours) is type(its)
    if isinstance(ours, Utterance):
        assert (ours.start_s, ours.end_s, ours.label, ours.final) == (its.start_s, its.end_s, its.label, its.final)
        assert ours.emotions == pytest.approx(its.emotions, abs=1e-5)
        return
    assert (ours.time_s, ours.label, ours.speaking) == (its.time_s, its.label, its.speaking)
    assert ours.speech == pytest.approx(its.speech, abs=1e-5)
    assert (ours.emotions is None) == (its.emotions is None)
    if ours.emotions:
        assert ours.emotions == pytest.approx(its.emotions, abs=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=60))
def test_any_chunking_gives_the_same_bits(sizes):
    stream, said, start = Stream(TINY, decide=DECIDE), [], 0
    for size in [*sizes, len(SOUND)]:
        said += stream.push(SOUND[start : start + size])
        start += size
    last = stream.reset()
    assert said + ([last] if last else []) == WHOLE


def test_single_samples_give_the_same_bits():
    stream = Stream(TINY, decide=DECIDE)
    said = [one for i in range(8_000) for one in stream.push(SOUND[i : i + 1])]
    assert said == Stream(TINY, decide=DECIDE).push(SOUND[:8_000])


@pytest.mark.parametrize("samples", [0, 1, 559, 560, 5359, 5360, 6319, 6320, 6321, 64_000])
def test_one_decision_a_segment_and_none_below_one(samples):
    assert len(Stream(TINY).push(np.zeros(samples, np.float32))) == segment_count(samples)


def test_a_decision_is_timed_at_the_end_of_its_segment():
    times = [one.time_s for one in decisions(WHOLE)]
    assert times == pytest.approx([0.335 + 0.06 * k for k in range(segment_count(len(SOUND)))])


def test_without_speech_it_abstains():
    decision = Stream(TINY).push(np.zeros(16_000, np.float32))[-1]
    assert (decision.emotions, decision.label, decision.confidence, decision.leaning) == (None, None, None, None)
    assert not decision.speaking
    assert decision.salience == 0


def test_probabilities_sum_to_one():
    assert all(sum(one.emotions.values()) == pytest.approx(1, abs=1e-5) for one in decisions(WHOLE) if one.emotions)


def test_the_sound_holds_several_utterances_and_each_follows_the_decision_that_ends_it():
    found = [place for place, one in enumerate(WHOLE) if isinstance(one, Utterance)]
    assert len(found) >= 2
    for place in found[:-1]:
        assert WHOLE[place].end_s < WHOLE[place - 1].time_s


def test_the_network_forgets_what_came_before_wherever_the_decider_is_idle():
    """With the restarts that the decider asks for, the network alone gives the same emotions."""
    every = decisions(WHOLE)
    onset, silence = 2, 6
    idle, hops, silent = [], 0, silence
    for one in every:  # the decider's counting, written out for these settings
        begun = hops >= onset
        silent = 0 if one.speech >= DECIDE.speech_leave else silent + 1
        if one.speech >= (DECIDE.speech_leave if begun else DECIDE.speech_enter):
            hops += 1
        elif not begun or silent >= silence:
            hops = 0
        idle.append(hops == 0 and silent >= silence)
    restarts = {segment + 1 for segment, quiet in enumerate(idle) if quiet}
    raw = raw_outputs(TINY, SOUND, TINY.metadata.window, restarts)
    assert 0 < len(restarts) < len(every)
    assert [list((one.emotions or dict.fromkeys(TINY.labels, 0.0)).values()) for one in every] == raw.emotions.tolist()
    assert not np.array_equal(raw.emotions, raw_outputs(TINY, SOUND, TINY.metadata.window).emotions)


def test_what_came_before_a_pause_changes_nothing_after_it():
    """The same utterance, alone and after another one."""
    pause, first, second = np.zeros(960 * 20, np.float32), sound(1.2, seed=3, level=0.3), sound(1.2, seed=8, level=0.2)
    before = np.concatenate([first[: 960 * 20], pause])
    alone = [one for one in said_of(np.concatenate([pause, second])) if isinstance(one, Utterance)]
    after = [one for one in said_of(np.concatenate([before, second])) if isinstance(one, Utterance)]
    assert len(after) > len(alone) > 0
    assert [one.emotions for one in after[-len(alone) :]] == [one.emotions for one in alone]


def test_the_embedding_comes_where_it_is_asked_for_and_changes_nothing():
    tiny = decisions(said_of(SOUND, embeddings=True))
    assert all(one.embedding.dtype == np.float32 and one.embedding.ndim == 1 for one in tiny)
    assert [one.emotions for one in tiny] == [one.emotions for one in decisions(WHOLE)]
    assert all(one.embedding is None for one in decisions(WHOLE))


def test_reset_starts_anew_and_tells_what_it_cuts_off():
    stream = Stream(TINY, decide=DECIDE)
    loud = sound(1.0, seed=5, level=0.3)
    said = stream.push(loud[: 960 * 12])
    assert decisions(said)[-1].speaking
    assert stream.reset().end_s <= decisions(said)[-1].time_s
    assert stream.time_s == 0
    assert stream.push(SOUND) == [one for one in WHOLE if one is not WHOLE[-1] or isinstance(one, Decision)]
    assert stream.time_s == 4.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.0, 0.1], "float32"),
        (np.zeros(100), "float64"),
        (np.zeros(100, np.int16), "int16"),
        (np.zeros((2, 100), np.float32), "dimension"),
        (np.full(10, np.nan, np.float32), "NaN"),
        (np.full(10, np.inf, np.float32), "infinite"),
        (np.full(10, -300, np.float32), "beyond 16; divide int16 values by 32768"),
        (np.ma.array(np.full(10, np.nan, np.float32), mask=True), "NaN"),
    ],
)
def test_a_wrong_push_is_refused_and_leaves_the_stream_usable(wrong, message):
    stream = Stream(TINY, decide=DECIDE)
    before = stream.push(SOUND[:20_000])
    with pytest.raises(ArgumentError, match=message):
        stream.push(wrong)
    after = stream.push(SOUND[20_000:])
    assert decisions(before + after) == decisions(WHOLE)


def test_a_stream_keeps_no_hold_on_the_callers_array():
    stream, buffer, said = Stream(TINY, decide=DECIDE), np.empty(100, np.float32), []
    for start in range(0, len(SOUND), 100):
        buffer[:] = SOUND[start : start + 100]
        said += stream.push(buffer)
    assert decisions(said) == decisions(WHOLE)


def test_pushing_nothing_again_and_again_keeps_nothing():
    stream = Stream(TINY, decide=DECIDE)
    assert [stream.push(np.empty(0, np.float32)) for _ in range(1000)] == [[]] * 1000
    assert decisions(stream.push(SOUND)) == decisions(WHOLE)


def test_the_name_of_a_model_is_no_model():
    with pytest.raises(ArgumentError, match=r"needs a loaded model, not str; use rtser\.load"):
        Stream("a.onnx")


def test_settings_that_are_none_are_named():
    with pytest.raises(ArgumentError, match="decide must be DecideSettings, not dict"):
        Stream(TINY, decide={"hold_s": 1})


@pytest.mark.parametrize("window_s", [0, -1, 0.3, 4000, float("nan"), "4"])
def test_a_window_out_of_range_is_refused(window_s):
    with pytest.raises(ArgumentError, match="window"):
        Stream(TINY, window_s=window_s)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_streams_opened_pushed_reset_and_closed_at_random_give_what_each_alone_gives(seed):
    rng = np.random.default_rng(seed)
    bank, lone, ours, its = Bank(TINY, decide=DECIDE), {}, {}, {}
    for _ in range(60):
        act = rng.choice(["open", "push", "push", "push", "push", "step", "step", "reset", "close"])
        if act == "open" and len(lone) < 2 * PIECE + 3:
            for _ in range(int(rng.integers(1, 8))):
                number = bank.open()
                assert number not in ours
                lone[number], ours[number], its[number] = Stream(TINY, decide=DECIDE), [], []
        if not lone:
            continue
        if act == "push":
            for number in rng.permutation(list(lone))[: rng.integers(1, len(lone) + 1)].tolist():
                chunk = sound(float(rng.uniform(0, 0.4)), int(rng.integers(1000)), level=0.2)
                bank.push(number, chunk)
                its[number] += lone[number].push(chunk)
        elif act == "step":
            steps(bank, ours)
        elif act in ("reset", "close"):
            number = int(rng.choice(list(lone)))
            steps(bank, ours)  # what was pushed is said before the end
            last = (bank.reset if act == "reset" else bank.close)(number)
            ours[number] += [last] if last else []
            last = lone[number].reset()
            its[number] += [last] if last else []
            if act == "close":
                del lone[number]
    steps(bank, ours)
    assert len(bank) == len(lone)
    for number, said in its.items():
        assert len(ours[number]) == len(said)
        for one, other in zip(ours[number], said, strict=True):
            same(one, other)


def steps(bank, said):
    """Step until no hop waits; a decision's utterance follows it."""
    while bank.due:
        decided = bank.step()
        for row, number in enumerate(decided.streams):
            said[number].append(decided.decision(row))
            if utterance := decided.readings[row].utterance:
                said[number].append(utterance)


def test_a_step_without_a_hop_decides_nothing():
    bank = Bank(TINY)
    bank.push(bank.open(), SOUND[:559])
    assert bank.due == 0
    assert len(bank.step()) == 0


@pytest.mark.parametrize("stream", [-1, 1, 99])
def test_a_stream_that_a_bank_does_not_have_is_named(stream):
    bank = Bank(TINY)
    bank.open()
    for call in (bank.reset, bank.close, lambda number: bank.push(number, SOUND)):
        with pytest.raises(ArgumentError, match=f"there is no stream {stream};"):
            call(stream)


def test_a_closed_stream_is_gone_and_its_place_is_used_again():
    bank = Bank(TINY)
    first = bank.open()
    bank.push(first, SOUND)
    bank.close(first)
    assert (len(bank), bank.due) == (0, 0)
    second = bank.open()
    bank.push(second, SOUND[:5360])
    said = {second: []}
    steps(bank, said)
    assert said[second] == decisions(WHOLE)[:1]


def test_a_push_that_is_refused_leaves_the_bank_as_it_was():
    bank = Bank(TINY)
    stream = bank.open()
    bank.push(stream, SOUND[:500])
    with pytest.raises(ArgumentError, match="NaN"):
        bank.push(stream, np.full(560, np.nan, np.float32))
    assert bank.due == 0


def test_two_threads_in_one_stream_get_an_error_and_never_wrong_decisions(monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    stream = Stream(TINY, decide=DECIDE)
    step = stream._bank._states.step

    def slow(*arguments):
        inside.set()
        assert go_on.wait(10)
        return step(*arguments)

    monkeypatch.setattr(stream._bank._states, "step", slow)
    first: list[Decision | Utterance] = []
    thread = threading.Thread(target=lambda: first.extend(stream.push(SOUND)))
    thread.start()
    assert inside.wait(10)
    with pytest.raises(ArgumentError, match="two threads use one bank at once"):
        stream.push(SOUND[:960])
    go_on.set()
    thread.join()
    assert decisions(first) == decisions(WHOLE)


@pytest.mark.parametrize("streams", [1, 3, PIECE + 5])
def test_a_step_that_fails_loses_nothing(monkeypatch, streams):
    bank, ours, run = Bank(TINY, decide=DECIDE), {}, States.step
    calls = []

    def fails_at_times(states, rows, hops, restart):
        calls.append(rows)
        if len(calls) % 3 == 2:
            raise RuntimeError("out of memory")
        return run(states, rows, hops, restart)

    monkeypatch.setattr(States, "step", fails_at_times)
    for number in range(streams):
        ours[bank.open()] = []
        bank.push(number, SOUND[number * 100 : 30_000])
    while bank.due:
        try:
            steps(bank, ours)
        except RuntimeError:
            continue
    monkeypatch.undo()
    for number, said in ours.items():
        alone = Stream(TINY, decide=DECIDE).push(SOUND[number * 100 : 30_000])
        assert len(said) == len(alone)
        for one, other in zip(said, alone, strict=True):
            same(one, other)


def test_a_bank_that_was_large_is_small_again():
    bank = Bank(TINY)
    for number in [bank.open() for _ in range(40)]:
        bank.close(number)
    said = {bank.open(): []}
    (number,) = said
    bank.push(number, SOUND)
    steps(bank, said)
    assert said[number] == Stream(TINY).push(SOUND)
    assert bank._states.rows == 1


def test_embeddings_have_a_row_a_decision_also_where_nothing_is_decided_yet():
    bank = Bank(TINY, embeddings=True)
    bank.push(bank.open(), SOUND[:6400])
    shapes = []
    while bank.due:
        decided = bank.step()
        shapes.append((len(decided), decided.embedding.shape[0]))
    assert shapes == [(0, 0)] * 5 + [(1, 1), (1, 1)]


def test_two_threads_in_one_bank_are_told_so():
    bank = Bank(TINY)
    number = bank.open()
    with bank._alone, pytest.raises(ArgumentError, match="two threads use one bank at once; give each thread a bank"):
        bank.push(number, SOUND)
