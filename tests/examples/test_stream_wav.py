"""The examples stream what the library streams, restarts too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser

import rtser as library
from rtser.engine.contract import FIRST_SEGMENT_HOP
from rtser.models import default_model_path
from rtser.models.raw import raw_outputs

pytestmark = pytest.mark.e2e

EXAMPLES = ROOT / "examples"
NODE_RUNTIME = "onnxruntime-node@1.30.0"
RESTARTS = pytest.mark.parametrize("restarts", [[], [5, 30, 31, 90, 140]], ids=["never restarted", "restarted"])


@pytest.fixture(scope="module")
def wav(voice, tmp_path_factory):
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    soundfile.write(path, voice[:160_000], 16_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory):
    """A folder with the runtime for Node and the model's sidecar."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, NODE_RUNTIME]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    (folder / "model.json").write_text(rtser("info", "--json", default_model_path()).stdout)
    yield folder
    shutil.rmtree(folder / "node_modules")  # 300 MB


def of_the_library(path, restarts):
    """Raw emotions (n, K) and speech (n,) of each decision; `restarts` are hops, as the examples take them."""
    model, samples = library.load(provider="cpu"), soundfile.read(path, dtype="float32")[0]
    segments = [hop - FIRST_SEGMENT_HOP for hop in restarts]
    raw = raw_outputs(model, samples, model.metadata.window, segments)
    return raw.emotions, raw.speech


def of_the_example(command, restarts, tmp_path, cwd=None):
    """Times, emotions and speech of the lines that a command prints."""
    arguments = [*command]
    if restarts:
        arguments.append(tmp_path / "restarts.json")
        arguments[-1].write_text(json.dumps(restarts))
    run = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120, cwd=cwd)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [np.array([line[key] for line in lines]) for key in ("time", "emotions", "speech")]


def assert_equal(told, expected):
    times, emotions, speech = told
    assert times == pytest.approx(0.335 + 0.06 * np.arange(len(expected[0])))
    assert emotions == pytest.approx(expected[0], abs=1e-5)
    assert speech == pytest.approx(expected[1], abs=1e-5)


@RESTARTS
def test_a_few_lines_of_python_give_the_raw_outputs_of_the_library(wav, restarts, tmp_path):
    command = [sys.executable, EXAMPLES / "stream_wav.py", default_model_path(), wav]
    assert_equal(of_the_example(command, restarts, tmp_path), of_the_library(wav, restarts))


@RESTARTS
def test_a_few_lines_of_javascript_give_the_raw_outputs_of_the_library(wav, restarts, node_folder, tmp_path):
    command = ["node", EXAMPLES / "stream_wav.mjs", default_model_path(), "model.json", wav]
    told = of_the_example(command, restarts, tmp_path, cwd=node_folder)
    assert_equal(told, of_the_library(wav, restarts))


def test_a_restart_changes_what_is_decided(wav):
    never, restarted = of_the_library(wav, []), of_the_library(wav, [30])
    assert np.abs(never[0] - restarted[0]).max() > 0.01


@pytest.mark.parametrize(("name", "most"), [("stream_wav.py", 40), ("stream_wav.mjs", 60)])
def test_an_example_is_short(name, most):
    assert len((EXAMPLES / name).read_text().splitlines()) < most
