"""Bank: many streams side by side, each with its own history and decider, sharing the network's steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtser.engine.contract import (
    FIRST_SEGMENT_HOP,
    HOP_SAMPLES,
    LEAD_SAMPLES,
    SAMPLE_RATE,
    SEGMENT_SAMPLES,
    Float32,
    checked_samples,
    segment_end_s,
    window_segments,
)
from rtser.engine.decider import Decider, DecideSettings, Reading
from rtser.engine.decision import Decision, Leaning, Utterance
from rtser.engine.model import Model
from rtser.engine.states import States
from rtser.engine.voice import StreamVoice, shifted
from rtser.errors import ArgumentError
from rtser.threads import OneAtATime

PIECE = 16  # streams in one call of the network: the states of more fall out of the CPU's cache


@dataclass(frozen=True)
class Decisions:
    """The decisions of one step. Row i of each array and list belongs to ``streams[i]``; see `Decision`.

    Attributes:
        labels: the K emotions.
        streams: the streams' numbers, n of them.
        time_s: n times.
        emotions: (n, K); zeros if the window holds too little speech.
        segment_emotions: (n, K).
        speech: (n,).
        salience: (n,).
        embedding: (n, F), if it was asked for.
        readings: n answers of the deciders: whether somebody speaks, labels, utterances.
    """

    labels: tuple[str, ...]
    streams: list[int]
    time_s: list[float]
    emotions: Float32
    segment_emotions: Float32
    speech: Float32
    salience: Float32
    embedding: Float32 | None
    readings: list[Reading]

    def __len__(self) -> int:
        return len(self.streams)

    @property
    def utterances(self) -> list[tuple[int, Utterance]]:
        """The utterances that ended in this step, or are reported while they go on, each with its stream."""
        pairs = zip(self.streams, self.readings, strict=True)
        return [(stream, read.utterance) for stream, read in pairs if read.utterance]

    def decision(self, row: int) -> Decision:
        """One row as a `Decision`."""
        probabilities, read, labels = self.emotions[row].tolist(), self.readings[row], self.labels
        return Decision(
            self.time_s[row],
            dict(zip(labels, probabilities, strict=True)) if any(probabilities) else None,
            labels[read.label] if read.label >= 0 else None,
            read.confidence if read.label >= 0 else None,
            Leaning(labels[read.leaning], read.leaning_confidence) if read.leaning >= 0 else None,
            read.speaking,
            float(self.speech[row]),
            dict(zip(labels, self.segment_emotions[row].tolist(), strict=True)),
            float(self.salience[row]),
            None if self.embedding is None else self.embedding[row],
        )


class Bank:
    """Any number of streams at 16 kHz, opened and closed at any time.

    You may cut a stream's samples in any way: the decisions are the same to the bit. The other streams in the bank
    change probabilities by at most 1e-5. When a stream's decider is idle, the network forgets what came before
    (``restart``). A bank belongs to one thread at a time.

    Examples:
        >>> import numpy as np, rtser
        >>> bank = rtser.Bank(rtser.load())
        >>> agent, caller = bank.open(), bank.open()
        >>> bank.push(agent, np.zeros(16_000, np.float32))
        >>> decided = []
        >>> while bank.due:
        ...     decisions = bank.step()
        ...     decided += [decisions.decision(row).time_s for row in range(len(decisions))]
        >>> len(decided), decided[0]
        (12, 0.335)

    Args:
        model: shared by all streams; from `rtser.load`.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become labels and utterances.
        embeddings: whether decisions have the segments' embeddings.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range. Its methods raise it if there is no such
            stream, or if two threads call at once.
    """

    def __init__(
        self,
        model: Model,
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        embeddings: bool = False,
    ) -> None:
        if not isinstance(model, Model):
            raise ArgumentError(f"a stream needs a loaded model, not {type(model).__name__}", "use rtser.load")
        least_s = SEGMENT_SAMPLES / SAMPLE_RATE
        if window_s is not None and not (type(window_s) in (int, float) and least_s <= window_s <= 3600):
            raise ArgumentError(f"the window must be 0.335 to 3600 seconds long, not {window_s!r}")
        if not isinstance(decide, DecideSettings | None):
            raise ArgumentError(f"decide must be DecideSettings, not {type(decide).__name__}")
        self.model, self.window = model, model.metadata.window if window_s is None else window_segments(window_s)
        self._decide = decide or DecideSettings()
        self._decide.thresholds(model.metadata.label_threshold)  # refused here, before a stream is open
        self._extras = ("embedding",) if embeddings else ()
        self._states = States(model, self.window, self._extras)
        self._streams: dict[int, _Place] = {}
        self._due: dict[int, _Place] = {}
        self._free: list[int] = []
        self._opened = 0
        self._alone = OneAtATime("bank")

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def due(self) -> int:
        """How many streams have a whole hop of samples waiting for `step`."""
        return len(self._due)

    def waiting(self, stream: int) -> int:
        """How many samples of a stream are waiting. Fewer than a hop (960) wait for more samples, others for `step`."""
        return self._place(stream).waiting

    def open(self, voice: StreamVoice | None = None) -> int:
        """Begin a stream. Its number is never used again. `voice`: the speaker's (`rtser.Voice`), if known."""
        if not isinstance(voice, StreamVoice | None):
            raise ArgumentError(f"voice must be a rtser.Voice, not {type(voice).__name__}", "see rtser.Voice")
        factors = voice.factors(self.model) if voice else None
        with self._alone:
            if not self._free:
                before = self._states.rows
                self._states.grow()
                self._free += reversed(range(before, self._states.rows))
            decider = Decider(self.model.labels, self.model.metadata.label_threshold, self._decide)
            self._opened += 1
            self._streams[self._opened - 1] = _Place(self._free.pop(), decider, voice, factors)
            return self._opened - 1

    def change(self, decide: DecideSettings) -> None:
        """Let all streams follow other settings from their next decisions on; utterances that last go on."""
        with self._alone:
            decide.thresholds(self.model.metadata.label_threshold)  # refused here, before a stream follows
            self._decide = decide
            for place in self._streams.values():
                place.decider.change(decide)

    def close(self, stream: int) -> Utterance | None:
        """End a stream. Returns the utterance that had not ended yet, if any. Samples that wait are dropped."""
        with self._alone:
            utterance = self._reset(stream)
            self._free.append(self._streams.pop(stream).row)
            if not self._streams:  # a bank that was large is small again
                self._states, self._free = States(self.model, self.window, self._extras), []
            return utterance

    def reset(self, stream: int) -> Utterance | None:
        """Forget all of a stream; its time starts again at zero. Returns the utterance that ends by this, if any."""
        with self._alone:
            return self._reset(stream)

    def push(self, stream: int, samples: Float32) -> None:
        """Give a stream samples for `step`.

        Args:
            stream: the stream's number.
            samples: shape (n,), float32 in [-1, 1], mono, 16 kHz; any n.

        Raises:
            ArgumentError: see `checked_samples`. The bank stays as it was.
        """
        samples = checked_samples(samples)
        with self._alone:
            place = self._place(stream)
            place.give(samples)
            if place.due:
                self._due[stream] = place

    def step(self) -> Decisions:
        """Recognise one hop of each stream that is `due`. A stream's first five hops give no decision.

        If the network fails, its streams stay as they were, and their hops stay due.
        """
        with self._alone:
            due = sorted(self._due.items(), key=lambda item: item[1].row)
            done: list[tuple[int, _Place]] = []
            outputs: list[list[Float32]] = []
            while piece := due[len(done) : len(done) + PIECE]:
                try:
                    outputs.append(self._network([place for _, place in piece]))
                except Exception:
                    if not done:
                        raise
                    break  # what is done is told; the next step tries this piece again
                done += piece
                for stream, place in piece:
                    place.advance()
                    if not place.due:
                        del self._due[stream]
            whole = [row for row, (_, place) in enumerate(done) if place.hops > FIRST_SEGMENT_HOP]
            if not outputs:
                kinds, single = np.zeros((0, len(self.model.labels)), np.float32), np.zeros(0, np.float32)
                return Decisions(self.model.labels, [], [], kinds, kinds, single, single, None, [])
            output = outputs[0]
            if len(whole) < len(done) or len(outputs) > 1:
                output = [np.concatenate(parts)[whole] for parts in zip(*outputs, strict=True)]
            return self._decided([done[row] for row in whole], *output)

    def _decided(
        self,
        due: list[tuple[int, _Place]],
        emotions: Float32,
        segment_emotions: Float32,
        speech: Float32,
        salience: Float32,
        embedding: Float32 | None = None,
    ) -> Decisions:
        """Hand the network's outputs for some streams to their deciders."""
        if known := {row: place.factors for row, (_, place) in enumerate(due) if place.factors is not None}:
            emotions[list(known)] = shifted(emotions[list(known)], np.stack(list(known.values())))
        segments = [place.hops - FIRST_SEGMENT_HOP - 1 for _, place in due]
        said = zip(due, segments, speech.tolist(), emotions.tolist(), strict=True)
        readings = [place.decider.push(segment, talks, one) for (_, place), segment, talks, one in said]
        for (_, place), read in zip(due, readings, strict=True):
            self._hear(place, read.utterance)
        streams, times_s = [stream for stream, _ in due], [segment_end_s(segment) for segment in segments]
        raw = emotions, segment_emotions, speech, salience, embedding
        return Decisions(self.model.labels, streams, times_s, *raw, readings)

    def _network(self, places: list[_Place]) -> list[Float32]:
        """The network's outputs for the next hop of some streams."""
        rows, restart = [place.row for place in places], [place.decider.idle for place in places]
        output = self._states.step(rows, [place.hop() for place in places], restart)
        emotions, segment_emotions, speech, salience, _, extras = output
        return [one.copy() for one in (emotions, segment_emotions, speech, salience, *extras.values())]

    def _place(self, stream: int) -> _Place:
        if not isinstance(stream, int) or stream not in self._streams:
            raise ArgumentError(f"there is no stream {stream}", "open() gives a stream's number, and close() ends it")
        return self._streams[stream]

    def _reset(self, stream: int) -> Utterance | None:
        place = self._place(stream)
        self._due.pop(stream, None)
        self._states.clear(place.row)
        place.begin()
        return self._hear(place, place.decider.clear())

    def _hear(self, place: _Place, utterance: Utterance | None) -> Utterance | None:
        """Let a stream's voice learn from an utterance that has ended; the utterance."""
        if place.voice and utterance and utterance.final:
            place.voice.hear(utterance, place.factors)
            place.factors = place.voice.factors(self.model)
        return utterance


class _Place:
    """Where a stream stands: its row, its decider, its voice, the samples that wait, and how many hops it has had."""

    def __init__(self, row: int, decider: Decider, voice: StreamVoice | None, factors: Float32 | None) -> None:
        self.row, self.decider, self.voice, self.factors = row, decider, voice, factors
        self.begin()

    def begin(self) -> None:
        """A stream begins as if zeros had come before it."""
        self._waiting, self._at, self.hops, self.due = np.zeros(LEAD_SAMPLES, np.float32), 0, 0, False

    @property
    def waiting(self) -> int:
        """How many samples wait."""
        return len(self._waiting) - self._at

    def give(self, samples: Float32) -> None:
        """Take samples (n,)."""
        rest = self._waiting[self._at :] if self._at else self._waiting
        self._waiting, self._at = np.concatenate([rest, samples]), 0
        self.due = self.waiting >= HOP_SAMPLES

    def hop(self) -> Float32:
        """The next hop (960,)."""
        return self._waiting[self._at : self._at + HOP_SAMPLES]

    def advance(self) -> None:
        """The next hop is done."""
        self._at, self.hops = self._at + HOP_SAMPLES, self.hops + 1
        self.due = self.waiting >= HOP_SAMPLES
