"""The session: a source through the engine, out as events to the sinks. Every command recognises through it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from rtser.audio.source import Gap, Source, split
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.engine.decider import Decider, DecideSettings
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import ArgumentError, RtserError
from rtser.events import DecisionEvent, EndEvent, Event, SourceEvent, StartEvent, UtteranceEvent
from rtser.sinks import AudioSink, Sink
from rtser.statistics import KEPT_TIMES, RunStatistics, Snapshot


class Session:
    """Recognises one source after another.

    Args:
        model: from `rtser.load`.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become a label.
        kept_times: of how many decisions the times are kept; None for all.

    Attributes:
        model: the model.
        window: length of the window in segments.
    """

    def __init__(
        self,
        model: Model,
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        kept_times: int | None = KEPT_TIMES,
    ) -> None:
        self.model = model
        self._stream = Stream(model, window_s)
        self._decider = Decider(model.metadata.label_threshold, decide)
        self._kept_times = kept_times
        self.window = self._stream.window
        self._current: tuple[RunStatistics, Source | None] = RunStatistics(kept_times), None
        self._running = False

    @property
    def statistics(self) -> RunStatistics:
        """The figures of the current run, or of the last one."""
        return self._current[0]

    def snapshot(self) -> Snapshot:
        """The figures of the current run as they are now; may be called from any thread."""
        statistics, source = self._current
        return statistics.snapshot(source.trouble if source else "")

    def run(self, source: Source, sinks: Sequence[Sink], audio_sinks: Sequence[AudioSink] = ()) -> EndEvent:
        """Recognise a source to its end and hand every event to the sinks.

        Returns:
            the last event.

        Raises:
            RtserError: the source or a sink failed.
        """
        with closing(self.events(source, audio_sinks)) as events:
            for event in events:
                for sink in sinks:
                    sink.write(event)
                last = event
        assert isinstance(last, EndEvent)
        return last

    def events(self, source: Source, audio_sinks: Sequence[AudioSink] = ()) -> Generator[Event]:
        """All events of one source, from `StartEvent` to `EndEvent`.

        After a `Gap` the stream and the decider begin anew, while time goes on.

        Args:
            source: what is recognised.
            audio_sinks: get every block of samples before it is recognised.

        Raises:
            RtserError: the source failed; raised after the `EndEvent` of what came before.
            ArgumentError: another run of this session has not ended.
        """
        if self._running:
            raise ArgumentError(
                "a session recognises one source at a time", "end the first run, or make another session"
            )
        self._running = True
        try:
            yield from self._events(source, audio_sinks)
        finally:
            self._running = False

    def _events(self, source: Source, audio_sinks: Sequence[AudioSink]) -> Iterator[Event]:
        stream, statistics = self._stream, RunStatistics(self._kept_times)
        self._current = statistics, source
        self._restart()
        begin, count = 0, 0  # samples before the stream's own time zero; decisions
        failure: RtserError | None = None
        yield StartEvent.of(source.name, source.sample_rate, self.model)
        try:
            for chunk in source.chunks():
                if isinstance(chunk, Gap):
                    yield from self._last_utterance(begin)
                    begin += stream.samples + chunk.missing_samples
                    self._restart()
                    statistics.note_gap(chunk.state == "skipped", chunk.missing_samples)
                    at = begin if chunk.state == "open" else begin - chunk.missing_samples
                    yield SourceEvent(at / SAMPLE_RATE, chunk.state, chunk.detail, chunk.missing_samples)
                    continue
                for audio_sink in audio_sinks:
                    audio_sink.write_audio(chunk, begin + stream.samples)
                statistics.note_level(chunk)
                for event in self._recognise(chunk, source, statistics, begin):
                    count += isinstance(event, DecisionEvent)
                    yield event
        except RtserError as error:
            failure = error
        yield from self._last_utterance(begin)
        yield EndEvent.of((begin + stream.samples) / SAMPLE_RATE, count, statistics)
        if failure:
            raise failure

    def _recognise(self, block: Float32, source: Source, statistics: RunStatistics, begin: int) -> Iterator[Event]:
        """The events of a block (n,); latency is measured when a decision is made."""
        end = self._stream.samples + len(block)
        for hop in split(block, HOP_SAMPLES):
            before_s = time.perf_counter()
            decisions = self._stream.push(hop)
            step_s = time.perf_counter() - before_s
            for decision in decisions:
                lag_s = source.lag_s()
                latency_s = None if lag_s is None else lag_s + end / SAMPLE_RATE - decision.time_s
                statistics.note_decision(step_s, latency_s)
                reading = self._decider.push(decision)
                if self._decider.idle:
                    self._stream.restart()  # breaths and noises between utterances leave nothing behind
                yield DecisionEvent.of(decision, reading, begin)
                if reading.utterance:
                    yield UtteranceEvent.of(reading.utterance, begin)

    def _last_utterance(self, begin: int) -> Iterator[Event]:
        """The utterance that a gap or the end cuts off, if there is one."""
        if utterance := self._decider.finish():
            yield UtteranceEvent.of(utterance, begin)

    def _restart(self) -> None:
        self._stream.reset()
        self._decider.clear()
