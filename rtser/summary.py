"""The summary of a recording: the amount of speech, the share of each emotion, and its turning points."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rtser.events import UtteranceEvent

UNCERTAIN = "uncertain"
"""The text in place of an emotion, below the label threshold."""
CLOSE_S = 30.0
"""Longest pause between the two utterances of a turning point."""


def percent(probability: float) -> str:
    """A probability as a whole percentage, rounded down: 0.3999 is not shown as 40% beside a threshold of 40%."""
    return f"{math.floor(100 * probability + 1e-9)}%"


@dataclass(frozen=True)
class Turn:
    """A change from one named emotion to another, between successive utterances; `time`: start of the second one."""

    time: float
    before: str
    after: str


@dataclass(frozen=True)
class Summary:
    """The figures of one recording, or of one of its channels.

    Attributes:
        seconds: length of the recording.
        utterances: number of utterances.
        speech: seconds of speech by emotion, the most frequent first; ``uncertain`` if none is named.
        turns: the turning points.
    """

    seconds: float
    utterances: int
    speech: dict[str, float]
    turns: tuple[Turn, ...]

    @property
    def speech_s(self) -> float:
        """Seconds of speech, to the microsecond."""
        return round(sum(self.speech.values(), 0.0), 6)

    @property
    def shares(self) -> dict[str, float]:
        """Share of each emotion in the speech, 0..1; empty if there is no speech."""
        total = self.speech_s
        return {label: seconds / total for label, seconds in self.speech.items()} if total else {}

    def content(self) -> dict[str, Any]:
        """The figures as plain objects; seconds and shares have 3 decimals."""
        return {
            "seconds": round(self.seconds, 3),
            "speech_seconds": round(self.speech_s, 3),
            "utterances": self.utterances,
            "shares": {label: round(share, 3) for label, share in self.shares.items()},
            "turning_points": [vars(turn) | {"time": round(turn.time, 3)} for turn in self.turns],
        }


class Tally:
    """Sums up the utterances of a recording one by one. Its size does not grow, apart from turning points.

    Args:
        kept_turns: how many turning points are kept, the last ones; None for all.

    Attributes:
        utterances: number of utterances.
        turns: the turning points that are kept, oldest first.
        turn_count: number of all turning points.
    """

    def __init__(self, kept_turns: int | None = None) -> None:
        self.utterances = self.turn_count = 0
        self.turns: deque[Turn] = deque(maxlen=kept_turns)
        self._speech: dict[str, float] = {}
        self._sums: dict[str, float] = {}
        self._last: tuple[str, float] | None = None

    def add(self, utterance: UtteranceEvent) -> None:
        """Add a final utterance, later than those before."""
        seconds, label = utterance.end - utterance.start, utterance.label or UNCERTAIN
        self.utterances += 1
        self._speech[label] = self._speech.get(label, 0.0) + seconds
        for emotion, probability in utterance.emotions.items():
            self._sums[emotion] = self._sums.get(emotion, 0.0) + seconds * probability
        if utterance.label is not None:  # uncertain utterances between two others are ignored
            self._turn(utterance.label, utterance)

    def means(self) -> dict[str, float]:
        """Mean probability of each emotion over the speech, 0..1; empty if there is no speech."""
        spoken = sum(self._speech.values())
        return {emotion: total / spoken for emotion, total in self._sums.items()} if spoken else {}

    def summary(self, seconds: float) -> Summary:
        """The figures so far of a recording of this length; of the turning points, those that are kept."""
        most_first = dict(sorted(self._speech.items(), key=lambda item: -item[1]))
        return Summary(seconds, self.utterances, most_first, tuple(self.turns))

    def _turn(self, label: str, utterance: UtteranceEvent) -> None:
        """Note the turning point at the start of an utterance with a named emotion, if it is one."""
        before, self._last = self._last, (label, utterance.end)
        if before and before[0] != label and utterance.start - before[1] <= CLOSE_S:
            self.turn_count += 1
            self.turns.append(Turn(utterance.start, before[0], label))


def summarise(seconds: float, utterances: Iterable[UtteranceEvent]) -> Summary:
    """The figures of a recording, from its length and its final utterances, oldest first."""
    tally = Tally()
    for utterance in utterances:
        tally.add(utterance)
    return tally.summary(seconds)
