"""`rtser listen --server`: the sound is here, the recognition there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import soundfile
from conftest import ROOT
from test_serve_command import serving

import rtser

pytestmark = pytest.mark.e2e

SOUND = soundfile.read(ROOT / "rtser" / "samples" / "demo.flac", dtype="int16")[0][: 16_000 * 6]
LISTEN = [sys.executable, "-m", "rtser", "listen", "--input", "-"]


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


def listen(*options, content=SOUND.tobytes()):
    return subprocess.run([*LISTEN, *map(str, options)], input=content, capture_output=True, timeout=60)


def test_the_events_are_those_of_the_library(server):
    done = listen("--server", server.ws, "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    expected = rtser.recognise((SOUND, 16_000))
    assert events[0]["source"] == "standard input"
    assert [event["time"] for event in events if event["type"] == "decision"] == [
        one.time for one in expected.decisions
    ]
    labels = [event["label"] for event in events if event["type"] == "utterance" and event["final"]]
    assert labels == [one.label for one in expected.utterances]
    assert events[-1]["decisions"] == len(expected.decisions)


def test_sound_and_events_are_logged_here(server, tmp_path):
    done = listen("--server", server.ws, "--plain", "--jsonl", tmp_path / "a.jsonl", "--save-audio", tmp_path / "a.wav")
    assert done.returncode == 0, done.stderr
    assert (soundfile.read(tmp_path / "a.wav")[0] * 32768 == SOUND).all()
    assert json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])["type"] == "end"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--server", "ws://127.0.0.1:9"], 5, "cannot be reached"),
        (["--server", "nonsense"], 2, "not the address"),
        (["--server", "ws://127.0.0.1:9", "--model", "mine.onnx"], 2, "its own model"),
        (["--server", "ws://127.0.0.1:9", "--token-file", "absent"], 2, "cannot be read"),
    ],
)
def test_what_does_not_work_is_said_in_one_sentence(options, code, words):
    done = listen(*options)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
