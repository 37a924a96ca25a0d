"""A model's decisions on one utterance, and on many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtser.engine.bank import Decisions
from rtser.engine.contract import SAMPLE_RATE, Float32, segment_count
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser_train.evaluation.streaming import deciding

SPEECH = 0.5
"""A segment counts as speech above this speech probability, as in the streaming curves of `rtser evaluate`."""
NONE = -1


class Heard(NamedTuple):
    """A model's decisions on one utterance.

    Attributes:
        probabilities: (K,), of the step that decides on the file (`deciding`); NaN if there is none.
        so_far: index of the label that would be decided if the sound ended after 1, 2, ... segments of speech; -1 for
            none. So the first is the decision after 0.335 s of speech, and each further one is 60 ms later.
    """

    probabilities: Float32
    so_far: list[int]


def hear(model: Model, samples: Float32) -> Heard:
    """Stream an utterance, (n,), float32, 16 kHz, through the engine as `rtser file` does."""
    steps = list(Stream(model).steps(samples))
    decides = deciding(steps)
    nothing = np.full(len(model.labels), np.nan, np.float32)
    return Heard(nothing if decides is None else decides.emotions[0].copy(), _so_far(steps))


def _so_far(steps: Sequence[Decisions]) -> list[int]:
    """`Heard.so_far` in one pass: the result of `deciding` for the steps up to each segment of speech."""
    lasts, decided, found = False, NONE, []
    for step in steps:
        if step.readings[0].lasts and not lasts:
            lasts, decided = True, NONE
        if (step.readings[0].lasts or not lasts) and step.emotions.any():
            decided = int(step.emotions[0].argmax())
        if step.speech[0] > SPEECH:
            found.append(decided)
    return found


@dataclass(frozen=True)
class Outcomes:
    """A contestant's decisions on n utterances under one condition.

    Attributes:
        labels: the K emotions.
        probabilities: (n, K), float32; a row of NaN for an utterance without a decision.
        so_far: (n, H), int16: `Heard.so_far`, followed by the decision on the whole file.
    """

    labels: tuple[str, ...]
    probabilities: Float32
    so_far: NDArray[np.int16]

    @classmethod
    def of(cls, heard: Sequence[Heard], labels: tuple[str, ...], so_far: bool) -> Outcomes:
        """Many utterances together; without `so_far` only the decisions on whole files are kept."""
        probabilities = np.array([one.probabilities for one in heard], np.float32).reshape(-1, len(labels))
        last = _indices(probabilities)
        longest = max((len(one.so_far) for one in heard), default=0) if so_far else 0
        table = np.repeat(last[:, None], longest + 1, axis=1).astype(np.int16)
        for row, one in zip(table, heard, strict=True):
            if so_far:
                row[: len(one.so_far)] = one.so_far
        return cls(labels, probabilities, table)

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """(n,), whether there is no decision."""
        return np.isnan(self.probabilities[:, 0])

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(n,), the probability of the decision; 0 without a decision."""
        return np.asarray(np.nan_to_num(self.probabilities.max(axis=1)), np.float64)

    @property
    def decided(self) -> NDArray[np.str_]:
        """(n,), the labels; empty without a decision."""
        return self._named(_indices(self.probabilities))

    def after(self, seconds: float) -> NDArray[np.str_]:
        """(n,), the decisions if each utterance ends after this much speech; shorter ones are heard to their end."""
        hop = min(max(1, segment_count(round(seconds * SAMPLE_RATE))), self.so_far.shape[1])
        return self._named(self.so_far[:, hop - 1])

    def _named(self, indices: NDArray[np.int16]) -> NDArray[np.str_]:
        return np.array([*self.labels, ""])[indices]


def _indices(probabilities: Float32) -> NDArray[np.int16]:
    """Indices (n,) of the likeliest labels; -1 for rows of NaN."""
    likeliest = np.nan_to_num(probabilities).argmax(axis=1)
    return np.where(np.isnan(probabilities[:, 0]), NONE, likeliest).astype(np.int16)
