"""Bank: many streams side by side, each with its own history, sharing the network's steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rtser.engine.features import (
    FIRST_HOP_SAMPLES,
    HOP_SAMPLES,
    MEL_BINS,
    SAMPLE_RATE,
    SEGMENT_FRAMES,
    SEGMENT_SAMPLES,
    TAIL_SAMPLES,
    Float32,
    block_log_mel,
    checked_samples,
    segment_end_s,
    window_segments,
)
from rtser.engine.model import Model, StepOutput

FIRST_SEGMENT_HOP = 5
"""Index of the hop that completes a stream's first segment."""


@dataclass(frozen=True)
class Decision:
    """What the recogniser says at the end of one segment.

    Attributes:
        time_s: end of the segment, in seconds from the start of the stream; 0.335 + 0.06 k for the k-th.
        emotions: calibrated probability of each emotion over the window; None where the window holds no speech.
        label: the likeliest emotion; None while the recogniser abstains.
        confidence: its probability, 0..1; None while the recogniser abstains.
        speech: probability that this segment holds speech, 0..1.
        segment_emotions: this segment's own posterior, equation (1).
        salience: this segment's share of the window's attention, 0..1.
    """

    time_s: float
    emotions: dict[str, float] | None
    label: str | None
    confidence: float | None
    speech: float
    segment_emotions: dict[str, float]
    salience: float


def named(emotions: dict[str, float], min_confidence: float) -> tuple[str | None, float | None]:
    """The likeliest emotion and its probability; None for both below the least confidence."""
    label, confidence = max(emotions.items(), key=lambda item: item[1])
    return (label, confidence) if confidence >= min_confidence else (None, None)


class Bank:
    """The state of n streams as arrays with a leading stream axis.

    Args:
        model: shared by all streams.
        streams: how many, n.
        window_s: length of the window over which is decided, in seconds; None for the model's own.
        min_confidence: below it a decision names no emotion, 0..1; None for the model's own.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self, model: Model, streams: int, window_s: float | None = None, min_confidence: float | None = None
    ) -> None:
        if streams < 1:
            raise ValueError(f"a bank needs at least one stream, not {streams}")
        if window_s is not None and not SEGMENT_SAMPLES / SAMPLE_RATE <= window_s <= 3600:
            raise ValueError(f"the window must be 0.335 to 3600 seconds long, not {window_s}")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ValueError(f"the least confidence must be 0 to 1, not {min_confidence}")
        self.model = model
        self.window = model.metadata.window if window_s is None else window_segments(window_s)
        self.min_confidence = model.metadata.min_confidence if min_confidence is None else min_confidence
        self._tails = np.zeros((streams, TAIL_SAMPLES), np.float32)
        self._frames = np.zeros((streams, SEGMENT_FRAMES, MEL_BINS), np.float32)
        self._state = model.initial_state(streams, self.window)
        self._hops = [0] * streams

    def __len__(self) -> int:
        return len(self._hops)

    def hop_samples(self, stream: int) -> int:
        """How many samples the next hop of a stream takes: 560 for its first, then 960."""
        return HOP_SAMPLES if self._hops[stream] else FIRST_HOP_SAMPLES

    def reset(self, stream: int) -> None:
        """Forget all that a stream has heard; its time starts again at zero."""
        self._hops[stream] = 0
        for state in self._state:
            state[stream] = 0

    def attention(self, stream: int) -> Float32:
        """Each segment's share of the attention of the window as it stands, (W,), oldest first, 0..1; the sum is 1.

        The mean over the dimensions of equation (5), or of (3); zeros where nothing was weighed.

        Raises:
            ModelError: the model keeps no attention weights.
        """
        weights = self.model.weights(self._state)[stream]
        total = weights.sum(0)
        share: Float32 = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).mean(1)
        return share

    def step(self, hops: Mapping[int, Float32]) -> dict[int, Decision]:
        """Feed one hop to some of the streams.

        Args:
            hops: by stream, its next hop: shape (`hop_samples`,), float32, 16 kHz.

        Returns:
            by stream, the decision at the end of its hop; a stream's first five hops give none.

        Raises:
            ValueError: there is no such stream, or a hop is not as it should be. The bank stays as it was.
        """
        hops = {stream: self._checked(stream, hop) for stream, hop in hops.items()}
        for first in (True, False):
            rows = [stream for stream in hops if (self._hops[stream] == 0) == first]
            if rows:
                self._hear(rows, np.stack([hops[stream] for stream in rows]), first)
        ready = [stream for stream in hops if self._hops[stream] >= FIRST_SEGMENT_HOP]
        for stream in hops:
            self._hops[stream] += 1
        if not ready:
            return {}
        output = self._decide(ready)
        return {stream: self._decision(stream, output, row) for row, stream in enumerate(ready)}

    def _checked(self, stream: int, hop: Float32) -> Float32:
        if not 0 <= stream < len(self):
            raise ValueError(f"there is no stream {stream}; the bank has {len(self)}, counted from 0")
        hop = checked_samples(hop)
        if len(hop) != self.hop_samples(stream):
            raise ValueError(f"the next hop of stream {stream} has {self.hop_samples(stream)} samples, not {len(hop)}")
        return hop

    def _hear(self, rows: list[int], hops: Float32, first: bool) -> None:
        """Roll the new frames of some streams in."""
        samples = hops if first else np.concatenate([self._tails[rows], hops], axis=1)
        frames = block_log_mel(samples)
        self._frames[rows] = np.concatenate([self._frames[rows, frames.shape[1] :], frames], axis=1)
        self._tails[rows] = hops[:, -TAIL_SAMPLES:]

    def _decide(self, rows: list[int]) -> StepOutput:
        """Run the network's step for some streams and keep their next state."""
        gate = np.ones(len(rows), np.float32)
        everyone = rows == list(range(len(self)))
        order = slice(None) if everyone else rows
        output = self.model.step(self._frames[order], gate, [state[order] for state in self._state])
        if everyone:
            self._state = output.state
        else:
            for state, following in zip(self._state, output.state, strict=True):
                state[order] = following
        return output

    def _decision(self, stream: int, output: StepOutput, row: int) -> Decision:
        labels = self.model.labels
        probabilities = output.emotions[row].tolist()
        emotions = dict(zip(labels, probabilities, strict=True)) if any(probabilities) else None
        label, confidence = named(emotions, self.min_confidence) if emotions else (None, None)
        return Decision(
            time_s=segment_end_s(self._hops[stream] - 1 - FIRST_SEGMENT_HOP),
            emotions=emotions,
            label=label,
            confidence=confidence,
            speech=float(output.speech[row]),
            segment_emotions=dict(zip(labels, output.segment_emotions[row].tolist(), strict=True)),
            salience=float(output.salience[row]),
        )
