"""A run's folder."""

from __future__ import annotations

import json

import pytest
from rtser_train import run
from rtser_train.config import Experiment
from rtser_train.run import Parts, Run

from rtser.errors import InputError, OutputError
from rtser.settings import checked

FOLDS = {1: ["1", "2", "final"]}


def an_experiment(name="x"):
    return checked(Experiment, {"name": name, "emotions": ["angry", "sad"], "corpora": ["mine"]}, "x")


def test_a_run_is_opened_as_it_was_created(tmp_path):
    assert Run.open(Run.create(an_experiment(), tmp_path, FOLDS).folder) == Run(tmp_path, an_experiment(), FOLDS)


def test_the_environment_holds_the_versions_of_the_installed_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "installed_version", {"torch": "2.1", "onnxruntime": "1.2"}.get)
    Run.create(an_experiment(), tmp_path, FOLDS)
    noted = json.loads((tmp_path / "environment.json").read_text())
    assert {name: noted.get(name) for name in run.PACKAGES if name in noted} == {"torch": "2.1", "onnxruntime": "1.2"}


def test_creating_it_again_changes_nothing(tmp_path):
    assert Run.create(an_experiment(), tmp_path, FOLDS) == Run.create(an_experiment(), tmp_path, FOLDS)


def test_finished_folds_are_those_with_a_step_in_their_order(tmp_path):
    made = Run.create(an_experiment(), tmp_path, FOLDS)
    for name in ("final", "2"):
        fold = made.fold(1, name)
        fold.path.mkdir(parents=True)
        fold.step.touch()
    assert [fold.fold for fold in made.finished(1)] == ["2", "final"]
    assert [fold.fold for fold in made.finished_tests(1)] == ["2"]


def test_a_fold_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no fold 3 of seed 1; there are 1, 2, final"):
        Run.create(an_experiment(), tmp_path, FOLDS).fold(1, "3")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not the folder of a run"):
        Run.open(tmp_path)


def test_a_folder_of_another_layout_is_refused(tmp_path):
    (tmp_path / "experiment.yaml").write_text("{name: x, emotions: [a, b], corpora: [mine], min_confidence: 0.4}")
    with pytest.raises(InputError, match=r"is a run of another version of rtser; train again into another folder\.$"):
        Run.open(tmp_path)


def test_another_experiment_does_not_go_into_the_same_folder(tmp_path):
    Run.create(an_experiment(), tmp_path, FOLDS)
    with pytest.raises(InputError, match="other settings"):
        Run.check(an_experiment("y"), tmp_path)


def test_other_folds_are_other_recordings(tmp_path):
    Run.create(an_experiment(), tmp_path, FOLDS)
    with pytest.raises(InputError, match="trained on other recordings"):
        Run.create(an_experiment(), tmp_path, {1: ["1", "2", "3", "final"]})


def test_other_recordings_in_a_fold_are_refused(tmp_path):
    fold = Run.create(an_experiment(), tmp_path, FOLDS).fold(1, "1")
    parts = Parts(train={"mine/eve": 3}, validation={}, test={"mine/bob": 2}, recordings="abc")
    fold.note_parts(parts)
    fold.note_parts(parts)
    assert fold.parts() == parts
    with pytest.raises(InputError, match="trained on other recordings"):
        fold.note_parts(parts.model_copy(update={"recordings": "abd"}))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written .*; name another folder with --output"):
        Run.create(an_experiment(), tmp_path / "file" / "run", FOLDS)
