"""From decisions every 60 ms to what a person can read: a steady label, and utterances; of many streams at once."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.engine.decision import Float64, Indices, Utterance
from rtser.errors import ArgumentError

HOP_S = HOP_SAMPLES / SAMPLE_RATE
FULL_HOPS = 62  # so many hops of speech fill a window of 4 s: a decision then knows as much as it ever will
KNOWING = 8  # power of a decision's weight: the last ones of a short utterance decide, in a long one all those over full windows

Seconds = Annotated[float, Field(ge=0, le=3600)]
Probability = Annotated[float, Field(ge=0, le=1)]


class DecideSettings(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How decisions become a label. Durations are in seconds, rounded to hops of 60 ms; all else is 0 to 1."""

    smoothing_s: Seconds = Field(0.3, description="time constant of the running average of the probabilities; 0: none")
    label_threshold: Probability | None = Field(None, description="an emotion is named from here on; null: the model's")
    leave_threshold: Probability | None = Field(None, description="and dropped below this; null: label_threshold - 0.1")
    hold_s: Seconds = Field(0.6, description="a named emotion stays at least so long while there is speech")
    speech_enter: Probability = Field(0.8, description="speech probability from which a segment may begin an utterance")
    speech_leave: Probability = Field(0.4, description="speech probability below which a segment counts as silence")
    onset_s: Seconds = Field(0.42, description="unbroken speech that begins an utterance; more: fewer false alarms")
    hangover_s: Seconds = Field(0.36, description="silence that ends the label")
    silence_s: float = Field(
        0.36, ge=0.36, le=3600, description="silence that ends the utterance; at least 0.36, a segment"
    )
    report_s: float = Field(10, ge=1, le=3600, description="speech that goes on is reported each time after so long")

    @model_validator(mode="after")
    def _leave_lies_below_enter(self) -> DecideSettings:
        for upper, lower in (("label_threshold", "leave_threshold"), ("speech_enter", "speech_leave")):
            high, low = getattr(self, upper), getattr(self, lower)
            if high is not None and low is not None and low > high:
                raise ValueError(f"{lower} must not be above {upper} ({high}), but is {low}")
        return self

    def thresholds(self, models_own: float) -> tuple[float, float]:
        """From where on an emotion is named, and below which it is dropped; `models_own`: the model's threshold.

        Raises:
            ArgumentError: it would be dropped above where it is named.
        """
        enter = models_own if self.label_threshold is None else self.label_threshold
        leave = max(0.0, enter - 0.1) if self.leave_threshold is None else self.leave_threshold
        if leave > enter:
            raise ArgumentError(f"leave_threshold ({leave}) must not be above the model's label threshold ({enter})")
        return enter, leave


class Readings(NamedTuple):
    """What the deciders make of one decision of each of n rows: the last attributes of `Decisions`."""

    speaking: NDArray[np.bool_]
    label: Indices
    confidence: Float64
    leaning: Indices
    leaning_confidence: Float64
    utterances: list[tuple[int, Utterance]]


class Deciders:
    """Steadies the labels of many streams, and finds their utterances.

    Each stream has a row. All arithmetic is by element, so that a row's results do not depend on the others.

    Args:
        labels: the K emotions.
        label_threshold: the model's own, 0..1, for settings that leave it to the model.
        settings: see `DecideSettings`.

    Raises:
        ArgumentError: the thresholds contradict each other.
    """

    def __init__(self, labels: tuple[str, ...], label_threshold: float, settings: DecideSettings) -> None:
        self._labels, self._settings = labels, settings
        self._enter, self._leave = settings.thresholds(label_threshold)
        self._new_share = 1 - math.exp(-HOP_S / settings.smoothing_s) if settings.smoothing_s else 1.0
        self._hold, self._report = round(settings.hold_s / HOP_S), round(settings.report_s / HOP_S)
        durations_s = settings.onset_s, settings.hangover_s, settings.silence_s
        self._onset, self._hangover, self._silence = (max(1, round(seconds / HOP_S)) for seconds in durations_s)
        # of the utterance that lasts, or may be beginning
        self._hops, self._silent, self._first, self._last, self._told = np.zeros((5, 0), np.int64)
        self._sums, self._weight = np.zeros((0, len(labels))), np.zeros(0)
        # of the label
        self._label, self._held = np.zeros((2, 0), np.int64)
        self._average = np.zeros((0, len(labels)))

    def grow(self, rows: int) -> None:
        """Make room for so many rows."""
        for name in ("hops", "silent", "first", "last", "told", "sums", "weight", "label", "held", "average"):
            old = getattr(self, f"_{name}")
            new = np.full((rows, *old.shape[1:]), -1 if name == "label" else 0, old.dtype)
            new[: len(old)] = old
            setattr(self, f"_{name}", new)

    def idle(self, rows: Indices | slice) -> NDArray[np.bool_]:
        """Which rows are in no utterance and in no onset: what was decided on so far concerns nothing to come."""
        quiet: NDArray[np.bool_] = self._hops[rows] == 0
        return quiet

    def push(self, rows: Indices | slice, segments: Indices, speech: Float32, emotions: Float32) -> Readings:
        """Take the next decision of each of n rows.

        Args:
            rows: which; each at most once.
            segments: (n,), numbers of their segments, from 0.
            speech: (n,).
            emotions: (n, K); zeros where the window holds too little speech.
        """
        before, probabilities = self._hops[rows], emotions.astype(np.float64)
        begun = before >= self._onset
        talks = speech >= np.where(begun, self._settings.speech_leave, self._settings.speech_enter)
        if not (talks.any() or begun.any()):
            self._close(rows)
            self._drop_labels(rows)
            none, nothing = np.full(len(speech), -1), np.zeros(len(speech))
            return Readings(begun, none, nothing, none, nothing, [])
        hops = np.where(talks, before + 1, before * begun)
        silent = np.where(talks, 0, (self._silent[rows] + 1) * begun)
        starts = talks & (before == 0)
        self._hops[rows], self._silent[rows] = hops, silent
        self._first[rows] = np.where(starts, segments, self._first[rows])
        self._told[rows] = np.where(starts, segments, self._told[rows])
        self._last[rows] = np.where(talks, segments, self._last[rows])
        decided = probabilities.any(axis=1)
        self._add(rows, hops, talks & decided, speech, probabilities)
        speaking = (hops >= self._onset) & (silent < self._hangover)
        choosing = speaking & decided
        if choosing.any():
            chosen = self._choose(rows, choosing, probabilities)
        else:
            self._drop_labels(rows)
            none, nothing = np.full(len(speech), -1), np.zeros(len(speech))
            chosen = none, nothing, none, nothing
        return Readings(speaking, *chosen, self._utterances(rows, segments))

    def clear(self, row: int) -> Utterance | None:
        """Forget everything of a row; the utterance that this cuts off, if one lasts."""
        utterance = self._utterance(row, final=True) if self._hops[row] >= self._onset else None
        self._drop_labels(row)
        self._close(row)
        return utterance

    def _add(
        self, rows: Indices | slice, hops: Indices, counts: NDArray[np.bool_], speech: Float32, emotions: Float64
    ) -> None:
        """Add the segments with speech to their utterances, or to what may become one."""
        weight = counts * speech.astype(np.float64) * (np.minimum(hops, FULL_HOPS) / FULL_HOPS) ** KNOWING
        lasts = hops > 0
        self._weight[rows] = self._weight[rows] * lasts + weight
        self._sums[rows] = self._sums[rows] * lasts[:, None] + weight[:, None] * emotions

    def _choose(
        self, rows: Indices | slice, choosing: NDArray[np.bool_], emotions: Float64
    ) -> tuple[Indices, Float64, Indices, Float64]:
        """Average the probabilities, and let the labels follow them with hysteresis."""
        average, label = self._average[rows], self._label[rows]
        share = np.where(average.any(axis=1), self._new_share, 1.0)
        average = (average + share[:, None] * (emotions - average)) * choosing[:, None]
        each, held = np.arange(len(label)), self._held[rows] + 1
        leaning = np.where(choosing, average.argmax(axis=1), -1)
        likeliest = average.max(axis=1)
        named = np.where(likeliest >= self._enter, leaning, -1)
        stays = (held < self._hold) | ((named < 0) & (average[each, label] >= self._leave))
        new = np.where(stays & choosing & (label >= 0), label, named)
        self._held[rows] = np.where((new == label) & choosing, held, 0)
        self._average[rows], self._label[rows] = average, new  # last: `label` may be a view
        return new, np.where(new >= 0, average[each, new], 0.0), leaning, likeliest

    def _utterances(self, rows: Indices | slice, segments: Indices) -> list[tuple[int, Utterance]]:
        """The utterances that end now, and those that have gone on for another `report_s`, by their place in `rows`."""
        ends = self._silent[rows] >= self._silence
        due = (segments - self._told[rows] >= self._report) & (self._hops[rows] >= self._onset)
        found: list[tuple[int, Utterance]] = []
        if not (ends.any() or due.any()):
            return found
        numbers = np.arange(len(self._hops))[rows]
        for place in np.flatnonzero(ends | due).tolist():
            row = int(numbers[place])
            if utterance := self._utterance(row, final=bool(ends[place])):
                found.append((place, utterance))
            self._told[row] = segments[place]
            if ends[place]:
                self._close(row)
        return found

    def _utterance(self, row: int, final: bool) -> Utterance | None:
        """A row's utterance so far; None where too little was said to decide."""
        if not self._weight[row]:
            return None
        means = dict(zip(self._labels, (self._sums[row] / self._weight[row]).tolist(), strict=True))
        return Utterance.of(int(self._first[row]), int(self._last[row]), means, self._enter, final)

    def _drop_labels(self, rows: int | Indices | slice) -> None:
        self._label[rows], self._held[rows], self._average[rows] = -1, 0, 0

    def _close(self, rows: int | Indices | slice) -> None:
        self._hops[rows] = self._silent[rows] = self._sums[rows] = self._weight[rows] = 0
