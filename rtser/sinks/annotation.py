"""The utterances of one recording as a file for other programs: Praat, video players, Audacity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rtser.events import EndEvent, Event, UtteranceEvent
from rtser.files import replacing
from rtser.summary import UNCERTAIN, percent

Write = Callable[[Path, Sequence[UtteranceEvent], float], None]
"""Writes a file from the final utterances of a recording, oldest first, and its seconds; raises OSError."""


def write_annotation(path: Path, write: Write, events: Iterable[Event]) -> None:
    """Write the final utterances of a recording to a file, which is whole or absent, and replaces an earlier one.

    A recording without an end or without any decision writes no file.

    Args:
        path: the file.
        write: the format, such as `rtser.sinks.captions.write_captions`.
        events: the recording's events; only utterances and the end are read.

    Raises:
        OutputError: the file cannot be written.
    """
    utterances: list[UtteranceEvent] = []
    for event in events:
        if isinstance(event, UtteranceEvent) and event.final:
            utterances.append(event)
        elif isinstance(event, EndEvent) and event.decisions:
            with replacing(path) as part:
                write(part, utterances, event.time)


def caption(utterance: UtteranceEvent) -> str:
    """An utterance as text: its emotion and probability.

    If no emotion is sure, the text is ``uncertain`` and the likeliest one: an empty label would look like silence.
    """
    likeliest = f"{utterance.leaning.label} {percent(utterance.leaning.confidence)}"
    return likeliest if utterance.label else f"{UNCERTAIN} ({likeliest})"
