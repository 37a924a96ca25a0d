"""Bank: many streams side by side, each with its own history, sharing the network's steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from rtser.engine import contract
from rtser.engine.contract import FIRST_SEGMENT_HOP, HOP_SAMPLES, LEAD_SAMPLES, Float32, checked_samples
from rtser.engine.decision import Decision, likeliest
from rtser.engine.model import Model, StepOutput
from rtser.errors import ArgumentError


class Bank:
    """The state of n streams as arrays with a leading stream axis.

    Args:
        model: shared by all streams; from `rtser.load`.
        streams: how many, n.
        window_s: length of the decision window in seconds; None for the model's own.
        label_threshold: below this probability a decision has no label, 0..1; None for the model's own.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range.
    """

    def __init__(
        self, model: Model, streams: int, window_s: float | None = None, label_threshold: float | None = None
    ) -> None:
        if not isinstance(model, Model):
            raise ArgumentError(f"a stream needs a loaded model, not {type(model).__name__}", "use rtser.load")
        if streams < 1:
            raise ArgumentError(f"a bank needs at least one stream, not {streams}")
        if window_s is not None and not contract.SEGMENT_SAMPLES / contract.SAMPLE_RATE <= window_s <= 3600:
            raise ArgumentError(f"the window must be 0.335 to 3600 seconds long, not {window_s}")
        if label_threshold is not None and not 0 <= label_threshold <= 1:
            raise ArgumentError(f"the label threshold must be 0 to 1, not {label_threshold}")
        self.model = model
        self.window = model.metadata.window if window_s is None else contract.window_segments(window_s)
        self.label_threshold = model.metadata.label_threshold if label_threshold is None else label_threshold
        self._state = model.initial_state(streams, self.window)
        self._hops = [0] * streams

    def __len__(self) -> int:
        return len(self._hops)

    def hop_samples(self, stream: int) -> int:
        """How many samples the next hop of a stream takes: 560 for its first, then 960."""
        return HOP_SAMPLES if self._hops[self._index(stream)] else HOP_SAMPLES - LEAD_SAMPLES

    def reset(self, stream: int) -> None:
        """Forget everything of a stream; its time starts again at zero."""
        self._hops[self._index(stream)] = 0
        for state in self._state:
            state[stream] = 0

    def state(self, stream: int) -> dict[str, Float32]:
        """The model's state of a stream by name, each without the batch axis."""
        row = self._index(stream)
        return {name: value[row].copy() for name, value in zip(self.model.states, self._state, strict=True)}

    def step(self, hops: Mapping[int, Float32], restart: Collection[int] = ()) -> dict[int, Decision]:
        """Feed one hop to some of the streams.

        Args:
            hops: by stream, its next hop: shape (`hop_samples`,), float32, 16 kHz.
            restart: streams that forget the utterance before this hop's segment.

        Returns:
            by stream, the decision at the end of its hop; a stream's first five hops give none.

        Raises:
            ArgumentError: there is no such stream, or a hop is not as it should be. The bank stays as it was.
        """
        rows = list(hops)
        if unknown := set(restart) - set(rows):
            raise ArgumentError(f"stream {min(unknown)} cannot restart, because it has no hop in this step")
        samples = np.zeros((len(rows), HOP_SAMPLES), np.float32)
        for row, (stream, hop) in enumerate(hops.items()):
            samples[row, HOP_SAMPLES - self.hop_samples(stream) :] = self._checked(stream, hop)
        if not rows:
            return {}
        output = self._step(rows, samples, np.array([stream in restart for stream in rows], np.float32))
        decisions = {}
        for row, stream in enumerate(rows):
            if self._hops[stream] >= FIRST_SEGMENT_HOP:
                decisions[stream] = self._decision(stream, output, row)
            self._hops[stream] += 1
        return decisions

    def _index(self, stream: int) -> int:
        if not 0 <= stream < len(self):
            raise ArgumentError(f"there is no stream {stream} (the bank has {len(self)}, counted from 0)")
        return stream

    def _checked(self, stream: int, hop: Float32) -> Float32:
        hop, expected = checked_samples(hop), self.hop_samples(stream)
        if len(hop) != expected:
            raise ArgumentError(f"the next hop of stream {stream} has {expected} samples, not {len(hop)}")
        return hop

    def _step(self, rows: list[int], samples: Float32, restart: Float32) -> StepOutput:
        """Run the network's step for some streams and keep their next state."""
        if rows == list(range(len(self))):
            output = self.model.step(samples, restart, self._state)
            self._state = output.state
            return output
        output = self.model.step(samples, restart, [state[rows] for state in self._state])
        for state, following in zip(self._state, output.state, strict=True):
            state[rows] = following
        return output

    def _decision(self, stream: int, output: StepOutput, row: int) -> Decision:
        labels, probabilities = self.model.labels, output.emotions[row].tolist()
        emotions = dict(zip(labels, probabilities, strict=True)) if any(probabilities) else None
        named = likeliest(emotions, self.label_threshold) if emotions else (None, None)
        segment_emotions = dict(zip(labels, output.segment_emotions[row].tolist(), strict=True))
        time_s = contract.segment_end_s(self._hops[stream] - FIRST_SEGMENT_HOP)
        speech, salience = float(output.speech[row]), float(output.salience[row])
        return Decision(time_s, emotions, speech, segment_emotions, salience, *named)
