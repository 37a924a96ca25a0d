"""What an evaluation writes: Markdown tables, and figures beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rtser.ui.plot import save
from rtser_train.evaluation.evaluate import NAMES
from rtser_train.evaluation.figures import curves_figure, heard_figure, write_confusions
from rtser_train.evaluation.streaming import Course, heard_curve, stream_tests, write_curves
from rtser_train.files import replacing
from rtser_train.progress import Reporter
from rtser_train.run import read_run

FIGURES = "figures"
"""Folder of a run's figures."""


def write_all(run: Path, measures: Mapping[str, Any]) -> str:
    """Write a run's tables.md, confusion matrices and training curves; the tables as Markdown."""
    tables = as_markdown(measures)
    with replacing(run / "tables.md") as part:
        part.write_text(tables + "\n", encoding="utf-8")
    write_confusions(measures, NAMES, run / FIGURES)
    files = {"cnn": ("cnn", "inner-*")} | {head: (head, f"{head}-inner-*") for head in read_run(run).attention.heads}
    histories = {
        name: sorted(path for one in patterns for path in run.glob(f"seed-*/fold-*/{one}.csv"))
        for name, patterns in files.items()
    }
    save(curves_figure(histories, measures["name"]), run / FIGURES / "training.png")
    return tables


def write_heard(run: Path, head: str, roots: Mapping[str, Path], reporter: Reporter) -> str:
    """Write a run's heard-HEAD.csv and .png, UA against the seconds of speech heard; a sentence for each corpus."""
    by_corpus: dict[str, list[Course]] = {}
    for course in stream_tests(run, head, roots, reporter):
        by_corpus.setdefault(course.utterance.corpus, []).append(course)
    curves = {corpus: heard_curve(courses) for corpus, courses in sorted(by_corpus.items())}
    path = run / FIGURES / f"heard-{head}.png"
    count = sum(map(len, by_corpus.values()))
    save(heard_figure(curves, f"{read_run(run).name}, {NAMES[head]}: {count} test utterances"), path)
    write_curves(curves, path.with_suffix(".csv"))
    return "\n".join([str(path), *(f"{corpus}: {_essence(rows)}" for corpus, rows in curves.items())])


def _essence(rows: Sequence[Mapping[str, float]]) -> str:
    """Where a curve ends, and how soon it is there."""
    last = rows[-1]["UA"]
    enough = next(row["seconds"] for i, row in enumerate(rows) if all(later["UA"] >= last - 1 for later in rows[i:]))
    seconds = rows[-1]["seconds"]
    return f"UA {last:.1f} % after {seconds:.1f} s of speech, within a point of it from {enough:.2f} s on"


def as_markdown(measures: Mapping[str, Any]) -> str:
    """The measures as Markdown: the protocol, the systems by corpus, then the recall of each emotion."""
    seeds = ", ".join(map(str, measures["seeds"]))
    lines = [
        f"## {measures['name']}",
        f"Protocol: {measures['protocol']}. Folds trained: {measures['folds']}; utterances: {measures['utterances']}; "
        f"seeds: {seeds}. UA: mean +- standard deviation over the seeds, each pooled over the folds; 95 %: bootstrap "
        "over the utterances.",
        "",
        "| system | corpus | UA % | 95 % | over folds | WA % | macro F1 % | ECE % | UA less that of the first, 95 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for system, corpora in measures["systems"].items():
        for corpus, one in corpora.items():
            lines.append(f"| {NAMES[system]} | {corpus} | {_row(one)} |")
    recalls = [
        (NAMES[system], corpus, one["recall"])
        for system, corpora in measures["systems"].items()
        for corpus, one in corpora.items()
        if "recall" in one
    ]
    emotions = sorted({emotion for _, _, recall in recalls for emotion in recall})
    lines += ["", "Recall, %:", ""]
    lines += [f"| system | corpus | {' | '.join(emotions)} |", "|---" * (2 + len(emotions)) + "|"]
    for system, corpus, recall in recalls:
        lines.append(f"| {system} | {corpus} | {' | '.join(str(recall.get(emotion, '')) for emotion in emotions)} |")
    return "\n".join(lines)


def _row(one: Mapping[str, Any]) -> str:
    accuracy = f"{one['UA']:.1f}" + (
        f" +- {one['UA sd over seeds']:.1f}" if one["UA sd over seeds"] is not None else ""
    )
    between = "{:.1f} to {:.1f}"
    cells = [
        accuracy,
        between.format(*one["UA 95 %"]) if "UA 95 %" in one else "",
        f"{one['UA by fold mean']:.1f} +- {one['UA by fold sd']:.1f}",
        f"{one['WA']:.1f}",
        f"{one['macro F1']:.1f}",
        f"{one['ECE']:.1f}" if "ECE" in one else "",
        between.format(*one["difference 95 %"]) if "difference 95 %" in one else "",
    ]
    return " | ".join(cells)
