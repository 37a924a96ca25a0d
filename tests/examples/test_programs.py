"""The example programs run as they are written, and say what the library says."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import soundfile
from conftest import ROOT
from nbclient import NotebookClient

import rtser

pytestmark = pytest.mark.e2e

EXAMPLES = ROOT / "examples"
DEMO = ROOT / "rtser" / "samples" / "demo.flac"
NOTEBOOK = EXAMPLES / "emotions_over_time.ipynb"


@pytest.fixture(scope="module")
def expected():
    """Lines of the demo's utterances, as the examples print them."""
    said = rtser.recognise(DEMO).utterances
    return [f"{one.start:.2f} to {one.end:.2f} s  {one.label or 'no sure emotion'}" for one in said]


def printed(*command: object) -> list[str]:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_streaming_from_python_prints_each_change_of_the_label():
    lines = printed(sys.executable, EXAMPLES / "stream_python.py", DEMO)
    shown = [line.split()[-1] for line in lines]
    labels = {one.label or "-" for one in rtser.recognise(DEMO).decisions}
    assert set(shown) == labels
    assert all(one != other for one, other in itertools.pairwise(shown))


def test_many_streams_give_each_file_its_own_utterances(expected):
    lines = printed(sys.executable, EXAMPLES / "many_streams.py", DEMO, DEMO)
    assert sorted(lines) == sorted(2 * [f"{DEMO}: {line}" for line in expected])


def test_a_client_of_the_server_prints_the_utterances(expected):
    command = [sys.executable, "-m", "rtser", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1].replace("http", "ws").rstrip("/")
        try:
            lines = printed(sys.executable, EXAMPLES / "websocket_client.py", address, DEMO)
        finally:
            server.terminate()
    assert lines == [f"channel 0: {line}" for line in expected]


def test_an_own_corpus_becomes_an_own_model(small_table: Path, tmp_path: Path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [EXAMPLES / "own_model.sh", small_table, DEMO, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=os.environ | {"PATH": path})
    assert done.returncode == 0, done.stderr
    assert rtser.load(tmp_path / "mine.onnx").labels == ("angry", "calm", "sad")
    assert re.search(r"training and test share 0 speakers", done.stderr)
    assert "demo.flac" in done.stdout


@pytest.fixture(scope="module")
def small_table(tmp_path_factory) -> Path:
    """An utterance of six speakers and three emotions: slices of the bundled sample."""
    folder = tmp_path_factory.mktemp("corpus")
    sound, rate = soundfile.read(DEMO, dtype="int16")
    rows = ["path,emotion,speaker"]
    for number in range(18):
        emotion, speaker = ("angry", "calm", "sad")[number % 3], f"s{number // 3}"
        start = 8_000 * number % (len(sound) - 2 * rate)
        soundfile.write(folder / f"{number}.wav", sound[start : start + 2 * rate], rate)
        rows.append(f"{number}.wav,{emotion},{speaker}")
    table = folder / "table.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def test_the_notebook_draws_a_recordings_emotions_over_time():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output["output_type"] == "error" for output in outputs)


def test_the_notebook_is_kept_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
