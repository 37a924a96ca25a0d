"""The page's files: the decider's port makes of the test vectors what the Python one does; static files are whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from rtser.errors import InputError
from rtser.serve.page import write_page

VECTORS = ROOT / "tests" / "data" / "decider.json"
DECIDER = ROOT / "rtser" / "serve" / "web" / "decider.js"


def test_the_test_vectors_are_those_of_the_decider():
    made = subprocess.run([sys.executable, ROOT / "tools" / "make_vectors.py"], capture_output=True, text=True)
    assert json.loads(made.stdout) == json.loads(VECTORS.read_text()), "make them anew: tools/make_vectors.py"


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
def test_the_pages_decider_makes_the_same_of_them():
    command = ["node", ROOT / "tests" / "serve" / "decider_vectors.mjs", DECIDER, VECTORS]
    made = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == []


def test_the_page_is_written_as_static_files(model, model_path, tmp_path):
    write_page(tmp_path / "site", model, model_path)
    about = json.loads((tmp_path / "site" / "model.json").read_text())
    assert about["sha256"] == model.sha256
    assert about["labels"] == list(model.labels)
    assert (tmp_path / "site" / "model.onnx").read_bytes() == model_path.read_bytes()
    assert "main.js" in (tmp_path / "site" / "index.html").read_text()
    write_page(tmp_path / "site", model, model_path)  # an older page is replaced


def test_a_folder_with_something_else_is_left_alone(model, model_path, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds other files"):
        write_page(tmp_path, model, model_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
