"""What an evaluation writes into a run's folder: Markdown tables, and figures beside them. Nothing is computed here."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from rtser.ui.plot import save
from rtser_train.evaluation.figures import curves_figure, streaming_figure, write_confusions
from rtser_train.evaluation.streaming import FILE_DECISION, LONGEST, CurvePoint, StreamingCurve
from rtser_train.files import replacing
from rtser_train.registry import system_title
from rtser_train.results import Accuracy, CorpusResult, Evaluation, Interval
from rtser_train.run import Run

NOTES = (
    "- Decision: the network's likeliest emotion over the last window of the file with enough speech, without a "
    "threshold and without the decider. A file without such a window counts as wrong. An SVM hears the whole file.",
    "- UA: mean recall of the emotions. +-: standard deviation over the seeds, each pooled over the folds.",
    "- 95 %: bootstrap over the utterances.",
)
"""Which decision the tables of `as_markdown` count, and what their columns mean; Markdown."""


def write_evaluation(run: Run, evaluation: Evaluation) -> str:
    """Write a run's evaluation.json, tables.md, confusion matrices and training curves.

    Returns:
        the tables as Markdown.

    Raises:
        OutputError: a file cannot be written.
    """
    evaluation.write(run.evaluation)
    tables = as_markdown(evaluation)
    with replacing(run.tables) as part:
        part.write_text(tables + "\n", encoding="utf-8")
    write_confusions(run, evaluation)
    histories = {
        name: [path for fold in run.all_folds() for path in fold.histories(name)]
        for name in ("cnn", *run.experiment.attention.heads)
    }
    save(curves_figure(histories, evaluation.name), run.figure("training"))
    return tables


def write_streaming(run: Run, head: str, curves: Mapping[str, StreamingCurve]) -> str:
    """Write a run's figures/streaming-HEAD.csv and .png.

    Returns:
        the picture's path, a sentence for each corpus, and which decisions count.

    Raises:
        OutputError: a file cannot be written.
    """
    path = run.figure(f"streaming-{head}")
    count = sum(curve.utterances for curve in curves.values())
    save(streaming_figure(curves, f"{run.experiment.name}, {system_title(head)}: {count} test utterances"), path)
    write_curves(curves, path.with_suffix(".csv"))
    sentences = [f"{corpus}: {_essence(curve)}" for corpus, curve in curves.items()]
    return "\n".join([str(path), *sentences, f"ua_decided: {FILE_DECISION}", f"ua_longest: {LONGEST}"])


def write_curves(curves: Mapping[str, StreamingCurve], path: Path) -> None:
    """The curves of the corpora as one CSV table, a row for each point.

    `ua_decided` (`FILE_DECISION`) and `ua_longest` (`LONGEST`) are of whole files, the same in all rows of a corpus.
    """
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["corpus", *(field.name for field in fields(CurvePoint)), "ua_decided", "ua_longest"])
        for corpus, curve in curves.items():
            for point in curve.points:
                values = *asdict(point).values(), curve.ua_decided, curve.ua_longest
                writer.writerow([corpus, *(round(value, 3) for value in values)])


def _essence(curve: StreamingCurve) -> str:
    """The final UA of a curve, how soon it is reached, and the UA of the decisions on whole files."""
    points = curve.points
    last = points[-1].ua
    enough = next(one.seconds for i, one in enumerate(points) if all(later.ua >= last - 1 for later in points[i:]))
    seconds = points[-1].seconds
    return (
        f"UA {last:.1f} % after {seconds:.1f} s of speech, within a point of it from {enough:.2f} s on; "
        f"ua_decided {curve.ua_decided:.1f} %, ua_longest {curve.ua_longest:.1f} %"
    )


def as_markdown(evaluation: Evaluation) -> str:
    """The metrics as Markdown: the protocol, the systems by corpus, then the recall of each emotion."""
    seeds = ", ".join(map(str, evaluation.seeds))
    lines = [
        f"## {evaluation.name}",
        "",
        f"- Protocol: {evaluation.protocol}.",
        f"- Folds trained: {evaluation.folds}; utterances: {evaluation.utterances}; seeds: {seeds}.",
        *NOTES,
        "",
        "| system | corpus | UA % | 95 % | over folds | WA % | macro F1 % | ECE % | UA less that of the first, 95 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for system in evaluation.systems.values():
        rows: list[tuple[str, Accuracy]] = [*system.corpora.items()]
        if system.mean:
            rows.append(("mean", system.mean))
        lines += [f"| {system.title} | {corpus} | {_row(accuracy)} |" for corpus, accuracy in rows]
    recalls = [
        (system.title, corpus, result.recall)
        for system in evaluation.systems.values()
        for corpus, result in system.corpora.items()
    ]
    emotions = sorted({emotion for _, _, recall in recalls for emotion in recall})
    lines += ["", "Recall, %:", ""]
    lines += [f"| system | corpus | {' | '.join(emotions)} |", "|---" * (2 + len(emotions)) + "|"]
    for title, corpus, recall in recalls:
        lines.append(f"| {title} | {corpus} | {' | '.join(str(recall.get(emotion, '')) for emotion in emotions)} |")
    return "\n".join(lines)


def _row(accuracy: Accuracy) -> str:
    """The cells of one system on one corpus; those that the mean over the corpora lacks are empty."""
    result = accuracy if isinstance(accuracy, CorpusResult) else None
    deviation = accuracy.ua_deviation_of_seeds
    error = result.calibration_error if result else None
    cells = [
        f"{accuracy.ua:.1f}" + (f" +- {deviation:.1f}" if deviation is not None else ""),
        _between(result.ua_interval if result else None),
        f"{accuracy.ua_mean_of_folds:.1f} +- {accuracy.ua_deviation_of_folds:.1f}",
        f"{accuracy.wa:.1f}",
        f"{accuracy.macro_f1:.1f}",
        f"{error:.1f}" if error is not None else "",
        _between(result.ua_difference_interval if result else None),
    ]
    return " | ".join(cells)


def _between(interval: Interval | None) -> str:
    return f"{interval[0]:.1f} to {interval[1]:.1f}" if interval else ""
