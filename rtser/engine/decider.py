"""Turns decisions every 60 ms into what a person can read: a steady label, and utterances."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, model_validator

from rtser.engine.contract import HOP_S
from rtser.engine.decision import Utterance
from rtser.errors import ArgumentError

FULL_HOPS = 62  # so many hops of speech fill a window of 4 s: a decision then knows as much as it ever will
CERTAINTY_POWER = 8  # power of a decision's weight by its hops: of an utterance below 4 s the last decisions count most

Seconds = Annotated[float, Field(ge=0, le=3600)]
Probability = Annotated[float, Field(ge=0, le=1)]


class DecideSettings(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How decisions become a label. Durations are in seconds, rounded to hops of 60 ms; all else is 0 to 1."""

    smoothing_s: Seconds = Field(0.3, description="time constant of the running average of the probabilities; 0: none")
    label_threshold: Probability | None = Field(
        None, description="probability from which an emotion is named; null: the model's"
    )
    leave_threshold: Probability | None = Field(
        None, description="probability below which it is dropped; null: label_threshold - 0.1"
    )
    hold_s: Seconds = Field(0.6, description="shortest time that a named emotion stays while there is speech")
    speech_enter: Probability = Field(0.8, description="speech probability from which a segment may begin an utterance")
    speech_leave: Probability = Field(0.4, description="speech probability below which a segment counts as silence")
    onset_s: Seconds = Field(0.42, description="unbroken speech that begins an utterance; more: fewer false alarms")
    hangover_s: Seconds = Field(0.24, description="silence that ends the label")
    silence_s: float = Field(
        0.36,
        ge=0.36,
        le=3600,
        description="silence that ends the utterance, which is then forgotten; at least 0.36, a segment",
    )
    report_s: float = Field(10, ge=1, le=3600, description="interval of the reports on an utterance that has not ended")

    @model_validator(mode="after")
    def _leave_lies_below_enter(self) -> DecideSettings:
        for upper, lower in (("label_threshold", "leave_threshold"), ("speech_enter", "speech_leave")):
            high, low = getattr(self, upper), getattr(self, lower)
            if high is not None and low is not None and low > high:
                raise ValueError(f"{lower} must not be above {upper} ({high}), but is {low}")
        return self

    def thresholds(self, models_own: float) -> tuple[float, float]:
        """The probability from which an emotion is named, and the one below which it is dropped.

        Args:
            models_own: the model's threshold.

        Raises:
            ArgumentError: the second is above the first.
        """
        enter = models_own if self.label_threshold is None else self.label_threshold
        leave = max(0.0, enter - 0.1) if self.leave_threshold is None else self.leave_threshold
        if leave > enter:
            raise ArgumentError(f"leave_threshold ({leave}) must not be above the model's label threshold ({enter})")
        return enter, leave


class Reading(NamedTuple):
    """What a decider makes of one decision; see `rtser.Decision`. Emotions are indices, -1 for none.

    `lasts` says whether an utterance lasts, its pauses included. It is true in the segment that ends it too.
    """

    speaking: bool = False
    label: int = -1
    confidence: float = 0.0
    leaning: int = -1
    leaning_confidence: float = 0.0
    utterance: Utterance | None = None
    lasts: bool = False


SILENT = Reading()


class Decider:
    """Steadies the label of one stream, and finds its utterances.

    It is plain Python, 4 to 5 microseconds a decision. ARCHITECTURE.md says why it does not work on arrays.

    Args:
        labels: the K emotions.
        label_threshold: the model's own, 0..1, for settings that leave it to the model.
        settings: see `DecideSettings`.

    Raises:
        ArgumentError: the thresholds contradict each other.
    """

    def __init__(self, labels: tuple[str, ...], label_threshold: float, settings: DecideSettings) -> None:
        self._labels, self._models_own = labels, label_threshold
        self.change(settings)
        self._first = self._last = self._reported = self._hops = self._held = 0
        self._silent = self._silence  # segments of silence in a row
        self._sums, self._weight = [0.0] * len(labels), 0.0
        self._average: list[float] = []
        self._label = -1

    def change(self, settings: DecideSettings) -> None:
        """Follow other settings from the next decision on; the utterance that lasts goes on.

        Raises:
            ArgumentError: the thresholds contradict each other.
        """
        self._enter, self._leave = settings.thresholds(self._models_own)
        self._settings = settings
        self._new_share = 1 - math.exp(-HOP_S / settings.smoothing_s) if settings.smoothing_s else 1.0
        self._hold, self._report_hops = round(settings.hold_s / HOP_S), round(settings.report_s / HOP_S)
        durations_s = settings.onset_s, settings.hangover_s, settings.silence_s
        self._onset, self._hangover, self._silence = (max(1, round(seconds / HOP_S)) for seconds in durations_s)

    @property
    def idle(self) -> bool:
        """Whether no utterance lasts, and the silence was long enough to end one. Then the network may forget.

        A soft beginning is not silence, though it is too soft to begin an utterance. So the network keeps it.
        """
        return not self._hops and self._silent >= self._silence

    def push(self, segment: int, speech: float, emotions: list[float]) -> Reading:
        """Take the next decision.

        Args:
            segment: number of its segment, from 0.
            speech: probability that it holds speech.
            emotions: (K,) probabilities; zeros if the window holds too little speech.
        """
        begun, decided = self._hops >= self._onset, any(emotions)
        self._silent = 0 if speech >= self._settings.speech_leave else self._silent + 1
        if speech >= (self._settings.speech_leave if begun else self._settings.speech_enter):
            self._add(segment, speech, emotions if decided else None)
        elif self._hops and not begun:
            self._close()
        if self._hops < self._onset:
            return SILENT
        speaking = self._silent < self._hangover
        if not speaking:
            self._drop_label()
        elif decided:
            self._choose(emotions)
        label, average = self._label, self._average
        utterance = self._report(segment)
        if not average:
            return Reading(speaking, utterance=utterance, lasts=True)
        confidence, likeliest = average[label] if label >= 0 else 0.0, max(average)
        return Reading(speaking, label, confidence, average.index(likeliest), likeliest, utterance, True)

    def clear(self) -> Utterance | None:
        """Forget everything: the source is another or was lost. Returns the utterance that ends by this, if any."""
        utterance = self._utterance(final=True) if self._hops >= self._onset else None
        self._drop_label()
        self._close()
        self._silent = self._silence
        return utterance

    def _add(self, segment: int, speech: float, emotions: list[float] | None) -> None:
        """Add a segment with speech to the utterance, or to what may become one."""
        if not self._hops:
            self._first = self._reported = segment
        self._hops += 1
        self._last = segment
        if emotions:
            weight = speech * (min(self._hops, FULL_HOPS) / FULL_HOPS) ** CERTAINTY_POWER
            self._weight += weight
            self._sums = [total + weight * value for total, value in zip(self._sums, emotions, strict=True)]

    def _choose(self, emotions: list[float]) -> None:
        """Average the probabilities, and let the label follow them with hysteresis."""
        share = self._new_share
        if self._average:
            pairs = zip(self._average, emotions, strict=True)
            self._average = [before + share * (value - before) for before, value in pairs]
        else:
            self._average = emotions
        likeliest = max(self._average)
        self._held += 1
        if self._label >= 0 and self._held < self._hold:
            return
        if likeliest < self._enter and self._label >= 0 and self._average[self._label] >= self._leave:
            return
        label = self._average.index(likeliest) if likeliest >= self._enter else -1
        if label != self._label:
            self._label, self._held = label, 0

    def _report(self, segment: int) -> Utterance | None:
        """The utterance, if it ends now, or has gone on for another `report_s`."""
        ends = self._silent >= self._silence
        if not ends and segment - self._reported < self._report_hops:
            return None
        self._reported = segment
        utterance = self._utterance(ends)
        if ends:
            self._close()
        return utterance

    def _utterance(self, final: bool) -> Utterance | None:
        """The utterance so far; None if too little was said to decide."""
        if not self._weight:
            return None
        means = {label: total / self._weight for label, total in zip(self._labels, self._sums, strict=True)}
        return Utterance.of(self._first, self._last, means, self._enter, final)

    def _drop_label(self) -> None:
        self._average, self._label, self._held = [], -1, 0

    def _close(self) -> None:
        self._hops = 0
        self._sums, self._weight = [0.0] * len(self._labels), 0.0
