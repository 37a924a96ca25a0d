"""Keys that are typed at the real commands, in a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import soundfile
from conftest import ROOT
from typed import Typed
from virtual_microphone import ASOUNDRC

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pseudo-terminals as Linux has them"),
]


@pytest.fixture
def demo(tmp_path):
    with Typed("demo", folder=tmp_path) as typed:
        typed.wait_for("q quit", "demo.flac", "speaking")
        yield typed


def test_q_ends_it_with_a_summary_and_the_terminal_is_as_it_was(demo):
    demo.wait_until(usual=False)
    demo.wait_for("neutral", "0:04.2")
    demo.type("q")
    left = demo.wait_for("is likeliest on average", "of speech in")
    assert "q quit" not in left.rpartition("demo.flac")[2]
    assert demo.end() == 0
    assert demo.is_as_usual()


def test_keys_change_the_threshold_and_the_window_and_pause_and_show_pages(demo):
    demo.type("-")
    demo.wait_for("named from 35%")
    demo.type("++")
    demo.wait_for("named from 45%")
    demo.type("w")
    demo.wait_for("window 8 s")
    demo.type(" ")
    demo.wait_for("the file waits")
    demo.type(" ")
    demo.wait_for("level")
    demo.type("f")
    demo.wait_for("a decision", "runs on")
    demo.type("f?")
    demo.wait_for("uncertain", "no emotion reaches")
    demo.type("q")
    assert demo.end() == 0


def test_s_saves_sound_and_events_and_says_where(demo, tmp_path):
    demo.wait_for("0:04.2")
    demo.type("s")
    told = demo.wait_for("saved rtser-", ".jsonl")
    (sound,), (events,) = tmp_path.glob("rtser-*.flac"), tmp_path.glob("rtser-*.jsonl")
    assert sound.name in told
    kinds = [json.loads(line)["type"] for line in events.read_text().splitlines()]
    assert kinds[0] == "start"
    assert "utterance" in kinds
    samples, _ = soundfile.read(sound)
    original, _ = soundfile.read(DEMO)
    assert abs(samples - original[: len(samples)]).max() < 1e-4


def test_r_begins_anew(demo):
    demo.wait_for("0:00.8 - 0:04.2")
    demo.type("r")
    time.sleep(0.3)
    demo.type("q")
    left = demo.wait_for("of sound, no speech found")
    assert "0:04.2" not in left.rpartition("demo.flac")[2]


def test_a_file_offers_no_device(demo):
    assert "d device" not in demo.text
    demo.type("d")
    time.sleep(0.3)
    assert "choose a device" not in demo.text


def test_ctrl_c_ends_it_as_before(demo):
    demo.type("\x03")
    assert demo.end() == 130
    assert demo.is_as_usual()
    assert "^C" not in demo.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGQUIT, -signal.SIGQUIT)])
def test_signals_leave_the_terminal_as_it_was(demo, number, code):
    os.kill(demo.process, number)
    assert demo.end() == code
    assert demo.is_as_usual()


@pytest.mark.parametrize("command", [["demo"], ["file", DEMO, "--stream"]])
@pytest.mark.parametrize("ask", ["q", signal.SIGTERM])
def test_a_terminal_that_is_held_does_not_hold_up_the_end_and_gets_its_modes_back(command, ask, tmp_path):
    with Typed(*command, folder=tmp_path) as typed:
        typed.wait_for("q quit", "demo.flac", "speaking")
        typed.type("\x13")
        time.sleep(1.0)
        if ask == "q":
            typed.type("q")
        else:
            os.kill(typed.process, ask)
        assert typed.end(timeout_s=5) in (0 if ask == "q" else 130, 6)
        assert typed.is_as_usual()


def test_ctrl_z_gives_the_terminal_back_and_keys_work_again_afterwards(demo):
    demo.type("\x1a")
    demo.wait_until(usual=True)
    while not demo.is_stopped():
        time.sleep(0.02)
    os.kill(demo.process, signal.SIGCONT)
    demo.wait_until(usual=False)
    demo.type("q")
    assert demo.end() == 0
    assert demo.is_as_usual()


def test_another_size_of_the_terminal_is_used(demo):
    demo.resize(50, 14)
    os.kill(demo.process, signal.SIGWINCH)
    demo.wait_for("q quit space pause", "UNCERTAIN", timeout_s=10)
    demo.type("q")
    assert demo.end() == 0


def test_a_terminal_that_goes_away_ends_it(tmp_path):
    with Typed("demo", folder=tmp_path) as typed:
        typed.wait_for("q quit", "speaking")
        os.close(typed._terminal)
        typed._terminal = os.open(os.devnull, os.O_RDWR)
        assert typed.end(timeout_s=30) != 0


def test_where_standard_input_is_the_sound_no_keys_are_offered(tmp_path):
    command = f"{sys.executable} -m rtser file - --speed 8 < {DEMO}"
    shell = [sys.executable, "-c", f"import pty; pty.spawn(['sh', '-c', {command!r}])"]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=tmp_path)
    assert "Ctrl-C ends" in done.stdout
    assert "q quit" not in done.stdout


def test_listen_offers_the_devices_and_listens_to_the_one_that_is_chosen(microphone, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    other = ASOUNDRC.replace("virtmic", "othermic").replace("device othermic", "device virtmic")
    (home / ".asoundrc").write_text(ASOUNDRC + other)
    environment = microphone.environment | {"HOME": str(home)}
    log = tmp_path / "a.jsonl"
    with Typed("listen", "--device", "virtmic", "--jsonl", log, folder=tmp_path, environment=environment) as typed:
        typed.wait_for("d device", "virtmic")
        typed.type("d")
        listed = typed.wait_for("choose a device", "virtmic  (in use)", "othermic")
        (line,) = [line for line in listed.split("\r") if "othermic" in line][-1:]
        typed.type(next(part for part in line.rpartition("othermic")[0].split()[-1:]))
        typed.wait_for("rtser  othermic")
        spoken, rate = soundfile.read(DEMO)
        soundfile.write(tmp_path / "spoken.wav", spoken[: 6 * rate], rate)
        playing = threading.Thread(target=microphone.play, args=[tmp_path / "spoken.wav"])
        playing.start()
        while playing.is_alive():
            typed.type("f+-f")
            playing.join(0.1)
        typed.type("q")
        typed.wait_for("of speech in")
        assert typed.end() == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(event["state"], event["detail"]) for event in events if event["type"] == "source"]
    assert told == [("lost", "changing to othermic"), ("open", "othermic at 16000 Hz")]
    assert any(event["type"] == "utterance" for event in events)
    assert events[-1]["latency_ms"]["p99"] < 1000, "keys delay decisions"
