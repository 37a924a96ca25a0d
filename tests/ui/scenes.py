"""Views of events that were made by hand."""

from __future__ import annotations

from made import decided, started

from rtser.ui.layout import Layout
from rtser.ui.view_state import ViewState

LABELS = ("angry", "neutral", "sad")
BEGIN = started("microphone", 48_000, LABELS)


def decision(time_s, label="angry", speech=0.9, salience=0.1, speaking=True, probabilities=(0.6, 0.3, 0.1)):
    emotions = dict(zip(LABELS, probabilities, strict=True))
    return decided(time_s, emotions, label, speech, salience, speaking)


def scene(*events, **about):
    seen = ViewState(LABELS, window=10, threshold=0.4, window_s=4.0, **about)
    for event in (BEGIN, *events):
        seen.take(event)
    return seen


def text(seen, width=80, height=24):
    return "\n".join(row.plain for row in Layout(seen).rows(width, height))
