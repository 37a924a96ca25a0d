"""The decision on a recording as `rtser file` makes it, drawn by Matplotlib: probabilities, label, utterances."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from rtser.events import UtteranceEvent
from rtser.ui.drawn_text import drawable
from rtser.ui.style import UNCERTAIN, clock_time, ink, percent, tick_step
from rtser.ui.track import Track, averaged

TOP = 1.16
"""Height of the panel: the probabilities end at 1, and the utterances are above them."""
CLOCK_S = 100.0
"""Later times are written as minutes and seconds."""
LONG_S = 180.0
"""A longer span is drawn as areas."""
PARTS = 300
NARROW = 0.045
"""Least share of the panel's width at which an utterance has room for its name."""


def draw_decision(axes: Axes, track: Track, begin: float, end: float) -> None:
    """Draw the decision between two times, in seconds.

    Thin lines are the probabilities over the window. A thick line is the averaged probability of the named emotion,
    the steady label; its colour fills the area below. Bars at the top are the utterances with their emotions. Over
    more than `LONG_S`, lines would blur, so areas show the mean probabilities instead.
    """
    long = end - begin > LONG_S
    (_areas if long else _lines)(axes, track)
    for said in track.utterances:
        _utterance(axes, said, track.labels, begin, end)
    axes.set_xlim(begin, end)
    axes.set_ylim(0, TOP)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("mean probabilities" if long else "decision")
    if end > CLOCK_S:
        axes.xaxis.set_major_locator(MultipleLocator(tick_step(end - begin, 12)))
        axes.xaxis.set_major_formatter(lambda seconds, _: clock_time(seconds).removesuffix(".0"))


def _lines(axes: Axes, track: Track) -> None:
    labels, times, emotions = track.labels, track.times, track.emotions
    for column, label in enumerate(labels):
        axes.plot(times, emotions[:, column], color=ink(label, labels), linewidth=0.8, alpha=0.8, label=drawable(label))
    for one in track.stretches():
        inside = (times > one.start) & (times <= one.end + 1e-6)
        shade = ink(one.label, labels)
        axes.fill_between([one.start, one.end], 0, 1, color=shade, alpha=0.16, linewidth=0)
        axes.plot(times[inside], track.confidence[inside], color=shade, linewidth=2.6, solid_capstyle="butt")
    axes.axhline(track.threshold, color="#777777", linewidth=0.8, linestyle=(0, (4, 3)))


def _areas(axes: Axes, track: Track) -> None:
    """The mean probabilities of each part, stacked; white where there is no decision."""
    times = averaged(track.times.astype(np.float32), PARTS)
    shares = np.nan_to_num(averaged(track.emotions, PARTS))
    shades = [ink(label, track.labels) for label in track.labels]
    names = [drawable(label) for label in track.labels]
    axes.stackplot(times, shares.T, colors=shades, labels=names, linewidth=0, step="mid")


def _utterance(axes: Axes, said: UtteranceEvent, labels: tuple[str, ...], begin: float, end: float) -> None:
    """A bar from start to end, with the emotion's name if there is room; grey and hatched if no emotion is sure."""
    first, last = max(begin, said.start), min(end, said.end)
    if first >= last:
        return
    inside, edge, hatch = (ink(said.label, labels), None, None) if said.label else ("#E8E8E8", "#8A8A8A", "////")
    axes.fill_between([first, last], 1.02, TOP, facecolor=inside, edgecolor=edge, hatch=hatch, linewidth=0)
    if (last - first) / (end - begin) >= NARROW:
        name = drawable(f"{said.label or UNCERTAIN} {percent(said.leaning.confidence)}")
        box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.2}
        middle = (first + last) / 2, (1.02 + TOP) / 2
        axes.text(*middle, name, ha="center", va="center", size=7, bbox=box, clip_on=True, parse_math=False)
