"""The state of the live view: the events of a run, condensed to what is drawn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import NamedTuple

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE
from rtser.events import DecisionEvent, Event, SourceEvent, StartEvent, UtteranceEvent
from rtser.statistics import Snapshot

STRIP_HOPS = 1_000
"""Length of the strip: 60 s."""
UTTERANCES_KEPT = 100


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
        uptime_s: seconds since the source began.
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
    uptime_s: float = 0.0

    def take(self, event: Event) -> None:
        """Let an event change the state."""
        if isinstance(event, StartEvent):
            self.source, self.now, self.hops, self.message = event, None, 0, ""
            self.strip.clear()
            self.utterances.clear()
        elif isinstance(event, DecisionEvent):
            self.now = event
            self._add(event, 1)
        elif isinstance(event, UtteranceEvent):
            if self.utterances and self.utterances[-1].start == event.start:
                self.utterances.pop()  # it was reported while it went on
            self.utterances.append(event)
        elif isinstance(event, SourceEvent):
            self.now = None
            self._add(None, event.missing_samples // HOP_SAMPLES)

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
