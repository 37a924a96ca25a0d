"""The states of a model's streams, row by row, and how they go through its step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtser.engine.contract import HOP_SAMPLES, Float32
from rtser.engine.model import BoundStep, Model, StepOutput

CPU = "CPUExecutionProvider"


class States:
    """What the network remembers of n streams, a row each.

    Args:
        model: the model whose states they are.
        window: length of the decision window in segments.
        extras: outputs that each step computes besides.
    """

    def __init__(self, model: Model, window: int, extras: Sequence[str] = ()) -> None:
        self._model, self._window, self._extras = model, window, extras
        self._state = model.initial_state(0, window)
        self.rows = 0
        self._bound: list[BoundStep] = []  # of a lone row: from its state to the other one, and back
        self._samples, self._restart = np.zeros((1, HOP_SAMPLES), np.float32), np.zeros(1, np.float32)

    def grow(self) -> None:
        """Make room for twice as many rows. Zeros take no memory before they are used."""
        rows, self.rows = self.rows, max(1, 2 * self.rows)
        state = self._model.initial_state(self.rows, self._window)
        for old, new in zip(self._state, state, strict=True):
            new[:rows] = old
        self._state, self._bound = state, []
        if self.rows == 1 and not self._extras and self._model.execution_provider == CPU:
            other = self._model.initial_state(1, self._window)
            given = self._samples, self._restart
            self._bound = [self._model.bind(*given, state, other), self._model.bind(*given, other, state)]

    def clear(self, row: int) -> None:
        """Set a row to zeros, the state of a new stream."""
        for state in self._state:
            state[row] = 0

    def step(self, rows: list[int], hops: Sequence[Float32], restart: Sequence[bool]) -> StepOutput:
        """Run the network's step for some rows, each at most once, and keep their next states.

        Args:
            rows: b of them.
            hops: (960,) each.
            restart: for each row, whether to forget the utterance before the hop's segment.
        """
        if self._bound:
            self._samples[0], self._restart[0] = hops[0], restart[0]
            self._bound[0].run()
            output = self._bound[0].output
            self._state = output.state
            self._bound.reverse()
            return output
        samples = np.concatenate(hops).reshape(-1, HOP_SAMPLES)
        again = np.array(restart, np.float32)
        if rows == list(range(self.rows)):
            output = self._model.step(samples, again, self._state, self._extras)
            self._state = output.state
            return output
        output = self._model.step(samples, again, [np.take(state, rows, axis=0) for state in self._state], self._extras)
        for state, following in zip(self._state, output.state, strict=True):
            state[rows] = following
        return output
