"""Print test vectors of the decider: decisions, and the readings of rtser/engine/decider.py.

    python tools/make_vectors.py > tests/data/decider.json

The decider of the web page (rtser/serve/web/decider.js) must give the same readings.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rtser.engine.decider import Decider, DecideSettings
from rtser.engine.decision import Utterance

LABELS = ("angry", "neutral", "sad")
THRESHOLD = 0.4
CASES: tuple[dict[str, float], ...] = (
    {},
    {"smoothing_s": 0.0, "hold_s": 0.0},
    {"label_threshold": 0.6, "leave_threshold": 0.3, "hold_s": 1.2},
    {"onset_s": 0.06, "hangover_s": 0.06, "silence_s": 0.36},
    {"report_s": 1.0, "speech_enter": 0.5, "speech_leave": 0.5},
    {"onset_s": 0.09, "hold_s": 0.15, "report_s": 1.05},
)


def main() -> None:
    """Print the vectors."""
    cases = [case(number, settings) for number, settings in enumerate(CASES)]
    print(json.dumps({"labels": LABELS, "threshold": THRESHOLD, "cases": cases}))


def case(seed: int, settings: dict[str, float]) -> dict[str, Any]:
    """A case: settings, random decisions with speech and pauses, and the readings."""
    rng = np.random.default_rng(seed)
    decider = Decider(LABELS, THRESHOLD, DecideSettings.model_validate(settings))
    decisions, readings, logits = [], [], np.zeros(len(LABELS))
    for segment in range(160):
        talks = (segment // 23) % 3 < 2
        speech = round(float(np.clip(rng.normal(0.85 if talks else 0.15, 0.25), 0, 1)), 3)
        logits = 0.9 * logits + rng.normal(0, 0.6, len(LABELS))
        shares = np.exp(logits) / np.exp(logits).sum() if speech > 0.2 else np.zeros(len(LABELS))
        emotions = [round(float(share), 4) for share in shares]
        idle = decider.idle
        read = decider.push(segment, speech, emotions)
        decisions.append([speech, emotions])
        readings.append(
            {
                "idle": idle,
                "speaking": read.speaking,
                "label": LABELS[read.label] if read.label >= 0 else None,
                "confidence": read.confidence if read.label >= 0 else None,
                "leaning": leaning(read.leaning, read.leaning_confidence),
                "utterance": told(read.utterance),
            }
        )
    return {"settings": settings, "decisions": decisions, "readings": readings, "last": told(decider.clear())}


def leaning(index: int, confidence: float) -> dict[str, Any] | None:
    """A leaning as JSON."""
    return {"label": LABELS[index], "confidence": confidence} if index >= 0 else None


def told(utterance: Utterance | None) -> dict[str, Any] | None:
    """An utterance as JSON, under the keys of its event."""
    if utterance is None:
        return None
    content = dict(vars(utterance))
    start, end, leans = content.pop("start_s"), content.pop("end_s"), content.pop("leaning")
    return {"start": start, "end": end, "leaning": vars(leans), **content}


if __name__ == "__main__":
    main()
