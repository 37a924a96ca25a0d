"""From decisions every 60 ms to what a person can read: a steady label, and utterances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from rtser.engine.bank import Decision, named
from rtser.engine.features import HOP_SAMPLES, SAMPLE_RATE, segment_end_s

SEGMENT_S = segment_end_s(0)
HOP_S = HOP_SAMPLES / SAMPLE_RATE
FULL_HOPS = 62
"""Hops after which a decision knows as much of an utterance as it ever will: a window of 4 s is full."""


@dataclass(frozen=True)
class DecideSettings:
    """How decisions become a label. Durations are in seconds, rounded to hops of 60 ms; all else is 0..1.

    Attributes:
        smoothing_s: time constant of the running average of the probabilities; 0 for none.
        enter_confidence: an emotion is named once its averaged probability reaches this; None for the model's own.
        leave_confidence: a named emotion is let go below this; None for 0.1 less than `enter_confidence`.
        hold_s: a named emotion stays at least so long, unless the speech ends.
        speech_enter: speech probability at which a segment may begin an utterance.
        speech_leave: speech probability below which a segment of an utterance counts as silence.
        onset_s: so much speech without a break begins an utterance; a door or a bark is shorter.
        hangover_s: so much silence ends the label.
        silence_s: so much silence ends the utterance.

    Raises:
        ValueError: a setting is out of range.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    """An unknown key in a settings file is an error."""

    smoothing_s: float = 0.3
    enter_confidence: float | None = None
    leave_confidence: float | None = None
    hold_s: float = 0.6
    speech_enter: float = 0.7
    speech_leave: float = 0.4
    onset_s: float = 0.48
    hangover_s: float = 0.6
    silence_s: float = 0.6

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = 3600.0 if name.endswith("_s") else 1.0
            if value is not None and not 0 <= value <= most:
                raise ValueError(f"{name} must be 0 to {most:g}, not {value}")
        for enter, leave in (("enter_confidence", "leave_confidence"), ("speech_enter", "speech_leave")):
            first, second = getattr(self, enter), getattr(self, leave)
            if first is not None and second is not None and second > first:
                raise ValueError(f"{leave} must not be above {enter} ({first}), but is {second}")


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech.

    Attributes:
        start_s: start of its first segment with speech, in seconds of the stream.
        end_s: end of its last segment with speech.
        emotions: mean of the decisions' probabilities while it lasted, weighted by speech and by how many of its
            segments a decision had heard, up to `FULL_HOPS`: the first ones know little.
        label: the likeliest emotion; None below the least confidence.
        confidence: its mean probability; None where `label` is None.
    """

    start_s: float
    end_s: float
    emotions: dict[str, float]
    label: str | None
    confidence: float | None


@dataclass(frozen=True)
class Reading:
    """What is shown after a decision.

    Attributes:
        speaking: whether somebody speaks, breaths and short pauses included.
        label: the emotion named; None while the recogniser abstains.
        confidence: its averaged probability, 0..1; None where `label` is None.
        utterance: the utterance that this decision ends, if it does.
    """

    speaking: bool
    label: str | None
    confidence: float | None
    utterance: Utterance | None


class Decider:
    """Turns a stream's decisions into readings; one a stream.

    Args:
        min_confidence: the model's own least confidence, for settings that leave it to the model.
        settings: see `DecideSettings`.
    """

    def __init__(self, min_confidence: float, settings: DecideSettings | None = None) -> None:
        settings = settings or DecideSettings()
        self.enter = min_confidence if settings.enter_confidence is None else settings.enter_confidence
        leave = self.enter - 0.1 if settings.leave_confidence is None else settings.leave_confidence
        self.leave = min(leave, self.enter)
        self._settings = settings
        self._new_share = 1 - math.exp(-HOP_S / settings.smoothing_s) if settings.smoothing_s else 1.0
        self._onset, self._hold = max(1, _hops(settings.onset_s)), _hops(settings.hold_s)
        self._hangover, self._silence = max(1, _hops(settings.hangover_s)), max(1, _hops(settings.silence_s))
        self._average: dict[str, float] = {}
        self._label: str | None = None
        self._held_hops = 0
        self._speech_hops = self._silent_hops = 0
        self._start_s = self._end_s = 0.0
        self._sums: dict[str, float] = {}
        self._weight = 0.0

    def clear(self) -> None:
        """Forget everything: the source is another, or was lost."""
        self._let_go()
        self._close()

    def push(self, decision: Decision) -> Reading:
        """Take the next decision."""
        begun = self._speech_hops >= self._onset
        if decision.speech >= (self._settings.speech_leave if begun else self._settings.speech_enter):
            self._hear(decision)
        elif begun:
            self._silent_hops += 1
        else:
            self._close()
        speaking = self._speech_hops >= self._onset and self._silent_hops < self._hangover
        if speaking and decision.emotions is not None:
            self._choose(decision.emotions)
        else:
            self._let_go()
        utterance = self.finish() if self._silent_hops >= self._silence else None
        confidence = self._average[self._label] if self._label is not None else None
        return Reading(speaking, self._label, confidence, utterance)

    def finish(self) -> Utterance | None:
        """End the utterance that lasts, if one does: the stream is over, or was lost."""
        utterance = None
        if self._speech_hops >= self._onset and self._weight:
            emotions = {emotion: total / self._weight for emotion, total in self._sums.items()}
            utterance = Utterance(self._start_s, self._end_s, emotions, *named(emotions, self.enter))
        self._close()
        return utterance

    def _hear(self, decision: Decision) -> None:
        """Add a segment with speech to the utterance, or to what may become one."""
        if not self._speech_hops:
            self._start_s = decision.time_s - SEGMENT_S
        self._speech_hops += 1
        self._silent_hops = 0
        self._end_s = decision.time_s
        if decision.emotions is not None:
            weight = decision.speech * min(self._speech_hops, FULL_HOPS)
            self._weight += weight
            for emotion, probability in decision.emotions.items():
                self._sums[emotion] = self._sums.get(emotion, 0.0) + weight * probability

    def _choose(self, emotions: dict[str, float]) -> None:
        """Average the probabilities, and let the label follow them with hysteresis."""
        before = self._average or emotions
        self._average = {
            emotion: before[emotion] + self._new_share * (probability - before[emotion])
            for emotion, probability in emotions.items()
        }
        self._held_hops += 1
        if self._label is not None and self._held_hops < self._hold:
            return
        likeliest, _ = named(self._average, self.enter)
        if likeliest is None and self._label is not None and self._average[self._label] >= self.leave:
            return
        if likeliest != self._label:
            self._label, self._held_hops = likeliest, 0

    def _let_go(self) -> None:
        self._average, self._label, self._held_hops = {}, None, 0

    def _close(self) -> None:
        self._speech_hops = self._silent_hops = 0
        self._sums, self._weight = {}, 0.0


def _hops(seconds: float) -> int:
    """The nearest number of hops."""
    return round(seconds / HOP_S)
