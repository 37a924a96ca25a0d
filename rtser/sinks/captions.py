"""Utterances as WebVTT, captions for video players and browsers.

The format is a header and two lines per caption, so it is written here. The package webvtt-py would not do the
escaping, which is the only difficult part.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from rtser.events import UtteranceEvent
from rtser.sinks.annotation import caption


def write_captions(path: Path, utterances: Sequence[UtteranceEvent], seconds: float) -> None:  # noqa: ARG001
    """Write one caption per utterance, from its start to its end: its emotion and probability."""
    cues = [f"{_time(one.start)} --> {_time(one.end)}\n{escape(caption(one), quote=False)}\n" for one in utterances]
    path.write_text("\n".join(["WEBVTT\n", *cues]), encoding="utf-8")


def _time(seconds: float) -> str:
    """Seconds as hh:mm:ss.ttt."""
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
