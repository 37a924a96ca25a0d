"""`rtser robustness` as a user runs it, on a corpus of a few seconds."""

from __future__ import annotations

import json

import pytest
from conftest import rtser
from training.small_corpus import small_corpus, small_noise, small_rooms

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with a corpus of one's own, noise, and rooms."""
    folder = tmp_path_factory.mktemp("robust")
    small_corpus(folder / "mine", each=1)
    small_noise(folder / "esc10")
    small_rooms(folder / "rir")
    return folder


def measured(root, output, *more):
    where = ("--data", root, "--corpus", f"mine={root / 'mine' / 'table.csv'}")
    return rtser("robustness", "default", "mine", *where, "-o", output, *more)


def report(folder):
    return json.loads((folder / "report.json").read_text())


def test_a_model_is_measured_and_a_second_call_goes_on(root, tmp_path):
    options = ("--rooms", root / "rir", "--nonspeech", root / "esc10", "--jobs", 2)
    done = measured(root, tmp_path, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "report.md").read_text()
    assert done.stdout.startswith("# How robust is default?\n\n```\nrtser robustness default mine --data")
    for row in ("as recorded", "in a room", "noise, 0 dB SNR", "MP3", "esc10, held-out third", "all together"):
        assert f"| {row} |" in done.stdout
    assert "</html>" in (tmp_path / "report.html").read_text()
    first = report(tmp_path)
    again = measured(root, tmp_path, *options[:-1], 1)
    assert "results were measured by an earlier call" in again.stderr
    changing = {"written": "", "command": ""}
    assert report(tmp_path) | changing == first | changing


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "a model and a corpus are needed"),
        (("none.onnx", "mine"), 3, "none.onnx cannot be read"),
        (("default", "mine", "--conditions", "loud"), 2, "there is no group 'loud'"),
        (("--run", "none", "--fold", "none"), 2, "--run and --fold exclude each other"),
    ],
)
def test_wrong_usage_ends_with_one_sentence(arguments, code, sentence, tmp_path):
    done = rtser("robustness", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert done.stderr.startswith("rtser: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
