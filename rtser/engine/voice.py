"""The speaker's voice of a stream, and how it changes decisions (`rtser.voice` makes the factors)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from rtser.engine.contract import Float32
from rtser.engine.decision import Utterance
from rtser.engine.model import Model


@runtime_checkable
class StreamVoice(Protocol):
    """A voice: `rtser.Voice` or `rtser.LearningVoice`. `name` stands in the events."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def factors(self, model: Model) -> Float32 | None:
        """The factors for `shifted` (K,); None for none. Raises ArgumentError if the voice is of another model."""

    def hear(self, utterance: Utterance, factors: Float32 | None) -> None:
        """Take an utterance that has ended, and the factors (K,) that it was decided with."""


def shifted(emotions: Float32, factors: Float32) -> Float32:
    """softmax(log(emotions) + log(factors)), rows (B, K) each; rows of zeros stay as they are."""
    weighted = emotions * factors
    result: Float32 = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), np.float32(1e-30))
    return result
