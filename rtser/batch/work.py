"""The work on one recording; it runs in any process of any machine."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from tempfile import NamedTemporaryFile
from typing import Any

from rtser.audio.file import AudioFile
from rtser.audio.opening import URL, copy_remote
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.errors import InputError
from rtser.events import DecisionEvent, Event, UtteranceEvent, event_from
from rtser.models import Provider, load, load_bytes
from rtser.session import Session
from rtser.summary import Summary, summarise
from rtser.voice import Voice

logger = logging.getLogger("rtser")
_loading = threading.Lock()


@dataclass(frozen=True)
class Job:
    """How recordings are recognised; the same for all recordings of a run.

    Attributes:
        model: content of the model file; None for the shipped one.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become utterances.
        separate: whether each channel, such as agent and caller, is recognised on its own instead of their mean.
        decisions: whether decisions are kept besides utterances.
        provider: where the network runs.
        voice: the speaker's voice, if known.
    """

    model: bytes | None = None
    window_s: float | None = None
    decide: DecideSettings = field(default_factory=DecideSettings)
    separate: bool = False
    decisions: bool = False
    provider: Provider = "cpu"
    voice: Voice | None = None

    def session(self) -> Session:
        """A session with the job's model, which is loaded once per process."""
        with _loading:
            model = _loaded(self.model, self.provider)
        return Session(model, self.window_s, self.decide, voice=self.voice)

    def threshold(self, model: Model) -> float:
        """The lowest probability at which an emotion is named, 0..1."""
        return self.decide.thresholds(model.metadata.label_threshold)[0]


class Kept:
    """Keeps the events of one channel (a `rtser.sinks.Sink`).

    Args:
        decisions: whether decisions are kept.
        interim: whether interim reports of utterances are kept.
    """

    def __init__(self, decisions: bool, interim: bool = False) -> None:
        self.events: list[Event] = []
        self._interim = interim
        self.kinds: tuple[type[Event], ...] = (
            (Event,) if decisions else tuple(kind for kind in Event.__subclasses__() if kind is not DecisionEvent)
        )

    def write(self, event: Event) -> None:
        """Keep an event of the kinds."""
        if isinstance(event, self.kinds) and (self._interim or not isinstance(event, UtteranceEvent) or event.final):
            self.events.append(event)

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""


def recognised(job: Job, name: str) -> list[dict[str, Any]]:
    """The results of one recording: one object per channel.

    Each has ``path``, ``channel`` (None for the mean of all), ``duration`` in seconds, ``problem`` (empty if there is
    none) and ``events``, as plain objects: utterances, and decisions if they are kept. All processes give the same.
    """
    session = job.session()
    try:
        with _at_hand(name) as path:
            count = 1
            if job.separate:
                with AudioFile(path, name=name) as audio:
                    count = audio.channels
            channels: list[int | None] = [*range(count)] if count > 1 else [None]
            return [_channel(job, session, name, path, channel) for channel in channels]
    except InputError as error:
        return [_entry(name, None, 0.0, str(error), [])]
    except Exception as error:  # a decoder's own error for an unsuitable file
        logger.exception("%s", name)
        return [_entry(name, None, 0.0, f"{name} cannot be decoded ({type(error).__name__}: {error})", [])]


def utterances(entry: dict[str, Any]) -> list[UtteranceEvent]:
    """The utterances of one object of `recognised`."""
    told = (event_from(event) for event in entry["events"] if event["type"] == UtteranceEvent.type)
    return [one for one in told if isinstance(one, UtteranceEvent)]


def summary(entry: dict[str, Any]) -> Summary:
    """The figures of one object of `recognised`."""
    return summarise(entry["duration"], utterances(entry))


def failed(name: str, problem: str) -> list[dict[str, Any]]:
    """The entry of a recording that could not be recognised."""
    return [_entry(name, None, 0.0, f"{name}: {problem}", [])]


def _channel(job: Job, session: Session, name: str, path: str, channel: int | None) -> dict[str, Any]:
    kept, problem = Kept(job.decisions), ""
    try:
        with AudioFile(path, channel, name=name) as audio:
            session.run(audio, [kept])
    except InputError as error:
        problem = str(error)
    duration = getattr(kept.events[-1], "time", 0.0) if kept.events else 0.0
    told = [one.content() for one in kept.events if isinstance(one, UtteranceEvent | DecisionEvent)]
    return _entry(name, channel, duration, problem, told)


@contextmanager
def _at_hand(name: str) -> Iterator[str]:
    """The local path of a recording; a remote recording is copied once."""
    if URL not in name:
        yield name
        return
    with NamedTemporaryFile(prefix="rtser-") as copy:
        copy_remote(name, copy)
        copy.flush()
        yield copy.name


def _entry(
    name: str, channel: int | None, duration: float, problem: str, events: list[dict[str, Any]]
) -> dict[str, Any]:
    shown = os.fsencode(name).decode(errors="backslashreplace")
    return {"path": shown, "channel": channel, "duration": duration, "problem": problem, "events": events}


@lru_cache(maxsize=2)
def _loaded(content: bytes | None, provider: Provider) -> Model:
    return load(provider=provider) if content is None else load_bytes(content, "the model", provider=provider)
