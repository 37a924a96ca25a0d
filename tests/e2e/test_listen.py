"""`rtser listen` against a real sound server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import jsonschema
import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser
from rtser_train.data.corpora.recording import audio_files
from virtual_microphone import Listening

from rtser.audio import devices as rtser_devices
from rtser.audio.file import read_audio
from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import DeviceError

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


def as_played(folder, recordings):
    """16-bit WAV files of some samples, and the samples that they hold."""
    paths = []
    for number, samples in enumerate(recordings):
        paths.append(folder / f"played{number}.wav")
        soundfile.write(paths[-1], samples, SAMPLE_RATE, subtype="PCM_16")
    return paths, [soundfile.read(path, dtype="float32")[0] for path in paths]


def position(needle, haystack):
    """Where an array lies in another; -1 where it does not."""
    view = np.lib.stride_tricks.sliding_window_view(haystack, 64)
    loud = int(np.abs(needle).argmax()) // 64 * 64
    starts = np.flatnonzero((view == needle[loud : loud + 64]).all(axis=1)) - loud
    return next((at for at in starts if at >= 0 and np.array_equal(haystack[at : at + len(needle)], needle)), -1)


def decisions(events):
    return [event for event in events if event["type"] == "decision"]


def check_equality(microphone, recordings, tmp_path, *options):
    paths, played = as_played(tmp_path, recordings)
    heard = tmp_path / "heard.wav"
    with Listening(microphone.environment, "--save-audio", heard, "--max-lag", 5000, *options) as listening:
        for path in paths:
            microphone.play(path)
            time.sleep(0.5)
        assert listening.end(signal.SIGINT)[0] == 130
    offline = rtser("file", heard, "--json", *options)
    assert offline.returncode == 0, offline.stderr
    live, again = decisions(listening.events), decisions(map(json.loads, offline.stdout.splitlines()))
    assert len(live) == listening.events[-1]["decisions"] >= sum(map(len, played)) // 960
    assert listening.of("source") == []
    assert live == again
    assert listening.events[0]["sample_rate"] == SAMPLE_RATE
    assert listening.events[-1]["dropped_samples"] == 0
    captured, rate = soundfile.read(heard, dtype="float32")
    assert rate == SAMPLE_RATE
    places = [position(one, captured) for one in played]
    assert -1 not in places
    assert places == sorted(places)


def test_live_equals_offline_value_for_value_and_the_capture_holds_what_was_played(microphone, model_path, tmp_path):
    voice = read_audio(DEMO)
    check_equality(microphone, [voice[:40_000], voice[80_000:140_000]], tmp_path, "--model", model_path)


def test_live_equals_offline_on_three_real_recordings_with_the_shipped_model(microphone, data, tmp_path):
    recordings = [read_audio(audio_files(data / name)[7]) for name in ("emodb", "ravdess", "nemo")]
    check_equality(microphone, recordings, tmp_path)


def test_another_rate_and_two_channels_are_heard_as_16_khz_mono(microphone, model_path):
    microphone.unplug()
    microphone.plug(rate=44_100, channels=2)
    try:
        with Listening(microphone.environment, "--model", model_path, "--channel", "1") as listening:
            assert listening.end()[0] == 0
        assert len(decisions(listening.events)) > 0
    finally:
        microphone.unplug()
        microphone.plug()


def test_logs_are_appended_opened_again_on_sighup_and_complete_in_the_end(microphone, model_path, tmp_path):
    log, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    options = ["--model", model_path, "--jsonl", log, "--csv", table]
    log.write_text('{"type": "old"}\n{"cut of')
    with Listening(microphone.environment, *options) as listening:
        log.rename(tmp_path / "moved.jsonl")
        listening.process.send_signal(signal.SIGHUP)
        before = len(listening.events)
        listening.wait_for("decision", 5, before)
        listening.wait_for("decision", 5, before + 10)
        assert listening.end()[0] == 0
    old = (tmp_path / "moved.jsonl").read_text().splitlines()
    assert old[:2] == ['{"type": "old"}', '{"cut of']
    before, after = ([json.loads(line) for line in lines] for lines in (old[2:], log.read_text().splitlines()))
    schema = jsonschema.Draft202012Validator(json.loads((ROOT / "rtser" / "events.schema.json").read_text()))
    for event in [*before, *after, *listening.events]:
        schema.validate(event)
    assert before[0] == after[0] == listening.events[0]
    for event in [*before[1:], *after[1:]]:
        assert event.pop("utc").endswith("Z")
    assert before + after[1:] == listening.events
    rows = table.read_text().splitlines()
    assert rows[0].startswith("run,utc,source,time,label")
    assert len(rows) == 1 + len(decisions(listening.events))


def test_the_sound_around_each_utterance_is_recorded(microphone, model_path, tmp_path):
    paths, _ = as_played(tmp_path, [read_audio(DEMO)[: 8 * SAMPLE_RATE]])
    with Listening(microphone.environment, "--model", model_path, "--record", tmp_path / "kept") as listening:
        microphone.play(paths[0])
        time.sleep(1.5)
        listening.end()
    spoken = listening.of("utterance")
    recorded = sorted((tmp_path / "kept").glob("*.flac"))
    assert len(recorded) == len(spoken) >= 1
    event = json.loads(recorded[0].with_suffix(".json").read_text())
    assert event.pop("utc").endswith("Z")
    assert event in spoken


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_warned_of_and_recognition_goes_on(microphone, model_path, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        outputs = ["--jsonl", disk / "a.jsonl", "--save-audio", disk / "a.wav", "--record", disk / "kept"]
        with Listening(microphone.environment, "--model", model_path, *outputs) as listening:
            until_s = time.monotonic() + 15
            while "a.jsonl cannot be written" not in listening.complaint and time.monotonic() < until_s:
                time.sleep(0.1)
            before = len(listening.events)
            listening.wait_for("decision", 5, before)
            assert listening.end()[0] == 6
        assert "a.jsonl cannot be written (No space left on device)" in listening.complaint
        assert "a.wav" in listening.complaint
        assert "Traceback" not in listening.complaint
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_service_manager_hears_that_it_is_ready_and_alive(microphone, model_path, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        environment = microphone.environment | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with Listening(environment, "--model", model_path) as listening:
            assert manager.recv(100).startswith(b"READY=1")
            assert manager.recv(100) == manager.recv(100) == b"WATCHDOG=1"
            assert listening.end()[0] == 0


def test_devices_lists_the_inputs(microphone):
    listed = json.loads(rtser("devices", "--json", env=microphone.environment).stdout)
    (virtual,) = [device for device in listed if device["name"] == "virtmic"]
    assert virtual["host_api"] == "ALSA"
    assert virtual["channels"] >= 1
    assert "virtmic" in rtser("devices", env=microphone.environment).stdout


def test_the_doctor_finds_all_well(microphone):
    result = rtser("doctor", "--device", "virtmic", env=microphone.environment)
    assert result.returncode == 0, result.stdout
    assert "FAIL" not in result.stdout


def test_the_doctor_says_what_to_do_where_there_is_no_microphone(tmp_path):
    result = rtser("doctor", "--json", env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert result.returncode == 4
    failed = [check for check in json.loads(result.stdout) if not check["well"]]
    assert [check["name"] for check in failed] == ["input devices"]
    assert "connect a microphone" in failed[0]["advice"]


def test_a_server_that_is_not_there_is_told_in_one_sentence(microphone, model_path):
    alone = microphone.environment | {"PULSE_SERVER": "unix:/nowhere/at/all"}
    result = rtser("listen", "--device", "virtmic", "--model", model_path, env=alone)
    assert result.returncode == 4
    assert "there is no audio input device" in result.stderr
    assert "Traceback" not in result.stderr


def test_sound_cards_that_this_user_may_not_use_are_told(monkeypatch, tmp_path):
    (tmp_path / "pcmC0D0c").touch()
    monkeypatch.setattr(rtser_devices, "SOUND_CARDS", tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DeviceError, match="add it to the group audio"):
        rtser_devices.find_device([], None)


def test_a_missing_portaudio_is_told_with_what_to_install(monkeypatch):
    def missing(*_, **__):
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("builtins.__import__", missing)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        rtser_devices.list_devices()


@pytest.mark.parametrize("arguments", [["--device", "no such microphone"], []])
def test_without_a_device_it_ends_with_4_and_one_sentence(model_path, arguments, tmp_path):
    result = rtser("listen", *arguments, "--model", model_path, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1].startswith("rtser: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--jsonl", "/proc/nowhere/a.jsonl"], 6, "cannot be written"),
        (["--record", "/proc/nowhere"], 6, "cannot be written"),
        (["--save-audio", "/proc/nowhere/a.wav"], 6, "cannot be written"),
        (["--model", ROOT / "README.md"], 3, "README.md"),
        (["--set", "decide.hold=1"], 2, "decide.hold: there is no such setting"),
        (["--set", "source.max_lag_ms=1"], 2, "max_lag_ms"),
        (["--config", "/nowhere.yaml"], 2, "cannot be read"),
        (["--label-threshold", "2"], 2, "--label-threshold: the value should be less than or equal to 1"),
        (["--window", "0.1"], 2, "--window: the value should be greater"),
    ],
)
def test_what_cannot_work_is_told_in_one_sentence_before_anything_is_heard(arguments, code, said):
    result = rtser("listen", *arguments)
    assert result.returncode == code
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_plain_lines_tell_of_the_label_as_it_changes_and_a_duration_ends_it(microphone, tmp_path):
    paths, _ = as_played(tmp_path, [read_audio(DEMO)[: 5 * SAMPLE_RATE]])
    command = [sys.executable, "-m", "rtser", "listen", "--plain", "--device", "virtmic", "--duration", "8"]
    with subprocess.Popen(command, env=microphone.environment, stdout=subprocess.PIPE, text=True) as listening:
        lines = iter(listening.stdout.readline, "")
        assert next(lines).strip() == "virtmic"
        microphone.play(paths[0])
        told = list(lines)
    assert listening.returncode == 0
    changed = next(number for number, line in enumerate(told) if " now neutral " in line)
    assert changed < next(number for number, line in enumerate(told) if " - " in line)
    assert "neutral is likeliest on average" in told[-1]


def test_a_microphone_is_waited_for_where_that_is_asked_for(microphone, model_path):
    options = ["--wait", "--model", model_path]
    microphone.end_server()
    listening = Listening(microphone.environment, *options)
    try:
        until_s = time.monotonic() + 15
        while "waiting for it" not in listening.complaint:
            assert time.monotonic() < until_s, listening.complaint
            time.sleep(0.1)
    finally:
        microphone.start_server()
        microphone.plug()
    with listening:  # waits for a decision
        assert listening.end()[0] == 0
    assert listening.complaint.count("\n") == 1


def test_a_duration_ends_the_wait_for_a_microphone_too(model_path, tmp_path):
    alone = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    before_s = time.monotonic()
    result = rtser("listen", "--wait", "--duration", "1", "--model", model_path, env=alone)
    assert time.monotonic() - before_s < 10
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1] == "rtser: there was no microphone within 1 s; connect one."


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--device", "virtmic", "--channel", "5"], 4, "virtmic has no channel 5 (it has 1, counted from 0)."),
        (["--device", "virtmic", "--channel", "5", "--wait"], 4, "virtmic has no channel 5"),
        (["--device", ""], 2, "--device is empty; name a device"),
    ],
)
def test_a_device_that_cannot_be_meant_is_told_in_one_sentence(microphone, model_path, arguments, code, said):
    result = rtser("listen", *arguments, "--model", model_path, env=microphone.environment)
    assert result.returncode == code
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_the_live_bench_measures_from_the_last_sample_to_the_event(model_path):
    result = rtser("bench", "live", "--seconds", "2", "--model", model_path, "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert 25 <= figures["decisions"] <= 40
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"] <= figures["latency_ms"]["max"]
    assert figures["dropped_samples"] == 0
