"""All decisions on one recording, kept for a picture or a page."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import HOP_S, Float32
from rtser.events import DecisionEvent, EndEvent, Event, StartEvent, UtteranceEvent


class Stretch(NamedTuple):
    """A stretch of time, in seconds, in which one emotion was named without a break."""

    start: float
    end: float
    label: str


class Track:
    """Keeps the decisions of one recording, in little memory, and its utterances (a `rtser.sinks.Sink`).

    Args:
        labels: the K emotions.
        threshold: probability from which an emotion is named, 0..1.

    Attributes:
        source: the recording's name.
        seconds: its length.
        utterances: the final ones, oldest first.
    """

    kinds = (StartEvent, DecisionEvent, UtteranceEvent, EndEvent)

    def __init__(self, labels: tuple[str, ...], threshold: float) -> None:
        self.labels, self.threshold, self.source, self.seconds = labels, threshold, "", 0.0
        self.utterances: list[UtteranceEvent] = []
        self._times, self._emotions, self._confidence = array("d"), array("f"), array("f")
        self._named = array("h")

    def write(self, event: Event) -> None:
        """Keep the content of an event."""
        if isinstance(event, StartEvent):
            self.source = event.source
        elif isinstance(event, DecisionEvent):
            emotions = event.emotions or dict.fromkeys(self.labels, np.nan)
            self._times.append(event.time)
            self._emotions.extend(emotions[label] for label in self.labels)
            self._named.append(-1 if event.label is None else self.labels.index(event.label))
            self._confidence.append(np.nan if event.confidence is None else event.confidence)
        elif isinstance(event, UtteranceEvent) and event.final:
            self.utterances.append(event)
        elif isinstance(event, EndEvent):
            self.seconds = event.time

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Ends of the S segments in seconds, (S,)."""
        return np.array(self._times, np.float64)

    @property
    def emotions(self) -> Float32:
        """Probabilities over the window, (S, K); NaN if the window held too little speech."""
        return np.array(self._emotions, np.float32).reshape(-1, len(self.labels))

    @property
    def confidence(self) -> Float32:
        """Averaged probability of the named emotion, (S,); NaN if no emotion is named."""
        return np.array(self._confidence, np.float32)

    def stretches(self) -> list[Stretch]:
        """The stretches of the steady label (with hysteresis), oldest first."""
        named, times = np.array(self._named, np.int16), self.times
        if not len(named):
            return []
        begins = np.flatnonzero(np.diff(named, prepend=-2))
        ends = np.append(begins[1:], len(named)) - 1
        return [
            Stretch(float(times[begin] - HOP_S), float(times[end]), self.labels[named[begin]])
            for begin, end in zip(begins, ends, strict=True)
            if named[begin] >= 0
        ]


def averaged(values: Float32, parts: int) -> Float32:
    """Values (S, ...) averaged over at most `parts` parts of equal length; unchanged if there are fewer values.

    NaN is left out; a part is NaN only if all its values are.
    """
    if len(values) <= parts:
        return values
    size = -(-len(values) // parts)
    padding = np.full((-len(values) % size, *values.shape[1:]), np.nan, np.float32)
    grouped = np.concatenate([values, padding]).reshape(-1, size, *values.shape[1:])
    known = ~np.isnan(grouped)
    count = known.sum(1)
    sums = np.where(known, grouped, 0).sum(1)
    means: Float32 = np.divide(sums, count, out=np.full(sums.shape, np.nan, np.float32), where=count > 0)
    return means
