"""The recogniser: one thread that owns the Bank, and recognises the due hops of all streams together."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from rtser.audio.source import Gap
from rtser.engine.bank import PIECE, Bank, Decisions
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.events import ErrorEvent, Event
from rtser.run import Run
from rtser.serve.metrics import Metrics
from rtser.statistics import RunStatistics

logger = logging.getLogger("rtser")
MOST_COMMANDS = 1_000
"""Most commands that are carried out between two steps."""
KEPT_TIMES = 1_000
"""Number of decisions whose times a stream keeps."""


class Told(NamedTuple):
    """Events of a stream, oldest first; `last`: the stream has ended, and no more events will come."""

    stream: ServedStream
    events: list[Event]
    last: bool


@dataclass(eq=False)
class ServedStream:
    """One stream of the recogniser, from its owner's point of view.

    Attributes:
        tell: called with its events, on the owner's thread.
        live: whether its sound comes in real time, so that lateness has a meaning.
        decisions: whether decisions are sent, besides utterances.
        every: at most one decision is sent in this number of samples; 0: all.
        begin: time of its first sample, in samples at 16 kHz.
        given: how many samples its owner has given so far.
        done: how many of these samples are recognised; written by the recogniser's thread.
        wants_room: the owner waits for a smaller backlog; the next message may then have no events.

    The other attributes are for the recogniser alone.
    """

    tell: Callable[[Told], None]
    live: bool = True
    decisions: bool = True
    every: int = 0
    begin: int = 0
    given: int = 0
    done: int = 0
    wants_room: bool = False
    pushed: int = 0
    told_until: int = 0
    number: int = -1
    closed: bool = False
    commands: deque[_Command] = field(default_factory=deque)
    arrived: deque[tuple[int, float]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.run = Run(RunStatistics(KEPT_TIMES), self.begin)

    @property
    def backlog(self) -> int:
        """How many samples wait to be recognised."""
        return self.given - self.done

    def ask_room(self, most: int) -> bool:
        """Whether more than `most` samples wait; if so, `tell` is called when fewer wait."""
        self.wants_room = True  # first: the recogniser may finish between these two lines
        self.wants_room = self.backlog > most
        return self.wants_room


class _Command(NamedTuple):
    """A command of a stream's owner: samples to recognise, a gap, or the end; `abandoned`: nobody listens."""

    stream: ServedStream
    samples: Float32 | None = None
    at_s: float = 0.0
    gap: Gap | None = None
    abandoned: bool = False


class Recogniser:
    """Recognises many streams in a separate thread. Its methods may be called from any thread.

    Args:
        model: shared by all streams.
        post: called with messages to the owners, on the recogniser's thread; must not wait.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become labels and utterances.
        wait_s: how long a hop waits for the hops of other streams.
        metrics: counts steps and lateness.

    Attributes:
        failure: why the thread has ended, if it has.
    """

    def __init__(
        self,
        model: Model,
        post: Callable[[list[Told]], None],
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        wait_s: float = 0.005,
        metrics: Metrics | None = None,
    ) -> None:
        self._bank = Bank(model, window_s, decide)
        self._post, self._wait_s, self._metrics = post, wait_s, metrics or Metrics()
        self._inbox: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._streams: dict[int, ServedStream] = {}
        self._due: set[ServedStream] = set()
        self._told: list[Told] = []
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="recogniser", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread works."""
        return self._thread.is_alive()

    def push(self, stream: ServedStream, samples: Float32) -> None:
        """Give a stream samples (n,), mono, 16 kHz, checked (`checked_samples`); the first ones open it."""
        stream.given += len(samples)
        self._inbox.put(_Command(stream, samples, time.perf_counter()))

    def broken(self, stream: ServedStream, gap: Gap) -> None:
        """Restart a stream: the following sound does not continue the earlier sound."""
        self._inbox.put(_Command(stream, gap=gap))

    def finish(self, stream: ServedStream) -> None:
        """End a stream: what was pushed is recognised, and the last events follow."""
        self._inbox.put(_Command(stream))

    def abandon(self, stream: ServedStream) -> None:
        """End a stream that nobody listens to. Waiting sound is dropped, and only `last` is sent."""
        self._inbox.put(_Command(stream, abandoned=True))

    def stop(self) -> None:
        """End the thread."""
        self._inbox.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            while self._take():
                self._step()
                self._send()
        except Exception as error:  # a bug; the health of the server reports it
            logger.exception("the recogniser has failed")
            self.failure = error
            for stream in list(self._streams.values()):
                self._fail(stream, "the recogniser has failed")
            self._send()

    def _take(self) -> bool:
        """Take commands until there is a batch to recognise; returns False at the end."""
        deadline_s = time.perf_counter() if self._bank.due else None  # these hops have waited for the last step
        for _ in range(MOST_COMMANDS):
            due = self._bank.due
            if due and deadline_s is None:
                deadline_s = time.perf_counter() + self._wait_s
            try:
                if deadline_s is None:
                    command = self._inbox.get()
                else:
                    wait_s = 0.0 if due >= min(PIECE, len(self._bank)) else deadline_s - time.perf_counter()
                    command = self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait()
            except queue.Empty:
                return True
            if command is None:
                return False
            stream = command.stream
            if not stream.closed:
                stream.commands.append(command)
                self._obey(stream)
            if self._told:
                self._send()
        return True

    def _obey(self, stream: ServedStream) -> None:
        """Carry out the commands of a stream's owner in order; a gap or end waits until earlier sound is recognised."""
        commands = stream.commands
        if commands[-1].abandoned:
            self._metrics.dropped.inc(stream.backlog)
            self._close(stream, [])
            return
        while commands:
            samples, gap = commands[0].samples, commands[0].gap
            if samples is None and stream in self._due:
                return
            at_s = commands.popleft().at_s
            if stream.number < 0:
                stream.number = self._bank.open()
                self._streams[stream.number] = stream
                if stream.live:
                    self._metrics.streams_opened.inc()
            if samples is not None:
                self._bank.push(stream.number, samples)
                stream.pushed += len(samples)
                stream.run.samples += len(samples)
                stream.run.statistics.note_level(samples)
                if stream.live:
                    stream.arrived.append((stream.run.samples, at_s))
                self._note_waiting(stream)
                continue
            utterance = self._bank.reset(stream.number)
            stream.done = stream.pushed
            stream.arrived.clear()
            stream.told_until = 0
            if gap is not None:
                self._told.append(Told(stream, list(stream.run.broken(gap, utterance)), False))
            else:
                self._close(stream, [*stream.run.ended(utterance), stream.run.end()])

    def _note_waiting(self, stream: ServedStream) -> None:
        """Update the progress of a stream, and whether it is due."""
        waiting = self._bank.waiting(stream.number)
        stream.done = stream.pushed - waiting
        if waiting >= HOP_SAMPLES:
            self._due.add(stream)
        else:
            self._due.discard(stream)

    def _step(self) -> None:
        """Recognise one hop of each stream that is due."""
        due = list(self._due)
        before_s = time.perf_counter()
        try:
            decisions = self._bank.step()
        except Exception:  # ONNX Runtime has errors of many kinds
            logger.exception("a step of the network has failed")
            for stream in due:
                self._fail(stream, "the network has failed")
            return
        now_s = time.perf_counter()
        self._metrics.note_step(len(due), now_s - before_s)
        for row, number in enumerate(decisions.streams):
            stream = self._streams[number]
            events = self._decided(stream, decisions, row, now_s - before_s, now_s)
            if events:
                self._told.append(Told(stream, events, False))
        for stream in due:
            self._note_waiting(stream)
            if stream.wants_room:
                self._told.append(Told(stream, [], False))
            if stream.commands and stream not in self._due:
                self._obey(stream)

    def _decided(
        self, stream: ServedStream, decisions: Decisions, row: int, step_s: float, now_s: float
    ) -> list[Event]:
        """The events of a row that are sent."""
        latency_s = None
        end = round(decisions.time_s[row] * SAMPLE_RATE)
        if stream.live:
            while stream.arrived and stream.arrived[0][0] < end:
                stream.arrived.popleft()
            if stream.arrived:
                latency_s = now_s - stream.arrived[0][1]
                self._metrics.note_lateness(latency_s)
        tell = stream.decisions
        if tell and stream.every:
            tell = end // stream.every > stream.told_until // stream.every
            stream.told_until = end if tell else stream.told_until
        return list(stream.run.decided(decisions, row, step_s, latency_s, tell))

    def _fail(self, stream: ServedStream, problem: str) -> None:
        self._close(stream, [ErrorEvent(stream.run.time_s, problem)])

    def _close(self, stream: ServedStream, events: list[Event]) -> None:
        stream.closed = True
        stream.commands.clear()
        self._due.discard(stream)
        if stream.number >= 0:
            del self._streams[stream.number]
            self._bank.close(stream.number)
        self._told.append(Told(stream, events, True))

    def _send(self) -> None:
        if self._told:
            told, self._told = self._told, []
            self._post(told)
