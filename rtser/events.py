"""Events: what the recogniser tells other programs, one JSON object a line. Times are in seconds of the stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

import rtser
from rtser.bank import Decision
from rtser.decide import Utterance
from rtser.model import Model


@dataclass(frozen=True)
class Event:
    """Base of all events; `type` is the value of the JSON key of that name."""

    type: ClassVar[str]

    def to_json(self) -> str:
        """One line of JSON, without the line's end."""
        return json.dumps({"type": self.type} | asdict(self), allow_nan=False)


@dataclass(frozen=True)
class Start(Event):
    """A source begins. `sample_rate` is the source's own, in Hz; `model` has name, sha256 and labels."""

    type: ClassVar[str] = "start"
    version: str
    source: str
    sample_rate: int
    model: dict[str, str | tuple[str, ...]]
    provider: str

    @staticmethod
    def of(source: str, sample_rate: int, model: Model) -> Start:
        """The event for a source that `model` is about to hear."""
        about: dict[str, str | tuple[str, ...]] = {"name": model.metadata.name, "sha256": model.sha256}
        return Start(rtser.__version__, source, sample_rate, about | {"labels": model.labels}, model.provider)


@dataclass(frozen=True)
class Decided(Event):
    """A decision (`rtser.Decision`), for every segment."""

    type: ClassVar[str] = "decision"
    time: float
    emotions: dict[str, float] | None
    label: str | None
    confidence: float | None
    speech: float
    segment_emotions: dict[str, float]
    salience: float

    @staticmethod
    def of(decision: Decision) -> Decided:
        """The event that tells `decision`."""
        fields = dict(decision.__dict__)
        return Decided(time=fields.pop("time_s"), **fields)


@dataclass(frozen=True)
class Spoken(Event):
    """An utterance has ended (`rtser.decide.Utterance`)."""

    type: ClassVar[str] = "utterance"
    start: float
    end: float
    label: str | None
    confidence: float | None
    emotions: dict[str, float]

    @staticmethod
    def of(utterance: Utterance) -> Spoken:
        """The event that tells `utterance`."""
        fields = dict(utterance.__dict__)
        return Spoken(start=round(fields.pop("start_s"), 3), end=fields.pop("end_s"), **fields)


@dataclass(frozen=True)
class End(Event):
    """A source has ended. `step_ms` has p50 and p99 of the time a decision took, None without any."""

    type: ClassVar[str] = "end"
    time: float
    decisions: int
    dropped_samples: int
    step_ms: dict[str, float | None]

    @staticmethod
    def of(time_s: float, decisions: int, steps_s: Sequence[float], dropped_samples: int) -> End:
        """The event for a source that lasted `time_s`; `steps_s` are the times its decisions took, in seconds."""
        p50, p99 = (1000 * np.percentile(steps_s, [50, 99])).round(3).tolist() if steps_s else (None, None)
        return End(time_s, decisions, dropped_samples, {"p50": p50, "p99": p99})
