"""What there is to see: the events of a run, condensed to what the live view draws."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from rtser.engine.features import HOP_SAMPLES, SAMPLE_RATE
from rtser.events import Decided, Event, SourceChanged, Spoken, Start
from rtser.statistics import Vitals

STRIP_HOPS = 1_000
"""Length of the strip: 60 s."""
UTTERANCES_KEPT = 100


class Moment(NamedTuple):
    """A hop of the strip.

    Attributes:
        decision: None where nobody heard.
        weight: the segment's share of the attention against an even share among the window's segments with speech.
    """

    decision: Decided | None
    weight: float


@dataclass
class Scene:
    """The state of the live view.

    Attributes:
        labels: the emotions.
        vitals: the run's figures.
        window: over how many segments is decided.
        source: the event that began the run.
        now: the last decision; None before the first, and after the source was lost.
        strip: the last hops.
        hops: how many decisions and unheard hops there have been, so that columns keep their place.
        utterances: the last ones, oldest first.
        message: the last word on standard error, which the view covers.
        uptime_s: seconds since the source began.
    """

    labels: tuple[str, ...]
    vitals: Vitals
    window: int
    source: Start | None = None
    now: Decided | None = None
    strip: deque[Moment] = field(default_factory=lambda: deque(maxlen=STRIP_HOPS))
    hops: int = 0
    utterances: deque[Spoken] = field(default_factory=lambda: deque(maxlen=UTTERANCES_KEPT))
    message: str = ""
    uptime_s: float = 0.0

    def take(self, event: Event) -> None:
        """Let an event change the scene."""
        if isinstance(event, Start):
            self.source, self.now, self.hops, self.message = event, None, 0, ""
            self.strip.clear()
            self.utterances.clear()
        elif isinstance(event, Decided):
            self.now = event
            self._add(event, 1)
        elif isinstance(event, Spoken):
            self.utterances.append(event)
        elif isinstance(event, SourceChanged):
            self.now = None
            self._add(None, event.missing_samples // HOP_SAMPLES)

    def _add(self, decision: Decided | None, hops: int) -> None:
        self.hops += hops
        spoken = sum(map(_speaks, islice(reversed(self.strip), self.window - 1))) + 1 if decision else 0
        moment = Moment(decision, decision.salience * spoken if decision else 0.0)
        self.strip.extend([moment] * min(hops, STRIP_HOPS))


def speaks(decision: Decided | None) -> bool:
    """Whether the segment of a decision holds speech, more likely than not."""
    return decision is not None and decision.speech >= 0.5


def _speaks(moment: Moment) -> bool:
    return speaks(moment.decision)


def hops_s(hops: int) -> float:
    """Seconds that so many hops last."""
    return hops * HOP_SAMPLES / SAMPLE_RATE
