"""Bank: many streams side by side, each with its own history and decider, sharing the network's steps."""

from __future__ import annotations

import threading

import numpy as np

from rtser.engine import contract
from rtser.engine.contract import FIRST_SEGMENT_HOP, HOP_SAMPLES, LEAD_SAMPLES, Float32, checked_samples
from rtser.engine.decider import Deciders, DecideSettings
from rtser.engine.decision import Decisions, Indices, Utterance
from rtser.engine.model import Model
from rtser.errors import ArgumentError

PIECE = 16  # streams in one call of the network: the states of more fall out of the CPU's cache


class Bank:
    """Any number of streams at 16 kHz, opened and closed at any time.

    A stream's decisions depend neither on the others nor on how its samples are cut. Where its decider is idle, the
    network forgets what came before (``restart``).

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
        ArgumentError: an argument is of the wrong type or out of range; of `open` and all others: two threads call at
            once, or there is no such stream.
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
        if window_s is not None and not contract.SEGMENT_SAMPLES / contract.SAMPLE_RATE <= window_s <= 3600:
            raise ArgumentError(f"the window must be 0.335 to 3600 seconds long, not {window_s}")
        self.model, self._extras = model, ("embedding",) if embeddings else ()
        self.window = model.metadata.window if window_s is None else contract.window_segments(window_s)
        self._deciders = Deciders(model.labels, model.metadata.label_threshold, decide or DecideSettings())
        self._state = model.initial_state(0, self.window)
        self._streams: dict[int, _Place] = {}
        self._due: dict[int, _Place] = {}
        self._opened, self._all, self._free = 0, list[int](), list[int]()
        kinds = [(0, len(model.labels))] * 2 + [(0,)] * 2
        self._nothing = [np.zeros(shape, np.float32) for shape in kinds]
        self._alone = OneAtATime()

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def due(self) -> int:
        """How many streams have a whole hop of samples that waits for `step`."""
        return len(self._due)

    def open(self) -> int:
        """Begin a stream. Its number is never given to another stream of this bank."""
        with self._alone:
            if not self._free:
                self._grow()
            self._opened += 1
            self._streams[self._opened - 1] = _Place(self._free.pop())
            return self._opened - 1

    def close(self, stream: int) -> Utterance | None:
        """End a stream; the utterance that this cuts off, if one lasts. Samples that wait are dropped."""
        with self._alone:
            utterance = self._reset(stream)
            self._free.append(self._streams.pop(stream).row)
            return utterance

    def reset(self, stream: int) -> Utterance | None:
        """Forget everything of a stream; its time starts again at zero. The utterance that this cuts off, if any."""
        with self._alone:
            return self._reset(stream)

    def push(self, stream: int, samples: Float32) -> None:
        """Give a stream samples for `step`.

        Args:
            stream: its number.
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
        """Recognise one hop of each stream that is `due`. A stream's first five hops give no decision."""
        with self._alone:
            due = list(self._due.items())
            outputs = [self._network([place for _, place in due[at : at + PIECE]]) for at in range(0, len(due), PIECE)]
            self._due = {stream: place for stream, place in due if place.due}
            whole = [row for row, (_, place) in enumerate(due) if place.hops > FIRST_SEGMENT_HOP]
            if not whole:
                return self._decisions([], self._nothing)
            if len(whole) < len(due) or len(outputs) > 1:
                outputs = [[np.concatenate(parts)[whole] for parts in zip(*outputs, strict=True)]]
            return self._decisions([due[row] for row in whole], outputs[0])

    def _decisions(self, decided: list[tuple[int, _Place]], output: list[Float32]) -> Decisions:
        """Hand the network's outputs for some streams to their deciders."""
        segments = np.array([place.hops - FIRST_SEGMENT_HOP - 1 for _, place in decided], np.int64)
        times_s = (contract.SEGMENT_SAMPLES + segments * HOP_SAMPLES) / contract.SAMPLE_RATE
        emotions, segment_emotions, speech, salience, *embedding = output
        rows = self._index([place for _, place in decided])
        readings = self._deciders.push(rows, segments, speech, emotions)
        streams = [stream for stream, _ in decided]
        ended = [(streams[place], utterance) for place, utterance in readings.utterances]
        raw = emotions, segment_emotions, speech, salience, embedding[0] if embedding else None
        return Decisions(self.model.labels, streams, times_s, *raw, *readings[:-1], ended)

    def _network(self, places: list[_Place]) -> list[Float32]:
        """Run the network's step for the next hop of some streams, and keep their next states."""
        rows = self._index(places)
        samples = np.stack([place.take() for place in places])
        restart = self._deciders.idle(rows).astype(np.float32)
        output = self.model.step(samples, restart, [state[rows] for state in self._state], self._extras)
        if isinstance(rows, slice):
            self._state = output.state
        else:
            for state, following in zip(self._state, output.state, strict=True):
                state[rows] = following
        return [output.emotions, output.segment_emotions, output.speech, output.salience, *output.extras.values()]

    def _index(self, places: list[_Place]) -> Indices | slice:
        """The rows of some streams; a slice, which copies nothing, where these are all rows in their order."""
        rows = [place.row for place in places]
        return slice(None) if rows == self._all else np.array(rows, np.int64)

    def _grow(self) -> None:
        """Make room for twice as many rows. Zeros take no memory before they are used."""
        rows, more = len(self._all), max(1, 2 * len(self._all))
        state = self.model.initial_state(more, self.window)
        for old, new in zip(self._state, state, strict=True):
            new[:rows] = old
        self._state, self._all = state, list(range(more))
        self._free += reversed(range(rows, more))
        self._deciders.grow(more)

    def _place(self, stream: int) -> _Place:
        if stream not in self._streams:
            raise ArgumentError(f"there is no stream {stream}", "open() gives a stream's number, and close() ends it")
        return self._streams[stream]

    def _reset(self, stream: int) -> Utterance | None:
        place = self._place(stream)
        self._due.pop(stream, None)
        utterance = self._deciders.clear(place.row)
        place.begin()
        for state in self._state:
            state[place.row] = 0
        return utterance


class _Place:
    """Where a stream stands: its row, the samples that wait, and how many hops it has had."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.begin()

    def begin(self) -> None:
        """A stream begins as if zeros had come before it."""
        self.waiting, self.at, self.hops = np.zeros(LEAD_SAMPLES, np.float32), 0, 0

    @property
    def due(self) -> bool:
        return len(self.waiting) - self.at >= HOP_SAMPLES

    def give(self, samples: Float32) -> None:
        self.waiting, self.at = np.concatenate([self.waiting[self.at :], samples]), 0

    def take(self) -> Float32:
        """The next hop (960,)."""
        hop = self.waiting[self.at : self.at + HOP_SAMPLES]
        self.at, self.hops = self.at + HOP_SAMPLES, self.hops + 1
        return hop


class OneAtATime:
    """Two threads in one stream would corrupt it: the second gets an error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise ArgumentError("two threads use one stream at once", "give each thread a stream of its own, or a lock")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
