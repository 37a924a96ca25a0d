"""The summary of a recording: the amount of speech, the share of each emotion, and its turning points."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


class TurnFinder:
    """Finds turning points, utterance by utterance; uncertain utterances in between are ignored."""

    def __init__(self) -> None:
        self._last: tuple[str, float] | None = None

    def take(self, utterance: UtteranceEvent) -> Turn | None:
        """The turning point at the start of a final utterance, or None."""
        before, label = self._last, utterance.label
        if label is None:
            return None
        self._last = label, utterance.end
        if before is None or before[0] == label or utterance.start - before[1] > CLOSE_S:
            return None
        return Turn(utterance.start, before[0], label)


def summarise(seconds: float, utterances: Sequence[UtteranceEvent]) -> Summary:
    """The figures of a recording, from its length and its final utterances, oldest first."""
    speech: dict[str, float] = {}
    for one in utterances:
        label = one.label or UNCERTAIN
        speech[label] = speech.get(label, 0.0) + one.end - one.start
    most_first = dict(sorted(speech.items(), key=lambda item: -item[1]))
    finder = TurnFinder()
    turns = tuple(turn for one in utterances if (turn := finder.take(one)))
    return Summary(seconds, len(utterances), most_first, turns)
