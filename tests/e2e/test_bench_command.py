from __future__ import annotations

import json

import pytest
from conftest import rtser

pytestmark = pytest.mark.e2e

FLOOR_KEYS = {"multiply_adds", "core_gflops", "hop_ms", "times"}
TIMES_KEYS = {"p50", "p99", "max"}


def figures(*arguments):
    result = rtser("bench", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1
    return json.loads(result.stdout)


def test_live_tells_the_floor(model_path):
    told = figures("live", "--seconds", 1, "--model", model_path)
    keys = "source model provider seconds decisions latency_ms step_ms cpu_percent memory_mib dropped_samples floor"
    assert list(told) == keys.split()
    assert set(told["floor"]) == FLOOR_KEYS
    assert told["floor"]["times"] > 0


def test_file_tells_how_many_times_real_time(model_path):
    told = figures("file", "--minutes", 0.5, "--model", model_path)
    keys = "source model provider seconds decisions times_real_time hop_ms step_ms memory_peak_mib floor"
    assert list(told) == keys.split()
    assert told["seconds"] == 30
    assert told["decisions"] == 495
    assert told["times_real_time"] == pytest.approx(60 / told["hop_ms"], rel=0.01)
    assert set(told["step_ms"]) == TIMES_KEYS
    assert set(told["floor"]) == FLOOR_KEYS


def test_start_tells_the_time_to_the_first_decision(model_path):
    told = figures("start", "--rounds", 1, "--model", model_path)
    assert list(told) == ["command", "rounds", "first_decision_s", "import_s", "memory_peak_mib", "floor"]
    assert set(told["floor"]) == {"libraries_s", "python_s", "times"}
    assert told["floor"]["python_s"]["median"] < told["first_decision_s"]["median"]
    assert 30 < told["memory_peak_mib"] < 200


def test_start_ends_with_the_sentence_and_the_code_of_the_command_that_failed(tmp_path):
    result = rtser("bench", "start", "--model", tmp_path / "missing.onnx")
    assert result.returncode == 3
    assert result.stderr.startswith("rtser: model ")
    assert len(result.stderr.splitlines()) == 1


def test_streams_tells_what_a_stream_costs_with_and_without_the_network(model_path):
    told = figures("streams", "--streams", 4, "--seconds", 1, "--model", model_path)
    keys = "source model provider seconds chunk_ms limit_ms streams lateness_ms cpu_percent others_percent batch"
    assert list(told) == [*keys.split(), "in_time", "hop_us", "memory", "trials", "floor"]
    assert told["streams"] == 4
    assert set(told["lateness_ms"]) == TIMES_KEYS
    assert set(told["hop_us"]) == {"all", "without_network", "driver"}
    assert set(told["memory"]) == {"resident_mib", "further_stream_kib"}
    assert [trial["streams"] for trial in told["trials"]] == [4]
    assert set(told["floor"]) == FLOOR_KEYS


def test_streams_are_raised_up_to_the_most(model_path):
    told = figures("streams", "--max", 2, "--seconds", 1, "--chunk", 20, "--model", model_path)
    assert told["streams"] == 2
    assert told["in_time"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["streams", "--chunk", "25"], "a push of 25 ms does not divide a hop; choose 60, 30, 20 or 10."),
        (["streams", "--folder", "missing"], "missing is not a folder; name a folder of audio files."),
        (["file", "missing.wav"], "missing.wav: there is no such file."),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(arguments, sentence):
    result = rtser("bench", *arguments, "--json")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"rtser: {sentence}\n")
