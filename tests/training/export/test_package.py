"""A run's model as a file."""

from __future__ import annotations

import pytest
import torch
from conftest import ROOT
from rtser_train.config import Experiment
from rtser_train.export import package
from rtser_train.export.package import export_run
from rtser_train.fitting.stage1 import segment_network
from rtser_train.fitting.stage2 import head_network
from rtser_train.run import Parts, Run

from rtser.errors import InputError, OutputError
from rtser.settings import checked


@pytest.fixture
def roots(tmp_path):
    """A corpus of one recording of each emotion."""
    demo = ROOT / "rtser" / "samples" / "demo.flac"
    rows = f"{demo},angry,eve,0,4\n{demo},neutral,bob,4,8\n"
    (tmp_path / "mine.csv").write_text(f"path,emotion,speaker,start,end\n{rows}")
    return {"mine": tmp_path / "mine.csv"}


def a_run(folder, final, finished):
    """A run of folds with names, some of which look trained."""
    content = {"name": "x", "emotions": ["angry", "neutral"], "corpora": ["mine"], "protocol": {"final": final}}
    experiment = checked(Experiment, content | {"cnn": {"size": "tiny", "embedding": 8}}, "x")
    run = Run.create(experiment, folder, {1: ["berlin", "vienna", *(["final"] if final else [])]})
    for number, name in enumerate(finished):
        fold = run.fold(1, name)
        fold.path.mkdir(parents=True)
        state = {"feature-att": head_network(experiment, "feature-att").state_dict()}
        cnn = segment_network(experiment).state_dict()
        torch.save({"cnn": cnn, "heads": state, "calibrations": {"feature-att": [1.0 + number, 0.1]}}, fold.step)
    return run


def test_without_a_final_fold_the_first_finished_one_is_exported_whatever_its_name(tmp_path, roots):
    run = a_run(tmp_path / "run", False, ["vienna"])
    metadata, difference = export_run(run, None, None, roots, tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").stat().st_size > 0
    assert metadata.labels == ("angry", "neutral")
    assert difference < 1e-4


def test_a_fold_can_be_named(tmp_path, roots):
    run = a_run(tmp_path / "run", False, ["berlin", "vienna"])
    metadata, _ = export_run(run, None, "vienna", roots, tmp_path / "x.onnx")
    assert metadata.calibration["temperature"] == 2.0


def test_where_a_final_fold_is_planned_no_other_stands_for_it(tmp_path, roots):
    run = a_run(tmp_path / "run", True, ["berlin"])
    with pytest.raises(InputError, match=r"fold-final is not trained to its end \(trained folds of seed 1: berlin\)"):
        export_run(run, None, None, roots, tmp_path / "x.onnx")


def test_a_run_without_a_finished_fold_cannot_be_exported(tmp_path, roots):
    with pytest.raises(InputError, match="has no trained fold"):
        export_run(a_run(tmp_path / "run", False, []), None, None, roots, tmp_path / "x.onnx")


def test_a_head_that_the_run_lacks_is_named(tmp_path, roots):
    with pytest.raises(InputError, match="there is no head d-multi in x; it has feature-att"):
        export_run(a_run(tmp_path / "run", False, ["berlin"]), "d-multi", None, roots, tmp_path / "x.onnx")


def test_a_file_that_cannot_be_written_is_named(tmp_path, roots):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"x\.onnx cannot be written"):
        export_run(a_run(tmp_path / "run", False, ["berlin"]), None, None, roots, tmp_path / "file" / "x.onnx")


def test_the_final_models_file_has_the_average_voice_of_neutral_validation_speech(tmp_path, roots, monkeypatch):
    given = {}

    def with_average(content, recordings):
        given["neutral"] = {one.speaker for one in recordings}
        return content

    monkeypatch.setattr(package, "with_baseline", with_average)
    run = a_run(tmp_path / "run", True, ["final", "berlin"])
    parts = Parts(train={}, validation={"mine/eve": 1, "mine/bob": 1}, test={}, recordings="")
    run.fold(1, "final").note_parts(parts)
    export_run(run, None, "berlin", roots, tmp_path / "x.onnx")
    assert given == {}
    export_run(run, None, None, roots, tmp_path / "x.onnx")
    assert given == {"neutral": {"bob"}}


def test_a_final_model_without_neutral_speech_has_no_average_voice(tmp_path, roots):
    run = a_run(tmp_path / "run", True, ["final"])
    run.fold(1, "final").note_parts(Parts(train={}, validation={"mine/eve": 1}, test={}, recordings=""))
    metadata, _ = export_run(run, None, None, roots, tmp_path / "x.onnx")
    assert metadata.baseline is None
