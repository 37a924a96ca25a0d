"""What happens to a real sound server, and how `rtser listen` lives through it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest
from virtual_microphone import Listening, available, virtual_microphone

pytestmark = pytest.mark.e2e

BACK_S = 12.0


@pytest.fixture
def microphone(tmp_path):
    if not available():
        pytest.skip("no PulseAudio here")
    with virtual_microphone(tmp_path) as running:
        yield running


@pytest.fixture
def listening(microphone, model_path):
    with Listening(microphone.environment, "--model", model_path) as running:
        yield running


def outlived(listening, lost, restore):
    """The events of a loss and a return: decisions must come again in time, and time must go on."""
    before = len(listening.events)
    handles = listening.handles()
    lost()
    gone = listening.wait_for("source", BACK_S, before, "lost")
    time.sleep(2.0)
    restore()
    back = listening.wait_for("source", BACK_S, before, "open")
    decision = listening.wait_for("decision", BACK_S, listening.events.index(back))
    assert gone["detail"]
    assert gone["time"] < back["time"] < decision["time"]
    assert back["missing_samples"] == pytest.approx(16_000 * (back["time"] - gone["time"]), abs=1)
    time.sleep(0.5)
    assert listening.handles() <= tuple(count + 1 for count in handles), "threads or files are leaked"
    return gone, back


def ended_well(listening):
    code, took_s = listening.end()
    assert code == 0, listening.complaint
    assert took_s < 3  # much less, but for a busy machine
    assert "Traceback" not in listening.complaint
    times = [event["time"] for event in listening.events if "time" in event]
    assert times == sorted(times)
    (end,) = listening.of("end")
    assert end["decisions"] == len(listening.of("decision"))
    return end


def test_a_suspended_source_is_found_out_and_heard_again(microphone, listening):
    _, back = outlived(listening, lambda: microphone.suspend(True), lambda: microphone.suspend(False))
    end = ended_well(listening)
    assert end["missing_samples"] == back["missing_samples"] >= 2 * 16_000


def test_a_source_that_is_unplugged_twice_is_opened_again_by_its_name(microphone, listening):
    for _ in range(2):
        outlived(listening, microphone.unplug, microphone.plug)
    ended_well(listening)


def test_a_sound_server_that_ends_is_waited_for(microphone, listening):
    def restart():
        microphone.start_server()
        microphone.plug()

    outlived(listening, microphone.end_server, restart)
    ended_well(listening)


def test_a_sound_server_that_hangs_keeps_nobody_from_ending(microphone, listening):
    microphone.server.send_signal(signal.SIGSTOP)
    listening.wait_for("source", BACK_S, len(listening.events), "lost")
    time.sleep(1.0)
    try:
        ended_well(listening)
    finally:
        microphone.server.send_signal(signal.SIGCONT)


def test_a_process_that_was_stopped_hears_the_newest_sound_and_counts_the_rest(listening):
    before = len(listening.events)
    began = listening.events[-1]["time"]
    began_s = time.monotonic()
    listening.process.send_signal(signal.SIGSTOP)
    time.sleep(5.0)
    listening.process.send_signal(signal.SIGCONT)
    skipped = listening.wait_for("source", BACK_S, before)
    listening.wait_for("decision", BACK_S, listening.events.index(skipped))
    time.sleep(3.0)
    now_s, now = time.monotonic(), listening.of("decision")[-1]["time"]
    assert now - began == pytest.approx(now_s - began_s, abs=0.7), "latency has grown, or time was lost"
    end = ended_well(listening)
    assert end["dropped_samples"] + end["missing_samples"] >= 3 * 16_000  # of 5 s; buffers on the way held the rest


def test_it_ends_though_nobody_reads_its_output(microphone, model_path):
    command = [sys.executable, "-m", "rtser", "listen", "--json", "--device", "virtmic", "--model", str(model_path)]
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(command, env=microphone.environment, stdout=writing, stderr=subprocess.PIPE) as unread:
        os.close(writing)
        time.sleep(5.0)
        began_s = time.monotonic()
        unread.send_signal(signal.SIGTERM)
        assert unread.wait(10) == 6
        assert time.monotonic() - began_s < 4  # 1.8 s and a busy machine
        assert unread.stderr
        assert b"nobody reads" in unread.stderr.read()
    os.close(reading)


def test_it_ends_though_nobody_reads_its_output_nor_its_standard_error(microphone, model_path):
    command = [sys.executable, "-m", "rtser", "listen", "--json", "--device", "virtmic", "--model", str(model_path)]
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(command, env=microphone.environment, stdout=writing, stderr=writing) as unread:
        os.close(writing)
        time.sleep(5.0)
        unread.send_signal(signal.SIGTERM)
        assert unread.wait(10) == 6
    os.close(reading)


def test_a_log_is_complete_when_the_reader_of_the_events_leaves(microphone, model_path, tmp_path):
    log = tmp_path / "a.jsonl"
    command = [sys.executable, "-m", "rtser", "listen", "--json", "--device", "virtmic", "--model", str(model_path)]
    with subprocess.Popen(
        [*command, "--jsonl", str(log)], env=microphone.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listening:
        assert listening.stdout
        listening.stdout.readline()
        listening.stdout.close()
        assert listening.wait(15) == 0
        assert listening.stderr
        assert listening.stderr.read() == b""
    assert '"type": "end"' in log.read_text().splitlines()[-1]


def test_a_sound_server_that_hangs_from_the_start_is_told_and_can_be_interrupted(microphone, model_path):
    command = [sys.executable, "-m", "rtser", "listen", "--json", "--device", "virtmic", "--model", str(model_path)]
    pipe = subprocess.PIPE
    microphone.server.send_signal(signal.SIGSTOP)
    try:
        with (
            subprocess.Popen(command, env=microphone.environment, stdout=pipe, stderr=pipe) as patient,
            subprocess.Popen(command, env=microphone.environment, stdout=pipe, stderr=pipe) as told,
        ):
            time.sleep(3.0)
            began_s = time.monotonic()
            told.send_signal(signal.SIGTERM)
            assert told.wait(10) == 0
            assert time.monotonic() - began_s < 3
            assert patient.wait(20) == 4
            assert patient.stderr
            assert b"the audio system has not answered" in patient.stderr.read()
    finally:
        microphone.server.send_signal(signal.SIGCONT)


def test_a_daemon_whose_terminal_is_closed_ends(microphone, model_path):
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "rtser", "listen", "--plain", "--device", "virtmic", "--model", str(model_path)]
    quiet = subprocess.PIPE
    with subprocess.Popen(
        command, env=microphone.environment, stdin=follower, stdout=follower, stderr=quiet, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as plain:  # fmt: skip
        os.close(follower)
        time.sleep(3.0)
        os.close(leader)
        plain.wait(3)
