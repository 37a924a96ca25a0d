"""Events in log files and tables: each file can be read on its own, and runs can be told apart."""

from __future__ import annotations

import csv
import json

import jsonschema
import pytest
from conftest import ROOT

from rtser.engine.decision import Leaning
from rtser.errors import OutputError
from rtser.events import DecisionEvent, EndEvent, StartEvent, UtteranceEvent
from rtser.sinks.csv_table import CsvTable, new_table
from rtser.sinks.jsonl import JsonLog
from rtser.sinks.log_file import LogFile
from rtser.sinks.retrying import RetryingSink
from rtser.statistics import RunStatistics
from rtser.testing import tiny_model

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "rtser" / "events.schema.json").read_text()))
TINY = tiny_model()
LABELS = TINY.labels
EMOTIONS = dict(zip(LABELS, (0.5, 0.25, 0.25), strict=True))
DECIDED = DecisionEvent(0.335, EMOTIONS, "angry", 0.5, Leaning("angry", 0.5), True, 0.9, EMOTIONS, 0.1)
UNDECIDED = DecisionEvent(0.395, None, None, None, None, False, 0.2, EMOTIONS, 0.0)
SPOKEN = UtteranceEvent(0.0, 1.0, None, None, Leaning("angry", 0.3), EMOTIONS, True)


def start(source="a.wav"):
    return StartEvent.of(source, 16_000, TINY)


def end():
    return EndEvent.of(1.0, RunStatistics())


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def types(path):
    return [event["type"] for event in lines(path)]


def write(sink, *events):
    for event in events:
        sink.write(event)


def write_all(sink, *events):
    write(sink, *events)
    sink.close()


def test_every_event_in_a_log_carries_the_wall_clock(tmp_path):
    write_all(JsonLog(LogFile(tmp_path / "a")), start(), DECIDED, UNDECIDED, SPOKEN, end())
    for event in lines(tmp_path / "a"):
        assert event["utc"].endswith("Z")
        SCHEMA.validate(event)


def test_a_log_that_is_opened_again_begins_with_the_runs_start(tmp_path):
    log = JsonLog(LogFile(tmp_path / "a"))
    write(log, start(), DECIDED)
    (tmp_path / "a").rename(tmp_path / "moved")
    log.close()
    write_all(log, UNDECIDED, end())
    assert types(tmp_path / "moved") == ["start", "decision"]
    assert types(tmp_path / "a") == ["start", "decision", "end"]
    assert lines(tmp_path / "a")[0] == lines(tmp_path / "moved")[0]
    for event in lines(tmp_path / "a"):
        SCHEMA.validate(event)


def test_a_log_that_is_opened_again_without_having_moved_has_the_start_again(tmp_path):
    log = JsonLog(LogFile(tmp_path / "a"))
    write(log, start(), DECIDED)
    log.close()
    write_all(log, UNDECIDED)
    assert types(tmp_path / "a") == ["start", "decision", "start", "decision"]


def test_each_file_of_a_log_that_grows_large_begins_with_the_runs_start(tmp_path):
    log = JsonLog(LogFile(tmp_path / "a", max_bytes=3_000, keep=9))
    write_all(log, start(), *[DECIDED] * 40, end())
    files = sorted(tmp_path.iterdir())
    assert len(files) > 3
    for path in files:
        assert types(path)[0] == "start"
        assert types(path).count("start") == 1
        assert path.stat().st_size <= 3_000
        for event in lines(path):
            SCHEMA.validate(event)
    assert sum(types(path).count("decision") for path in files) == 40
    assert len({lines(path)[0]["run"] for path in files}) == 1


def test_another_run_is_appended_and_is_told_apart(tmp_path):
    write_all(JsonLog(LogFile(tmp_path / "a")), start("a.wav"), DECIDED, end())
    log = JsonLog(LogFile(tmp_path / "a"))
    write_all(log, start("b.wav"), DECIDED, end(), start("c.wav"), DECIDED)
    write_all(log, UNDECIDED)
    each = ["start", "decision", "end"]
    assert types(tmp_path / "a") == [*each, *each, "start", "decision", "start", "decision"]
    starts = [event for event in lines(tmp_path / "a") if event["type"] == "start"]
    assert [one["source"] for one in starts] == ["a.wav", "b.wav", "c.wav", "c.wav"]
    assert len({one["run"] for one in starts}) == 3


class Full(LogFile):
    """A log whose disk is full while it is told to be."""

    full = False

    def write(self, line):
        if self.full:
            raise OutputError("the disk is full")
        super().write(line)


def test_a_start_that_could_not_be_written_is_there_once_the_log_can_be_written(tmp_path):
    log, now_s = Full(tmp_path / "a"), [0.0]
    sink = RetryingSink(JsonLog(log), clock=lambda: now_s[0])
    log.full = True
    write(sink, start(), DECIDED)
    log.full, now_s[0] = False, 60.0
    write(sink, UNDECIDED)
    log.close()
    assert types(tmp_path / "a") == ["start", "decision"]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(path, **options):
    return CsvTable(LogFile(path, header=CsvTable.header(LABELS), **options), LABELS)


def test_a_row_says_its_run_its_wall_clock_and_its_source(tmp_path):
    begun = start('a "b", c.wav')
    write_all(table(tmp_path / "a.csv"), begun, DECIDED, SPOKEN, UNDECIDED, end())
    first, second = rows(tmp_path / "a.csv")
    said = ["label", "confidence", "leaning", "leaning_confidence", "speaking", "speech", "salience"]
    assert list(first) == ["run", "utc", "source", "time", *said, *LABELS]
    assert (first["run"], first["source"]) == (begun.run, 'a "b", c.wav')
    assert first["utc"].endswith("Z")
    assert [first[name] for name in said] == ["angry", "0.5", "angry", "0.5", "True", "0.9", "0.1"]
    assert [float(first[label]) for label in LABELS] == list(EMOTIONS.values())
    assert [second[name] for name in said] == ["", "", "", "", "False", "0.2", "0.0"]
    assert [second[label] for label in LABELS] == ["", "", ""]


def test_runs_in_one_table_are_told_apart(tmp_path):
    for source in ("a.wav", "b.wav"):
        write_all(table(tmp_path / "a.csv"), start(source), DECIDED, UNDECIDED, end())
    read = rows(tmp_path / "a.csv")
    assert [row["source"] for row in read] == ["a.wav", "a.wav", "b.wav", "b.wav"]
    assert len({row["run"] for row in read}) == 2


def test_each_file_of_a_table_begins_with_the_header(tmp_path):
    log = table(tmp_path / "a.csv", max_bytes=1_000, keep=9)
    write(log, start(), *[DECIDED] * 20)
    (tmp_path / "a.csv").rename(tmp_path / "moved.csv")
    log.close()
    write_all(log, UNDECIDED)
    files = list(tmp_path.iterdir())
    assert len(files) > 3
    assert {path.read_text().splitlines()[0] for path in files} == {CsvTable.header(LABELS)}
    assert sum(len(rows(path)) for path in files) == 21


@pytest.mark.parametrize("content", ["source,time,label\n", "no table at all"])
def test_a_table_with_another_header_is_refused_and_left_as_it_was(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(OutputError, match="holds a table with other columns; name another file, or move this one"):
        table(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == content


def test_a_new_table_replaces_another_one_at_its_first_event(tmp_path):
    (tmp_path / "a.csv").write_text("source,time,label\n")
    new = new_table(tmp_path / "a.csv", LABELS)
    assert (tmp_path / "a.csv").read_text() == "source,time,label\n"
    write_all(new, start(), DECIDED)
    assert len(rows(tmp_path / "a.csv")) == 1
