"""The last minute, saved when somebody asks for it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile
from conftest import sound
from made import decided, spoken, started

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import OutputError
from rtser.sinks.last_minute import LastMinute


def kept(seconds):
    """A sink that has heard so many seconds, with a decision each, and one utterance at the end."""
    last, heard = LastMinute(), sound(seconds)
    last.write(started())
    for second in range(seconds):
        last.write_audio(heard[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE], second * SAMPLE_RATE)
        last.write(decided(second + 1.0, {"angry": 0.5, "sad": 0.5}))
    last.write(spoken(seconds - 2.0, seconds - 1.0, "sad", {"angry": 0.4, "sad": 0.6}))
    return last, heard


def test_sound_and_events_of_the_last_minute_are_in_files_with_the_time_in_their_names(tmp_path):
    last, heard = kept(90)
    path = last.save(tmp_path)
    assert re.fullmatch(r"rtser-\d{8}-\d{6}\.jsonl", path.name)
    samples, rate = soundfile.read(path.with_suffix(".flac"), dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.abs(samples - heard[30 * SAMPLE_RATE :]).max() < 1e-6
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert events[0]["type"] == "start"
    assert [event["time"] for event in events if event["type"] == "decision"] == [30.0 + k for k in range(61)]
    assert events[-1]["type"] == "utterance"
    assert all(event["utc"].endswith("Z") for event in events)


def test_saving_twice_in_a_second_overwrites_nothing(tmp_path):
    last, _ = kept(2)
    assert last.save(tmp_path) != last.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path):
    last, _ = kept(2)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        last.save(tmp_path / "file")
    assert "cannot be written" in last.save_in(tmp_path / "file")


def test_a_folder_that_cannot_even_be_searched_is_told(tmp_path):
    last, _ = kept(2)
    assert "cannot be written (File name too long)" in last.save_in(tmp_path / (300 * "a"))


def test_sound_that_cannot_be_saved_is_told(tmp_path):
    last, _ = kept(2)
    last.write_audio(np.full(SAMPLE_RATE, np.nan, np.float32), 2 * SAMPLE_RATE)
    assert "the last minute cannot be written as FLAC (not all of its samples are numbers)" in last.save_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_block_longer_than_a_minute_is_kept_whole(tmp_path):
    last, heard = LastMinute(), sound(61.0)
    last.write(started())
    last.write_audio(heard, 0)
    assert soundfile.info(last.save(tmp_path).with_suffix(".flac")).frames == len(heard)


def test_a_new_run_begins_with_nothing(tmp_path):
    last, _ = kept(2)
    last.write(started())
    assert "no sound to save" in last.save_in(tmp_path)
    assert list(tmp_path.iterdir()) == []
