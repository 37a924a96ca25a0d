"""Evaluation of a run: every test utterance streamed through its fold's exported model, beside eGeMAPS and an SVM."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from rtser.errors import InputError
from rtser.model import Model
from rtser.sources.file import read_audio
from rtser.stream import Stream
from train.config import Experiment
from train.corpora import Utterance
from train.crossval import read_run, read_step, utterances
from train.export import export
from train.folds import FINAL
from train.measures import expected_calibration_error, unweighted_accuracy
from train.release import describe
from train.report import Reporter

PROTOCOL = (
    "speaker-independent: no test speaker in training or validation; epoch and calibration chosen on validation "
    "speakers; each test file streamed through the exported model, the likeliest emotion of its last decision with "
    "enough speech in the window counts, whatever its confidence; a file without any is counted wrong; one seed"
)


class Prediction(NamedTuple):
    """What a fold's model said of one test utterance.

    `predicted` is a class index, -1 where no window held speech; `probabilities` are empty then.
    """

    utterance: Utterance
    fold: str
    label: int
    predicted: int
    probabilities: tuple[float, ...]


def evaluate(run: Path, roots: Mapping[str, Path], baseline: bool, reporter: Reporter) -> dict[str, Any]:
    """Measure a run's folds on their test speakers; also writes predictions.csv and evaluation.json into the run.

    Raises:
        InputError: no fold is trained, or a corpus is missing.
    """
    if baseline:
        import opensmile  # noqa: F401  # missing: say so before the hours of work
    experiment = read_run(run)
    folds = sorted(path.parent.name for path in run.glob("*/step.pt") if path.parent.name != FINAL)
    if not folds:
        raise InputError(f"{run} has no trained test fold; run rtser train again to go on.")
    predictions: list[Prediction] = []
    baselines: dict[str, list[int]] = defaultdict(list)
    pairs = utterances(experiment, roots)
    for fold in folds:
        parts = json.loads((run / fold / "speakers.json").read_text())
        test = [pair for pair in pairs if pair[0].group in parts["test"]]
        step = read_step(experiment, run / fold)
        content = export(step, describe(experiment, {}, step.temperature))
        model = run / fold / "model.onnx"
        model.write_bytes(content)
        written_ns = model.stat().st_mtime_ns
        with reporter.job(f"fold {fold}", len(test)) as job:
            results = Parallel(n_jobs=-1, return_as="generator")(
                delayed(_final_emotions)(model, written_ns, utterance.path) for utterance, _ in test
            )
            for (utterance, label), row in zip(test, results, strict=True):
                predicted = int(np.argmax(row)) if row else -1
                predictions.append(Prediction(utterance, fold, label, predicted, row))
                job.step()
        if baseline:
            for system, guesses in _baselines(pairs, parts).items():
                baselines[system] += guesses
    _write_predictions(run / "predictions.csv", predictions, experiment)
    measures: dict[str, Any] = {
        "protocol": PROTOCOL,
        "folds": f"{len(folds)} of {experiment.protocol.folds}",
        "utterances": len(predictions),
        "systems": {"rtser": _measures(predictions, experiment)},
    }
    for system, guesses in baselines.items():
        rivals = [
            one._replace(predicted=guess, probabilities=()) for one, guess in zip(predictions, guesses, strict=True)
        ]
        measures["systems"][system] = _measures(rivals, experiment)
    (run / "evaluation.json").write_text(json.dumps(measures, indent=2))
    return measures


def as_markdown(measures: Mapping[str, Any]) -> str:
    """The measures as Markdown: the protocol, the systems by corpus, then the recall of each emotion."""
    lines = [f"Protocol: {measures['protocol']}. Folds: {measures['folds']}; utterances: {measures['utterances']}.", ""]
    lines += [
        "| system | corpus | UA % | mean +- sd over folds | WA % | macro F1 % | ECE % |",
        "|---|---|---|---|---|---|---|",
    ]
    for system, corpora in measures["systems"].items():
        for corpus, one in corpora.items():
            spread = f"{one['UA by fold mean']:.1f} +- {one['UA by fold sd']:.1f}"
            error = f"{one['ECE']:.1f}" if "ECE" in one else ""
            figures = f"{one['UA']:.1f} | {spread} | {one['WA']:.1f} | {one['macro F1']:.1f} | {error}"
            lines.append(f"| {system} | {corpus} | {figures} |")
    lines += ["", "Recall, %:", ""]
    recalls = [
        (system, corpus, one["recall"])
        for system, corpora in measures["systems"].items()
        for corpus, one in corpora.items()
        if "recall" in one
    ]
    emotions = sorted({emotion for _, _, recall in recalls for emotion in recall})
    lines += [f"| system | corpus | {' | '.join(emotions)} |", "|---" * (2 + len(emotions)) + "|"]
    for system, corpus, recall in recalls:
        lines.append(f"| {system} | {corpus} | {' | '.join(str(recall.get(emotion, '')) for emotion in emotions)} |")
    return "\n".join(lines)


def _final_emotions(model: Path, written_ns: int, path: Path) -> tuple[float, ...]:
    """The probabilities of the last decision that has any; empty if none has."""
    stream = Stream(_model(model, written_ns))
    heard = [decision.emotions for decision in stream.push(read_audio(path)) if decision.emotions]
    return tuple(heard[-1].values()) if heard else ()


@lru_cache(maxsize=1)
def _model(path: Path, written_ns: int) -> Model:  # noqa: ARG001  # a file written anew is another model
    """The model of a worker process, opened once."""
    return Model(path, provider="cpu")


def _baselines(pairs: Sequence[tuple[Utterance, int]], parts: Mapping[str, Collection[str]]) -> dict[str, list[int]]:
    """What SVMs trained on a fold's training and validation speakers say of its test utterances.

    One is trained on all corpora together, as our model is; the other has an SVM for each corpus.
    """
    from train.baselines import egemaps, egemaps_svm

    seen = [pair for pair in pairs if pair[0].group in {*parts["train"], *parts["validation"]}]
    test = [pair for pair in pairs if pair[0].group in parts["test"]]
    features, tested = (egemaps([utterance.path for utterance, _ in part]) for part in (seen, test))
    labels = np.array([label for _, label in seen])
    corpora, tested_corpora = (np.array([utterance.corpus for utterance, _ in part]) for part in (seen, test))
    own = np.full(len(test), -1)
    for corpus in np.unique(tested_corpora):
        of, to = corpora == corpus, tested_corpora == corpus
        own[to] = egemaps_svm(features[of], labels[of], tested[to])
    together = egemaps_svm(features, labels, tested)
    return {"eGeMAPS + SVM, all corpora": together.tolist(), "eGeMAPS + SVM, one a corpus": own.tolist()}


def _measures(predictions: Sequence[Prediction], experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Measures by corpus in per cent, and the mean over corpora."""
    rows = {}
    for corpus in sorted({one.utterance.corpus for one in predictions}):
        rows[corpus] = _corpus_measures([one for one in predictions if one.utterance.corpus == corpus], experiment)
    mean = {key: float(np.mean([row[key] for row in rows.values()])) for key in ("UA", "WA", "macro F1")}
    folds = [_fold_accuracies([one for one in predictions if one.utterance.corpus == corpus]) for corpus in rows]
    by_fold = np.mean(folds, axis=0)
    return rows | {"mean": mean | {"UA by fold mean": by_fold.mean(), "UA by fold sd": _deviation(by_fold)}}


def _corpus_measures(predictions: Sequence[Prediction], experiment: Experiment) -> dict[str, Any]:
    labels, guesses = [one.label for one in predictions], [one.predicted for one in predictions]
    present = sorted(set(labels))
    names = [experiment.emotions[i] for i in present]
    recalls = recall_score(labels, guesses, labels=present, average=None, zero_division=0)
    by_fold = _fold_accuracies(predictions)
    confusion = confusion_matrix(labels, guesses, labels=range(len(experiment.emotions)))
    measures = {
        "UA": 100 * unweighted_accuracy(labels, guesses),
        "UA by fold mean": float(np.mean(by_fold)),
        "UA by fold sd": _deviation(by_fold),
        "WA": 100 * accuracy_score(labels, guesses),
        "macro F1": 100 * f1_score(labels, guesses, labels=present, average="macro", zero_division=0),
        "recall": {name: round(100 * recall, 1) for name, recall in zip(names, recalls, strict=True)},
        "confusion": confusion.tolist(),
        "utterances": len(predictions),
        "without speech": guesses.count(-1),
    }
    heard = [one for one in predictions if one.probabilities]
    if heard:
        probabilities = np.array([one.probabilities for one in heard])
        measures["ECE"] = 100 * expected_calibration_error(probabilities, np.array([one.label for one in heard]))
    return measures


def _fold_accuracies(predictions: Sequence[Prediction]) -> list[float]:
    folds = sorted({one.fold for one in predictions})
    parts = [[one for one in predictions if one.fold == fold] for fold in folds]
    return [100 * unweighted_accuracy([one.label for one in part], [one.predicted for one in part]) for part in parts]


def _deviation(values: Sequence[float] | np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _write_predictions(path: Path, predictions: Sequence[Prediction], experiment: Experiment) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["fold", "corpus", "speaker", "path", "emotion", "predicted", *experiment.emotions])
        for one in predictions:
            predicted = experiment.emotions[one.predicted] if one.predicted >= 0 else ""
            row = [one.fold, one.utterance.corpus, one.utterance.speaker, one.utterance.path]
            writer.writerow([*row, experiment.emotions[one.label], predicted, *(f"{p:.6f}" for p in one.probabilities)])
