"""The shipped model, through the commands, on real sound where it is at hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser

import rtser as library
from rtser.audio.file import read_audio
from rtser.engine.contract import segment_count
from rtser.models import default_model_path

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shipped():
    return library.load(provider="cpu")


def named(model, samples):
    """Share of the decisions that name an emotion."""
    decisions = library.recognise((samples, 16_000), model).decisions
    return sum(decision.label is not None for decision in decisions) / len(decisions)


def check_events(lines, samples):
    start, *middle, end = map(json.loads, lines)
    decisions = [event for event in middle if event["type"] == "decision"]
    assert {event["type"] for event in middle} <= {"decision", "utterance"}
    assert len(decisions) == end["decisions"] == segment_count(samples)
    labels = start["model"]["labels"]
    for event in decisions:
        assert (event["label"] is None) == (event["confidence"] is None)
        assert 0 <= event["speech"] <= 1
        assert 0 <= event["salience"] <= 1 + 1e-6
        assert list(event["segment_emotions"]) == labels
        if event["emotions"] is None:
            assert event["label"] is None
        else:
            assert list(event["emotions"]) == labels
            assert sum(event["emotions"].values()) == pytest.approx(1, abs=1e-4)
        if event["label"] is not None:
            assert event["label"] in labels
            assert 0 < event["confidence"] <= 1


def test_it_is_small_and_says_what_it_is(shipped):
    assert default_model_path().stat().st_size <= 4e6
    about = shipped.metadata
    assert set(about.labels) == {"angry", "fear", "happy", "neutral", "sad", "surprise"}
    assert about.licence == "CC BY-NC-SA 4.0"
    assert about.measures["protocol"].startswith("speaker-independent")
    assert "casia" not in about.corpora
    assert (ROOT / "rtser" / "models" / "CARD.md").is_file()


def test_it_hears_speech_in_the_sample_and_none_in_silence(shipped, voice):
    speech = np.array([decision.speech for decision in library.recognise((voice, 16_000), shipped).decisions])
    assert np.quantile(speech, 0.7) > 0.8
    assert named(shipped, np.zeros(16_000 * 10, np.float32)) == 0


@pytest.mark.parametrize("level", [1e-5, 1e-3, 0.1, 0.9])
def test_it_names_nothing_in_white_noise(shipped, level):
    noise = np.random.default_rng(0).normal(0, level, 16_000 * 10).clip(-1, 1).astype(np.float32)
    assert named(shipped, noise) < 0.05


def test_it_names_nearly_nothing_in_rain(shipped, data):
    shares = [named(shipped, read_audio(path)) for path in sorted((data / "esc10" / "002 - Rain").glob("*.ogg"))]
    assert len(shares) == 40
    assert np.mean(shares) < 0.02


def test_every_event_of_the_real_calls_is_as_documented(data):
    calls = sorted((data / "calls_aws").rglob("*.flac"))
    assert len(calls) == 4
    for call in calls:
        result = rtser("file", call, "--json")
        assert result.returncode == 0, result.stderr
        check_events(result.stdout.splitlines(), len(read_audio(call)))


def test_fifty_files_of_the_corpora_in_one_command(data):
    paths = []
    for corpus in ("emodb", "ravdess", "casia", "nemo", "esc10"):
        found = sorted(path for path in (data / corpus).rglob("*") if path.suffix in {".flac", ".opus", ".ogg"})
        paths += found[:: len(found) // 10][:10]
    result = rtser("file", *paths, "--json")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    ends = [i for i, line in enumerate(lines) if line.startswith('{"type": "end"')]
    assert len(ends) == len(paths) == 50
    for path, first, last in zip(paths, [0, *(i + 1 for i in ends)], ends, strict=False):
        check_events(lines[first : last + 1], len(read_audio(path)))


def test_a_loud_file_and_a_quiet_one_are_both_recognised(voice, tmp_path):
    for gain in (0.05, 1.0):
        soundfile.write(tmp_path / "a.wav", voice * gain, 16_000)
        shown = rtser("file", tmp_path / "a.wav")
        assert shown.returncode == 0
        assert "overall" in shown.stdout
