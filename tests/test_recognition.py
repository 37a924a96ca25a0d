"""`rtser.recognise`: a recording at once, and what can be had of the result."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile

import rtser
from rtser.audio.file import read_audio
from rtser.engine.contract import segment_count
from rtser.models.raw import raw_outputs
from rtser.pooling import attention_mean, attention_weights
from rtser.testing import tiny_model

TINY = tiny_model()
VOICE = read_audio(rtser.sample_path())
SHIPPED = rtser.load(provider="cpu")


def told(result):
    return result.decisions, result.utterances


WHOLE = rtser.recognise((VOICE, 16_000), TINY)


def test_a_file_gives_what_its_samples_give(model_path):
    result = rtser.recognise(rtser.sample_path(), TINY)
    assert told(result) == told(WHOLE)
    assert told(rtser.recognise(str(rtser.sample_path()), str(model_path))) == told(WHOLE)
    assert len(result.decisions) == segment_count(len(VOICE))
    assert len(result.utterances) >= 4
    assert result.window == 10
    assert (result.start.source, result.start.sample_rate) == (str(rtser.sample_path()), 16_000)
    assert (WHOLE.start.source, WHOLE.start.model.name) == ("in memory", "tiny")


def test_the_shipped_model_is_used_where_none_is_named():
    sound = VOICE[:32_000], 16_000
    result = rtser.recognise(sound)
    assert result.start.model.sha256 == SHIPPED.sha256
    assert told(result) == told(rtser.recognise(sound, SHIPPED))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_other_rates_are_the_same_in_memory_and_in_a_file(rate, tmp_path):
    sound = np.random.default_rng(rate).normal(0, 3_000, (2 * rate, 2)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sound, rate)
    for channel in (None, 1):
        in_memory = rtser.recognise((sound, rate), TINY, channel=channel)
        assert told(in_memory) == told(rtser.recognise(tmp_path / "a.wav", TINY, channel=channel))
        assert in_memory.start.sample_rate == rate


def test_one_channel_of_several_or_their_mean_is_recognised():
    both = np.stack([VOICE, np.zeros_like(VOICE)], axis=1)
    assert told(rtser.recognise((both, 16_000), TINY, channel=0)) == told(WHOLE)
    assert rtser.recognise((both, 16_000), TINY, channel=1).utterances == []
    assert told(rtser.recognise((both, 16_000), TINY)) == told(rtser.recognise((VOICE / 2, 16_000), TINY))


def test_what_is_too_short_gives_nothing():
    result = rtser.recognise((VOICE[:5_000], 16_000), TINY, embeddings=True)
    assert told(result) == ([], [])
    assert result.embeddings.shape == result.utterance_embeddings().shape == (0, 0)
    assert len(result.to_dataframe()) == 0


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (VOICE, r"not ndarray; recognise\(\(samples, 16_000\)\)"),
        (b"pcm", "not bytes"),
        (None, "not NoneType"),
        ((VOICE,), "not tuple"),
        ((VOICE, "16000"), "sample_rate must be a whole number"),
        ((VOICE, 1_000), "1000 Hz is outside"),
        ((VOICE[None], 16_000), rf"1 to 256 channels, not {len(VOICE)}; samples are \(n, channels\)"),
        ((32_768 * VOICE, 16_000), "divide int16 values by 32768"),
        ((np.full(9, np.nan), 16_000), "NaN"),
        ((b"odd", 16_000), "no whole number"),
        (([0.0], 16_000), "not list"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_sentence(sound, words):
    with pytest.raises(rtser.ArgumentError, match=words):
        rtser.recognise(sound, TINY)


def test_other_wrong_arguments_are_one_sentence_too(tmp_path):
    with pytest.raises(rtser.InputError, match=r"a\.wav: there is no such file"):
        rtser.recognise(tmp_path / "a.wav", TINY)
    with pytest.raises(rtser.ArgumentError, match="no channel 1 of 1"):
        rtser.recognise((VOICE, 16_000), TINY, channel=1)
    with pytest.raises(rtser.InputError, match="no channel 1"):
        rtser.recognise(rtser.sample_path(), TINY, channel=1)
    with pytest.raises(rtser.ArgumentError, match="by the path of its file, not by int"):
        rtser.recognise((VOICE, 16_000), 5)


def test_a_table_has_a_row_a_decision_and_a_column_an_emotion():
    pytest.importorskip("pandas")
    table = WHOLE.to_dataframe()
    said = ["time", "label", "confidence", "leaning", "leaning_confidence", "speaking", "speech", "salience"]
    assert list(table) == [*said, *TINY.labels]
    assert table["time"].tolist() == [one.time for one in WHOLE.decisions]
    named = next(number for number, one in enumerate(WHOLE.decisions) if one.label)
    assert table["label"][named] == WHOLE.decisions[named].label
    assert table.loc[named, list(TINY.labels)].to_dict() == WHOLE.decisions[named].emotions
    assert table.loc[0, list(TINY.labels)].isna().all()  # the sample begins with silence


def test_a_table_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(rtser.UnavailableError, match="pandas is not installed; pip install pandas"):
        WHOLE.to_dataframe()


def test_embeddings_that_were_not_asked_for_are_not_there():
    with pytest.raises(rtser.ArgumentError, match=r"recognise\(\.\.\., embeddings=True\) keeps those"):
        _ = WHOLE.embeddings


def test_embeddings_are_those_of_the_segments():
    result = rtser.recognise((VOICE[:64_000], 16_000), SHIPPED, embeddings=True)
    raw = raw_outputs(SHIPPED, VOICE[:64_000], result.window, extras=["embedding"])
    assert result.embeddings.dtype == np.float32
    assert result.embeddings == pytest.approx(raw.extras["embedding"], abs=1e-5)


def segments_of(utterance):
    """Numbers of an utterance's first and last segments."""
    return round(utterance.start / 0.06), round((utterance.end - 0.335) / 0.06)


def ring(model, first, last, window):
    """Of the segments that the model's window holds after the last one: each one's share of the attention, (n,).

    It is the mean over the dimensions of the attention (the last axis of ``state_weights``).
    """
    raw = raw_outputs(model, VOICE[: 5360 + 960 * last], window, restarts=[first])
    weights = raw.state["state_weights"][-min(window, last - first + 1) :]
    return (weights / weights.sum(axis=0)).mean(axis=1), raw.salience[first:].astype(np.float64)


@pytest.mark.parametrize(("model", "difference"), [(TINY, 1e-4), (SHIPPED, 0.2)], ids=["tiny", "shipped"])
@pytest.mark.parametrize("window", [20, 62])
@pytest.mark.parametrize("segments", [8, 45])
def test_the_weights_follow_from_the_shares_as_in_the_models_own_window(model, difference, window, segments):
    first, _ = segments_of(rtser.recognise((VOICE, 16_000), model).utterances[0])
    shares, salience = ring(model, first, first + segments - 1, window)
    weights = attention_weights(salience, window)[-window:]
    assert np.abs(weights / weights.sum() - shares).sum() < difference


@pytest.mark.parametrize(("model", "difference"), [(TINY, 1e-4), (SHIPPED, 0.2)], ids=["tiny", "shipped"])
def test_the_weights_of_an_utterance_longer_than_the_window_are_those_of_a_window_that_holds_it(model, difference):
    first, last = segments_of(rtser.recognise((VOICE, 16_000), model).utterances[0])
    _, salience = ring(model, first, last, 15)
    shares, _ = ring(model, first, last, 100)
    weights = attention_weights(salience, 15)
    assert np.abs(weights / weights.sum() - shares).sum() < difference


def test_an_utterance_has_the_mean_of_its_embeddings_weighted_by_attention():
    result = rtser.recognise((VOICE, 16_000), SHIPPED, embeddings=True)
    means = result.utterance_embeddings()
    assert means.shape == (len(result.utterances), result.embeddings.shape[1])
    heard = np.array([one.salience for one in result.decisions])
    for utterance, mean in zip(result.utterances, means, strict=True):
        first, last = segments_of(utterance)
        begun = next(  # the network may have heard a soft beginning before the utterance
            begun
            for begun in range(first, first - 50, -1)
            if np.allclose(ring(SHIPPED, begun, last, result.window)[1], heard[begun : last + 1], atol=1e-4)
        )
        shares = ring(SHIPPED, begun, last, 100)[0][first - begun :]
        shares /= shares.sum()
        assert np.linalg.norm(mean - shares @ result.embeddings[first : last + 1]) < 0.05 * np.linalg.norm(mean)


def test_without_utterances_there_are_no_means():
    silent = rtser.recognise((np.zeros(16_000, np.float32), 16_000), SHIPPED, embeddings=True)
    assert silent.utterance_embeddings().shape == (0, silent.embeddings.shape[1])


def test_segments_that_got_no_attention_at_all_have_a_plain_mean():
    assert attention_mean(np.eye(2, dtype=np.float32), np.zeros(2), slice(0, 2), 5).tolist() == [0.5, 0.5]
