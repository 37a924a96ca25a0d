"""The example streams what the library streams."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import soundfile
from conftest import ROOT

import rtser
from rtser.models import default_model_path

pytestmark = pytest.mark.e2e


def test_a_few_lines_of_python_give_the_raw_outputs_of_the_library(voice, tmp_path):
    soundfile.write(tmp_path / "a.wav", voice[:160_000], 16_000, subtype="PCM_16")
    command = [sys.executable, ROOT / "examples" / "stream_wav.py", default_model_path(), tmp_path / "a.wav"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    samples = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    decisions = rtser.Stream(rtser.load(provider="cpu")).push(samples)
    assert len(lines) == len(decisions)
    for line, decision in zip(lines, decisions, strict=True):
        told = json.loads(line)
        emotions = list(decision.emotions.values()) if decision.emotions else [0.0] * 6
        assert told["time"] == pytest.approx(decision.time_s)
        assert told["speech"] == pytest.approx(decision.speech, abs=1e-5)
        assert told["emotions"] == pytest.approx(emotions, abs=1e-5)
