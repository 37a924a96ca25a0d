"""Utterances as a Praat TextGrid, which ELAN reads too; written by praatio (extra ``textgrid``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtser.events import UtteranceEvent
from rtser.summary import UNCERTAIN


def write_textgrid(path: Path, utterances: Sequence[UtteranceEvent], seconds: float) -> None:
    """Write two tiers of intervals, which are empty where nobody speaks.

    ``emotion`` holds the emotion, or ``uncertain``; ``likeliest`` the likeliest one with its probability, 0..1.

    Raises:
        ModuleNotFoundError: praatio is not installed.
    """
    from praatio import textgrid

    named = [(one.start, one.end, one.label or UNCERTAIN) for one in utterances]
    likeliest = [(one.start, one.end, f"{one.leaning.label} {one.leaning.confidence:.3f}") for one in utterances]
    grid = textgrid.Textgrid()
    for name, intervals in (("emotion", named), ("likeliest", likeliest)):
        grid.addTier(textgrid.IntervalTier(name, intervals, 0, seconds))
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True)
