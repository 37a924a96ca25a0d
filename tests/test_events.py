"""Events as JSON, and their schema."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
from conftest import ROOT, rtser

from rtser.engine.decision import Leaning
from rtser.events import (
    SCHEMA,
    DecisionEvent,
    EndEvent,
    ErrorEvent,
    Event,
    ModelName,
    SettingsEvent,
    SourceEvent,
    StartEvent,
    UtteranceEvent,
    utc_now,
)
from rtser.statistics import RunStatistics

STORED = (ROOT / "rtser" / "events.schema.json").read_text()
SCHEMA_OF_EVENTS = json.loads(STORED)
EVENTS = [
    StartEvent(SCHEMA, "7f", utc_now(), "0.1", "a.wav", 16_000, ModelName("m", "ab", ("sad",)), "CPU", None),
    StartEvent(SCHEMA, "7f", utc_now(), "0.1", "a.wav", 16_000, ModelName("m", "ab", ("sad",)), "CPU", "me"),
    DecisionEvent(0.335, None, None, None, None, False, 0.1, {"sad": 1.0}, 0.0),
    DecisionEvent(0.395, {"sad": 1.0}, "sad", 1.0, Leaning("sad", 1.0), True, 0.9, {"sad": 1.0}, 0.5),
    UtteranceEvent(0.0, 1.0, None, None, Leaning("sad", 0.3), {"sad": 0.3}, True),
    SourceEvent(1.0, "lost", "it has gone", 0),
    SettingsEvent(1.5, {"decide.label_threshold": 0.35, "device": None}),
    ErrorEvent(2.0, "a.csv cannot be written"),
    EndEvent.of(2.0, RunStatistics()),
]


def check(lines):
    """Each line is an event of the schema; the events."""
    validator = jsonschema.Draft202012Validator(SCHEMA_OF_EVENTS)
    events = [json.loads(line) for line in lines]
    for event in events:
        validator.validate(event)
    return events


def test_the_stored_schema_is_what_the_tool_makes_of_the_dataclasses():
    made = subprocess.check_output([sys.executable, ROOT / "tools" / "make_schema.py"], text=True)
    assert made == STORED, "python tools/make_schema.py > rtser/events.schema.json"


def test_the_schema_is_one_and_has_every_kind_of_event():
    jsonschema.Draft202012Validator.check_schema(SCHEMA_OF_EVENTS)
    kinds = {kind.type for kind in Event.__subclasses__()}
    assert {one["properties"]["type"]["const"] for one in SCHEMA_OF_EVENTS["$defs"].values()} == kinds
    assert {event.type for event in EVENTS} == kinds


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_event_keeps_to_the_schema(event):
    assert check([event.to_json(), event.to_json(utc_now())])[0]["type"] == event.type


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_key_is_required_and_no_other_is_allowed_but_a_servers(event):
    plain = json.loads(event.to_json())
    check([json.dumps(plain | {"utc": utc_now(), "stream": "line 7", "channel": 1})])
    wrong = [{key: value for key, value in plain.items() if key != left_out} for left_out in plain]
    for one in [*wrong, plain | {"more": 1}, plain | {"type": "other"}]:
        with pytest.raises(jsonschema.ValidationError):
            check([json.dumps(one)])


@pytest.mark.parametrize("change", [{"time": "1"}, {"label": 3}, {"emotions": {"sad": None}}, {"leaning": {}}])
def test_values_of_another_type_do_not_keep_to_the_schema(change):
    with pytest.raises(jsonschema.ValidationError):
        check([json.dumps(json.loads(EVENTS[2].to_json()) | change)])


@pytest.mark.e2e
def test_what_the_command_writes_keeps_to_the_schema(model_path):
    result = rtser("file", ROOT / "rtser" / "samples" / "demo.flac", "--json", "--model", model_path)
    assert {event["type"] for event in check(result.stdout.splitlines())} == {"start", "decision", "utterance", "end"}


def test_the_wall_clock_is_utc_with_milliseconds():
    assert utc_now()[10] == "T"
    assert len(utc_now()) == len("2026-01-01T00:00:00.000Z")
    assert utc_now().endswith("Z")
