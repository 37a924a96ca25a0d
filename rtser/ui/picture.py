"""A recording of any length as a picture: its sound, and the decision that `rtser file` makes."""

from __future__ import annotations

import io
from array import array

import numpy as np
from matplotlib.figure import Figure

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.ui.decision_panel import CLOCK_S, draw_decision
from rtser.ui.drawn_text import drawable, plain_legend
from rtser.ui.track import Track

COLUMNS = 3000
"""Number of the waveform's extremes; more than the picture has pixels."""


class Picture:
    """Gathers the content of a picture of one recording (a `rtser.sinks.Sink` and an `AudioSink`).

    Args:
        labels: the emotions.
        threshold: probability from which an emotion is named, 0..1.
    """

    def __init__(self, labels: tuple[str, ...], threshold: float) -> None:
        self._track = Track(labels, threshold)
        self.kinds, self.write, self.close = Track.kinds, self._track.write, self._track.close
        self._starts, self._least, self._most = array("d"), array("f"), array("f")

    def write_audio(self, samples: Float32, start: int) -> None:
        """Keep the extremes of a block (n,)."""
        if len(samples):
            self._starts.append(start / SAMPLE_RATE)
            self._least.append(float(samples.min()))
            self._most.append(float(samples.max()))

    def png(self) -> bytes:
        """The picture as PNG."""
        track, image = self._track, io.BytesIO()
        figure = Figure(figsize=(12, 4.2), layout="constrained")
        waveform, decision = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2.6])
        size = max(1, len(self._starts) // COLUMNS)
        groups = np.arange(0, len(self._starts), size)
        times, least, most = (np.array(one) for one in (self._starts, self._least, self._most))
        if len(groups):
            extremes = np.minimum.reduceat(least, groups), np.maximum.reduceat(most, groups)
            waveform.fill_between(times[groups], *extremes, color="#444444", linewidth=0.3, step="post")
        waveform.set_ylabel("waveform")
        draw_decision(decision, track, 0, track.seconds)
        decision.set_xlabel("time" if track.seconds > CLOCK_S else "seconds")
        handles, names = decision.get_legend_handles_labels()
        plain_legend(figure.legend(handles, names, loc="outside right upper", frameon=False))
        figure.suptitle(drawable(track.source), parse_math=False)
        figure.savefig(image, dpi=110, format="png")
        return image.getvalue()
