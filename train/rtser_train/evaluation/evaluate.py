"""Evaluation of a run: the metrics of its systems, from the folds' predictions for their test utterances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from rtser.errors import InputError
from rtser_train.config import FINAL
from rtser_train.evaluation.predictions import Prediction, read_predictions
from rtser_train.metrics import expected_calibration_error, interval, unweighted_accuracy
from rtser_train.registry import BASELINES, system_title
from rtser_train.results import Accuracy, CorpusResult, Evaluation, SystemResult
from rtser_train.run import Run
from rtser_train.settings import Protocol

KINDS = {
    "speakers": "speaker-independent, speakers dealt into {folds} folds",
    "leave-one-speaker-out": "speaker-independent, one speaker left out at a time",
    "leave-one-session-out": "speaker-independent, one session left out at a time",
    "random": "NOT speaker-independent: {folds} folds of utterances at random; training and test share speakers",
    "table": "speaker-independent, folds by table",
}
NESTED = (
    "epochs and calibration chosen by {inner} inner folds of each training fold; stage 2 is trained on their "
    "out-of-fold embeddings alone, mapped into the space of the fold's CNN"
)
HELD_OUT = "epochs and calibration chosen on a validation part of the others, never on the speakers tested"

Key = TypeVar("Key", bound=Hashable)


def evaluate(run: Run) -> Evaluation:
    """Measure the finished folds of a run on their test utterances; nothing is written.

    Raises:
        InputError: no fold is trained.
    """
    experiment = run.experiment
    tests = [fold for seed in run.folds for fold in run.finished_tests(seed)]
    if not tests:
        raise InputError(f"{run.folder} has no trained test fold", "run rtser train again to go on")
    predictions = [one for fold in tests for one in read_predictions(fold.predictions)]
    by_system = _grouped(predictions, lambda one: one.system)
    systems = [*experiment.attention.heads, *experiment.baselines]
    return Evaluation(
        name=experiment.name,
        protocol=describe_protocol(experiment.protocol),
        seeds=sorted({fold.seed for fold in tests}),
        finished_folds=len(tests),
        all_folds=sum(fold.fold != FINAL for fold in run.all_folds()),
        emotions=experiment.emotions,
        utterances=len(_recordings(predictions)),
        systems={
            name: _system_result(name, by_system[name], by_system[systems[0]], experiment.emotions) for name in systems
        },
    )


def hears_nothing(run: Run, head: str) -> bool:
    """Whether a network on bags decided on none of the test utterances, because it found no speech in them."""
    tests = [fold for seed in run.folds for fold in run.finished_tests(seed)]
    decided = [
        bool(one.predicted) for fold in tests for one in read_predictions(fold.predictions) if one.system == head
    ]
    return bool(decided) and not any(decided)


def describe_protocol(protocol: Protocol) -> str:
    """The test speakers and the choice of epochs, in words."""
    how = NESTED.format(inner=protocol.inner_folds) if protocol.nested else HELD_OUT
    return f"{KINDS[protocol.kind].format(folds=protocol.folds)}; {how}"


def _system_result(
    name: str, predictions: Sequence[Prediction], reference: Sequence[Prediction], emotions: Sequence[str]
) -> SystemResult:
    """One system's metrics by corpus, beside the first system's predictions."""
    ours, its = (_grouped(part, lambda one: one.corpus) for part in (predictions, reference))
    first = predictions[0].system == reference[0].system
    probabilistic = name not in BASELINES.names or BASELINES.get(name).probabilistic
    corpora = {
        corpus: _corpus_result(ours[corpus], None if first else its[corpus], emotions, probabilistic)
        for corpus in sorted(ours)
    }
    mean = _mean([*corpora.values()]) if len(corpora) > 1 else None
    return SystemResult(title=system_title(name), corpora=corpora, mean=mean)


def _mean(rows: Sequence[CorpusResult]) -> Accuracy:
    """The mean over the corpora; deviations are those of the mean."""
    by_seed = _means_of_groups([row.ua_of_seeds for row in rows])
    by_fold = _means_of_groups([row.ua_of_folds for row in rows])
    return Accuracy(
        ua=fmean(row.ua for row in rows),
        ua_deviation_of_seeds=_deviation(by_seed),
        ua_mean_of_folds=fmean(row.ua_mean_of_folds for row in rows),
        ua_deviation_of_folds=_deviation(by_fold) or 0.0,
        wa=fmean(row.wa for row in rows),
        macro_f1=fmean(row.macro_f1 for row in rows),
    )


def _means_of_groups(rows: Sequence[Mapping[Key, float]]) -> list[float]:
    """Mean over the corpora of the value of each group (seed, fold), for the groups that every corpus has."""
    return [fmean(row[name] for row in rows) for name in rows[0] if all(name in row for row in rows)]


def _corpus_result(
    predictions: Sequence[Prediction],
    reference: Sequence[Prediction] | None,
    emotions: Sequence[str],
    probabilistic: bool,
) -> CorpusResult:
    """Metrics of one system's predictions on one corpus; `reference` are the first system's, None for itself."""
    labels = [one.emotion for one in predictions]
    guesses = [one.predicted for one in predictions]
    present = [emotion for emotion in emotions if emotion in set(labels)]
    by_seed = _accuracies(predictions, lambda one: one.seed)
    by_fold = _accuracies(predictions, lambda one: f"{one.seed}/{one.fold}")
    recalls = recall_score(labels, guesses, labels=present, average=None, zero_division=0)
    labelled, hits = _hits(predictions)
    return CorpusResult(
        ua=fmean(by_seed.values()),
        ua_deviation_of_seeds=_deviation([*by_seed.values()]),
        ua_mean_of_folds=fmean(by_fold.values()),
        ua_deviation_of_folds=_deviation([*by_fold.values()]) or 0.0,
        wa=100 * accuracy_score(labels, guesses),
        macro_f1=100 * f1_score(labels, guesses, labels=present, average="macro", zero_division=0),
        ua_of_seeds=by_seed,
        ua_of_folds=by_fold,
        ua_interval=interval(labelled, hits),
        ua_difference_interval=None if reference is None else interval(labelled, hits - _hits(reference)[1]),
        calibration_error=_calibration_error(predictions, emotions) if probabilistic else None,
        recall={name: round(100 * recall, 1) for name, recall in zip(present, recalls, strict=True)},
        confusion=confusion_matrix(labels, guesses, labels=emotions).tolist(),
        utterances=len(_recordings(predictions)),
        without_speech=len(_recordings([one for one in predictions if not one.predicted])),
    )


def _recordings(predictions: Sequence[Prediction]) -> set[tuple[str, str]]:
    """The different recordings of some predictions, by corpus and name."""
    return {(one.corpus, one.recording) for one in predictions}


def _calibration_error(predictions: Sequence[Prediction], emotions: Sequence[str]) -> float | None:
    """ECE in per cent of the predictions that have probabilities."""
    decided = [one for one in predictions if one.probabilities]
    if not decided:
        return None
    probabilities = np.array([one.probabilities for one in decided])
    classes = np.array([emotions.index(one.emotion) for one in decided])
    return 100 * expected_calibration_error(probabilities, classes)


def _hits(predictions: Sequence[Prediction]) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Emotion of each utterance, and the share of the seeds that recognised it, sorted by utterance."""
    found = _grouped(predictions, lambda one: (one.corpus, one.recording, one.emotion))
    keys = sorted(found)
    shares = [fmean(one.emotion == one.predicted for one in found[key]) for key in keys]
    return np.array([emotion for _, _, emotion in keys]), np.array(shares)


def _accuracies(predictions: Sequence[Prediction], key: Callable[[Prediction], Key]) -> dict[Key, float]:
    """UA in per cent of each group of predictions."""
    return {
        name: 100 * unweighted_accuracy([one.emotion for one in group], [one.predicted for one in group])
        for name, group in _grouped(predictions, key).items()
    }


def _grouped(predictions: Sequence[Prediction], key: Callable[[Prediction], Key]) -> dict[Key, list[Prediction]]:
    groups: dict[Key, list[Prediction]] = defaultdict(list)
    for one in predictions:
        groups[key(one)].append(one)
    return groups


def _deviation(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
