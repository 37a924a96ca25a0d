"""How soon a run's models are right: every test utterance is streamed through its fold's exported model, hop by hop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from rtser.engine.bank import Decisions
from rtser.engine.contract import HOP_S, segment_end_s
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import InputError
from rtser.models import load
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import Recording
from rtser_train.data.experiment_data import labelled_recordings
from rtser_train.evaluation.predictions import read_predictions
from rtser_train.export.package import export_fold
from rtser_train.memo import last_of_each_thread
from rtser_train.metrics import interval, unweighted_accuracy
from rtser_train.progress import ProgressReporter
from rtser_train.run import FoldFolder, Run

FEWEST = 0.2
"""The curve ends where fewer than this share of the utterances have that much speech."""


class StreamedUtterance(NamedTuple):
    """The decisions on one utterance, by the amount of speech until then.

    Attributes:
        recording: the recording.
        emotion: its true emotion.
        labels: the likeliest emotion after 1, 2, ... hops of speech; empty while there is too little to decide.
        decided: the decision on the whole file, see `file_decision`; empty if there is none.
        longest: the label of its longest utterance (`LONGEST`); empty if there is none, or it was not named.
    """

    recording: Recording
    emotion: str
    labels: list[str]
    decided: str = ""
    longest: str = ""


@dataclass(frozen=True)
class CurvePoint:
    """One point of a streaming curve.

    Attributes:
        seconds: speech until then.
        ua: UA in per cent of the decisions after that much speech.
        ua_low: lower end of its 95 % interval.
        ua_high: upper end.
        label_changes_per_s: changes from one emotion to another, per second of speech.
        going_on: how many utterances have that much speech.
    """

    seconds: float
    ua: float
    ua_low: float
    ua_high: float
    label_changes_per_s: float
    going_on: int


@dataclass(frozen=True)
class StreamingCurve:
    """UA against the seconds of speech, on one corpus.

    Attributes:
        utterances: how many were streamed.
        ua_decided: UA of the files' decisions (`FILE_DECISION`), in per cent.
        ua_longest: UA of the labels of their longest utterances (`LONGEST`), in per cent.
        points: one per hop.
    """

    utterances: int
    ua_decided: float
    ua_longest: float
    points: list[CurvePoint]


def evaluate_streaming(
    run: Run, head: str, roots: Mapping[str, Path], reporter: ProgressReporter, jobs: int = -1
) -> dict[str, StreamingCurve]:
    """The streaming curve of each corpus. Each test fold of the first seed is exported to FOLD/HEAD.onnx for it.

    Args:
        run: the run.
        head: the network on bags.
        roots: the folder of each corpus.
        reporter: reports the progress.
        jobs: processes that stream; -1 for one per core.

    Raises:
        InputError: no fold is trained, the run cannot stream, a corpus is missing, or most utterances hold no speech.
        OutputError: a model file cannot be written.
    """
    tests = run.finished_tests(run.experiment.seeds[0])
    if not tests:
        raise InputError(f"{run.folder} has no trained test fold", "run rtser train again to go on")
    known = {recording.key: (recording, label) for recording, label in labelled_recordings(run.experiment, roots)}
    by_corpus: dict[str, list[StreamedUtterance]] = {}
    for fold in tests:
        model = export_fold(run, fold, head)
        for one in stream_test(run, fold, model, known, reporter, jobs):
            by_corpus.setdefault(one.recording.corpus, []).append(one)
    return {corpus: _curve(streamed) for corpus, streamed in sorted(by_corpus.items())}


def _curve(streamed: Sequence[StreamedUtterance]) -> StreamingCurve:
    emotions = np.array([one.emotion for one in streamed])
    decided, longest = (
        100 * unweighted_accuracy(emotions, np.array(labels))
        for labels in ([one.decided for one in streamed], [one.longest for one in streamed])
    )
    return StreamingCurve(len(streamed), decided, longest, curve_points(streamed))


def stream_test(
    run: Run,
    fold: FoldFolder,
    model: Path,
    known: Mapping[tuple[str, str], tuple[Recording, int]],
    reporter: ProgressReporter,
    jobs: int,
) -> list[StreamedUtterance]:
    """Stream the test utterances of one fold through its model file; `known` are the corpora's recordings by key."""
    tested = list(dict.fromkeys((one.corpus, one.recording) for one in read_predictions(fold.predictions)))
    missing = [key for key in tested if key not in known]
    if missing:
        raise InputError(
            f"{' '.join(missing[0])} was tested and is no longer there",
            "say where its corpus lies with --data or --corpus",
        )
    pairs = [known[key] for key in tested]
    written_ns = model.stat().st_mtime_ns
    streamed = []
    with reporter.job(f"fold {fold.fold}", len(pairs)) as job:
        found = Parallel(n_jobs=jobs, return_as="generator")(
            delayed(_stream)(model, written_ns, recording) for recording, _ in pairs
        )
        for (recording, label), said in zip(pairs, found, strict=True):
            streamed.append(StreamedUtterance(recording, run.experiment.emotions[label], *said))
            job.step()
    return streamed


def curve_points(streamed: Sequence[StreamedUtterance]) -> list[CurvePoint]:
    """UA with its 95 % interval, and label changes per second, for every 60 ms of speech after the first segment.

    An utterance that ends keeps its last label. Changes from one emotion to another are counted in those that go on.

    Raises:
        InputError: most utterances hold no speech.
    """
    lengths = np.array([len(one.labels) for one in streamed])
    emotions = np.array([one.emotion for one in streamed])
    last = int(np.quantile(lengths, 1 - FEWEST))
    if last < 1:
        raise InputError("the model finds no speech in most of the test utterances, so there is no curve")
    points = []
    for hop in range(1, last + 1):
        labels = np.array([one.labels[min(hop, len(one.labels)) - 1] if one.labels else "" for one in streamed])
        low, high = interval(emotions, (labels == emotions).astype(np.float64))
        going = [one.labels for one in streamed if len(one.labels) >= hop]
        changes = sum(hop > 1 and bool(one[hop - 2]) and one[hop - 2] != one[hop - 1] for one in going)
        points.append(
            CurvePoint(
                seconds=segment_end_s(hop - 1),
                ua=100 * unweighted_accuracy(emotions, labels),
                ua_low=low,
                ua_high=high,
                label_changes_per_s=changes / max(1, len(going)) / HOP_S,
                going_on=len(going),
            )
        )
    return points


FILE_DECISION = (
    "a file's decision: the likeliest of all labels, without a threshold, of the last decision with emotions while an "
    "utterance lasted; where none began, of the file's last decision with emotions; else wrong"
)
"""`file_decision` in words, for tables and reports."""
LONGEST = "the label of the file's longest utterance; not named: wrong"


def file_decision(decisions: Sequence[Decisions]) -> str:
    """The one emotion of a file, for evaluation, from the steps of its stream in order.

    It is the likeliest of all labels, without a threshold, in the step that decides (`deciding`).

    Returns:
        a label of the model, which is wrong if the corpus lacks it; empty (also wrong) if there is no such decision.
    """
    decides = deciding(decisions)
    return _likeliest(decides) if decides else ""


def deciding(decisions: Sequence[Decisions]) -> Decisions | None:
    """The step that decides on a file, from the steps of its stream in order.

    It is the last step that had emotions while an utterance lasted (its pauses included). If no utterance began, it is
    the file's last step that had emotions. None if there is none.
    """
    lasting = [one for one in decisions if one.readings[0].lasts]
    return next((one for one in reversed(lasting or decisions) if one.emotions.any()), None)


def _stream(model: Path, written_ns: int, recording: Recording) -> tuple[list[str], str, str]:
    """The labels, the file's decision and the longest utterance's label, as in `StreamedUtterance`."""
    stream = Stream(opened(model, written_ns))
    decisions = [*stream.steps(read_samples(recording))]
    said = [*(one.readings[0].utterance for one in decisions), stream.reset()]
    utterances = [one for one in said if one and one.final]
    longest = max(utterances, key=lambda one: one.end_s - one.start_s).label if utterances else None
    labels = [_likeliest(one) for one in decisions if one.speech[0] > 0.5]
    return labels, file_decision(decisions), longest or ""


def _likeliest(decided: Decisions) -> str:
    """The likeliest emotion of one stream's step; empty where its window holds too little speech."""
    emotions = decided.emotions[0]
    return decided.labels[int(emotions.argmax())] if emotions.any() else ""


@last_of_each_thread
def opened(path: Path, written_ns: int) -> Model:  # noqa: ARG001  # a rewritten file is read again
    """The model of a worker process, on the CPU, opened again only if the file changes."""
    return load(path, provider="cpu")
