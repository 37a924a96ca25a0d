"""A recording as the model hears it: the paper's Figure 2, drawn by Matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rtser.engine.bank import Decision
from rtser.engine.features import SAMPLE_RATE, SEGMENT_SAMPLES, Float32, log_mel, segment_end_s
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import InputError
from rtser.ui.style import colour

ON_PAPER = {"happy": "#C8A200"}
"""Where the terminal's colour would be too pale."""
LONGEST_S = 120.0
"""Longer recordings are a smear."""


class Heard(NamedTuple):
    """A recording and what the model says of it.

    Attributes:
        samples: (n,).
        decisions: one a segment, over all that was heard until then.
        attention: (S,), each segment's share of the attention over the whole recording.
    """

    samples: Float32
    decisions: list[Decision]
    attention: Float32


def hear(model: Model, samples: Float32) -> Heard:
    """Recognise a recording, its window as long as itself.

    Raises:
        InputError: it is shorter than a segment or longer than two minutes.
    """
    seconds = len(samples) / SAMPLE_RATE
    if len(samples) < SEGMENT_SAMPLES or seconds > LONGEST_S:
        raise InputError(
            f"{seconds:.2f} s cannot be plotted, but 0.335 to {LONGEST_S:.0f} s; --start and --end cut a part out."
        )
    stream = Stream(model, window_s=seconds)
    decisions = stream.push(samples)
    return Heard(samples, decisions, stream.attention()[-len(decisions) :])


def draw(heard: Heard, title: str) -> Figure:
    """The posteriors of the segments, equation (1); under them waveform, log-Mel, attention and the decision so far."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    posteriors, waveform, mel, attention, decision = figure.subplots(
        5, 1, sharex=True, height_ratios=[2.2, 0.8, 1.2, 0.9, 1.6]
    )
    middles = np.array([one.time_s for one in heard.decisions]) - segment_end_s(0) / 2
    ends = np.array([one.time_s for one in heard.decisions])
    labels = list(heard.decisions[0].segment_emotions)
    seconds = len(heard.samples) / SAMPLE_RATE
    by_label = np.array([list(one.segment_emotions.values()) for one in heard.decisions])
    _lines(posteriors, middles, by_label, labels)
    posteriors.set_ylabel("segment posterior")
    posteriors.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    waveform.plot(np.arange(len(heard.samples)) / SAMPLE_RATE, heard.samples, color="#444444", linewidth=0.4)
    waveform.set_ylabel("waveform")
    mel.imshow(
        log_mel(heard.samples).T, origin="lower", aspect="auto", extent=(0.0, seconds, 0, 64), cmap="magma", vmin=-16
    )
    mel.set_ylabel("log-Mel bin")
    attention.bar(middles, heard.attention * len(middles), width=0.06, color="#555555")
    attention.axhline(1.0, color="#aaaaaa", linewidth=0.8)
    attention.set_ylabel("attention\n(1: even share)")
    silent = dict.fromkeys(labels, np.nan)
    _lines(decision, ends, np.array([list((one.emotions or silent).values()) for one in heard.decisions]), labels)
    decision.set_ylabel("decision so far")
    decision.set_xlabel("seconds")
    decision.set_xlim(0, seconds)
    figure.suptitle(title)
    return figure


def _lines(axes: Axes, times: np.ndarray, rows: np.ndarray, labels: list[str]) -> None:
    for column, label in enumerate(labels):
        ink = ON_PAPER.get(label) or colour(label, tuple(labels))
        axes.plot(times, rows[:, column], label=label, color=ink, linewidth=1.6)
    axes.set_ylim(0, 1)


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the file's suffix names.

    Raises:
        InputError: the folder cannot be written, or there is no such format.
    """
    if not path.suffix:
        raise InputError(f"{path}: name a .png, .svg or .pdf file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None
    except ValueError:
        raise InputError(f"{path}: name a .png, .svg or .pdf file.") from None
