"""The state of the live view: the part of a run's events that is drawn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Literal, NamedTuple

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, window_segments
from rtser.events import DecisionEvent, Event, SettingsEvent, SourceEvent, StartEvent, UtteranceEvent
from rtser.statistics import Snapshot
from rtser.ui.style import UNCERTAIN

STRIP_HOPS = 10_000
"""Length of the longest strip: ten minutes."""
UTTERANCES_KEPT = 100
Page = Literal["now", "figures", "help", "devices"]


class Moment(NamedTuple):
    """A hop of the strip.

    Attributes:
        kind: the named emotion, `UNCERTAIN`, or None if nobody spoke or sound is missing.
        confidence: the emotion's probability; 0 if none was named.
        weight: the segment's attention, relative to an even share among the window's segments with speech.
        speech: whether the segment held speech.
        lasts: whether the hop may belong to the present utterance or its onset.
    """

    kind: str | None = None
    confidence: float = 0.0
    weight: float = 0.0
    speech: bool = False
    lasts: bool = False


@dataclass
class ViewState:
    """The state of the live view.

    Attributes:
        labels: the emotions.
        window: length of the decision window in segments.
        source: the event that began the run.
        now: the last decision; None before the first, and after the source was lost.
        strip: the last hops.
        hops: number of decisions and missing hops so far, so that columns keep their place.
        recorded: where the sound is kept; empty if it is not.
        utterances: the last ones, oldest first.
        statistics: the run's figures when the last frame was drawn.
        message: the last warning, which the view covers.
        notice: the effect of a key, in words.
        uptime_s: seconds since the source began.
        time_s: time of the last decision, in seconds of the run.
        begin_s: utterances that began before this time are forgotten.
        threshold: probability from which an emotion is named, 0..1; None if unknown.
        window_s: length of the window in seconds; None if unknown.
        paused: whether the run is paused.
        holds: whether the sound waits during a pause.
        keys: the offered keys, each with one word for its action.
        page: the page that is shown.
        part: the part of the page that is shown, if the page does not fit; `parts`: the number of parts.
        devices: the names to choose from; None before they are known. `chosen`: the index of the selected one.
    """

    labels: tuple[str, ...]
    window: int
    recorded: str = ""
    source: StartEvent | None = None
    now: DecisionEvent | None = None
    strip: deque[Moment] = field(default_factory=lambda: deque(maxlen=STRIP_HOPS))
    hops: int = 0
    utterances: deque[UtteranceEvent] = field(default_factory=lambda: deque(maxlen=UTTERANCES_KEPT))
    statistics: Snapshot = field(default_factory=Snapshot)
    message: str = ""
    notice: str = ""
    uptime_s: float = 0.0
    time_s: float = 0.0
    begin_s: float = 0.0
    threshold: float | None = None
    window_s: float | None = None
    paused: bool = False
    holds: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    page: Page = "now"
    part: int = 0
    parts: int = 1
    devices: list[str] | None = None
    chosen: int = 0

    @property
    def in_use(self) -> str:
        """Name of the device that is heard; empty while there is trouble, because another one may be chosen then."""
        return "" if self.statistics.trouble else self.statistics.source

    def take(self, event: Event) -> None:
        """Update the state with an event."""
        if isinstance(event, StartEvent):
            self.source, self.message, self.time_s = event, "", 0.0
            self.forget()
        elif isinstance(event, DecisionEvent):
            self.now, self.time_s = event, event.time
            self._add(event, 1)
        elif isinstance(event, UtteranceEvent):
            if event.start < self.begin_s:
                return
            if self.utterances and self.utterances[-1].start == event.start:
                self.utterances.pop()  # its interim report
            self.utterances.append(event)
        elif isinstance(event, SourceEvent):
            self.now, self.notice = None, "" if event.state == "open" else self.notice
            self._add(None, event.missing_samples // HOP_SAMPLES)
        elif isinstance(event, SettingsEvent) and "window_s" in event.changed:
            self.now, self.window = None, window_segments(event.changed["window_s"])

    def forget(self) -> None:
        """Forget everything heard until now."""
        self.now, self.hops, self.begin_s = None, 0, self.time_s
        self.strip.clear()
        self.utterances.clear()

    def _add(self, decision: DecisionEvent | None, hops: int) -> None:
        self.hops += hops
        moment = self._moment(decision) if decision else Moment()
        self.strip.extend([moment] * min(hops, STRIP_HOPS))

    def _moment(self, decision: DecisionEvent) -> Moment:
        """The moment of a decision; its weight is relative to the segments of the window's utterance."""
        utterance = takewhile(lambda moment: moment.lasts, islice(reversed(self.strip), self.window - 1))
        weight = decision.salience * (sum(moment.speech for moment in utterance) + 1)
        kind, speech = decision.label or (UNCERTAIN if decision.speaking else None), decision.speech >= 0.5
        return Moment(kind, decision.confidence or 0.0, weight, speech, decision.speaking or speech)


def hops_s(hops: int) -> float:
    """Seconds that so many hops last."""
    return hops * HOP_SAMPLES / SAMPLE_RATE
