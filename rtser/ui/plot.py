"""A recording and the model's outputs for it, as in the paper's Figure 2, drawn by Matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rtser.engine.contract import HOP_FRAMES, SAMPLE_RATE, Float32, segment_count, segment_end_s
from rtser.engine.model import Model
from rtser.errors import InputError, ModelError
from rtser.files import replacing
from rtser.models.raw import RawOutputs, raw_outputs
from rtser.ui.decision_panel import CLOCK_S, draw_decision
from rtser.ui.drawn_text import drawable, plain_legend
from rtser.ui.style import ink
from rtser.ui.track import Track

LONGEST_S = 120.0
"""Longest plot; a longer recording cannot be read in it."""


class Recognised(NamedTuple):
    """A recording and the network's outputs for it, with a window as long as the recording.

    Attributes:
        samples: (n,).
        labels: the K emotions.
        outputs: outputs of S segments; each decision covers all segments until then.
        attention: (S,), each segment's share of the attention over the whole recording.
        log_mel: (T, 64), the frames of the model's front-end.
    """

    samples: Float32
    labels: tuple[str, ...]
    outputs: RawOutputs
    attention: Float32
    log_mel: Float32


def check_length(samples: Float32) -> None:
    """Raise InputError if a recording (n,) is shorter than a segment or longer than two minutes."""
    seconds = len(samples) / SAMPLE_RATE
    if not segment_count(len(samples)) or seconds > LONGEST_S:
        advice = "choose a part with --start and --end, or write a page (-o NAME.html), which may have any length"
        raise InputError(f"{seconds:.2f} s cannot be plotted, only 0.335 to {LONGEST_S:.0f} s", advice)


def recognise_whole(model: Model, samples: Float32) -> Recognised:
    """Recognise a recording with a window as long as the recording.

    Raises:
        InputError: it is shorter than a segment or longer than two minutes.
        ModelError: the model has no state ``state_weights``; every model from `rtser export` has one.
    """
    check_length(samples)
    segments = segment_count(len(samples))
    outputs = raw_outputs(model, samples, segments, extras=("log_mel",))
    frames = np.concatenate(outputs.extras["log_mel"])[HOP_FRAMES - 2 :]  # the first four begin before the recording
    return Recognised(samples, model.labels, outputs, window_attention(outputs.state), frames)


def window_attention(state: Mapping[str, Float32]) -> Float32:
    """Each segment's share of the attention in the present window, (W,), oldest first, 0..1; the sum is 1.

    It is the mean over the dimensions of equation (5), or of (3); zeros for segments without a weight.

    Raises:
        ModelError: the model has no state ``state_weights``.
    """
    weights = state.get("state_weights")
    if weights is None:
        raise ModelError("the model keeps no attention weights (state_weights)", "export it with this version")
    total = weights.sum(0)
    share: Float32 = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).mean(1)
    return share


def draw(recognised: Recognised, track: Track, title: str, begin: float = 0.0) -> Figure:
    """Draw the posteriors of the segments, equation (1); below them waveform, log-Mel, attention and the decision.

    Args:
        recognised: a part of a recording.
        track: the decisions on the whole recording, as `rtser file` makes them.
        title: title of the figure.
        begin: where the part begins, in seconds.
    """
    figure = Figure(figsize=(11, 9.6), layout="constrained")
    posteriors, waveform, mel, attention, decision = figure.subplots(
        5, 1, sharex=True, height_ratios=[2.0, 0.8, 1.2, 0.9, 2.2]
    )
    outputs, labels = recognised.outputs, recognised.labels
    ends = np.array([segment_end_s(segment) for segment in range(len(outputs))])
    middles = begin + ends - segment_end_s(0) / 2
    end = begin + len(recognised.samples) / SAMPLE_RATE
    _lines(posteriors, middles, outputs.segment_emotions, labels)
    posteriors.set_ylabel("segment posterior")
    plain_legend(posteriors.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False))
    times = begin + np.arange(len(recognised.samples)) / SAMPLE_RATE
    waveform.plot(times, recognised.samples, color="#444444", linewidth=0.4)
    waveform.set_ylabel("waveform")
    spectrogram, extent = recognised.log_mel.T, (begin, end, 0, 64)
    mel.imshow(spectrogram, origin="lower", aspect="auto", extent=extent, cmap="magma")
    mel.set_ylabel("log-Mel bin")
    attention.bar(middles, recognised.attention * len(middles), width=0.06, color="#555555")
    attention.axhline(1.0, color="#aaaaaa", linewidth=0.8)
    attention.set_ylabel("attention\n(1: even share)")
    draw_decision(decision, track, begin, end)
    decision.set_xlabel("time" if end > CLOCK_S else "seconds")
    figure.suptitle(drawable(title), parse_math=False)
    return figure


def _lines(axes: Axes, times: np.ndarray, rows: np.ndarray, labels: tuple[str, ...]) -> None:
    for column, label in enumerate(labels):
        axes.plot(times, rows[:, column], label=drawable(label), color=ink(label, labels), linewidth=1.6)
    axes.set_ylim(0, 1)


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the file's suffix names.

    Raises:
        OutputError: the file cannot be written.
        InputError: there is no such format.
    """
    picture = io.BytesIO()  # drawn before a folder is made, because the format may be unknown
    try:
        figure.savefig(picture, dpi=130, format=path.suffix.removeprefix(".") or "none")
    except ValueError:
        raise InputError(f"{path} has an unknown format", "name a .png, .svg or .pdf file") from None
    with replacing(path) as part:
        part.write_bytes(picture.getbuffer())
