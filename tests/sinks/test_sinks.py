from __future__ import annotations

import errno
import os
import re
import socket
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from conftest import sound
from made import decided, spoken, started

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import OutputError
from rtser.events import EndEvent, SourceEvent, UtteranceEvent
from rtser.settings import OutputSettings
from rtser.sinks import closing
from rtser.sinks.build import build_sinks
from rtser.sinks.csv_table import CsvTable
from rtser.sinks.dropping import DroppingSink
from rtser.sinks.jsonl import JsonLog
from rtser.sinks.log_file import LogFile
from rtser.sinks.recorder import AFTER_S, BEFORE_S, Recorder
from rtser.sinks.retrying import RETRY_S, RetryingSink
from rtser.sinks.systemd import HOPS_APART, ServiceManager
from rtser.sinks.wav_file import WavFile
from rtser.statistics import RunStatistics

DECISION = decided(0.335, {"angry": 0.6, "sad": 0.4}, "angry")
SPOKEN = spoken(2.0, 3.0, "angry", {"angry": 0.6, "sad": 0.4})


def test_a_log_is_appended_to_and_a_line_that_was_cut_off_is_ended(tmp_path):
    (tmp_path / "a").write_text("old\ncut o")
    log = LogFile(tmp_path / "a")
    log.write("new")
    log.close()
    assert (tmp_path / "a").read_text() == "old\ncut o\nnew\n"


def test_a_log_that_is_large_is_renamed_and_the_new_one_has_its_header(tmp_path):
    log = LogFile(tmp_path / "a", max_bytes=30, keep=2, header="head")
    for number in range(12):
        log.write(f"line {number:02d}")
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.1", "a.2"]
    assert all(path.read_text().startswith("head\n") for path in tmp_path.iterdir())
    assert all(path.stat().st_size <= 30 for path in tmp_path.iterdir())
    assert (tmp_path / "a").read_text().endswith("line 11\n")


def test_a_closed_log_opens_again_by_its_name(tmp_path):
    log = LogFile(tmp_path / "a")
    log.write("one")
    (tmp_path / "a").rename(tmp_path / "moved")
    log.close()
    log.write("two")
    log.close()
    assert (tmp_path / "moved").read_text() == "one\n"
    assert (tmp_path / "a").read_text() == "two\n"


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        LogFile(tmp_path / "no" / "such" / "a")


def test_a_table_has_a_row_a_decision(tmp_path):
    labels = ("angry", "sad")
    table = CsvTable(LogFile(tmp_path / "a.csv", header=CsvTable.header(labels)), labels)
    for event in (started('a "b", c.wav'), DECISION, SPOKEN):
        table.write(event)
    table.close()
    header, row = (tmp_path / "a.csv").read_text().splitlines()
    columns = "run,utc,source,time,label,confidence,leaning,leaning_confidence,speaking,speech,salience,angry,sad"
    assert header == columns
    row = re.sub(r"\d{4}-[^,]*Z", "UTC", row)
    assert row == 'r1,UTC,"a ""b"", c.wav",0.335,angry,0.6,angry,0.6,True,0.9,0.1,0.6,0.4'


class Failing:
    """A sink that fails while it is told to."""

    def __init__(self):
        self.failing, self.written = False, []

    def write(self, event):
        if self.failing:
            raise OutputError("a.jsonl cannot be written (No space left on device).")
        self.written.append(event)

    def close(self):
        pass


def test_a_sink_that_fails_warns_once_and_is_tried_again_after_a_while(caplog):
    now_s, inner = [0.0], Failing()
    sink = RetryingSink(inner, clock=lambda: now_s[0])
    sink.write(DECISION)
    inner.failing = True
    for _ in range(100):
        sink.write(DECISION)
        now_s[0] += 1.0
    assert len(caplog.messages) == 1
    assert "Recognition continues" in caplog.messages[0]
    inner.failing = False
    now_s[0] += RETRY_S
    sink.write(SPOKEN)
    assert inner.written == [DECISION, SPOKEN]
    assert "100 events are missing after" in caplog.messages[1]


def test_a_sink_that_fails_until_the_end_is_incomplete():
    inner = Failing()
    sink = RetryingSink(inner)
    sink.write(DECISION)
    inner.failing = True
    sink.write(DECISION)
    sink.write(DECISION)
    with pytest.raises(OutputError, match=r"2 events are missing in an output \(a\.jsonl cannot be written"):
        sink.close()


def test_a_sink_that_works_again_says_at_the_end_what_it_lacks():
    now_s, inner = [0.0], Failing()
    sink = RetryingSink(inner, clock=lambda: now_s[0])
    inner.failing = True
    sink.write(DECISION)
    inner.failing, now_s[0] = False, RETRY_S
    sink.write(SPOKEN)
    assert inner.written == [SPOKEN]
    with pytest.raises(OutputError, match="1 events are missing"):
        sink.close()


def test_every_sink_is_closed_whatever_another_one_does():
    class Closing(Failing):
        closed = False

        def close(self):
            self.closed = True
            if self.failing:
                raise OutputError("b.csv cannot be written")

    first, second, third = Closing(), Closing(), Closing()
    second.failing = True
    with pytest.raises(OutputError, match=r"b\.csv"), closing([first, second, third]):
        pass
    assert first.closed
    assert second.closed
    assert third.closed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_that_is_full_is_an_output_error():
    log = LogFile(Path("/dev/full"))
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)):
        JsonLog(log).write(DECISION)
    with pytest.raises(OutputError):
        log.close()


def test_the_capture_is_bit_for_bit_what_was_heard(tmp_path):
    samples = sound(1.0)
    file = WavFile(tmp_path / "a.wav")
    for start in range(0, len(samples), 300):
        file.write_audio(samples[start : start + 300], start)
    file.close()
    assert (soundfile.read(tmp_path / "a.wav", dtype="float32")[0] == samples).all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_capture_on_a_full_disk_is_one_sentence():
    with pytest.raises(OutputError, match="/dev/full cannot be written"):
        WavFile(Path("/dev/full"))


def recorded(tmp_path, blocks, spoken=SPOKEN, max_bytes=10**9, start=0):
    recorder = Recorder(tmp_path, max_bytes)
    for block in blocks:
        recorder.write_audio(block, start)
        start += len(block)
    recorder.write(spoken)
    return [soundfile.read(path, dtype="float32")[0] for path in sorted(tmp_path.glob("*.flac"))]


def test_a_recording_holds_the_utterance_and_a_little_around_it(tmp_path):
    samples = sound(5.0)
    (kept,) = recorded(tmp_path, np.split(samples, 100))
    expected = samples[round((2.0 - BEFORE_S) * SAMPLE_RATE) : round((3.0 + AFTER_S) * SAMPLE_RATE)]
    assert kept == pytest.approx(expected, abs=2**-23)


def test_a_recording_finds_its_place_after_a_gap(tmp_path):
    samples = sound(5.0)
    (kept,) = recorded(tmp_path, np.split(samples, 100), start=16_000)
    assert kept == pytest.approx(samples[: round((2.0 + AFTER_S) * SAMPLE_RATE)], abs=2**-23)


def test_the_oldest_recordings_make_room(tmp_path):
    recorder = Recorder(tmp_path, max_bytes=400_000)
    for number in range(6):
        recorder.write_audio(sound(2.0, seed=number), 2 * SAMPLE_RATE * number)
        recorder.write(spoken(2.0 * number, 2.0 * number + 2, "angry", {"angry": 0.6}))
    kept = sorted(path.name for path in tmp_path.glob("*.flac"))
    assert 1 <= len(kept) < 6
    assert any("10.00s" in name for name in kept)
    assert not any("-0.00s" in name for name in kept)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 400_000


def test_a_label_that_is_no_file_name_does_not_spoil_a_recording(tmp_path):
    recorded(tmp_path, [sound(5.0)], spoken(2.0, 3.0, "joy/../x", {"joy/../x": 0.6}))
    (path,) = tmp_path.glob("*.flac")
    assert path.name.endswith("-joy____x.flac")


def test_a_recording_that_fails_is_warned_of_once_and_comes_back_with_its_folder(tmp_path, caplog):
    folder = tmp_path / "kept"
    recorder = Recorder(folder, 10**9)
    sink = RetryingSink(recorder, UtteranceEvent, retry_s=0)
    recorder.write_audio(sound(5.0), 0)
    folder.rmdir()
    folder.touch()
    for event in (SPOKEN, DECISION, SPOKEN, DECISION):
        sink.write(event)
    assert len(caplog.messages) == 1
    folder.unlink()
    sink.write(SPOKEN)
    assert len(list(folder.glob("*.flac"))) == 1
    assert "2 events are missing after" in caplog.messages[1]


def test_the_newest_recording_stays_however_little_room_there_is(tmp_path):
    assert len(recorded(tmp_path, [sound(5.0)], max_bytes=1)) == 1


def test_systemd_hears_that_it_is_ready_alive_with_decisions_only_and_stopping(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        manager = ServiceManager(str(tmp_path / "notify"))
        manager.write(started("virtmic"))
        for _ in range(2 * HOPS_APART):
            manager.write(DECISION)
        manager.write(SourceEvent(1.0, "lost", "virtmic has gone", 0))
        manager.write(EndEvent.of(1.0, RunStatistics()))
        heard = [listener.recv(1000).decode() for _ in range(5)]
    assert heard[0] == "READY=1\nSTATUS=listening to virtmic"
    assert heard[1:3] == ["WATCHDOG=1"] * 2
    assert heard[3] == "STATUS=lost: virtmic has gone"
    assert heard[4] == "STOPPING=1"


class Leaving(Failing):
    """A sink whose reader leaves when it is told to."""

    def write(self, event):
        if self.failing:
            raise BrokenPipeError
        super().write(event)


def test_a_reader_that_leaves_is_no_failure_and_is_told_once():
    left, inner = [], Leaving()
    sink = DroppingSink(inner, lambda: left.append(True))
    sink.write(DECISION)
    inner.failing = True
    sink.write(DECISION)
    inner.failing = False
    sink.write(SPOKEN)
    sink.close()
    assert inner.written == [DECISION]
    assert left == [True]


def test_a_sink_that_fails_drops_out_and_says_so_at_the_end():
    inner = Failing()
    sink = DroppingSink(inner)
    inner.failing = True
    sink.write(DECISION)
    inner.failing = False
    sink.write(SPOKEN)
    assert inner.written == []
    with pytest.raises(OutputError, match="No space left on device"):
        sink.close()


def test_a_full_disk_while_recording_is_told_as_such_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_path, _content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\)"):
        recorded(tmp_path, [sound(5.0)])
    assert list(tmp_path.iterdir()) == []


def open_files():
    own = psutil.Process()
    return own.num_fds() if hasattr(own, "num_fds") else own.num_handles()


def test_an_output_that_cannot_be_opened_closes_those_that_are(tmp_path):
    settings = OutputSettings(jsonl=tmp_path / "a.jsonl", save_audio=tmp_path / "no" / "a.wav")
    before = open_files()
    with pytest.raises(OutputError, match=r"a\.wav cannot be written"):
        build_sinks(settings, ("angry",), threading.Event(), print)
    assert open_files() == before
