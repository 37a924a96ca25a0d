"""Events: what the recogniser tells other programs, as one JSON object a line (schema 2, `events.schema.json`).

Times are in seconds of the stream, from counts of samples. ``utc`` is the wall clock when the event was made.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import rtser
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.engine.decision import Decision, Leaning, Utterance
from rtser.engine.model import Model
from rtser.statistics import RunStatistics

SCHEMA = 2


def utc_now() -> str:
    """The wall clock as ISO 8601 with milliseconds and Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Event:
    """Base of all events; `type` is the value of the JSON key of that name."""

    type: ClassVar[str]

    def to_json(self, utc: str | None = None, where: dict[str, Any] | None = None) -> str:
        """One line of JSON, without the line's end.

        Args:
            utc: when the event was made, for events that are kept in a file; see `utc_now`.
            where: which ``stream`` and ``channel`` of a server it is about.
        """
        return json.dumps(self.content(utc, where), allow_nan=False)

    def content(self, utc: str | None = None, where: dict[str, Any] | None = None) -> dict[str, Any]:
        """What `to_json` writes, as plain objects; see there."""
        made = {"utc": utc} if utc and not hasattr(self, "utc") else {}
        content = {"type": self.type} | made | (where or {}) | vars(self)
        content.pop("embedding", None)
        return {key: vars(value) if is_dataclass(value) else value for key, value in content.items()}


@dataclass(frozen=True)
class ModelName:
    """Which model recognises: its name, the sha256 of its file, and its emotions."""

    name: str
    sha256: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class StartEvent(Event):
    """A run begins: one source, recognised once.

    `run` is unique. `sample_rate` is the source's own, in Hz. `voice` names the speaker's profile, or is null.
    """

    type: ClassVar[str] = "start"
    schema: int
    run: str
    utc: str
    version: str
    source: str
    sample_rate: int
    model: ModelName
    provider: str
    voice: str | None

    @staticmethod
    def of(source: str, sample_rate: int, model: Model, voice: str | None = None) -> StartEvent:
        """The event for a source that begins now."""
        name = ModelName(model.metadata.name, model.sha256, model.labels)
        about = rtser.__version__, source, sample_rate, name, model.execution_provider, voice
        return StartEvent(SCHEMA, uuid.uuid4().hex, utc_now(), *about)


@dataclass(frozen=True)
class DecisionEvent(Event):
    """The decision on a segment (`rtser.Decision`). `time` is the segment's end. JSON leaves out the embedding."""

    type: ClassVar[str] = "decision"
    time: float
    emotions: dict[str, float] | None
    label: str | None
    confidence: float | None
    leaning: Leaning | None
    speaking: bool
    speech: float
    segment_emotions: dict[str, float]
    salience: float
    embedding: Float32 | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class UtteranceEvent(Event):
    """An utterance has ended, or it is long and is reported so far (`final` is false); see `rtser.Utterance`."""

    type: ClassVar[str] = "utterance"
    start: float
    end: float
    label: str | None
    confidence: float | None
    leaning: Leaning
    emotions: dict[str, float]
    final: bool


@dataclass(frozen=True)
class SourceEvent(Event):
    """A live source was lost, came back, or had sound skipped.

    `time` is the time of the last sound; for ``open`` it is the time of the next sound. `missing_samples`, at 16 kHz,
    lie between the two.
    """

    type: ClassVar[str] = "source"
    time: float
    state: Literal["lost", "open", "skipped"]
    detail: str
    missing_samples: int


@dataclass(frozen=True)
class SettingsEvent(Event):
    """Settings were changed while the recogniser runs.

    `changed` has the new values by name, such as ``decide.label_threshold``.
    """

    type: ClassVar[str] = "settings"
    time: float
    changed: dict[str, Any]


@dataclass(frozen=True)
class ErrorEvent(Event):
    """One of several outputs, or one of many streams, has failed. The others go on."""

    type: ClassVar[str] = "error"
    time: float
    detail: str


@dataclass(frozen=True)
class EndEvent(Event):
    """A source has ended.

    `dropped_samples` arrived and were skipped. `missing_samples` never arrived, because the source was lost. Both are
    at 16 kHz. `step_ms` has p50, p99 and max of the time that the last decisions took. `latency_ms` has them of the
    time from a segment's last sample until its decision, for live sources. A value is null if there is none.
    """

    type: ClassVar[str] = "end"
    time: float
    decisions: int
    dropped_samples: int
    missing_samples: int
    step_ms: dict[str, float | None]
    latency_ms: dict[str, float | None]

    @staticmethod
    def of(time_s: float, statistics: RunStatistics) -> EndEvent:
        """The event for a source that lasted `time_s`."""
        missing = statistics.dropped_samples, statistics.missing_samples
        return EndEvent(time_s, statistics.decisions, *missing, statistics.step_ms(), statistics.latency_ms())


def event_from(content: dict[str, Any]) -> Event:
    """The event in a JSON object; unknown keys are ignored.

    Raises:
        ValueError: there is no such event, or a key of it is missing.
    """
    kinds = {kind.type: kind for kind in Event.__subclasses__()}
    kind = kinds.get(str(content.get("type")))
    if kind is None:
        raise ValueError(f"there is no event {content.get('type')!r}")
    known = {field.name: content[field.name] for field in fields(kind) if field.name in content}
    if known.get("leaning") is not None:
        known["leaning"] = Leaning(**known["leaning"])
    if kind is StartEvent:
        model = known["model"]
        known["model"] = ModelName(model["name"], model["sha256"], tuple(model["labels"]))
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"event {kind.type}: {error}") from None


def event_of(said: Decision | Utterance, begin: int = 0) -> DecisionEvent | UtteranceEvent:
    """The event of a decision or an utterance. `begin`: the engine's time zero, in samples of the run at 16 kHz."""
    content = dict(vars(said))
    if isinstance(said, Decision):
        return DecisionEvent(time=_later(content.pop("time_s"), begin), **content)
    start, end = content.pop("start_s"), content.pop("end_s")
    return UtteranceEvent(start=_later(start, begin), end=_later(end, begin), **content)


def _later(time_s: float, samples: int) -> float:
    """A time of a whole number of samples, so many samples later."""
    return (round(time_s * SAMPLE_RATE) + samples) / SAMPLE_RATE
