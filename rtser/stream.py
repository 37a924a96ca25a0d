"""The public stream: it takes sound as it comes, at any rate, and gives typed events."""

from __future__ import annotations

from rtser.audio.pcm import FrameJoiner, Sound, check_format
from rtser.audio.resample import MonoResampler
from rtser.engine.contract import Float32, checked_samples
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.engine.stream import Stream as EngineStream
from rtser.engine.voice import StreamVoice
from rtser.errors import ArgumentError
from rtser.events import DecisionEvent, UtteranceEvent, event_of
from rtser.threads import OneAtATime


class Stream:
    """One stream of speech. You may cut the sound in any way: the events are the same.

    Examples:
        >>> import rtser, soundfile
        >>> sound, rate = soundfile.read(rtser.sample_path(), dtype="int16")
        >>> stream = rtser.Stream(rtser.load(), sample_rate=rate)
        >>> events = stream.push(sound[:48_000]) + stream.push(sound[48_000:].tobytes()) + stream.finish()
        >>> {event.type for event in events} == {"decision", "utterance"}
        True
        >>> events[0].time
        0.335

    Args:
        model: from `rtser.load`.
        sample_rate: rate of the sound, 8,000 to 192,000 Hz. The sound is resampled to 16 kHz.
        channels: how many channels the sound has.
        channel: which channel to use, counted from 0; None for the mean of all.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become labels and utterances.
        embeddings: whether decisions have the segments' embeddings, (F,) float32.
        voice: the speaker's voice, if known: a `rtser.Voice` or a `rtser.LearningVoice`.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range, or the voice was heard by another model.
    """

    def __init__(
        self,
        model: Model,
        sample_rate: int = 16_000,
        channels: int = 1,
        channel: int | None = None,
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        embeddings: bool = False,
        voice: StreamVoice | None = None,
    ) -> None:
        check_format(sample_rate, channels, channel)
        self._engine = EngineStream(model, window_s, decide, embeddings, voice)
        self._channels, self._rate, self._channel = channels, sample_rate, channel
        self._alone = OneAtATime("stream")
        self._finished, self._ended_s = False, 0.0
        self._begin()

    @property
    def time_s(self) -> float:
        """How many seconds of sound were recognised since the last `reset`. A resampler holds some sound back."""
        return self._ended_s if self._finished else self._engine.time_s

    def push(self, sound: Sound) -> list[DecisionEvent | UtteranceEvent]:
        """Take sound, and decide at the end of every segment that it completes.

        Args:
            sound: PCM bytes (16 bit, little-endian), cut anywhere, even within a sample; or an array of int16, or of
                float32 or float64 in [-1, 1]. Several channels are interleaved, or of the shape (n, channels).

        Returns:
            the events, oldest first; often none.

        Raises:
            ArgumentError: wrong type or shape, a sample that is NaN or beyond 16 times full scale, an array after bytes
                that ended in the middle of a frame, a finished stream, or two threads that use the stream at once. The
                stream stays as it was, and you can go on using it.
        """
        with self._alone:
            if self._finished:
                raise ArgumentError("the stream is finished", "call reset() to start a new one")
            mono = checked_samples(self._resampler.mix(self._joiner.join(sound)))
            return self._recognise(self._resampler.resample(mono))

    def finish(self) -> list[DecisionEvent | UtteranceEvent]:
        """End the stream. The events are those of the sound that the resampler held back, and of the last utterance.

        Bytes of half a frame are dropped. Until `reset`, nothing more can be pushed.

        Returns:
            the last events; none if the stream has finished already.

        Raises:
            ArgumentError: another thread uses the stream.
        """
        with self._alone:
            events = [] if self._finished else self._recognise(self._resampler.flush())
            if not self._finished:
                self._finished, self._ended_s = True, self._engine.time_s
            if utterance := self._engine.reset():
                events.append(event_of(utterance))
            return events

    def reset(self) -> None:
        """Forget everything; time starts again at zero.

        Raises:
            ArgumentError: another thread uses the stream.
        """
        with self._alone:
            self._engine.reset()
            self._begin()

    def _begin(self) -> None:
        self._joiner, self._finished = FrameJoiner(self._channels), False
        self._resampler = MonoResampler("the stream", self._rate, self._channel)

    def _recognise(self, samples: Float32) -> list[DecisionEvent | UtteranceEvent]:
        return [event_of(said) for said in self._engine.push(samples)]
