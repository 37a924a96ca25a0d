"""Utterances as a label track of Audacity: lines of start, end and label, separated by tabs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtser.events import UtteranceEvent
from rtser.sinks.annotation import caption


def write_labels(path: Path, utterances: Sequence[UtteranceEvent], seconds: float) -> None:  # noqa: ARG001
    """Write one label per utterance, from its start to its end in seconds: its emotion and probability."""
    lines = [f"{one.start:.6f}\t{one.end:.6f}\t{caption(one)}\n" for one in utterances]
    path.write_text("".join(lines), encoding="utf-8")
