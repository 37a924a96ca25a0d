"""Events to a real MQTT broker, also one that goes away."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import paho.mqtt.client
import pytest
import soundfile
from conftest import ROOT
from paho.mqtt.enums import CallbackAPIVersion

import rtser

pytestmark = pytest.mark.e2e

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
SOUND = soundfile.read(ROOT / "rtser" / "samples" / "demo.flac", dtype="int16")[0][: 16_000 * 6]
LISTEN = [sys.executable, "-m", "rtser", "listen", "--input", "-", "--plain"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def broker(port, folder, anonymous=True):
    if not MOSQUITTO:
        pytest.skip("no mosquitto here")
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous {str(anonymous).lower()}\n")
    process = subprocess.Popen([MOSQUITTO, "-c", folder / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def subscribed(port, topic="#"):
    """What is published, as a list of (topic, text) that grows."""
    found = []
    client = paho.mqtt.client.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe(topic, qos=1)
    client.on_message = lambda _client, _data, message: found.append((message.topic, message.payload.decode()))
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield found
    finally:
        client.disconnect()
        client.loop_stop()


def until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_utterances_and_labels_come_to_the_broker(tmp_path):
    port = free_port()
    with broker(port, tmp_path), subscribed(port) as found:
        command = [*LISTEN, "--mqtt", f"mqtt://127.0.0.1:{port}/home/desk"]
        done = subprocess.run(command, input=SOUND.tobytes(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        until(lambda: ("home/desk/status", "offline") in found)
    events = [json.loads(text) for topic, text in found if topic == "home/desk/event"]
    assert [event["type"] for event in events] == ["start", "utterance", "end"]
    [utterance] = rtser.recognise((SOUND, 16_000)).utterances
    assert (events[1]["label"], events[1]["start"]) == (utterance.label, utterance.start)
    assert all("utc" in event for event in events)
    labels = [text for topic, text in found if topic == "home/desk/label"]
    assert utterance.label in labels
    assert labels[-1] == "none"


def test_who_asks_later_learns_that_it_is_offline(tmp_path):
    port = free_port()
    with broker(port, tmp_path):
        subprocess.run([*LISTEN, "--mqtt", f"mqtt://127.0.0.1:{port}"], input=SOUND.tobytes(), capture_output=True)
        with subscribed(port) as found:
            until(lambda: ("rtser/status", "offline") in found)


def test_a_broker_that_goes_away_ends_nothing(tmp_path):
    port = free_port()
    command = [*LISTEN, "--mqtt", f"mqtt://127.0.0.1:{port}", "--jsonl", tmp_path / "a.jsonl"]
    with broker(port, tmp_path) as process:
        running = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        running.stdin.write(SOUND[:48_000].tobytes())
        running.stdin.flush()
        until(lambda: (tmp_path / "a.jsonl").exists() and "decision" in (tmp_path / "a.jsonl").read_text())
        process.kill()
        process.wait()
    time.sleep(0.5)
    with broker(port, tmp_path), subscribed(port) as found:
        time.sleep(2.5)
        _, errors = running.communicate(SOUND[48_000:].tobytes(), timeout=60)
        until(lambda: any('"end"' in text for topic, text in found if topic == "rtser/event"))
    assert running.returncode == 0
    assert b"has gone" in errors
    assert b"is back" in errors


def test_a_broker_that_refuses_is_said_at_once(tmp_path):
    port = free_port()
    with broker(port, tmp_path, anonymous=False):
        command = [*LISTEN, "--mqtt", f"mqtt://127.0.0.1:{port}"]
        done = subprocess.run(command, input=b"", capture_output=True, timeout=60)
    assert done.returncode == 6
    assert b"refuses" in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("mqtt://127.0.0.1:9", 6, "cannot be reached"),
        ("http://127.0.0.1", 2, "not the address"),
        ("mqtt://user:secret@127.0.0.1", 2, "RTSER_MQTT_PASSWORD"),
        ("mqtt://", 2, "not the address"),
        ("mqtt://127.0.0.1:abc", 2, "not the address"),
        ("mqtt://127.0.0.1:99999", 2, "not the address"),
        ("mqtt://127.0.0.1/a+b", 2, "not the address"),
    ],
)
def test_what_does_not_work_is_said_in_one_sentence(url, code, words):
    done = subprocess.run([*LISTEN, "--mqtt", url], input=b"", capture_output=True, timeout=60)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
