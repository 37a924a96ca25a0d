"""The average voice, measured through an exported file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtser_train.data.corpora import UNKNOWN_SPEAKER, Recording
from rtser_train.export.baseline import baseline, with_baseline

import rtser
from rtser.errors import InputError
from rtser.models import load_bytes
from rtser.testing import tiny_model, tiny_model_bytes

TINY = tiny_model()


def sound_of(recording):
    """Noise as loud as the recording's name says."""
    level = float(recording.path.name)
    return np.random.default_rng(0).normal(0, level, 16_000 * 8).astype(np.float32)


def recording(level, emotion="neutral", speaker="eve", corpus="mine"):
    return Recording(Path(str(level)), corpus, speaker, emotion, "")


def mean_of(level):
    return np.array(rtser.enrol((sound_of(recording(level)), 16_000), TINY).profile.mean_log_emotions)


def test_it_is_what_enrolment_hears_averaged_over_the_speakers():
    found = baseline(TINY, [recording(0.05), recording(0.2, speaker="bob")], sound_of)
    assert found == pytest.approx((mean_of(0.05) + mean_of(0.2)) / 2, abs=1e-6)


def test_a_corpus_of_many_speakers_counts_no_more_than_one_of_few():
    many = [recording(0.05, speaker=str(number)) for number in range(4)]
    found = baseline(TINY, [*many, recording(0.2, corpus="other")], sound_of)
    assert found == pytest.approx((mean_of(0.05) + mean_of(0.2)) / 2, abs=1e-6)


def test_without_speech_of_a_named_speaker_there_is_none():
    for one in (recording(0.05, speaker=UNKNOWN_SPEAKER), recording(0.0)):
        assert baseline(TINY, [one], sound_of) is None
        assert with_baseline(tiny_model_bytes(), [one], sound_of) == tiny_model_bytes()


def test_a_recording_that_cannot_be_read_is_an_error():
    def broken(_):
        raise InputError("it is gone", "find it")

    with pytest.raises(InputError, match="it is gone"):
        with_baseline(tiny_model_bytes(), [recording(0.05)], broken)


def test_a_file_that_has_it_decides_as_before():
    content = with_baseline(tiny_model_bytes(), [recording(0.05)], sound_of)
    model = load_bytes(content)
    assert model.metadata.baseline == pytest.approx(mean_of(0.05), abs=1e-4)
    assert model.metadata.model_copy(update={"baseline": None}) == TINY.metadata
    samples = (sound_of(recording(0.1)), 16_000)
    assert rtser.recognise(samples, model).decisions == rtser.recognise(samples, TINY).decisions
