"""What is done with one recording; runs in any process of any machine."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rtser.audio.file import AudioFile
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.errors import InputError
from rtser.events import DecisionEvent, Event, UtteranceEvent
from rtser.models import load, load_bytes
from rtser.session import Session

_loading = threading.Lock()


@dataclass(frozen=True)
class Job:
    """How recordings are recognised; the same for all of a run.

    Attributes:
        model: content of the model file; None for the shipped one.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become utterances.
        separate: whether each channel is recognised on its own, such as agent and caller; else their mean is.
        decisions: whether decisions are kept, and not utterances only.
    """

    model: bytes | None = None
    window_s: float | None = None
    decide: DecideSettings = field(default_factory=DecideSettings)
    separate: bool = False
    decisions: bool = False

    def key(self, name: str) -> str:
        """Under which the results of a recording are kept."""
        return hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:32]


class Kept:
    """Keeps the events of one channel (a `rtser.sinks.Sink`)."""

    def __init__(self, decisions: bool) -> None:
        self.events: list[Event] = []
        self.kinds: tuple[type[Event], ...] = (
            (Event,) if decisions else tuple(kind for kind in Event.__subclasses__() if kind is not DecisionEvent)
        )
        self._decisions = decisions

    def write(self, event: Event) -> None:
        """Keep an event; of an utterance the last."""
        if isinstance(event, DecisionEvent) and not self._decisions:
            return
        if not isinstance(event, UtteranceEvent) or event.final:
            self.events.append(event)

    def close(self) -> None:
        """Nothing is held back."""


def recognised(job: Job, name: str) -> list[dict[str, Any]]:
    """What is said of one recording: one object a channel.

    Each has ``path``, ``channel`` (None for the mean of all), ``duration`` in seconds, ``problem`` (empty where all is
    well) and ``events``, as plain objects: utterances, and decisions where they are kept. Any process says the same.
    """
    model = _model(job.model)
    try:
        with AudioFile(name) as audio:
            count = audio.channels
    except InputError as error:
        return [_entry(name, None, 0.0, str(error), [])]
    channels: list[int | None] = [*range(count)] if job.separate and count > 1 else [None]
    return [_channel(job, model, name, channel) for channel in channels]


def _channel(job: Job, model: Model, name: str, channel: int | None) -> dict[str, Any]:
    kept, problem = Kept(job.decisions), ""
    try:
        with AudioFile(name, channel) as audio:
            Session(model, job.window_s, job.decide).run(audio, [kept])
    except InputError as error:
        problem = str(error)
    duration = getattr(kept.events[-1], "time", 0.0) if kept.events else 0.0
    told = [one.content() for one in kept.events if isinstance(one, UtteranceEvent | DecisionEvent)]
    return _entry(name, channel, duration, problem, told)


def _entry(
    name: str, channel: int | None, duration: float, problem: str, events: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"path": name, "channel": channel, "duration": duration, "problem": problem, "events": events}


def _model(content: bytes | None) -> Model:
    """The model, loaded once a process."""
    with _loading:
        return _loaded(content)


@lru_cache(maxsize=2)
def _loaded(content: bytes | None) -> Model:
    return load(provider="cpu") if content is None else load_bytes(content, "the model", provider="cpu")
