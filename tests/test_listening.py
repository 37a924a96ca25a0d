"""`rtser.listen`: the events of a microphone in a program."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import rtser
from rtser.testing import tiny_model

STOPPED = """
import sys, threading, rtser
stop, decisions = threading.Event(), 0
for event in rtser.listen(rtser.load(sys.argv[1]), device="virtmic", stop=stop, embeddings=True):
    print(event.to_json())
    if event.type == "decision":
        assert event.embedding is not None
        decisions += 1
    if decisions == 20:
        stop.set()
"""
LEFT = """
import subprocess, sys, time, rtser
def readers():
    lines = subprocess.check_output(["pactl", "list", "source-outputs", "short"], text=True).splitlines()
    return [line for line in lines if line.split()[2] != "-"]  # without a client: the server itself
for event in rtser.listen(rtser.load(sys.argv[1]), device="virtmic"):
    if event.type == "decision":
        print(len(readers()))
        break
until_s = time.monotonic() + 5
while readers() and time.monotonic() < until_s:
    time.sleep(0.05)
print(len(readers()))
"""


def run(program, model_path, microphone):
    """What a program prints that listens to the virtual microphone."""
    command = [sys.executable, "-c", program, model_path]
    result = subprocess.run(command, env=microphone.environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.e2e
def test_the_events_go_from_start_to_end_and_a_set_stop_ends_them(microphone, model_path):
    start, *middle, end = map(json.loads, run(STOPPED, model_path, microphone))
    assert (start["type"], start["source"], end["type"]) == ("start", "virtmic", "end")
    decisions = [event for event in middle if event["type"] == "decision"]
    assert 20 <= len(decisions) == end["decisions"] < 40
    assert [one["time"] for one in decisions] == pytest.approx([0.335 + 0.06 * k for k in range(len(decisions))])


@pytest.mark.e2e
def test_leaving_the_loop_closes_the_device(microphone, model_path):
    assert run(LEFT, model_path, microphone) == ["1", "0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "a.onnx"}, r"a loaded model, not str; use rtser\.load"),
        ({"device": 1.5}, "by text or an index, not by float"),
        ({"window_s": 0.1}, "the window must be"),
    ],
)
def test_wrong_arguments_are_told_at_once_in_one_sentence(arguments, words):
    with pytest.raises(rtser.ArgumentError, match=words):
        rtser.listen(**{"model": tiny_model()} | arguments)


def test_a_device_that_is_not_there_is_told_where_the_first_event_is_asked_for(monkeypatch):
    monkeypatch.setattr("rtser.audio.microphone.list_devices", lambda **_: [])
    events = rtser.listen(tiny_model(), device=7)
    with pytest.raises(rtser.DeviceError, match="no audio input device"):
        next(events)
