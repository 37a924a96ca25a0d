"""Events made by hand, for tests of what is done with them."""

from __future__ import annotations

from rtser.engine.decision import Leaning
from rtser.events import DecisionEvent, EndEvent, ModelName, StartEvent, UtteranceEvent


def started(source="a.wav", sample_rate=16_000, labels=("angry", "sad"), run="r1"):
    model = ModelName("tiny", "0" * 64, tuple(labels))
    return StartEvent(2, run, "2026-01-02T03:04:05.678Z", "0", source, sample_rate, model, "CPUExecutionProvider", None)


def likeliest(emotions):
    return Leaning(*max(emotions.items(), key=lambda item: item[1])) if emotions else None


def decided(time_s, emotions, label=None, speech=0.9, salience=0.1, speaking=True):
    confidence = emotions[label] if label else None
    leaning = likeliest(emotions) if speaking else None
    segment = emotions or {"angry": 0.5, "sad": 0.5}
    return DecisionEvent(time_s, emotions, label, confidence, leaning, speaking, speech, segment, salience)


def spoken(start_s, end_s, label, emotions, final=True):
    confidence = emotions.get(label) if label else None
    return UtteranceEvent(start_s, end_s, label, confidence, likeliest(emotions), emotions, final)


def ended(time_s, decisions=10):
    return EndEvent(time_s, decisions, 0, 0, {}, {})
