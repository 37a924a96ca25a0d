"""`rtser adapt` as a user runs it, on parts of the bundled sample."""

from __future__ import annotations

import pytest
import torch
from conftest import rtser as command
from rtser_train.export.load import make_step
from rtser_train.export.onnx_export import export
from rtser_train.fitting.calibration import Calibration
from training.tiny_networks import TINY_NETWORKS

import rtser
from rtser.testing import METADATA

pytestmark = pytest.mark.e2e

NETWORKS = TINY_NETWORKS | {"embedding": 16, "context": 8, "energy_floor": 1e-10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model, and a table of eight parts of the sample by two speakers."""
    folder = tmp_path_factory.mktemp("adapt")
    torch.manual_seed(0)
    step = make_step(NETWORKS, len(METADATA.labels), Calibration(1.5))
    step.cnn.speech[2].bias.data += 3
    about = {"networks": NETWORKS, "calibration": {"temperature": 1.5}, "corpora": ("old",), "licence": "CC0"}
    (folder / "first.onnx").write_bytes(export(step, METADATA.model_copy(update=about)))
    rows = ["path,emotion,speaker,start,end"]
    for number in range(8):
        emotion = ("wrath", "sad", "neutral", "bored")[number % 4]
        rows.append(f"{rtser.sample_path()},{emotion},{'ab'[number // 4]},{2 * number},{2 * number + 2}")
    (folder / "mine.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def done(folder):
    words = ("adapt", "first.onnx", "mine.csv", "-o", "new.onnx", "--merge", "wrath=angry", "--epochs", "1")
    result = command(*words, "--threads", "1", cwd=folder)
    assert result.returncode == 0, result.stderr
    return result


def test_it_tells_what_is_left_out_the_figures_before_and_after_and_a_verdict(done):
    assert "left out, because the model has no such label: 2 of bored" in done.stderr
    assert "fold 1 of 2: adapted on 3 recordings of 1 speaker" in done.stderr
    assert "| UA |" in done.stdout
    assert "speaker-independent: 2 folds of 2 speakers" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Adapting ")


def test_the_new_model_recognises_and_says_where_it_comes_from(done, folder):
    assert done.returncode == 0
    model = rtser.load(folder / "new.onnx", provider="cpu")
    assert model.metadata.corpora == ("old", "mine")
    assert model.metadata.licence == "CC0"
    assert model.metadata.measures["adapted from"]["name"] == "tiny"
    assert rtser.recognise(rtser.sample_path(), model).decisions


def test_the_card_lies_beside_it_and_names_the_command(done, folder):
    assert "new.md" in done.stdout
    card = (folder / "new.md").read_text()
    assert "`rtser adapt first.onnx mine.csv -o new.onnx --merge wrath=angry --epochs 1 --threads 1`" in card


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["first.onnx", "none.csv", "-o", "x.onnx"], 2, "none.csv does not exist"),
        (["first.onnx", "mine.csv", "-o", "first.onnx"], 2, "would overwrite"),
        (["first.onnx", "mine.csv", "-o", "x.onnx", "--test", "z"], 2, "there is no speaker z"),
        (["mine.csv", "mine.csv", "-o", "x.onnx"], 3, "not a model file of rtser"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(words, code, problem, folder):
    failed = command("adapt", *words, cwd=folder)
    assert failed.returncode == code, failed.stderr
    (sentence,) = [line for line in failed.stderr.splitlines() if line.startswith("rtser: ")]
    assert problem in sentence
    assert "Traceback" not in failed.stderr
