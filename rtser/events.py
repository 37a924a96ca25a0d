"""Events: what the recogniser tells other programs, one JSON object a line. Times are in seconds of the stream."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

import rtser
from rtser.engine.contract import SAMPLE_RATE
from rtser.engine.decider import Reading, Utterance
from rtser.engine.decision import Decision
from rtser.engine.model import Model
from rtser.statistics import RunStatistics


@dataclass(frozen=True)
class Event:
    """Base of all events; `type` is the value of the JSON key of that name."""

    type: ClassVar[str]

    def to_json(self) -> str:
        """One line of JSON, without the line's end."""
        return json.dumps({"type": self.type} | asdict(self), allow_nan=False)


@dataclass(frozen=True)
class StartEvent(Event):
    """A source begins. `sample_rate` is the source's own, in Hz; `model` has name, sha256 and labels."""

    type: ClassVar[str] = "start"
    version: str
    source: str
    sample_rate: int
    model: dict[str, str | tuple[str, ...]]
    provider: str

    @staticmethod
    def of(source: str, sample_rate: int, model: Model) -> StartEvent:
        """The event for a source that begins."""
        about: dict[str, str | tuple[str, ...]] = {"name": model.metadata.name, "sha256": model.sha256}
        return StartEvent(
            rtser.__version__, source, sample_rate, about | {"labels": model.labels}, model.execution_provider
        )


@dataclass(frozen=True)
class DecisionEvent(Event):
    """A decision for every segment (`rtser.Decision`), with the label and confidence of the decider's reading."""

    type: ClassVar[str] = "decision"
    time: float
    emotions: dict[str, float] | None
    label: str | None
    confidence: float | None
    speech: float
    segment_emotions: dict[str, float]
    salience: float

    @staticmethod
    def of(decision: Decision, reading: Reading, begin: int = 0) -> DecisionEvent:
        """The event that tells `decision`; its label is the reading's. `begin`: the stream's time zero, in samples."""
        fields = dict(decision.__dict__) | {"label": reading.label, "confidence": reading.confidence}
        return DecisionEvent(time=_later(fields.pop("time_s"), begin), **fields)


@dataclass(frozen=True)
class UtteranceEvent(Event):
    """An utterance has ended (`rtser.engine.decider.Utterance`)."""

    type: ClassVar[str] = "utterance"
    start: float
    end: float
    label: str | None
    confidence: float | None
    emotions: dict[str, float]

    @staticmethod
    def of(utterance: Utterance, begin: int = 0) -> UtteranceEvent:
        """The event that tells `utterance`. `begin`: the stream's time zero, in samples."""
        fields = dict(utterance.__dict__)
        start, end = fields.pop("start_s"), fields.pop("end_s")
        return UtteranceEvent(start=_later(start, begin), end=_later(end, begin), **fields)


@dataclass(frozen=True)
class SourceEvent(Event):
    """A live source was lost, came back, or had sound skipped.

    `time` is that of the last sound, for ``open`` that of the next; `missing_samples`, at 16 kHz, lie between.
    """

    type: ClassVar[str] = "source"
    time: float
    state: str
    detail: str
    missing_samples: int


@dataclass(frozen=True)
class EndEvent(Event):
    """A source has ended.

    `dropped_samples` arrived and were skipped; `missing_samples` never arrived, while the source was lost; both at
    16 kHz. `step_ms` has p50, p99 and max of the time that the last decisions took; `latency_ms`, of live sources, of
    the time from a segment's last sample until its decision. None without any.
    """

    type: ClassVar[str] = "end"
    time: float
    decisions: int
    dropped_samples: int
    missing_samples: int
    step_ms: dict[str, float | None]
    latency_ms: dict[str, float | None]

    @staticmethod
    def of(time_s: float, decisions: int, statistics: RunStatistics) -> EndEvent:
        """The event for a source that lasted `time_s`."""
        missing = statistics.dropped_samples, statistics.missing_samples
        return EndEvent(time_s, decisions, *missing, statistics.step_ms(), statistics.latency_ms())


def _later(time_s: float, samples: int) -> float:
    """A time of a whole number of samples, so many samples later."""
    return (round(time_s * SAMPLE_RATE) + samples) / SAMPLE_RATE
