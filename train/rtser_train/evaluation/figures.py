"""Figures of a run: confusion matrices (the paper's Figure 4), training curves, and UA against the speech heard."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay

from rtser.ui.plot import save
from rtser_train.files import replacing


def write_confusions(measures: Mapping[str, Any], names: Mapping[str, str], folder: Path) -> list[Path]:
    """A picture and a table of the confusions of each system on each corpus; the files written."""
    written = []
    for system, corpora in measures["systems"].items():
        for corpus, one in corpora.items():
            if "confusion" not in one:
                continue
            counts, emotions = np.array(one["confusion"]), measures["emotions"]
            if not counts.any():
                continue
            path = folder / f"confusion-{system}-{corpus}.png"
            title = f"{names[system]}, {corpus}: UA {one['UA']:.1f} %"
            if one["without speech"]:
                title += f" ({one['without speech']} without speech not shown)"
            save(confusion_figure(counts, emotions, title), path)
            table = path.with_suffix(".csv")
            with replacing(table) as part, part.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["emotion", *(f"as {emotion}" for emotion in emotions)])
                writer.writerows([emotion, *row] for emotion, row in zip(emotions, counts.tolist(), strict=True))
            written += [path, table]
    return written


def confusion_figure(counts: NDArray[np.int64], emotions: Sequence[str], title: str) -> Figure:
    """Share of each emotion's utterances (rows) that were taken for each (columns), in per cent.

    Args:
        counts: (K, K), of utterances, over all seeds; an emotion that none is and none is taken for is left out.
        emotions: names of the K.
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


def heard_figure(curves: Mapping[str, Sequence[Mapping[str, float]]], title: str) -> Figure:
    """UA against the seconds of speech heard, and how often the label changes there, a line for each corpus.

    Args:
        curves: by corpus, from `rtser_train.evaluation.streaming.heard_curve`.
        title: of the figure.
    """
    figure = Figure(figsize=(8, 6), layout="constrained")
    accuracy, flips = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for corpus, rows in curves.items():
        seconds = [row["seconds"] for row in rows]
        (line,) = accuracy.plot(seconds, [row["UA"] for row in rows], label=corpus)
        low, high = ([row[bound] for row in rows] for bound in ("UA low", "UA high"))
        accuracy.fill_between(seconds, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        flips.plot(seconds, [row["flips a second"] for row in rows], color=line.get_color())
    accuracy.legend(frameon=False)
    accuracy.set_ylabel("UA of the decision so far, %\n(band: 95 %)")
    flips.set_ylabel("label changes\na second of speech")
    flips.set_xlabel("seconds of speech heard")
    flips.set_xlim(left=0)
    accuracy.set_title(title)
    return figure
