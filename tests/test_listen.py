from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser
from virtual_microphone import available, virtual_microphone

import rtser as library
from rtser.features import SAMPLE_RATE
from rtser.sources.file import read_audio

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


@pytest.fixture(scope="module")
def microphone(tmp_path_factory):
    if not available():
        pytest.skip("no PulseAudio here")
    with virtual_microphone(tmp_path_factory.mktemp("pulse")) as running:
        yield running


def test_listen_tells_of_the_microphone_what_file_tells_of_the_recording(microphone, model_path, tmp_path):
    command = [sys.executable, "-m", "rtser", "listen", "--device", "virtmic", "--json", "--model", str(model_path)]
    sound = tmp_path / "played.wav"
    soundfile.write(sound, read_audio(DEMO)[: 4 * SAMPLE_RATE], SAMPLE_RATE, subtype="PCM_16")
    with subprocess.Popen(
        command, env=microphone.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]
        player = threading.Thread(target=microphone.play, args=[sound])
        player.start()
        player.join()
        process.send_signal(signal.SIGINT)
        lines += process.stdout.read().splitlines()
        assert process.stderr
        complaint = process.stderr.read()
    assert process.returncode == 130, complaint
    start, *middle, end = map(json.loads, lines)
    assert start["type"] == "start"
    assert start["sample_rate"] == SAMPLE_RATE
    assert end["type"] == "end"
    assert end["dropped_samples"] == 0
    heard = np.array([e["speech"] for e in middle if e["type"] == "decision"])
    assert end["decisions"] == len(heard) >= 4 / 0.06
    spoken = np.array([d.speech for d in library.Stream(library.load(model_path)).push(read_audio(sound))])
    assert heard.max() == pytest.approx(spoken.max(), abs=0.05)


@pytest.mark.parametrize("arguments", [["--device", "no such microphone"], []])
def test_without_a_device_it_ends_with_4_and_one_sentence(model_path, arguments, tmp_path):
    result = rtser("listen", *arguments, "--model", model_path, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert result.returncode == 4
    assert result.stderr.splitlines()[-1].startswith("rtser: ")
    assert "Traceback" not in result.stderr
