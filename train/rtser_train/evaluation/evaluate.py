"""Evaluation of a run: the measures of its systems, from what its folds say of their test utterances."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from rtser.errors import InputError
from rtser_train.config import Experiment, Protocol
from rtser_train.data.folds import FINAL
from rtser_train.evaluation.metrics import expected_calibration_error, interval, unweighted_accuracy
from rtser_train.evaluation.predictions import PREDICTIONS, Prediction, read_predictions
from rtser_train.networks.heads import TITLES
from rtser_train.run import finished, fold_folder, read_run

NAMES = TITLES | {
    "cnn-avg-rf": "CNN-AVG-RF",
    "cnn-max-rf": "CNN-MAX-RF",
    "egemaps-svm": "eGeMAPS + SVM",
    "egemaps-svm-corpus": "eGeMAPS + SVM, one a corpus",
}
"""Systems as tables call them."""

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
HELD_OUT = "epochs and calibration chosen on a validation part of the others, never on who is tested"


def evaluate(run: Path) -> dict[str, Any]:
    """Measure the finished folds of a run on their test utterances; also writes evaluation.json into it.

    Raises:
        InputError: no fold is trained.
    """
    experiment = read_run(run)
    predictions, folds = read_run_predictions(run, experiment)
    systems = [*experiment.attention.heads, *experiment.baselines]
    reference = [one for one in predictions if one.system == systems[0]]
    measures: dict[str, Any] = {
        "name": experiment.name,
        "protocol": describe_protocol(experiment.protocol),
        "seeds": sorted({one.seed for one in predictions}),
        "folds": folds,
        "emotions": experiment.emotions,
        "utterances": len({one.recording for one in predictions}),
        "systems": {},
    }
    for system in systems:
        rows = [one for one in predictions if one.system == system]
        measures["systems"][system] = _measures(rows, reference, experiment)
    (run / "evaluation.json").write_text(json.dumps(measures, indent=2))
    return measures


def read_run_predictions(run: Path, experiment: Experiment) -> tuple[list[Prediction], str]:
    """All predictions of the finished test folds, and how many of the folds those are.

    Raises:
        InputError: no fold is trained.
    """
    predictions, done = [], 0
    for seed in experiment.seeds:
        for fold in finished(run, seed):
            if fold != FINAL:
                predictions += read_predictions(fold_folder(run, seed, fold) / PREDICTIONS)
                done += 1
    if not done:
        raise InputError(f"{run} has no trained test fold; run rtser train again to go on.")
    begun = sum(path.parent.name != f"fold-{FINAL}" for path in run.glob("seed-*/fold-*/speakers.json"))
    return predictions, f"{done} of {begun}"


def describe_protocol(protocol: Protocol) -> str:
    """Who was tested on, and what chose the epochs, in words."""
    how = NESTED.format(inner=protocol.inner_folds) if protocol.nested else HELD_OUT
    return f"{KINDS[protocol.kind].format(folds=protocol.folds)}; {how}"


def _measures(
    predictions: Sequence[Prediction], reference: Sequence[Prediction], experiment: Experiment
) -> dict[str, dict[str, Any]]:
    """Measures by corpus in per cent, and, of several corpora, their mean."""
    corpora = sorted({one.corpus for one in predictions})
    rows = {}
    for corpus in corpora:
        ours, its = ([one for one in part if one.corpus == corpus] for part in (predictions, reference))
        rows[corpus] = _corpus_measures(ours, its, experiment)
    if len(corpora) == 1:
        return rows
    mean: dict[str, Any] = {
        key: float(np.mean([row[key] for row in rows.values()])) for key in ("UA", "WA", "macro F1", "UA by fold mean")
    }
    by_seed, by_fold = (_mean_by_group(list(rows.values()), key) for key in ("UA by seed", "UA by fold"))
    deviations = {"UA sd over seeds": _deviation(by_seed), "UA by fold sd": _deviation(by_fold) or 0.0}
    return rows | {"mean": mean | deviations}


def _mean_by_group(rows: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """Mean over the corpora of what each group (seed, fold) has; of the groups that every corpus is in."""
    groups = [row[key] for row in rows]
    return [float(np.mean([one[name] for one in groups])) for name in groups[0] if all(name in one for one in groups)]


def _corpus_measures(
    predictions: Sequence[Prediction], reference: Sequence[Prediction], experiment: Experiment
) -> dict[str, Any]:
    emotions = experiment.emotions
    labels = [one.emotion for one in predictions]
    guesses = [one.predicted for one in predictions]
    present = [emotion for emotion in emotions if emotion in set(labels)]
    by_seed = _accuracies(predictions, lambda one: str(one.seed))
    by_fold = _accuracies(predictions, lambda one: f"{one.seed}/{one.fold}")
    recalls = recall_score(labels, guesses, labels=present, average=None, zero_division=0)
    measures: dict[str, Any] = {
        "UA": float(np.mean([*by_seed.values()])),
        "UA by seed": by_seed,
        "UA by fold": by_fold,
        "UA sd over seeds": _deviation([*by_seed.values()]),
        "UA 95 %": interval(*_hits(predictions)),
        "UA by fold mean": float(np.mean([*by_fold.values()])),
        "UA by fold sd": _deviation([*by_fold.values()]) or 0.0,
        "WA": 100 * accuracy_score(labels, guesses),
        "macro F1": 100 * f1_score(labels, guesses, labels=present, average="macro", zero_division=0),
        "recall": {name: round(100 * recall, 1) for name, recall in zip(present, recalls, strict=True)},
        "confusion": confusion_matrix(labels, guesses, labels=emotions).tolist(),
        "utterances": len({one.recording for one in predictions}),
        "without speech": len({one.recording for one in predictions if not one.predicted}),
    }
    if predictions[0].system != reference[0].system:
        labelled, ours = _hits(predictions)
        _, its = _hits(reference)
        measures["difference 95 %"] = interval(labelled, ours - its)
    heard = [one for one in predictions if one.probabilities]
    if heard and not predictions[0].system.startswith("egemaps"):
        probabilities = np.array([one.probabilities for one in heard])
        classes = np.array([emotions.index(one.emotion) for one in heard])
        measures["ECE"] = 100 * expected_calibration_error(probabilities, classes)
    return measures


def _hits(predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """Emotion of each utterance, and in which share of the seeds it was recognised, sorted by utterance."""
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for one in predictions:
        found[one.recording, one.emotion].append(one.emotion == one.predicted)
    keys = sorted(found)
    return np.array([emotion for _, emotion in keys]), np.array([np.mean(found[key]) for key in keys])


def _accuracies(predictions: Sequence[Prediction], key: Callable[[Prediction], str]) -> dict[str, float]:
    """UA in per cent of each group of predictions."""
    groups: dict[str, list[Prediction]] = defaultdict(list)
    for one in predictions:
        groups[key(one)].append(one)
    return {
        name: 100 * unweighted_accuracy([one.emotion for one in group], [one.predicted for one in group])
        for name, group in sorted(groups.items())
    }


def _deviation(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
