"""The metrics of a run, from its predictions."""

from __future__ import annotations

import pytest
from rtser_train.config import Experiment
from rtser_train.evaluation.evaluate import evaluate, hears_nothing
from rtser_train.evaluation.predictions import Prediction, write_predictions
from rtser_train.evaluation.tables import as_markdown, write_evaluation
from rtser_train.results import Evaluation
from rtser_train.run import Run

from rtser.errors import InputError
from rtser.settings import checked

EMOTIONS = ["angry", "sad"]


def prediction(system, corpus, recording, emotion, predicted, seed=1, fold="1"):
    chances = tuple(float(one == predicted) for one in EMOTIONS) if predicted else ()
    return Prediction(system, seed, fold, corpus, "eve", recording, emotion, predicted, chances)


def finish(run, fold, predictions):
    """Make a fold of a run look trained."""
    folder = run.fold(1, fold)
    write_predictions(folder.predictions, predictions, EMOTIONS)
    folder.step.touch()


@pytest.fixture
def run(tmp_path):
    """A run with one of two folds finished: two corpora, whose recordings have the same names."""
    content = {"name": "x", "emotions": EMOTIONS, "corpora": ["c", "d"], "baselines": ["egemaps-svm"]}
    run = Run.create(checked(Experiment, content, "x"), tmp_path / "run", {1: ["1", "2", "final"]})
    finish(
        run,
        "1",
        [
            prediction(system, corpus, recording, emotion, predicted)
            for system in ("feature-att", "egemaps-svm")
            for corpus, recording, emotion, predicted in [
                ("c", "a.wav", "angry", "angry"),
                ("c", "b.wav", "sad", ""),
                ("d", "a.wav", "angry", "angry"),
                ("d", "b.wav", "sad", "sad"),
            ]
        ],
    )
    return run


def test_recordings_of_the_same_name_in_two_corpora_are_two(run):
    assert evaluate(run).utterances == 4


def test_an_utterance_without_speech_is_wrong_and_counted(run):
    result = evaluate(run).systems["feature-att"].corpora["c"]
    assert (result.ua, result.without_speech, result.utterances) == (50, 1, 2)


def test_a_network_that_decides_on_no_utterance_hears_nothing(run):
    assert not hears_nothing(run, "feature-att")
    finish(run, "1", [prediction("feature-att", "c", "a.wav", "angry", "")])
    assert hears_nothing(run, "feature-att")
    assert not hears_nothing(run, "d-multi"), "it was not tested"


def test_the_mean_is_over_the_corpora(run):
    mean = evaluate(run).systems["feature-att"].mean
    assert mean is not None
    assert (mean.ua, mean.ua_deviation_of_seeds) == (75, None)


def test_a_calibration_error_needs_probabilities(run):
    systems = evaluate(run).systems
    assert systems["feature-att"].corpora["d"].calibration_error == pytest.approx(0)
    assert systems["egemaps-svm"].corpora["d"].calibration_error is None


def test_systems_are_compared_with_the_first(run):
    systems = evaluate(run).systems
    assert systems["feature-att"].corpora["d"].ua_difference_interval is None
    assert systems["egemaps-svm"].corpora["d"].ua_difference_interval == (0, 0)


def test_the_final_fold_is_no_test_fold(run):
    finish(run, "final", [])
    assert evaluate(run).folds == "1 of 2"


def test_a_fold_may_have_any_name(tmp_path):
    content = {"name": "x", "emotions": EMOTIONS, "corpora": ["c"]}
    run = Run.create(checked(Experiment, content, "x"), tmp_path, {1: ["fold-of-eve", "fold-of-bob"]})
    finish(run, "fold-of-bob", [prediction("feature-att", "c", "a.wav", "sad", "sad", fold="fold-of-bob")])
    assert evaluate(run).systems["feature-att"].corpora["c"].ua_of_folds == {"1/fold-of-bob": 100}


def test_a_run_without_a_finished_test_fold_cannot_be_evaluated(tmp_path):
    content = {"name": "x", "emotions": EMOTIONS, "corpora": ["c"]}
    run = Run.create(checked(Experiment, content, "x"), tmp_path, {1: ["1"]})
    with pytest.raises(InputError, match="no trained test fold"):
        evaluate(run)


def test_what_is_written_is_read_back(run):
    evaluation = evaluate(run)
    write_evaluation(run, evaluation)
    assert Evaluation.read(run.evaluation) == evaluation
    assert run.tables.read_text() == as_markdown(evaluation) + "\n"


def test_metrics_of_another_version_are_refused(tmp_path):
    (tmp_path / "evaluation.json").write_text('{"systems": {}}')
    with pytest.raises(InputError, match="cannot be read as metrics of this version; run rtser evaluate again"):
        Evaluation.read(tmp_path / "evaluation.json")


def test_writing_tables_exports_nothing(run):
    write_evaluation(run, evaluate(run))
    assert not list(run.folder.rglob("*.onnx"))
