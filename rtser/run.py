"""A run: the events of one source, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator

from rtser.audio.source import Gap
from rtser.engine.bank import Decisions
from rtser.engine.contract import SAMPLE_RATE
from rtser.engine.decision import Utterance
from rtser.events import EndEvent, Event, SourceEvent, event_of
from rtser.statistics import RunStatistics


class Run:
    """Turns what the engine says of one source into events, and keeps the time and the figures of the source.

    After a break of the source, the engine's stream begins anew at zero. The time of the run goes on.

    Args:
        statistics: where the figures are noted.
        begin: time of the first sample, in samples at 16 kHz.

    Attributes:
        statistics: the figures.
        samples: how many samples at 16 kHz the engine has had since its stream began.
    """

    def __init__(self, statistics: RunStatistics, begin: int = 0) -> None:
        self.statistics, self.samples, self._begin = statistics, 0, begin

    @property
    def position(self) -> int:
        """The time of the source up to which it was heard, in samples at 16 kHz."""
        return self._begin + self.samples

    @property
    def time_s(self) -> float:
        """The same in seconds."""
        return self.position / SAMPLE_RATE

    def decided(
        self, decisions: Decisions, row: int, step_s: float, latency_s: float | None, tell: bool = True
    ) -> Iterator[Event]:
        """The events of one row of a step.

        Args:
            decisions: of the step.
            row: the source's.
            step_s: how long the step took, in seconds.
            latency_s: how late the decision is, in seconds; None if the source is not live.
            tell: whether to make the event of the decision itself; it is not needed if nobody reads it.
        """
        self.statistics.note_decision(step_s, latency_s)
        if tell:
            yield event_of(decisions.decision(row), self._begin)
        yield from self.ended(decisions.readings[row].utterance)

    def ended(self, utterance: Utterance | None) -> Iterator[Event]:
        """The event of an utterance, if there is one."""
        if utterance:
            yield event_of(utterance, self._begin)

    def broken(self, gap: Gap, utterance: Utterance | None) -> Iterator[Event]:
        """The events of a break. `utterance`: what ended when the engine's stream was begun anew."""
        at = self.position
        yield from self.anew(utterance, gap.missing_samples)
        self.statistics.note_gap(gap.state == "skipped", gap.missing_samples)
        time_s = (self._begin if gap.state == "open" else at) / SAMPLE_RATE
        yield SourceEvent(time_s, gap.state, gap.detail, gap.missing_samples)

    def anew(self, utterance: Utterance | None, missing_samples: int = 0) -> Iterator[Event]:
        """The event of what ended when the engine's stream was begun anew; time goes on from there."""
        yield from self.ended(utterance)
        self._begin, self.samples = self.position + missing_samples, 0

    def end(self) -> EndEvent:
        """The last event."""
        return EndEvent.of(self.time_s, self.statistics)
