"""Pictures of a report: UA by condition, coverage and risk, reliability, and UA against seconds of speech."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rtser_train.robustness.conditions import CLEAN, NOISE_OF_RELIABILITY
from rtser_train.robustness.results import CorpusResult

COLOURS = ("#2166ac", "#c8453b")
MARKERS = ("o", "s")
SHOWN_S = 6.0
"""Maximum of the seconds of speech that are shown."""


def conditions_figure(result: CorpusResult, names: Sequence[str], title: str) -> Figure:
    """UA with its interval under each condition, a row for each, a colour for each model; chance is dashed."""
    rows = result.conditions
    figure = Figure(figsize=(9, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(names):
        shift = 0.18 * (2 * number - len(names) + 1)
        places = [place + shift for place in range(len(rows))]
        shares = [row.scores[number].ua for row in rows]
        values = [share.value or 0.0 for share in shares]
        ends = [share.interval or (value, value) for share, value in zip(shares, values, strict=True)]
        for place, (low, high) in zip(places, ends, strict=True):
            axes.plot([low, high], [place, place], color=COLOURS[number], linewidth=1.5, alpha=0.5)
        axes.plot(values, places, MARKERS[number], color=COLOURS[number], label=name)
    axes.axvline(100 / len(result.emotions), color="grey", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(rows)), [row.title for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel("UA, % (line: 95 %, bootstrap over speakers; dashed: chance)")
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(title)
    if len(names) > 1:
        axes.legend(frameon=False)
    return figure


def clean_figure(result: CorpusResult, names: Sequence[str]) -> Figure:
    """Coverage and risk, reliability, and UA against seconds of speech, side by side."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    coverage, reliability, speech = figure.subplots(1, 3)
    for number, (name, detail) in enumerate(zip(names, result.details, strict=True)):
        points = detail.coverage
        coverage.plot([one.coverage for one in points], [one.risk for one in points], color=COLOURS[number], label=name)
        _reliability(reliability, result, number, name)
        curve = [one for one in detail.curve if one.seconds <= SHOWN_S]
        speech.plot([one.seconds for one in curve], [one.ua for one in curve], color=COLOURS[number], label=name)
    coverage.set(
        xlabel="the most confident, % of utterances", ylabel="wrong among them, %", xlim=(0, 100), ylim=(0, 100)
    )
    coverage.set_title("Coverage and risk")
    reliability.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    reliability.set(xlabel="confidence", ylabel="share of right ones", xlim=(0, 1), ylim=(0, 1))
    reliability.set_title("Reliability")
    speech.axhline(100 / len(result.emotions), color="grey", linestyle="--", linewidth=1)
    speech.set(xlabel="seconds of speech", ylabel="UA, %", xlim=(0, None), ylim=(0, 100))
    speech.set_title("After so much speech")
    for axes in (coverage, reliability, speech):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def _reliability(axes: Axes, result: CorpusResult, number: int, name: str) -> None:
    """A line for clean speech, and a dotted one for noise at 10 dB."""
    for condition, line, words in ((CLEAN.name, "-", "clean"), (NOISE_OF_RELIABILITY, ":", "noise, 10 dB")):
        bins = [one for one in result.details[number].reliability.get(condition, []) if one.count]
        if bins:
            confidence = [one.confidence or 0.0 for one in bins]
            accuracy = [one.accuracy or 0.0 for one in bins]
            axes.plot(confidence, accuracy, f"o{line}", color=COLOURS[number], label=f"{name}, {words}", markersize=4)


def as_svg(figure: Figure) -> bytes:
    """A figure as the content of an SVG file."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
