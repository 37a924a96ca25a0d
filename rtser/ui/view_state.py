"""The state of the live view: the events of a run, condensed to what is drawn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Literal, NamedTuple

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, window_segments
from rtser.events import DecisionEvent, Event, SettingsEvent, SourceEvent, StartEvent, UtteranceEvent
from rtser.statistics import Snapshot

STRIP_HOPS = 2_000
"""Longest strip: two minutes."""
UTTERANCES_KEPT = 100
Page = Literal["now", "figures", "help", "devices"]


class Moment(NamedTuple):
    """A hop of the strip.

    Attributes:
        decision: None where sound is missing.
        weight: the segment's share of the attention against an even share among the window's segments with speech.
    """

    decision: DecisionEvent | None
    weight: float


@dataclass
class ViewState:
    """The state of the live view.

    Attributes:
        labels: the emotions.
        window: length of the decision window in segments.
        source: the event that began the run.
        now: the last decision; None before the first, and after the source was lost.
        strip: the last hops.
        hops: how many decisions and missing hops there have been, so that columns keep their place.
        utterances: the last ones, oldest first.
        statistics: the run's figures when the last frame was drawn.
        message: the last warning, which the view covers.
        notice: what a key has done, in words.
        uptime_s: seconds since the source began.
        time_s: time of the last decision, in seconds of the run.
        begin_s: what began before is forgotten.
        threshold: from where on an emotion is named, 0..1; None where that is not known.
        window_s: length of the window in seconds; None where that is not known.
        paused: whether sound is thrown away.
        keys: those that are offered, each with what it does in a word.
        page: what is shown.
        part: which part of a page that does not fit; `parts`: how many it has.
        devices: the names to choose from; None before they are known. `chosen`: the place of the marked one.
    """

    labels: tuple[str, ...]
    window: int
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
    keys: dict[str, str] = field(default_factory=dict)
    page: Page = "now"
    part: int = 0
    parts: int = 1
    devices: list[str] | None = None
    chosen: int = 0

    def take(self, event: Event) -> None:
        """Let an event change the state."""
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
                self.utterances.pop()  # it was reported while it went on
            self.utterances.append(event)
        elif isinstance(event, SourceEvent):
            self.now, self.notice = None, "" if event.state == "open" else self.notice
            self._add(None, event.missing_samples // HOP_SAMPLES)
        elif isinstance(event, SettingsEvent) and "window_s" in event.changed:
            self.now, self.window = None, window_segments(event.changed["window_s"])

    def forget(self) -> None:
        """Begin anew: forget what was heard until now."""
        self.now, self.hops, self.begin_s = None, 0, self.time_s
        self.strip.clear()
        self.utterances.clear()

    def _add(self, decision: DecisionEvent | None, hops: int) -> None:
        self.hops += hops
        utterance = takewhile(_lasts, islice(reversed(self.strip), self.window - 1))
        spoken = sum(map(_holds_speech, utterance)) + 1 if decision else 0
        moment = Moment(decision, decision.salience * spoken if decision else 0.0)
        self.strip.extend([moment] * min(hops, STRIP_HOPS))


def _holds_speech(moment: Moment) -> bool:
    return moment.decision is not None and moment.decision.speech >= 0.5


def _lasts(moment: Moment) -> bool:
    """Whether the utterance that lasts, or its onset, may hold a moment; what lies before it is forgotten."""
    return moment.decision is not None and (moment.decision.speaking or moment.decision.speech >= 0.5)


def hops_s(hops: int) -> float:
    """Seconds that so many hops last."""
    return hops * HOP_SAMPLES / SAMPLE_RATE
