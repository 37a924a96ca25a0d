"""Recordings joined with pauses: does each utterance get its own emotion?

A recording's segments are those that end in it, or up to 1 s after it and before the next one begins. Its speech begins
where its first segment with a speech probability of at least 0.5 begins (the segment's end less 0.335 s). A label that
is already shown in the segment before that one, and has not changed since, belongs to the last utterance; it is not a
label of the recording's own. The first recording is left out, because none comes before it.

- named: the recogniser's utterance that overlaps the recording most has a label;
- right: its label is the recording's emotion;
- likeliest right: the last likeliest emotion of the recording was right, named or not;
- previous first: the first label shown in the recording (a lasting one counts) was the emotion of the recording before;
  among the recordings where a label was shown and the two emotions differ;
- no label: the recordings without a label of their own;
- first label, first right label: time from the beginning of speech to the first label of its own, and to the first that
  is the recording's emotion; medians over the recordings that had one. So compare them together with "no label";
- emotion changes/s: changes from one emotion to another within an utterance, also with no label between the two;
- shown changes/s: all changes of the shown label (an emotion or none) in segments while somebody speaks; both are per
  second of speech.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rtser.engine.contract import (
    HOP_SAMPLES,
    SAMPLE_RATE,
    SEGMENT_SAMPLES,
    Float32,
    segment_end_s,
    window_segments,
)
from rtser.engine.decider import Decider
from rtser.engine.decision import Decision, Utterance
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.models.raw import raw_outputs
from rtser.settings import ListenSettings
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import Recording

AFTER_S = 1.0
LEAD_S = 1.0
SPEECH = 0.5
SEGMENT_S = SEGMENT_SAMPLES / SAMPLE_RATE


class Part(NamedTuple):
    """One recording of the joined sound: its emotion, and where it lies, in seconds."""

    emotion: str
    start_s: float
    end_s: float


def join(
    spoken: Iterable[tuple[Recording, str]], pauses_s: tuple[float, float], rng: np.random.Generator
) -> tuple[Float32, list[Part]]:
    """Recordings one after the other, with a second of silence before the first and after the last pause.

    Args:
        spoken: the recordings in order, each with its emotion.
        pauses_s: shortest and longest pause after each, in seconds.
        rng: draws the pauses.

    Returns:
        the sound, (n,), float32, 16 kHz, and its parts.

    Raises:
        InputError: a recording cannot be read.
    """
    sounds, parts, at = [np.zeros(round(LEAD_S * SAMPLE_RATE), np.float32)], [], LEAD_S
    for recording, emotion in spoken:
        samples = read_samples(recording)
        pause = np.zeros(round(rng.uniform(*pauses_s) * SAMPLE_RATE), np.float32)
        parts.append(Part(emotion, at, at + len(samples) / SAMPLE_RATE))
        at = parts[-1].end_s + len(pause) / SAMPLE_RATE
        sounds += [samples, pause]
    return np.concatenate([*sounds, np.zeros(SAMPLE_RATE, np.float32)]), parts


class Shown(NamedTuple):
    """The output after each of S segments, and the utterances.

    Attributes:
        times_s: ends of the segments.
        labels: the emotions named.
        leanings: the likeliest emotions.
        speech: probabilities of speech.
        speaking: whether somebody speaks.
        utterances: those that ended, in order.
    """

    times_s: list[float]
    labels: list[str | None]
    leanings: list[str | None]
    speech: list[float]
    speaking: list[bool]
    utterances: list[Utterance]

    @property
    def spoken_s(self) -> float:
        """How many seconds somebody spoke."""
        return sum(self.speaking) * HOP_SAMPLES / SAMPLE_RATE


def streamed(model: Model, samples: Float32, settings: ListenSettings) -> Shown:
    """The output of `rtser file`."""
    stream = Stream(model, settings.window_s, settings.decide)
    said = [*stream.push(samples), stream.reset()]
    decisions = [one for one in said if isinstance(one, Decision)]
    return Shown(
        [one.time_s for one in decisions],
        [one.label for one in decisions],
        [one.leaning.label if one.leaning else None for one in decisions],
        [one.speech for one in decisions],
        [one.speaking for one in decisions],
        [one for one in said if isinstance(one, Utterance) and one.final],
    )


def slid(model: Model, samples: Float32, settings: ListenSettings) -> Shown:
    """The output that `rtser file` would have if its window never restarted."""
    window = window_segments(settings.window_s) if settings.window_s else model.metadata.window
    raw = raw_outputs(model, samples, window)
    decider = Decider(model.labels, model.metadata.label_threshold, settings.decide)
    said = enumerate(zip(raw.speech.tolist(), raw.emotions.tolist(), strict=True))
    readings = [decider.push(segment, speech, emotions) for segment, (speech, emotions) in said]
    names = [*model.labels, None]
    utterances = [one for one in (*(read.utterance for read in readings), decider.clear()) if one and one.final]
    return Shown(
        [segment_end_s(segment) for segment in range(len(readings))],
        [names[read.label] for read in readings],
        [names[read.leaning] for read in readings],
        raw.speech.tolist(),
        [read.speaking for read in readings],
        utterances,
    )


def told(utterances: Sequence[Utterance], part: Part) -> str | None:
    """The label of the utterance that overlaps a part most."""

    def overlap(one: Utterance) -> float:
        return min(one.end_s, part.end_s) - max(one.start_s, part.start_s)

    most = max(utterances, key=overlap, default=None)
    return most.label if most and overlap(most) > 0 else None


class Heard(NamedTuple):
    """What is shown of one recording.

    Attributes:
        first: the first label shown in it, which may still be that of the last utterance; None for none.
        leaning: the last likeliest emotion.
        wait_s: seconds from the beginning of speech to its own first label; None if there is none.
        right_wait_s: seconds to the first label that is right; None if there is none.
    """

    first: str | None
    leaning: str | None
    wait_s: float | None
    right_wait_s: float | None


def heard(shown: Shown, part: Part, after: Part | None) -> Heard:
    """What is shown of a recording; `after` is the next one."""
    until_s = min(part.end_s + AFTER_S, after.start_s if after else part.end_s + AFTER_S)
    begin, end = np.searchsorted(np.array(shown.times_s), [part.start_s, until_s]).tolist()
    named = [label for label in shown.labels[begin:end] if label]
    leanings = [leaning for leaning in shown.leanings[begin:end] if leaning]
    spoken = next((place for place in range(begin, end) if shown.speech[place] >= SPEECH), end)
    own = spoken
    while spoken and own < end and shown.labels[own] == shown.labels[spoken - 1] is not None:
        own += 1
    waits_s = [
        (shown.labels[place], shown.times_s[place] - (shown.times_s[spoken] - SEGMENT_S))
        for place in range(own, end)
        if shown.labels[place]
    ]
    right_s = [wait_s for label, wait_s in waits_s if label == part.emotion]
    return Heard(
        named[0] if named else None,
        leanings[-1] if leanings else None,
        waits_s[0][1] if waits_s else None,
        right_s[0] if right_s else None,
    )


def emotion_changes(shown: Shown) -> int:
    """Changes from one emotion to another within an utterance, which lasts here until the next one begins."""
    begins = np.searchsorted(shown.times_s, [one.start_s + SEGMENT_S - 1e-6 for one in shown.utterances]).tolist()
    stretches = [shown.labels[begin:end] for begin, end in pairwise([*begins, len(shown.labels)])]
    emotions = [[label for label in labels if label] for labels in stretches]
    return sum(one != other for labels in emotions for one, other in pairwise(labels))


def shown_changes(shown: Shown) -> int:
    """Segments while somebody speaks whose label (or none) differs from that of the segment before."""
    return sum(
        talks and one != other for (one, other), talks in zip(pairwise(shown.labels), shown.speaking[1:], strict=True)
    )


FIGURES = {
    "utterances": 0,
    "named %": 1,
    "right of named %": 1,
    "right of all %": 1,
    "likeliest right %": 1,
    "previous first %": 1,
    "no label %": 1,
    "first label s": 2,
    "first right label s": 2,
    "emotion changes/s": 3,
    "shown changes/s": 2,
}
"""The columns, and their decimals."""


def figures(shown: Shown, parts: list[Part]) -> list[float]:
    """A draw's figures, in the order of `FIGURES`; nan where there is nothing to count."""
    said = [heard(shown, part, after) for part, after in zip(parts[1:], [*parts[2:], None], strict=True)]
    labels = [(told(shown.utterances, part), part.emotion) for part in parts[1:]]
    named, right = sum(bool(label) for label, _ in labels), sum(label == emotion for label, emotion in labels)
    likeliest = sum(one.leaning == part.emotion for one, part in zip(said, parts[1:], strict=True))
    firsts = [
        one.first == before.emotion
        for one, (before, part) in zip(said, pairwise(parts), strict=True)
        if one.first and before.emotion != part.emotion
    ]
    waits_s = [one.wait_s for one in said if one.wait_s is not None]
    right_waits_s = [one.right_wait_s for one in said if one.right_wait_s is not None]
    return [
        len(said),
        100 * named / len(said),
        100 * right / named if named else math.nan,
        100 * right / len(said),
        100 * likeliest / len(said),
        100 * sum(firsts) / len(firsts) if firsts else math.nan,
        100 * (len(said) - len(waits_s)) / len(said),
        float(np.median(waits_s)) if waits_s else math.nan,
        float(np.median(right_waits_s)) if right_waits_s else math.nan,
        emotion_changes(shown) / shown.spoken_s if shown.spoken_s else math.nan,
        shown_changes(shown) / shown.spoken_s if shown.spoken_s else math.nan,
    ]
