"""From decisions every 60 ms to what a person can read: a steady label, and utterances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, segment_end_s
from rtser.engine.decision import Decision, likeliest
from rtser.errors import ArgumentError

HOP_S = HOP_SAMPLES / SAMPLE_RATE
FULL_HOPS = 62  # so many hops of speech fill a window of 4 s: a decision then knows as much as it ever will

Seconds = Annotated[float, Field(ge=0, le=3600)]
Probability = Annotated[float, Field(ge=0, le=1)]


class DecideSettings(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How decisions become a label. Durations are in seconds, rounded to hops of 60 ms; all else is 0 to 1."""

    smoothing_s: Seconds = Field(0.3, description="time constant of the running average of the probabilities; 0: none")
    label_threshold: Probability | None = Field(None, description="an emotion is named from here on; null: the model's")
    leave_threshold: Probability | None = Field(None, description="and dropped below this; null: label_threshold - 0.1")
    hold_s: Seconds = Field(0.6, description="a named emotion stays at least so long while there is speech")
    speech_enter: Probability = Field(0.7, description="speech probability from which a segment may begin an utterance")
    speech_leave: Probability = Field(0.4, description="speech probability below which a segment counts as silence")
    onset_s: Seconds = Field(0.48, description="unbroken speech that begins an utterance; more: fewer false alarms")
    hangover_s: Seconds = Field(0.6, description="silence that ends the label")
    silence_s: float = Field(
        0.6, ge=0.36, le=3600, description="silence that ends the utterance; at least 0.36, a segment"
    )

    @model_validator(mode="after")
    def _leave_lies_below_enter(self) -> DecideSettings:
        for upper, lower in (("label_threshold", "leave_threshold"), ("speech_enter", "speech_leave")):
            high, low = getattr(self, upper), getattr(self, lower)
            if high is not None and low is not None and low > high:
                raise ValueError(f"{lower} must not be above {upper} ({high}), but is {low}")
        return self


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech.

    Attributes:
        start_s: start of its first segment with speech, in seconds of the stream.
        end_s: end of its last segment with speech.
        emotions: mean of its decisions' probabilities, weighted by speech and by its segments so far (`FULL_HOPS`).
        label: the likeliest emotion; None below the label threshold.
        confidence: its mean probability; None where `label` is None.
    """

    start_s: float
    end_s: float
    emotions: dict[str, float]
    label: str | None
    confidence: float | None


@dataclass(frozen=True)
class Reading:
    """What the decider makes of one decision.

    Attributes:
        speaking: whether somebody speaks, breaths and short pauses included.
        label: the emotion named now; None while it abstains.
        confidence: its averaged probability; None while it abstains.
        utterance: the one that ended with this decision, if one did.
    """

    speaking: bool
    label: str | None
    confidence: float | None
    utterance: Utterance | None


class Decider:
    """Steadies the label of a stream of decisions, and finds its utterances.

    Args:
        label_threshold: the model's own, 0..1, for settings that leave it to the model.
        settings: see `DecideSettings`.

    Raises:
        ArgumentError: the threshold is out of range.
    """

    def __init__(self, label_threshold: float, settings: DecideSettings | None = None) -> None:
        if not 0 <= label_threshold <= 1:
            raise ArgumentError(f"the label threshold must be 0 to 1, not {label_threshold}")
        settings = settings or DecideSettings()
        self.enter = label_threshold if settings.label_threshold is None else settings.label_threshold
        leave = self.enter - 0.1 if settings.leave_threshold is None else settings.leave_threshold
        self.leave = min(leave, self.enter)
        self._settings = settings
        self._new_share = 1 - math.exp(-HOP_S / settings.smoothing_s) if settings.smoothing_s else 1.0
        self._hold = round(settings.hold_s / HOP_S)
        durations_s = settings.onset_s, settings.hangover_s, settings.silence_s
        self._onset, self._hangover, self._silence = (max(1, round(seconds / HOP_S)) for seconds in durations_s)
        self._start_s = self._end_s = self._weight = 0.0
        self._speech_hops = self._silent_hops = self._held_hops = 0
        self._average: dict[str, float] = {}
        self._sums: dict[str, float] = {}
        self._label: str | None = None

    def clear(self) -> None:
        """Forget everything: the source is another, or was lost."""
        self._drop_label()
        self._close()

    @property
    def idle(self) -> bool:
        """Whether no utterance lasts and none may be beginning: what was decided on so far concerns nothing to come."""
        return not self._speech_hops

    def push(self, decision: Decision) -> Reading:
        """Take the next decision."""
        begun = self._speech_hops >= self._onset
        if decision.speech >= (self._settings.speech_leave if begun else self._settings.speech_enter):
            self._add_speech(decision)
        elif begun:
            self._silent_hops += 1
        else:
            self._close()
        speaking = self._speech_hops >= self._onset and self._silent_hops < self._hangover
        if speaking and decision.emotions is not None:
            self._choose(decision.emotions)
        else:
            self._drop_label()
        utterance = self.finish() if self._silent_hops >= self._silence else None
        confidence = self._average[self._label] if self._label is not None else None
        return Reading(speaking, self._label, confidence, utterance)

    def finish(self) -> Utterance | None:
        """End the utterance that lasts, if one does: the stream is over, or was lost."""
        utterance = None
        if self._speech_hops >= self._onset and self._weight:
            emotions = {emotion: total / self._weight for emotion, total in self._sums.items()}
            utterance = Utterance(self._start_s, self._end_s, emotions, *likeliest(emotions, self.enter))
        self._close()
        return utterance

    def _add_speech(self, decision: Decision) -> None:
        """Add a segment with speech to the utterance, or to what may become one."""
        if not self._speech_hops:
            self._start_s = decision.time_s - segment_end_s(0)
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
        share = self._new_share
        self._average = {name: before[name] + share * (value - before[name]) for name, value in emotions.items()}
        self._held_hops += 1
        if self._label is not None and self._held_hops < self._hold:
            return
        label, _ = likeliest(self._average, self.enter)
        if label is None and self._label is not None and self._average[self._label] >= self.leave:
            return
        if label != self._label:
            self._label, self._held_hops = label, 0

    def _drop_label(self) -> None:
        self._average, self._label, self._held_hops = {}, None, 0

    def _close(self) -> None:
        self._speech_hops = self._silent_hops = 0
        self._sums, self._weight = {}, 0.0
