"""How soon a run's models know: every test utterance streamed through its fold's exported model, step by step."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from rtser.engine.bank import Decision
from rtser.engine.features import HOP_SAMPLES, SAMPLE_RATE, segment_end_s
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import InputError
from rtser_train.data.bags import read_utterance
from rtser_train.data.corpora import Utterance
from rtser_train.data.experiment_data import utterances
from rtser_train.data.folds import FINAL
from rtser_train.evaluation.metrics import interval, unweighted_accuracy
from rtser_train.evaluation.predictions import PREDICTIONS, read_predictions
from rtser_train.export.onnx_export import export
from rtser_train.export.package import describe, streamable
from rtser_train.files import replacing
from rtser_train.progress import Reporter
from rtser_train.run import finished, fold_folder, read_run

STEP_S = HOP_SAMPLES / SAMPLE_RATE
FEWEST = 0.2
"""The curve ends where fewer than this share of the utterances have so much speech."""


class Course(NamedTuple):
    """The decisions on one utterance, by how much speech had been heard.

    Attributes:
        utterance: which.
        emotion: what it is.
        labels: the likeliest emotion after 1, 2, ... steps of speech; empty while too little was heard to decide.
    """

    utterance: Utterance
    emotion: str
    labels: list[str]


def stream_tests(run: Path, head: str, roots: Mapping[str, Path], reporter: Reporter) -> list[Course]:
    """Stream every test utterance of a run's first seed through its fold's exported model (FOLD/HEAD.onnx).

    Raises:
        InputError: no fold is trained, the run cannot stream, or a corpus is missing.
    """
    experiment = read_run(run)
    seed = experiment.seeds[0]
    tests = [fold for fold in finished(run, seed) if fold != FINAL]
    if not tests:
        raise InputError(f"{run} has no trained test fold; run rtser train again to go on.")
    known = {(one.corpus, one.name): (one, label) for one, label in utterances(experiment, roots)}
    courses: list[Course] = []
    for fold in tests:
        folder = fold_folder(run, seed, fold)
        step = streamable(experiment, folder, head)
        model = folder / f"{head}.onnx"
        with replacing(model) as part:
            part.write_bytes(export(step, describe(experiment, head, {}, step.temperature)))
        tested = list(dict.fromkeys((one.corpus, one.recording) for one in read_predictions(folder / PREDICTIONS)))
        missing = [name for name in tested if name not in known]
        if missing:
            raise InputError(f"{' '.join(missing[0])} was tested and is no longer there; --data says where it lies.")
        pairs = [known[name] for name in tested]
        with reporter.job(f"fold {fold}", len(pairs)) as job:
            found = Parallel(n_jobs=-1, return_as="generator")(
                delayed(_labels)(model, model.stat().st_mtime_ns, utterance) for utterance, _ in pairs
            )
            for (utterance, label), labels in zip(pairs, found, strict=True):
                courses.append(Course(utterance, experiment.emotions[label], labels))
                job.step()
    return courses


def heard_curve(courses: Sequence[Course]) -> list[dict[str, float]]:
    """UA in per cent with its 95 % interval, and label changes a second, for every 60 ms of speech after the first.

    An utterance that ends keeps its last label. Changes from one emotion to another are counted of those that go on.

    Raises:
        InputError: no speech was heard in most utterances.
    """
    lengths = np.array([len(course.labels) for course in courses])
    emotions = np.array([course.emotion for course in courses])
    last = int(np.quantile(lengths, 1 - FEWEST))
    if last < 1:
        raise InputError("the model hears no speech in most of the test utterances, so there is no curve.")
    rows = []
    for step in range(1, last + 1):
        labels = np.array(
            [course.labels[min(step, len(course.labels)) - 1] if course.labels else "" for course in courses]
        )
        low, high = interval(emotions, (labels == emotions).astype(np.float64))
        going = [course.labels for course in courses if len(course.labels) >= step]
        changes = sum(step > 1 and bool(one[step - 2]) and one[step - 2] != one[step - 1] for one in going)
        rows.append(
            {
                "seconds": segment_end_s(step - 1),
                "UA": 100 * unweighted_accuracy(emotions, labels),
                "UA low": low,
                "UA high": high,
                "flips a second": changes / max(1, len(going)) / STEP_S,
                "utterances going on": len(going),
            }
        )
    return rows


def write_curves(curves: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """The curves of the corpora as one CSV table."""
    rows = [
        {"corpus": corpus} | {key: str(round(value, 3)) for key, value in row.items()}
        for corpus, curve in curves.items()
        for row in curve
    ]
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _labels(model: Path, written_ns: int, utterance: Utterance) -> list[str]:
    """The likeliest emotion after each segment that holds speech."""
    decisions = Stream(_model(model, written_ns)).push(read_utterance(utterance))
    return [_likeliest(decision) for decision in decisions if decision.speech > 0.5]


def _likeliest(decision: Decision) -> str:
    return max(decision.emotions, key=decision.emotions.__getitem__) if decision.emotions else ""


@lru_cache(maxsize=1)
def _model(path: Path, written_ns: int) -> Model:  # noqa: ARG001  # a file written anew is another model
    """The model of a worker process, opened once."""
    return Model(path, provider="cpu")
