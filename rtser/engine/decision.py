"""What the recogniser says at the end of one segment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """What the recogniser says at the end of one segment.

    Attributes:
        time_s: end of the segment, in seconds from the start of the stream; 0.335 + 0.06 k for the k-th.
        emotions: calibrated probability of each emotion over the window; None where the window holds no speech.
        speech: probability that this segment holds speech, 0..1.
        segment_emotions: this segment's own posterior, equation (1).
        salience: this segment's share of the window's attention, 0..1.
        label: the likeliest emotion; None while the recogniser abstains.
        confidence: its probability, 0..1; None while the recogniser abstains.
    """

    time_s: float
    emotions: dict[str, float] | None
    speech: float
    segment_emotions: dict[str, float]
    salience: float
    label: str | None
    confidence: float | None


def likeliest(emotions: dict[str, float], label_threshold: float) -> tuple[str | None, float | None]:
    """The likeliest emotion and its probability; None for both where it is below the threshold."""
    label, confidence = max(emotions.items(), key=lambda item: item[1])
    return (label, confidence) if confidence >= label_threshold else (None, None)
