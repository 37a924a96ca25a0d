"""`rtser enrol` and `--voice` through the real command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest
import soundfile
from conftest import ROOT, rtser
from virtual_microphone import Listening

from rtser.testing import tiny_model_bytes

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    """The voice of the bundled sample, by the shipped model."""
    path = tmp_path_factory.mktemp("voice") / "me.json"
    result = rtser("enrol", path, "--from", DEMO)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(rf"{re.escape(str(path))}: the voice profile, from 1\d s of speech\n", result.stdout)
    return path


def events(result):
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def sentence(result, code):
    assert result.returncode == code
    (line,) = result.stderr.splitlines()
    return line


def test_a_file_is_decided_with_the_voice_and_names_it(profile):
    plain, known = events(rtser("file", DEMO, "--json")), events(rtser("file", DEMO, "--json", "--voice", profile))
    assert (plain[0]["voice"], known[0]["voice"]) == (None, "me")
    assert len(plain) == len(known)
    moved = [one["emotions"] != other["emotions"] for one, other in zip(plain, known, strict=True) if "salience" in one]
    assert any(moved)
    none = events(rtser("file", DEMO, "--json", "--voice", profile, "--set", "voice.strength=0"))
    assert [one.get("label") for one in none] == [one.get("label") for one in plain]


def test_a_profile_is_not_replaced_unasked(profile):
    before = profile.read_bytes()
    assert "exists already; name another file, or replace it with --force" in sentence(
        rtser("enrol", profile, "--from", DEMO), 2
    )
    assert profile.read_bytes() == before
    assert rtser("enrol", profile, "--from", DEMO, "--force").returncode == 0


def test_too_little_speech_is_refused_and_nothing_is_written(tmp_path):
    samples, rate = soundfile.read(DEMO, frames=16_000 * 4)
    soundfile.write(tmp_path / "short.wav", samples, rate)
    result = rtser("enrol", tmp_path / "me.json", "--from", tmp_path / "short.wav")
    assert " s of speech were heard, and a voice needs 5" in sentence(result, 2)
    assert not (tmp_path / "me.json").exists()


def test_several_files_make_one_voice_and_one_that_is_missing_ends_it(tmp_path):
    both = rtser("enrol", tmp_path / "me.json", "--from", DEMO, "--from", DEMO)
    assert re.search(r" from [23]\d s of speech", both.stdout)
    result = rtser("enrol", tmp_path / "b.json", "--from", DEMO, "--from", tmp_path / "none.wav")
    assert "there is no such file" in sentence(result, 2)
    assert not (tmp_path / "b.json").exists()


def test_a_voice_of_another_model_is_refused(profile, tmp_path):
    (tmp_path / "other.onnx").write_bytes(tiny_model_bytes())
    result = rtser("file", DEMO, "--voice", profile, "--model", tmp_path / "other.onnx")
    assert "voice me was heard by the model default (" in sentence(result, 2)


def test_forgetting_deletes_profiles_and_nothing_else(profile, tmp_path):
    copy = tmp_path / "copy.json"
    copy.write_bytes(profile.read_bytes())
    assert rtser("enrol", copy, "--forget").stdout == f"forgotten: {copy}\n"
    assert not copy.exists()
    assert "there is nothing to forget" in sentence(rtser("enrol", copy, "--forget"), 2)
    (tmp_path / "letter.json").write_text('{"dear": "friend"}')
    assert "is not a voice profile" in sentence(rtser("enrol", tmp_path / "letter.json", "--forget"), 2)
    assert (tmp_path / "letter.json").exists()


def test_auto_in_a_file_uses_what_was_learnt_if_that_is_enough_and_learns_nothing(profile, tmp_path):
    state = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    assert events(rtser("file", DEMO, "--json", "--voice", "auto", env=state))[0]["voice"] is None
    content = json.loads(profile.read_text())
    learnt = tmp_path / "rtser" / f"voice-{content['model']['sha256'][:8]}.json"
    learnt.parent.mkdir()
    learnt.write_text(json.dumps(content | {"speech_s": 100}))
    before = learnt.read_bytes()
    assert events(rtser("file", DEMO, "--json", "--voice", "auto", env=state))[0]["voice"] == "auto"
    assert learnt.read_bytes() == before
    assert rtser("enrol", "auto", "--forget", env=state).stdout == f"forgotten: {learnt}\n"
    assert not learnt.exists()


def test_auto_cannot_be_enrolled():
    assert "rtser listen learns auto" in sentence(rtser("enrol", "auto", "--from", DEMO), 2)


def test_listening_learns_a_voice_and_keeps_it(microphone, tmp_path):
    wav = tmp_path / "demo.wav"
    soundfile.write(wav, *soundfile.read(DEMO), subtype="PCM_16")
    learnt = tmp_path / "learnt.json"
    with Listening(microphone.environment, "--voice", f"auto:{learnt}") as listening:
        microphone.play(wav)
        assert listening.end(signal.SIGTERM)[0] == 0
    assert listening.events[0]["voice"] == "auto"
    assert json.loads(learnt.read_text())["speech_s"] > 10


def test_a_voice_is_enrolled_from_the_microphone_until_enough_is_heard(microphone, tmp_path):
    wav, path = tmp_path / "demo.wav", tmp_path / "me.json"
    soundfile.write(wav, *soundfile.read(DEMO), subtype="PCM_16")
    command = [sys.executable, "-m", "rtser", "enrol", path, "--device", "virtmic", "--seconds", "7"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=microphone.environment, stdout=pipe, stderr=pipe, text=True) as running:
        assert running.stdout.readline() == "Speak as you normally do, until 7 s of speech are recorded.\n"
        microphone.play(wav)
        rest, complaint = running.communicate(timeout=30)
    assert running.returncode == 0, complaint
    assert rest.splitlines()[0] == "5 s of 7 s"
    assert 5 <= json.loads(path.read_text())["speech_s"] <= 8


def test_an_interrupted_enrolment_writes_nothing(microphone, tmp_path):
    command = [sys.executable, "-m", "rtser", "enrol", tmp_path / "me.json", "--device", "virtmic"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=microphone.environment, stdout=pipe, stderr=pipe, text=True) as running:
        assert running.stdout.readline().startswith("Speak as you normally do")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
    assert running.returncode == 130
    assert not (tmp_path / "me.json").exists()
