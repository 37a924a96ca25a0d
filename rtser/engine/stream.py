"""Stream: one stream of samples in, decisions out."""

from __future__ import annotations

import numpy as np

from rtser.engine.bank import Bank, Decision
from rtser.engine.features import SAMPLE_RATE, Float32, checked_samples
from rtser.engine.model import Model


class Stream:
    """Recognise emotion in one stream of speech.

    However the samples are cut into pushes, the decisions are the same, bit for bit.

    Args:
        model: from `rtser.load`.
        window_s: length of the window over which is decided, in seconds; None for the model's own.
        min_confidence: below it a decision names no emotion, 0..1; None for the model's own.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(self, model: Model, window_s: float | None = None, min_confidence: float | None = None) -> None:
        self._bank = Bank(model, 1, window_s, min_confidence)
        self._pending = np.empty(0, np.float32)
        self._samples = 0
        self._finished = False

    @property
    def model(self) -> Model:
        """The model that decides."""
        return self._bank.model

    @property
    def window(self) -> int:
        """Length of the window in segments."""
        return self._bank.window

    @property
    def min_confidence(self) -> float:
        """Below it a decision names no emotion."""
        return self._bank.min_confidence

    @property
    def samples(self) -> int:
        """Samples heard since the start or the last `reset`."""
        return self._samples

    @property
    def time_s(self) -> float:
        """Seconds of sound heard since the start or the last `reset`."""
        return self._samples / SAMPLE_RATE

    def push(self, samples: Float32) -> list[Decision]:
        """Hear samples, and decide at the end of every segment that they complete.

        Args:
            samples: shape (n,), float32 in [-1, 1], mono, 16 kHz; any n.

        Returns:
            one decision for each segment completed, oldest first; often none.

        Raises:
            ValueError: wrong type, dtype or shape, a NaN, infinite or huge sample, or a finished stream. The stream
                stays as it was and can be used on.
        """
        if self._finished:
            raise ValueError("the stream is finished; call reset() to start a new one")
        samples = checked_samples(samples)
        self._samples += len(samples)
        self._pending = np.concatenate([self._pending, samples])
        decisions: list[Decision] = []
        start = 0
        while len(self._pending) - start >= (hop := self._bank.hop_samples(0)):
            decisions += self._bank.step({0: self._pending[start : start + hop]}).values()
            start += hop
        self._pending = self._pending[start:].copy()
        return decisions

    def attention(self) -> Float32:
        """Each segment's share of the attention of the window as it stands: see `Bank.attention`."""
        return self._bank.attention(0)

    def finish(self) -> list[Decision]:
        """End the stream.

        Returns:
            the decisions still owed: none, since a segment is decided with its last sample, and samples that complete
            no segment never are.
        """
        self._finished = True
        return []

    def reset(self) -> None:
        """Forget everything heard; time starts again at zero."""
        self._bank.reset(0)
        self._pending = np.empty(0, np.float32)
        self._samples = 0
        self._finished = False
