"""False alarms: how often a model names an emotion where nobody speaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rtser.audio.source import MemorySource
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.engine.model import Model
from rtser.events import DecisionEvent
from rtser.session import Session
from rtser.settings import ListenSettings

SPEECH = 0.5


class FalseAlarms(NamedTuple):
    """What was counted on sounds without speech.

    Attributes:
        files: how many sounds.
        alarms: how often a label appeared after a segment without a label.
        samples: their length at 16 kHz.
        segments: how many decisions there were.
        taken: how many of the segments had a speech probability above 0.5.
    """

    files: int
    alarms: int
    samples: int
    segments: int
    taken: int

    @property
    def hours(self) -> float:
        """The sounds' length."""
        return self.samples / SAMPLE_RATE / 3600

    @property
    def an_hour(self) -> float:
        """Alarms per hour; 0 without sound."""
        return self.alarms / self.hours if self.samples else 0.0

    @property
    def taken_share(self) -> float:
        """Share of the segments that were taken for speech, 0..1."""
        return self.taken / max(1, self.segments)

    @classmethod
    def pooled(cls, counts: Iterable[FalseAlarms]) -> FalseAlarms:
        """The sums of all counts; zeros if there are none."""
        return cls(*map(sum, zip(*counts, strict=True))) if (counts := list(counts)) else cls(0, 0, 0, 0, 0)


def false_alarms(model: Model, settings: ListenSettings, streams: Iterable[Float32]) -> FalseAlarms:
    """Count the false alarms on some sounds, each of which is a stream of its own.

    Args:
        model: from `rtser.load`.
        settings: window and decider.
        streams: samples (n,), float32, 16 kHz.
    """
    session = Session(model, settings.window_s, settings.decide)
    return FalseAlarms.pooled(_of_one(session, samples) for samples in streams)


def _of_one(session: Session, samples: Float32) -> FalseAlarms:
    alarms, segments, taken, named = 0, 0, 0, False
    for event in session.events(MemorySource([samples])):
        if isinstance(event, DecisionEvent):
            alarms += event.label is not None and not named
            named = event.label is not None
            segments += 1
            taken += event.speech > SPEECH
    return FalseAlarms(1, alarms, len(samples), segments, taken)
