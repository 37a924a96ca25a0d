"""Who is measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rtser_train.config import Experiment
from rtser_train.evaluation.predictions import Prediction, write_predictions
from rtser_train.robustness import contestants
from rtser_train.robustness.contestants import of_file, of_fold, of_run
from rtser_train.run import Run
from training.small_corpus import spoken

from rtser.errors import InputError, ModelError
from rtser.models import default_model_path
from rtser.settings import checked

EMOTIONS = ["angry", "neutral", "sad"]


@pytest.fixture
def run(tmp_path, monkeypatch) -> Run:
    """A run with two test folds, which tested one recording each; its models are the shipped one."""

    def copies(_run, fold, head):
        return Path(shutil.copy(default_model_path(), fold.model(head)))

    monkeypatch.setattr(contestants, "export_fold", copies)
    content = {"name": "x", "emotions": EMOTIONS, "corpora": ["mine", "auxiliary"], "merge": {"calm": "neutral"}}
    content |= {"noise": "esc10"}
    run = Run.create(checked(Experiment, content, "x"), tmp_path / "run", {1: ["1", "2", "final"]})
    for fold, name in (("1", "a.wav"), ("2", "b.wav")):
        folder = run.fold(1, fold)
        said = Prediction("feature-att", 1, fold, "mine", "ann", name, "angry", "angry", (1.0, 0.0, 0.0))
        write_predictions(folder.predictions, [said], EMOTIONS)
        folder.step.touch()
    run.fold(1, "final").path.mkdir(parents=True)
    return run


def test_a_file_is_measured_on_all_recordings_and_says_what_it_was_trained_on():
    found = of_file(default_model_path())
    assert found.part_of(spoken()) == 0
    assert found.trained_on("emodb")
    assert not found.trained_on("casia")


def test_default_is_the_shipped_model():
    assert of_file(Path("default")).parts == of_file(default_model_path()).parts


def test_a_file_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError):
        of_file(tmp_path / "none.onnx")


def test_the_models_of_a_run_are_measured_each_on_what_its_fold_tested(run):
    found = of_run(run.folder, None)
    assert [found.part_of(spoken(name)) for name in ("a.wav", "b.wav", "c.wav")] == [0, 1, None]
    assert [part.fold for part in found.parts] == ["1", "2"]
    assert (found.merge, found.tested) == ({"calm": "neutral"}, ("mine",))
    assert not found.trained_on("mine")


def test_one_fold_is_named_by_its_folder(run):
    found = of_fold(run.fold(1, "2").path, None)
    assert [found.part_of(spoken(name)) for name in ("a.wav", "b.wav")] == [None, 0]


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        ("seed-1/fold-3", "is not the folder of a fold"),
        ("seed-1", "is not the folder of a fold"),
        ("seed-1/fold-final", "tested nobody"),
    ],
)
def test_what_is_no_test_fold_is_refused(run, fold, message):
    with pytest.raises(InputError, match=message):
        of_fold(run.folder / fold, None)


def test_a_run_without_a_trained_test_fold_and_an_unknown_head_are_refused(run):
    with pytest.raises(InputError, match="no head cnn"):
        of_run(run.folder, "cnn")
    for fold in run.all_folds():
        fold.step.unlink(missing_ok=True)
    with pytest.raises(InputError, match="no trained test fold"):
        of_run(run.folder, None)
    with pytest.raises(InputError, match="not the folder of a run"):
        of_run(run.folder / "seed-1", None)
