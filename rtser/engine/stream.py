"""Stream: one stream of samples in, decisions out."""

from __future__ import annotations

import numpy as np

from rtser.engine.bank import Bank
from rtser.engine.contract import SAMPLE_RATE, Float32, checked_samples
from rtser.engine.decision import Decision
from rtser.engine.model import Model
from rtser.errors import ArgumentError


class Stream:
    """One stream of speech. However the samples are cut into pushes, the decisions are the same, bit for bit.

    Args:
        model: from `rtser.load`.
        window_s: length of the decision window in seconds; None for the model's own.
        label_threshold: below this probability a decision has no label, 0..1; None for the model's own.

    Attributes:
        samples: how many were pushed since the last `reset`.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range.
    """

    def __init__(self, model: Model, window_s: float | None = None, label_threshold: float | None = None) -> None:
        self._bank = Bank(model, 1, window_s, label_threshold)
        self.model, self.window, self.label_threshold = model, self._bank.window, self._bank.label_threshold
        self.samples, self._finished, self._restart = 0, False, False
        self._pending = np.empty(0, np.float32)

    @property
    def time_s(self) -> float:
        """How many seconds of sound were pushed since the last `reset`."""
        return self.samples / SAMPLE_RATE

    def push(self, samples: Float32) -> list[Decision]:
        """Take samples, and decide at the end of every segment that they complete.

        Args:
            samples: shape (n,), float32 in [-1, 1], mono, 16 kHz; any n.

        Returns:
            one decision for each segment completed, oldest first; often none.

        Raises:
            ArgumentError: wrong type, dtype or shape, a NaN, infinite or huge sample, or a finished stream. The stream
                stays as it was and can be used on.
        """
        if self._finished:
            raise ArgumentError("the stream is finished", "call reset() to start a new one")
        samples = checked_samples(samples)
        self.samples += len(samples)
        self._pending = np.concatenate([self._pending, samples])
        decisions: list[Decision] = []
        start = 0
        while len(self._pending) - start >= (hop := self._bank.hop_samples(0)):
            restart, self._restart = [0] if self._restart else [], False
            decisions += self._bank.step({0: self._pending[start : start + hop]}, restart).values()
            start += hop
        self._pending = self._pending[start:].copy()
        return decisions

    def restart(self) -> None:
        """Forget the utterance before the next hop's segment: the window begins anew, time goes on.

        Whoever restarts at the ends of utterances pushes at most a hop (960 samples) at a time.
        """
        self._restart = True

    def state(self) -> dict[str, Float32]:
        """See `Bank.state`."""
        return self._bank.state(0)

    def finish(self) -> list[Decision]:
        """End the stream. Returns no decision: each is made with its segment's last sample."""
        self._finished = True
        return []

    def reset(self) -> None:
        """Forget everything; time starts again at zero."""
        self._bank.reset(0)
        self._pending = np.empty(0, np.float32)
        self.samples, self._finished, self._restart = 0, False, False
