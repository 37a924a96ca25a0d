"""A voice that is learnt is kept from run to run."""

from __future__ import annotations

import logging

import pytest
from made import spoken, started

from rtser.engine.decision import Utterance
from rtser.errors import OutputError
from rtser.sinks import reads
from rtser.sinks.voice_file import SAVED_AGAIN_S, VoiceFile
from rtser.testing import tiny_model
from rtser.voice import LearningVoice, Voice

TINY = tiny_model()
ENDED = spoken(0.0, 2.0, None, {"angry": 0.5, "sad": 0.5})


@pytest.fixture
def learner():
    return LearningVoice(TINY)


def hear(learner, seconds):
    emotions = dict(zip(TINY.labels, (0.2, 0.5, 0.3), strict=True))
    learner.hear(Utterance(0.0, seconds, emotions, None, None, None), None)


def kept_s(path):
    return Voice.load(path).profile.speech_s


def a_file(path, learner, told=None):
    return VoiceFile(path, learner, (told if told is not None else []).append)


def test_it_is_saved_after_enough_new_speech_and_at_the_end(tmp_path, learner):
    path = tmp_path / "state" / "voice.json"
    sink = a_file(path, learner)
    hear(learner, SAVED_AGAIN_S - 1)
    sink.write(ENDED)
    assert not path.exists()
    hear(learner, 2)
    sink.write(ENDED)
    assert kept_s(path) == SAVED_AGAIN_S + 1
    hear(learner, 3)
    sink.write(ENDED)
    assert kept_s(path) == SAVED_AGAIN_S + 1
    sink.close()
    assert kept_s(path) == SAVED_AGAIN_S + 4


def test_the_next_run_goes_on_from_it(tmp_path, learner):
    sink = a_file(tmp_path / "voice.json", learner)
    hear(learner, 10)
    sink.close()
    again = a_file(tmp_path / "voice.json", LearningVoice(TINY, Voice.load(tmp_path / "voice.json")))
    again.close()
    assert kept_s(tmp_path / "voice.json") == 10


def test_where_nothing_was_said_nothing_is_written(tmp_path, learner):
    sink = a_file(tmp_path / "voice.json", learner)
    sink.write(started())
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_it_forgets_where_its_file_is_deleted(tmp_path, learner):
    path = tmp_path / "voice.json"
    sink = a_file(path, learner)
    hear(learner, SAVED_AGAIN_S)
    sink.write(ENDED)
    path.unlink()
    sink.write(ENDED)
    assert learner.speech_s == 0
    hear(learner, 2)
    sink.close()
    assert kept_s(path) == 2


def test_a_file_deleted_just_before_the_end_stays_deleted(tmp_path, learner):
    path = tmp_path / "voice.json"
    sink = a_file(path, learner)
    hear(learner, SAVED_AGAIN_S)
    sink.write(ENDED)
    path.unlink()
    hear(learner, 2)
    sink.close()
    assert not path.exists()


def test_a_failure_is_told_once_and_writing_is_tried_again(tmp_path, learner, caplog):
    told, folder = [], tmp_path / "state"
    folder.touch()
    sink = a_file(folder / "voice.json", learner, told)
    with caplog.at_level(logging.WARNING, "rtser"):
        for _ in range(3):
            hear(learner, SAVED_AGAIN_S)
            sink.write(ENDED)
    assert len(told) == len(caplog.records) == 1
    assert "Recognition continues" in caplog.text
    folder.unlink()
    sink.write(ENDED)
    assert kept_s(folder / "voice.json") == 3 * SAVED_AGAIN_S


def test_a_failure_at_the_end_is_an_error(tmp_path, learner):
    (tmp_path / "state").touch()
    sink = a_file(tmp_path / "state" / "voice.json", learner)
    hear(learner, 10)
    with pytest.raises(OutputError, match="cannot be written"):
        sink.close()


def test_it_needs_no_events_of_decisions(tmp_path, learner):
    from rtser.events import DecisionEvent

    assert not reads(a_file(tmp_path / "voice.json", learner), DecisionEvent)
