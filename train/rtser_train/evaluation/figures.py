"""Figures of a run: confusion matrices (the paper's Figure 4), training curves, and streaming curves."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay

from rtser.ui.plot import save
from rtser_train.evaluation.streaming import StreamingCurve
from rtser_train.files import replacing
from rtser_train.results import Evaluation
from rtser_train.run import Run


def write_confusions(run: Run, evaluation: Evaluation) -> list[Path]:
    """A picture and a table of the confusions of each system on each corpus; the files written."""
    written = []
    for name, system in evaluation.systems.items():
        for corpus, result in system.corpora.items():
            counts = np.array(result.confusion)
            if not counts.any():
                continue
            title = f"{system.title}, {corpus}: UA {result.ua:.1f} %"
            if result.without_speech:
                title += f" ({result.without_speech} without speech not shown)"
            path = run.figure(f"confusion-{name}-{corpus}")
            save(confusion_figure(counts, evaluation.emotions, title), path)
            table = path.with_suffix(".csv")
            with replacing(table) as part, part.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["emotion", *(f"as {emotion}" for emotion in evaluation.emotions)])
                writer.writerows(
                    [emotion, *row] for emotion, row in zip(evaluation.emotions, result.confusion, strict=True)
                )
            written += [path, table]
    return written


def confusion_figure(counts: NDArray[np.int64], emotions: Sequence[str], title: str) -> Figure:
    """Share of each emotion's utterances (rows) that were predicted as each emotion (columns), in per cent.

    Args:
        counts: (K, K), numbers of utterances over all seeds; an emotion without true or predicted ones is left out.
        emotions: their K names.
        title: of the figure.
    """
    seen = np.flatnonzero(counts.sum(0) + counts.sum(1))
    shown = counts[np.ix_(seen, seen)]
    share = 100 * shown / shown.sum(1, keepdims=True).clip(1)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    display = ConfusionMatrixDisplay(share, display_labels=np.array(emotions)[seen])
    display.plot(ax=axes, cmap="Blues", values_format=".1f", colorbar=False, im_kw={"vmin": 0, "vmax": 100})
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.tick_params(axis="x", labelrotation=30)
    axes.set_title(title)
    return figure


def curves_figure(histories: Mapping[str, Sequence[Path]], title: str) -> Figure:
    """Loss and validation UA by epoch, a line for each fold.

    Args:
        histories: for each network its folds' history files, as `rtser_train.fitting.fit` writes them.
        title: of the figure.
    """
    figure = Figure(figsize=(3.4 * len(histories), 5.6), layout="constrained")
    grid = figure.subplots(2, len(histories), squeeze=False, sharex="col")
    for (name, paths), (losses, scores) in zip(histories.items(), grid.T, strict=True):
        for path in paths:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            losses.plot([float(row["loss"]) for row in rows], linewidth=1, alpha=0.7)
            if rows and rows[0].get("mean"):
                scores.plot([100 * float(row["mean"]) for row in rows], linewidth=1, alpha=0.7)
        losses.set_title(name)
        scores.set_xlabel("epoch")
    grid[0][0].set_ylabel("training loss")
    grid[1][0].set_ylabel("UA on what chooses the epoch, %")
    figure.suptitle(title)
    return figure


def streaming_figure(curves: Mapping[str, StreamingCurve], title: str) -> Figure:
    """UA and the rate of label changes against the seconds of speech, a line for each corpus.

    Args:
        curves: by corpus.
        title: of the figure.
    """
    figure = Figure(figsize=(8, 6), layout="constrained")
    accuracy, changes = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for corpus, curve in curves.items():
        points = curve.points
        seconds = [point.seconds for point in points]
        whole = f"{corpus} (whole files: decided {curve.ua_decided:.1f} %, longest utterance {curve.ua_longest:.1f} %)"
        (line,) = accuracy.plot(seconds, [point.ua for point in points], label=whole)
        low, high = [point.ua_low for point in points], [point.ua_high for point in points]
        accuracy.fill_between(seconds, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        changes.plot(seconds, [point.label_changes_per_s for point in points], color=line.get_color())
    accuracy.legend(frameon=False)
    accuracy.set_ylabel("UA of the decision so far, %\n(band: 95 %)")
    changes.set_ylabel("label changes\na second of speech")
    changes.set_xlabel("seconds of speech")
    changes.set_xlim(left=0)
    accuracy.set_title(title)
    return figure
