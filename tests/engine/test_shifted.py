"""What a voice changes in the engine: probabilities, stream by stream."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rtser.engine.bank import PIECE, Bank
from rtser.engine.decider import DecideSettings
from rtser.engine.decision import Decision, Utterance
from rtser.engine.stream import Stream
from rtser.engine.voice import shifted
from rtser.errors import ArgumentError
from rtser.testing import tiny_model

TINY = tiny_model()
DECIDE = DecideSettings(onset_s=0.12, silence_s=0.36, hangover_s=0.3, speech_enter=0.6)
SOUND = sound(4.0)
KINDS = 6

logits = arrays(np.float32, st.tuples(st.integers(1, 40), st.just(KINDS)), elements=st.floats(-9, 9, width=32))
factor = st.floats(0.125, 8, width=32)


class Known:
    """A voice of some factors, which notes what it hears and may change them."""

    name = "known"

    def __init__(self, *values, then=None):
        self.values, self.then, self.heard = values, then, []

    def factors(self, _model):
        return np.array(self.values, np.float32) if self.values else None

    def hear(self, utterance, factors):
        self.heard.append((utterance, factors))
        self.values = self.then or self.values


def probabilities(rows):
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@given(logits, st.lists(factor, min_size=KINDS, max_size=KINDS))
def test_shifted_probabilities_sum_to_one_and_are_the_softmax_of_shifted_logs(rows, factors):
    emotions, every = probabilities(rows), np.tile(np.array(factors, np.float32), (len(rows), 1))
    result = shifted(emotions, every)
    assert result.dtype == np.float32
    assert result.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert result == pytest.approx(probabilities(np.log(np.float64(emotions)) + np.log(np.float64(every))), abs=1e-6)


@given(logits)
def test_a_voice_like_the_average_changes_nothing(rows):
    emotions = probabilities(rows)
    assert shifted(emotions, np.ones_like(emotions)) == pytest.approx(emotions, abs=1e-6)


@given(st.integers(1, 40), st.lists(factor, min_size=KINDS, max_size=KINDS))
def test_rows_that_do_not_decide_stay_zeros(count, factors):
    zeros = np.zeros((count, KINDS), np.float32)
    assert not shifted(zeros, np.tile(np.array(factors, np.float32), (count, 1))).any()


@given(logits, st.lists(factor, min_size=KINDS, max_size=KINDS), st.randoms(use_true_random=False))
def test_neither_the_order_of_the_streams_nor_that_of_the_emotions_matters(rows, factors, random):
    emotions, every = probabilities(rows), np.tile(np.array(factors, np.float32), (len(rows), 1))
    order, kinds = random.sample(range(len(rows)), len(rows)), random.sample(range(KINDS), KINDS)
    whole = shifted(emotions, every)
    assert np.array_equal(shifted(emotions[order], every[order]), whole[order])
    assert shifted(emotions[:, kinds], every[:, kinds]) == pytest.approx(whole[:, kinds], abs=1e-6)


@given(logits, st.lists(factor, min_size=KINDS, max_size=KINDS))
def test_the_opposite_shift_takes_it_back(rows, factors):
    emotions, every = probabilities(rows), np.tile(np.array(factors, np.float32), (len(rows), 1))
    assert shifted(shifted(emotions, every), 1 / every) == pytest.approx(emotions, abs=1e-5)


def all_of(stream, *parts):
    said = [one for part in parts for one in stream.push(part)]
    last = stream.reset()
    return [*said, last] if last else said


def decided(said):
    return [one for one in said if isinstance(one, Decision)]


PLAIN = all_of(Stream(TINY, decide=DECIDE), SOUND)


def test_a_voice_without_factors_gives_the_bits_of_no_voice():
    assert all_of(Stream(TINY, decide=DECIDE, voice=Known()), SOUND) == PLAIN


def test_only_what_the_window_decides_is_shifted():
    factors = (0.5, 2.0, 1.0)
    said = decided(all_of(Stream(TINY, decide=DECIDE, voice=Known(*factors)), SOUND))
    assert any(one.emotions for one in said)
    for plain, one in zip(decided(PLAIN), said, strict=True):
        assert (one.speech, one.segment_emotions, one.salience, one.speaking) == (
            plain.speech,
            plain.segment_emotions,
            plain.salience,
            plain.speaking,
        )
        if plain.emotions is None:
            assert one.emotions is None
        else:
            row, each = (np.array([values], np.float32) for values in ([*plain.emotions.values()], factors))
            assert list(one.emotions.values()) == shifted(row, each)[0].tolist()


def test_the_decider_follows_the_shifted_probabilities():
    said = all_of(Stream(TINY, decide=DECIDE, voice=Known(0.01, 0.01, 1.0)), SOUND)
    labels = {one.leaning.label for one in said if isinstance(one, Utterance)}
    assert labels == {TINY.labels[2]}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=40))
def test_any_chunking_gives_the_same_bits_also_where_the_voice_changes(sizes):
    def voice():
        return Known(0.5, 2.0, 1.0, then=(2.0, 0.5, 1.0))

    stream, parts, start = Stream(TINY, decide=DECIDE, voice=voice()), [], 0
    for size in [*sizes, len(SOUND)]:
        parts.append(SOUND[start : start + size])
        start += size
    assert all_of(stream, *parts) == all_of(Stream(TINY, decide=DECIDE, voice=voice()), SOUND)


def test_a_voice_hears_every_utterance_that_ended_with_the_factors_that_it_was_decided_with():
    voice = Known(0.5, 2.0, 1.0, then=(2.0, 0.5, 1.0))
    said = all_of(Stream(TINY, decide=DECIDE, voice=voice), SOUND)
    ended = [one for one in said if isinstance(one, Utterance) and one.final]
    assert len(ended) >= 2
    assert [utterance for utterance, _ in voice.heard] == ended
    assert [factors.tolist() for _, factors in voice.heard] == [[0.5, 2.0, 1.0]] + [[2.0, 0.5, 1.0]] * (len(ended) - 1)


def test_speech_that_goes_on_is_not_heard_yet():
    voice, steady = Known(1.0, 1.0, 1.0), np.random.default_rng(0).normal(0, 0.1, 16_000 * 4).astype(np.float32)
    said = Stream(TINY, decide=DECIDE.model_copy(update={"report_s": 1}), voice=voice).push(steady)
    assert any(isinstance(one, Utterance) and not one.final for one in said)
    assert voice.heard == []


def test_each_stream_of_a_bank_has_its_own_voice():
    voices = [None if number % 3 == 0 else Known(0.5 + number / 10, 1.0, 2.0) for number in range(PIECE + 4)]
    bank = Bank(TINY, decide=DECIDE)
    streams = [bank.open(voice) for voice in voices]
    for stream in reversed(streams):
        bank.push(stream, SOUND)
    found = {stream: [] for stream in streams}
    while bank.due:
        decisions = bank.step()
        for row, stream in enumerate(decisions.streams):
            found[stream].append(decisions.decision(row))
    for stream, voice in zip(streams, voices, strict=True):
        alone = decided(Stream(TINY, decide=DECIDE, voice=voice).push(SOUND))
        for one, other in zip(found[stream], alone, strict=True):
            assert (one.emotions is None) == (other.emotions is None)
            if one.emotions:
                assert one.emotions == pytest.approx(other.emotions, abs=1e-5)


def test_what_is_no_voice_is_named():
    with pytest.raises(ArgumentError, match=r"voice must be a rtser\.Voice, not str"):
        Bank(TINY).open("me.json")
