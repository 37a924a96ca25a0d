"""`rtser.Stream`: sound as it comes, at any rate and in any pieces, gives the same events."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import soundfile
import soxr
from conftest import rtser as command
from hypothesis import given, settings
from hypothesis import strategies as st

import rtser
from rtser.audio.file import read_audio
from rtser.engine.contract import segment_count
from rtser.engine.states import States
from rtser.testing import tiny_model

TINY = tiny_model()
VOICE = read_audio(rtser.sample_path())[: 6 * 16_000]


def pcm(rate):
    """Six seconds of the sample as int16 (n,), at a rate in Hz."""
    return (soxr.resample(VOICE, 16_000, rate) * 32_767).round().astype(np.int16)


def streamed(parts, rate=16_000, **options):
    stream = rtser.Stream(TINY, rate, **options)
    return [event for part in parts for event in stream.push(part)] + stream.finish()


def recognised(sound, rate=16_000, **options):
    """Decisions and utterances that `rtser.recognise` tells, by their time."""
    result = rtser.recognise((sound, rate), TINY, **options)
    return result.decisions, result.utterances


def sorted_out(events):
    """A stream's events as `recognised` has them."""
    kinds = rtser.DecisionEvent, rtser.UtteranceEvent
    return tuple([event for event in events if isinstance(event, kind)] for kind in kinds)


PCM = pcm(16_000)
WHOLE = streamed([PCM])


def test_the_events_are_a_decision_a_segment_and_the_utterances():
    decisions, utterances = sorted_out(WHOLE)
    assert len(decisions) == segment_count(len(PCM))
    assert [one.time for one in decisions] == pytest.approx([0.335 + 0.06 * k for k in range(len(decisions))])
    assert len(utterances) >= 1
    assert all(one.final for one in utterances)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 40_000), max_size=30))
def test_bytes_of_any_cut_give_the_same_events(sizes):
    content, parts, at = PCM.tobytes(), [], 0
    for size in [*sizes, len(content)]:
        parts.append(content[at : at + size])
        at += size
    assert streamed(parts) == WHOLE


AS = {
    "bytes": lambda sound: sound.tobytes(),
    "int16": lambda sound: sound,
    "float32": lambda sound: sound.astype(np.float32) / 32_768,
    "float64": lambda sound: sound / 32_768,
}


@pytest.mark.parametrize("kind", AS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_any_type_rate_and_chunking_give_the_events_of_the_recording(rate, kind):
    sound = pcm(rate)
    expected = recognised(sound, rate)
    assert len(expected[1]) >= 1
    cuts = np.random.default_rng(rate).integers(0, len(sound), 40)
    parts = np.split(sound, np.sort(cuts))
    assert sorted_out(streamed(map(AS[kind], parts), rate)) == expected


def test_types_may_change_from_push_to_push():
    parts = np.split(PCM, 8)
    assert streamed([AS[kind](part) for kind, part in zip([*AS, *AS], parts, strict=True)]) == WHOLE


@pytest.mark.e2e
def test_the_events_are_those_of_the_command_on_the_same_sound_in_a_file(model_path, tmp_path):
    soundfile.write(tmp_path / "a.wav", PCM, 16_000)
    lines = command("file", tmp_path / "a.wav", "--json", "--model", model_path).stdout.splitlines()
    assert [event.to_json() for event in WHOLE] == lines[1:-1]
    assert json.loads(lines[0])["type"] == "start"


def test_one_channel_of_several_or_their_mean_is_recognised():
    both = np.stack([PCM, np.zeros_like(PCM)], axis=1)
    assert streamed(np.split(both, 10), channels=2, channel=0) == WHOLE
    assert streamed([both.tobytes()[:333_333], both.tobytes()[333_333:]], channels=2, channel=0) == WHOLE
    silent, _ = sorted_out(streamed([both], channels=2, channel=1))
    assert not any(one.speaking for one in silent)
    assert sorted_out(streamed([both], channels=2)) == recognised(both)


def test_embeddings_come_where_they_are_asked_for():
    assert all(one.embedding is None for one in sorted_out(WHOLE)[0])
    with_embeddings, _ = sorted_out(streamed([PCM], embeddings=True))
    assert {one.embedding.shape for one in with_embeddings} == {(1,)}


def test_the_window_and_the_decider_are_the_callers_to_set():
    decide = rtser.DecideSettings(label_threshold=1.0)
    decisions, utterances = sorted_out(streamed([PCM], window_s=2.0, decide=decide))
    assert (decisions, utterances) == recognised(PCM, window_s=2.0, decide=decide)
    assert not any(one.label for one in [*decisions, *utterances])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([0.1, 0.2], "not list"),
        (np.zeros(9, np.int32), "not int32"),
        (np.zeros((9, 2), np.int16), r"shape \(n, 1\), not \(9, 2\)"),
        (np.full(9, np.nan), "NaN"),
        (np.full(9, -np.inf, np.float32), "infinite"),
        (np.full(9, 1e300), "infinite"),
        (PCM.astype(np.float32), "divide int16 values by 32768"),
        (PCM.astype(np.float64), "divide int16 values by 32768"),
        (np.ma.array(np.full(9, np.nan), mask=True), "NaN"),
    ],
)
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_wrong_sound_is_refused_and_the_stream_goes_on_unharmed(wrong, words, rate):
    sound, stream = pcm(rate), rtser.Stream(TINY, rate)
    events = stream.push(sound[:50_000].tobytes())
    with pytest.raises(rtser.ArgumentError, match=words):
        stream.push(wrong)
    events += stream.push(sound[50_000:]) + stream.finish()
    assert events == streamed([sound], rate)


def test_an_array_in_the_middle_of_a_sample_is_refused_and_the_stream_goes_on_unharmed():
    stream, content = rtser.Stream(TINY), PCM.tobytes()
    events = stream.push(content[:77_777])
    with pytest.raises(rtser.ArgumentError, match=r"middle of a frame.*or call reset"):
        stream.push(PCM)
    assert events + stream.push(content[77_777:]) + stream.finish() == WHOLE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "a.onnx"}, r"a loaded model, not str; use rtser\.load"),
        ({"sample_rate": "16000"}, "sample_rate must be a whole number, not '16000'"),
        ({"sample_rate": 4_000}, "4000 Hz"),
        ({"channels": 0}, "channels, not 0"),
        ({"channels": 2, "channel": 2}, "no channel 2 of 2"),
        ({"window_s": 0.1}, "the window must be"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, words):
    with pytest.raises(rtser.ArgumentError, match=words):
        rtser.Stream(**{"model": TINY} | arguments)


def test_what_the_resampler_held_back_and_the_last_utterance_come_with_the_end():
    sound = pcm(48_000)[: 3 * 48_000]  # ends while somebody speaks
    stream = rtser.Stream(TINY, 48_000)
    pushed = stream.push(sound)
    last = stream.finish()
    assert sorted_out(pushed + last) == recognised(sound, 48_000)
    assert last[-1].type == "utterance"
    assert stream.finish() == []


def test_half_a_sample_at_the_end_is_dropped():
    assert streamed([PCM.tobytes(), b"x"]) == WHOLE


def test_after_the_end_nothing_can_be_pushed_until_reset():
    stream = rtser.Stream(TINY)
    stream.finish()
    with pytest.raises(rtser.ArgumentError, match=r"the stream is finished; call reset\(\)"):
        stream.push(PCM)
    stream.reset()
    assert stream.push(PCM) + stream.finish() == WHOLE


def test_reset_forgets_everything():
    stream = rtser.Stream(TINY, 48_000)
    stream.push(pcm(48_000)[:70_001].tobytes() + b"x")
    assert stream.time_s > 1
    stream.reset()
    assert stream.time_s == 0
    assert stream.push(pcm(48_000)) + stream.finish() == streamed([pcm(48_000)], 48_000)


def test_two_threads_in_one_stream_are_told_so_and_nothing_is_corrupted(monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    step = States.step

    def blocking(*arguments):
        inside.set()
        assert go_on.wait(20)
        return step(*arguments)

    monkeypatch.setattr(States, "step", blocking)
    stream, events = rtser.Stream(tiny_model()), []
    first = threading.Thread(target=lambda: events.extend(stream.push(PCM[:50_000])))
    first.start()
    assert inside.wait(20)
    for call in (lambda: stream.push(PCM), stream.finish, stream.reset):
        with pytest.raises(rtser.ArgumentError, match="two threads use one stream at once; give each thread a stream"):
            call()
    go_on.set()
    first.join()
    assert events + stream.push(PCM[50_000:]) + stream.finish() == WHOLE


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_a_resampler_that_overshoots_is_no_fault_of_the_sound(rate):
    stream = rtser.Stream(tiny_model(), sample_rate=rate)
    square = np.where(np.arange(rate) // 50 % 2, 15.99, -15.99).astype(np.float32)
    assert stream.push(square)
    stream.push(np.zeros(rate, np.float32))


def test_a_finished_stream_still_knows_how_long_it_was():
    stream = rtser.Stream(tiny_model())
    stream.push(np.zeros(16_000, np.float32))
    stream.finish()
    assert stream.time_s == 1.0
    stream.reset()
    assert stream.time_s == 0.0
