"""Recognise a whole recording and keep the result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rtser.audio.file import AudioFile
from rtser.audio.pcm import Sound, check_format, to_frames
from rtser.audio.resample import MonoResampler
from rtser.audio.source import MemorySource, Source, split
from rtser.engine.contract import Float32, checked_samples
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.engine.voice import StreamVoice
from rtser.errors import ArgumentError, UnavailableError
from rtser.events import DecisionEvent, Event, StartEvent, UtteranceEvent
from rtser.models import load
from rtser.pooling import attention_mean, segments_between
from rtser.session import Session

if TYPE_CHECKING:
    import pandas


@dataclass(repr=False)
class Recognition:
    """The result for one recording.

    Attributes:
        start: the run: source, model, version.
        decisions: one for each segment.
        utterances: the utterances, oldest first.
        window: length of the decision window in segments.
    """

    start: StartEvent | None = None
    decisions: list[DecisionEvent] = field(default_factory=list)
    utterances: list[UtteranceEvent] = field(default_factory=list)
    window: int = 0

    def __repr__(self) -> str:
        source = self.start.source if self.start else ""
        return f"<Recognition of {source!r}: {len(self.decisions)} decisions, {len(self.utterances)} utterances>"

    @property
    def embeddings(self) -> Float32:
        """The segments' embeddings (S, F), float32; (0, 0) for a recording without segments.

        Raises:
            ArgumentError: `recognise` was called without ``embeddings=True``.
        """
        rows = [one.embedding for one in self.decisions if one.embedding is not None]
        if len(rows) < len(self.decisions):
            raise ArgumentError(
                "there are no embeddings", "recognise(..., embeddings=True) keeps those of each segment"
            )
        return np.stack(rows) if rows else np.zeros((0, 0), np.float32)

    def utterance_embeddings(self) -> Float32:
        """The mean of each utterance's embeddings, weighted by the network's attention: (utterances, F)."""
        embeddings, times = self.embeddings, np.array([one.time for one in self.decisions])
        salience = np.array([one.salience for one in self.decisions])
        means = [np.zeros((0, embeddings.shape[1]), np.float32)]
        for one in self.utterances:
            part = segments_between(times, one.start, one.end)
            means.append(attention_mean(embeddings, salience, part, self.window)[None])
        return np.concatenate(means)

    def to_dataframe(self) -> pandas.DataFrame:
        """The decisions as a table: one row a segment, ``emotions`` in a column each.

        Raises:
            UnavailableError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise UnavailableError("pandas is not installed", "pip install pandas") from None
        return pandas.DataFrame([_row(one) for one in self.decisions])

    def write(self, event: Event) -> None:
        """Keep an event (a `rtser.sinks.Sink`)."""
        if isinstance(event, StartEvent):
            self.start = event
        elif isinstance(event, DecisionEvent):
            self.decisions.append(event)
        elif isinstance(event, UtteranceEvent) and event.final:
            self.utterances.append(event)

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""


def recognise(
    sound: str | os.PathLike[str] | tuple[Sound, int],
    model: Model | str | os.PathLike[str] | None = None,
    *,
    channel: int | None = None,
    window_s: float | None = None,
    decide: DecideSettings | None = None,
    embeddings: bool = False,
    voice: StreamVoice | None = None,
) -> Recognition:
    """Recognise a recording from its beginning to its end, as `rtser file` does.

    Examples:
        >>> import rtser
        >>> result = rtser.recognise(rtser.sample_path())
        >>> len(result.decisions), len(result.utterances) > 2
        (368, True)

    Args:
        sound: an audio file, or a pair of samples and their rate in Hz. Samples are PCM bytes (16 bit, little-endian)
            or an array of int16, or of float32 or float64 in [-1, 1], of the shape (n,) or (n, channels).
        model: from `rtser.load`, or a model file; None for the shipped one.
        channel: which channel to use, counted from 0; None for the mean of all.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become labels and utterances.
        embeddings: whether the segments' embeddings are kept.
        voice: the speaker's voice, if known: a `rtser.Voice` or a `rtser.LearningVoice`.

    Raises:
        InputError: the file cannot be read, or is damaged.
        ArgumentError: samples or other arguments are of the wrong type or out of range, or the voice was heard by
            another model.
        ModelError: the model file cannot be used.
    """
    if not isinstance(sound, str | os.PathLike) and not (isinstance(sound, tuple) and len(sound) == 2):
        problem = f"a recording is a file's path, or samples with their rate, not {type(sound).__name__}"
        raise ArgumentError(problem, "recognise((samples, 16_000))")
    loaded = model if isinstance(model, Model) else load(model)
    session = Session(loaded, window_s, decide, embeddings=embeddings, voice=voice)
    result = Recognition(window=session.window)
    if isinstance(sound, tuple):
        session.run(_samples(*sound, channel), [result])
    else:
        with AudioFile(sound, channel) as source:
            session.run(source, [result])
    return result


def _samples(sound: Sound, sample_rate: int, channel: int | None) -> Source:
    """Samples in memory as a source."""
    channels = sound.shape[1] if isinstance(sound, np.ndarray) and sound.ndim == 2 else 1
    check_format(sample_rate, channels, channel)
    resampler = MonoResampler("the sound", sample_rate, channel)
    mono = checked_samples(resampler.mix(to_frames(sound, channels)))

    def chunks() -> Iterator[Float32]:
        yield from (resampler.resample(part) for part in split(mono, sample_rate))
        yield resampler.flush()

    return MemorySource(chunks(), sample_rate=sample_rate)


def _row(decision: DecisionEvent) -> dict[str, Any]:
    """A decision as a row of a table."""
    leaning = decision.leaning
    return {
        "time": decision.time,
        "label": decision.label,
        "confidence": decision.confidence,
        "leaning": leaning.label if leaning else None,
        "leaning_confidence": leaning.confidence if leaning else None,
        "speaking": decision.speaking,
        "speech": decision.speech,
        "salience": decision.salience,
        **(decision.emotions or dict.fromkeys(decision.segment_emotions)),
    }
