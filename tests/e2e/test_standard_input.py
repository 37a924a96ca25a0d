"""Sound from another program: files and samples on standard input, through the commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from conftest import ROOT, sound

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
RTSER = [sys.executable, "-m", "rtser"]
OWN = ("utc", "run", "source", "step_ms", "latency_ms")
"""What differs from run to run."""


def fed(content, *arguments):
    return subprocess.run([*RTSER, *map(str, arguments)], input=content, capture_output=True, timeout=300)


def told(result):
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    return [{key: value for key, value in event.items() if key not in OWN} for event in events]


@pytest.fixture(scope="module")
def samples():
    return soundfile.read(DEMO, dtype="int16")[0][: 16_000 * 6]


@pytest.fixture(scope="module")
def expected(samples, model_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    soundfile.write(path, samples, 16_000)
    return told(fed(None, "file", path, "--model", model_path, "--json"))


def test_a_file_on_standard_input_is_recognised(model_path):
    said = told(fed(DEMO.read_bytes(), "file", "-", "--model", model_path, "--json"))
    assert said == told(fed(None, "file", DEMO, "--model", model_path, "--json"))


def test_raw_samples_on_standard_input_are_recognised(samples, expected, model_path):
    raw = samples.astype("<i2").tobytes()
    assert told(fed(raw, "file", "-", "--format", "s16le", "--model", model_path, "--json")) == expected


def test_raw_samples_in_a_file_are_recognised(samples, expected, model_path, tmp_path):
    (tmp_path / "a.raw").write_bytes((samples / 32768).astype("<f4").tobytes())
    said = told(fed(None, "file", tmp_path / "a.raw", "--format", "f32le", "--model", model_path, "--json"))
    assert said == expected


def test_raw_samples_are_embedded_as_those_of_a_file(samples, model_path, tmp_path):
    soundfile.write(tmp_path / "a.wav", samples, 16_000)
    of_file = fed(None, "embed", tmp_path / "a.wav", "-o", tmp_path / "file.npz", "--model", model_path)
    options = ("--format", "s16be", "--rate", 16_000, "-o", tmp_path / "raw.npz", "--model", model_path)
    of_raw = fed(samples.astype(">i2").tobytes(), "embed", "-", *options)
    assert (of_file.returncode, of_raw.returncode) == (0, 0), of_raw.stderr
    tables = [np.load(tmp_path / name)["segment_embedding"] for name in ("file.npz", "raw.npz")]
    assert len(tables[0])
    np.testing.assert_array_equal(*tables)


def test_a_voice_is_enrolled_from_raw_samples(tmp_path):
    raw = soundfile.read(DEMO, dtype="int16")[0].astype("<i2").tobytes()
    made = fed(raw, "enrol", tmp_path / "raw.json", "--from", "-", "--format", "s16le")
    assert made.returncode == 0, made.stderr
    fed(None, "enrol", tmp_path / "file.json", "--from", DEMO)
    profiles = [json.loads((tmp_path / name).read_text()) for name in ("raw.json", "file.json")]
    assert profiles[0]["mean_log_emotions"] == profiles[1]["mean_log_emotions"]


def test_a_format_without_a_file_to_enrol_from_is_refused(tmp_path):
    refused = fed(None, "enrol", tmp_path / "me.json", "--format", "s16le")
    assert refused.returncode == 2
    assert b"--format is for samples from a file; add --from FILE" in refused.stderr


def test_two_channels_of_raw_samples_are_told_apart(samples, expected, model_path):
    both = np.stack([np.zeros_like(samples), samples], 1).astype("<i2").tobytes()
    options = ("--format", "s16le", "--channels", 2, "--channel", 1, "--model", model_path, "--json")
    assert told(fed(both, "file", "-", *options)) == expected


def test_raw_samples_that_begin_with_a_header_are_warned_of_once(model_path):
    for words in (("file", "-"), ("file", DEMO), ("listen", "--input", "-", "--plain")):
        done = fed(DEMO.read_bytes(), *words, "--format", "s16le", "--model", model_path)
        assert done.returncode == 0
        assert done.stderr.count(b" has a header (FLAC); --format takes it for sound.") == 1


def test_a_voice_that_cannot_be_written_is_refused_before_listening(model_path):
    done = fed(b"", "listen", "--input", "-", "--voice", "auto:/proc/absent/x.json", "--model", model_path)
    assert (done.returncode, done.stdout) == (6, b"")
    assert b"cannot be written" in done.stderr


def test_listen_decides_the_same_of_what_another_program_writes(samples, expected, model_path):
    said = told(fed(samples.astype("<i2").tobytes(), "listen", "--input", "-", "--model", model_path, "--json"))
    assert [one for one in said if one["type"] == "decision"] == [one for one in expected if one["type"] == "decision"]
    assert said[-1]["dropped_samples"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_listen_ends_while_the_writer_says_nothing(model_path):
    with subprocess.Popen(
        [*RTSER, "listen", "--input", "-", "--model", model_path, "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as running:
        running.stdin.write(sound(1.0).astype("<f4").tobytes())
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["type"] == "start"
        began_s = time.monotonic()
        running.send_signal(signal.SIGTERM)
        rest = running.stdout.read().splitlines()
        assert running.wait() == 0
        assert time.monotonic() - began_s < 5
    assert json.loads(rest[-1])["type"] == "end"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
@pytest.mark.parametrize("raw", ["", "--format s16le"])
def test_a_closed_standard_input_is_said(raw):
    command = f"{sys.executable} -m rtser file - {raw} <&-"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300)
    assert result.returncode == 2
    assert result.stderr == "rtser: standard input is closed; name a file, or write sound to it.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("file", "-"), b"standard input is empty; for samples without a header, say what they are with --format"),
        (("file", DEMO, "--rate", "8000"), b"--rate is for samples without a header; give their --format too"),
        (
            ("file", "-", "--format", "s16le", "--rate", "4000"),
            b"header: rate: the value should be greater",
        ),
        (("file", "-", "--format", "s16le", "--channel", "1"), b"there is no channel 1 (it has 1, counted from 0)"),
        (("listen", "--format", "s16le"), b"add --input -"),
        (("listen", "--input", "-", "--device", "usb"), b"--device and --max-lag are for microphones"),
        (("listen", "--input", "-", "--wait"), b"--wait is for microphones"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments, words, model_path):
    result = fed(b"", *arguments, "--model", model_path)
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stderr.count(b"\n") == 1
