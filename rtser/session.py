"""The session: a source through the engine, out as events to the sinks. Every command recognises through it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from rtser.audio.controlled import controlled
from rtser.audio.source import Gap, Source, split
from rtser.controls import Controls
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32, segment_end_s
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.engine.voice import StreamVoice
from rtser.errors import ArgumentError, RtserError
from rtser.events import DecisionEvent, EndEvent, ErrorEvent, Event, SettingsEvent, StartEvent
from rtser.level import LevelMeter
from rtser.run import Run
from rtser.sinks import AudioSink, Sink, reads
from rtser.statistics import KEPT_TIMES, RunStatistics, Snapshot


class Session:
    """Recognises one source after another.

    Args:
        model: from `rtser.load`.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become a label.
        kept_times: how many decisions' times are kept; None for all.
        embeddings: whether decisions have the segments' embeddings.
        voice: the speaker's voice, if known (`rtser.Voice`, `rtser.LearningVoice`).

    Attributes:
        model: the model.
        labels: its emotions.
        voice: the voice.
        window: length of the window in segments.
        controls: what a person changes while a run lasts; obeyed before each chunk of the source.
    """

    def __init__(
        self,
        model: Model,
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        kept_times: int | None = KEPT_TIMES,
        embeddings: bool = False,
        voice: StreamVoice | None = None,
    ) -> None:
        self._stream = Stream(model, window_s, decide, embeddings, voice)  # checks the arguments
        self.model, self.labels, self.voice = model, model.labels, voice
        self._decide, self._embeddings, self._kept_times = decide or DecideSettings(), embeddings, kept_times
        self._leave_threshold = self._decide.leave_threshold
        self._notices: deque[str] = deque()
        self.window = self._stream.window
        threshold, _ = self._decide.thresholds(model.metadata.label_threshold)
        own_s = round(segment_end_s(self.window - 1), 1) if window_s is None else window_s
        self.controls = Controls(threshold, own_s)
        self._obeyed: tuple[float | None, float | None] = threshold, own_s
        self._current: tuple[RunStatistics, Source | None] = RunStatistics(kept_times), None
        self._running = False

    @property
    def statistics(self) -> RunStatistics:
        """The figures of the current run, or of the last one."""
        return self._current[0]

    def snapshot(self) -> Snapshot:
        """The figures of the current run as they are now; may be called from any thread."""
        statistics, source = self._current
        return statistics.snapshot(source.trouble, source.name, source.sample_rate) if source else statistics.snapshot()

    def run(self, source: Source, sinks: Sequence[Sink], audio_sinks: Sequence[AudioSink] = ()) -> EndEvent:
        """Recognise a source to its end and hand every event to the sinks.

        Returns:
            the last event.

        Raises:
            RtserError: the source or a sink failed.
        """
        tell_decisions = any(reads(sink, DecisionEvent) for sink in sinks)
        with closing(self.events(source, audio_sinks, tell_decisions)) as events:
            for event in events:
                for sink in sinks:
                    sink.write(event)
                last = event
        assert isinstance(last, EndEvent)
        return last

    def notify(self, detail: str) -> None:
        """Tell in an `ErrorEvent` that one output of several has failed; may be called while an event is written."""
        self._notices.append(detail)

    def events(
        self, source: Source, audio_sinks: Sequence[AudioSink] = (), tell_decisions: bool = True
    ) -> Generator[Event]:
        """All events of one source, from `StartEvent` to `EndEvent`.

        After a `Gap` the stream begins anew, while time goes on.

        Args:
            source: what is recognised.
            audio_sinks: get every block of samples before it is recognised.
            tell_decisions: whether to make the events of decisions; they are not needed if nobody reads them.

        Raises:
            RtserError: the source failed; raised after the `EndEvent`.
            ArgumentError: another run of this session has not ended.
        """
        if self._running:
            raise ArgumentError(
                "a session recognises one source at a time", "end the first run, or make another session"
            )
        self._running = True
        try:
            yield from self._events(source, audio_sinks, tell_decisions)
        finally:
            self._running = False

    def _events(self, source: Source, audio_sinks: Sequence[AudioSink], tell_decisions: bool) -> Iterator[Event]:
        run = Run(RunStatistics(self._kept_times, LevelMeter()))
        self._current = run.statistics, source
        self._notices.clear()
        self._stream.reset()
        failure: RtserError | None = None
        yield StartEvent.of(source.name, source.sample_rate, self.model, self.voice.name if self.voice else None)
        try:
            for chunk in controlled(source.chunks(), self.controls):
                yield from self._obey(run)
                if isinstance(chunk, Gap):
                    yield from run.broken(chunk, self._stream.reset())
                    yield from self._failures(run)
                    continue
                for audio_sink in audio_sinks:
                    audio_sink.write_audio(chunk, run.position)
                run.statistics.note_level(chunk)
                yield from self._recognise(chunk, source, run, tell_decisions)
        except RtserError as error:
            failure = error
        yield from run.ended(self._stream.reset())
        yield from self._failures(run)
        yield run.end()
        if failure:
            raise failure

    def _obey(self, run: Run) -> Iterator[Event]:
        """Change the threshold and the window as asked; with another window the stream begins anew."""
        asked = self.controls.label_threshold, self.controls.window_s
        if asked == self._obeyed:
            return
        changed: dict[str, float | None] = {}
        (threshold, window_s), (threshold_before, window_before_s) = asked, self._obeyed
        self._obeyed = asked
        if threshold != threshold_before:
            own = self._leave_threshold
            leave = None if own is None or threshold is None else min(own, threshold)
            changed["decide.label_threshold"] = threshold
            if leave != self._decide.leave_threshold:
                changed["decide.leave_threshold"] = leave
            self._decide = self._decide.model_copy(update={"label_threshold": threshold, "leave_threshold": leave})
            self._stream.change(self._decide)
        if window_s != window_before_s:
            yield from run.anew(self._stream.reset())
            self._stream = Stream(self.model, window_s, self._decide, self._embeddings, self.voice)
            self.window = self._stream.window
            changed["window_s"] = window_s
        yield SettingsEvent(run.time_s, changed)

    def _recognise(self, block: Float32, source: Source, run: Run, tell_decisions: bool) -> Iterator[Event]:
        """The events of a block (n,); latency is measured when a decision is made."""
        end = run.samples + len(block)
        for hop in split(block, HOP_SAMPLES):
            before_s = time.perf_counter()
            for decided in self._stream.steps(hop):
                step_s = time.perf_counter() - before_s
                lag_s = source.lag_s()
                latency_s = None if lag_s is None else lag_s + end / SAMPLE_RATE - decided.time_s[0]
                yield from run.decided(decided, 0, step_s, latency_s, tell_decisions)
            run.samples += len(hop)
            yield from self._failures(run)

    def _failures(self, run: Run) -> Iterator[Event]:
        """Outputs that have failed since the last event."""
        while self._notices:
            yield ErrorEvent(run.time_s, self._notices.popleft())
