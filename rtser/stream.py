"""Stream: one stream of samples in, decisions out."""

from __future__ import annotations

import numpy as np

from rtser.bank import Bank, Decision
from rtser.features import SAMPLE_RATE, Float32
from rtser.model import Model


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
        self._pending: list[Float32] = []
        self._pending_samples = 0
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
            ValueError: wrong type, dtype or shape, a NaN or infinite sample, or a finished stream. The stream stays as
                it was and can be used on.
        """
        if self._finished:
            raise ValueError("the stream is finished; call reset() to start a new one")
        if not isinstance(samples, np.ndarray) or samples.dtype != np.float32:
            kind = samples.dtype if isinstance(samples, np.ndarray) else type(samples).__name__
            raise ValueError(f"samples must be a float32 array in [-1, 1], not {kind}")
        if samples.ndim != 1:
            raise ValueError(f"samples must have one dimension (mono), not shape {samples.shape}")
        if not np.isfinite(samples).all():
            raise ValueError("samples hold NaN or infinite values")
        self._samples += len(samples)
        self._pending.append(samples.copy())
        self._pending_samples += len(samples)
        if self._pending_samples < self._bank.hop_samples(0):
            return []
        heard = np.concatenate(self._pending)
        decisions: list[Decision] = []
        start = 0
        while len(heard) - start >= (hop := self._bank.hop_samples(0)):
            decisions += self._bank.step({0: heard[start : start + hop]}).values()
            start += hop
        self._pending = [heard[start:].copy()]
        self._pending_samples = len(heard) - start
        return decisions

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
        self._pending = []
        self._pending_samples = self._samples = 0
        self._finished = False
