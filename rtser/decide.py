"""From decisions every 60 ms to utterances: stretches of speech between silences."""

from __future__ import annotations

from dataclasses import dataclass

from rtser.bank import Decision, named
from rtser.features import HOP_SAMPLES, SAMPLE_RATE, segment_end_s

SEGMENT_S = segment_end_s(0)


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech.

    Attributes:
        start_s: start of its first segment with speech, in seconds of the stream.
        end_s: end of its last segment with speech.
        emotions: mean of the decisions' probabilities while it lasted, weighted by speech.
        label: the likeliest emotion; None below the least confidence.
        confidence: its mean probability; None where `label` is None.
    """

    start_s: float
    end_s: float
    emotions: dict[str, float]
    label: str | None
    confidence: float | None


class Utterances:
    """Find utterances in a stream of decisions.

    Args:
        min_confidence: below it an utterance names no emotion, 0..1.
        enter: speech probability at which an utterance begins.
        leave: speech probability below which a segment counts as silence.
        silence_s: so much silence ends an utterance, in seconds; rounded to hops of 60 ms.
    """

    def __init__(
        self, min_confidence: float = 0.0, enter: float = 0.6, leave: float = 0.4, silence_s: float = 0.6
    ) -> None:
        self._min_confidence = min_confidence
        self._enter, self._leave = enter, leave
        self._silence_hops = max(1, round(silence_s * SAMPLE_RATE / HOP_SAMPLES))
        self._silent_hops = 0
        self._start_s: float | None = None
        self._end_s = 0.0
        self._sums: dict[str, float] = {}
        self._weight = 0.0

    def push(self, decision: Decision) -> Utterance | None:
        """Take the next decision; the utterance that it ends, if it does."""
        speaking = decision.speech >= (self._leave if self._start_s is not None else self._enter)
        if speaking and decision.emotions is not None:
            if self._start_s is None:
                self._start_s = decision.time_s - SEGMENT_S
                self._sums = dict.fromkeys(decision.emotions, 0.0)
                self._weight = 0.0
            self._end_s = decision.time_s
            self._silent_hops = 0
            self._weight += decision.speech
            for emotion, probability in decision.emotions.items():
                self._sums[emotion] += decision.speech * probability
        elif self._start_s is not None:
            self._silent_hops += 1
            if self._silent_hops >= self._silence_hops:
                return self.finish()
        return None

    def finish(self) -> Utterance | None:
        """End the utterance that lasts, if one does: the stream is over or lost."""
        if self._start_s is None:
            return None
        emotions = {emotion: total / self._weight for emotion, total in self._sums.items()}
        utterance = Utterance(self._start_s, self._end_s, emotions, *named(emotions, self._min_confidence))
        self._start_s = None
        return utterance
