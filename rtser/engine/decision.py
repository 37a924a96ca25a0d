"""What the recogniser says: a decision for each segment, and utterances."""

from __future__ import annotations

from dataclasses import dataclass

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32, segment_end_s


@dataclass(frozen=True)
class Leaning:
    """The likeliest emotion and its averaged probability, 0..1, even if this is too low to name it."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Decision:
    """What the recogniser says at the end of one segment.

    Attributes:
        time_s: end of the segment, in seconds from the start of the stream; 0.335 + 0.06 k for the k-th.
        emotions: calibrated probability of each emotion over the window; None if the window holds too little speech.
        label: the emotion named now, steadied (`DecideSettings`); None while the recogniser abstains. While it is held
            (`hold_s`), `leaning` may already be another emotion.
        confidence: its averaged probability, 0..1; None while the recogniser abstains.
        leaning: the likeliest emotion; None if nobody speaks, or if too little has been said.
        speaking: whether somebody speaks, breaths and short pauses included.
        speech: probability that this segment holds speech, 0..1.
        segment_emotions: this segment's own posterior, equation (1).
        salience: this segment's share of the window's attention, 0..1.
        embedding: the segment's embedding (F,), if it was asked for.
    """

    time_s: float
    emotions: dict[str, float] | None
    label: str | None
    confidence: float | None
    leaning: Leaning | None
    speaking: bool
    speech: float
    segment_emotions: dict[str, float]
    salience: float
    embedding: Float32 | None = None


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech.

    Attributes:
        start_s: start of its first segment with speech, in seconds of the stream.
        end_s: end of its last segment with speech.
        emotions: mean of its decisions' probabilities, weighted by speech x min(h / 62, 1)^8 for h hops of speech
            so far: the last ones of a short utterance count most.
        label: the likeliest emotion; None below the label threshold.
        confidence: its mean probability; None if `label` is None.
        leaning: the likeliest emotion, named or not.
        final: False if the speech goes on and this is the report so far.
    """

    start_s: float
    end_s: float
    emotions: dict[str, float]
    label: str | None
    confidence: float | None
    leaning: Leaning
    final: bool = True

    @staticmethod
    def of(first: int, last: int, emotions: dict[str, float], label_threshold: float, final: bool) -> Utterance:
        """The utterance from one segment to another, both counted from 0."""
        start_s = first * HOP_SAMPLES / SAMPLE_RATE
        leaning = Leaning(*max(emotions.items(), key=lambda item: item[1]))
        is_named = leaning.confidence >= label_threshold
        label, confidence = (leaning.label, leaning.confidence) if is_named else (None, None)
        return Utterance(start_s, segment_end_s(last), emotions, label, confidence, leaning, final)
