"""The utterances of one recording as a file for other programs: Praat, video players, Audacity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rtser.events import EndEvent, Event, StartEvent, UtteranceEvent
from rtser.files import replacing
from rtser.summary import UNCERTAIN, percent

Write = Callable[[Path, Sequence[UtteranceEvent], float], None]
"""Writes a file from the final utterances of a recording, oldest first, and its seconds; raises OSError."""


class AnnotationFile:
    """Keeps the final utterances, and writes them at the recording's end (a `rtser.sinks.Sink`).

    The file is whole or absent, and replaces an earlier one. A recording without any decision writes no file.

    Args:
        path: the file.
        write: the format, such as `rtser.sinks.captions.write_captions`.
    """

    kinds = (StartEvent, UtteranceEvent, EndEvent)

    def __init__(self, path: Path, write: Write) -> None:
        self._path, self._write = path, write
        self._utterances: list[UtteranceEvent] = []

    def write(self, event: Event) -> None:
        """Keep an utterance, or write the file at the end.

        Raises:
            OutputError: the file cannot be written.
        """
        if isinstance(event, StartEvent):
            self._utterances.clear()
        elif isinstance(event, UtteranceEvent) and event.final:
            self._utterances.append(event)
        elif isinstance(event, EndEvent) and event.decisions:
            with replacing(self._path) as part:
                self._write(part, self._utterances, event.time)

    def close(self) -> None:
        """Do nothing; a recording that has not ended writes no file."""


def caption(utterance: UtteranceEvent) -> str:
    """An utterance as text: its emotion and probability.

    If no emotion is sure, the text is ``uncertain`` and the likeliest one: an empty label would look like silence.
    """
    likeliest = f"{utterance.leaning.label} {percent(utterance.leaning.confidence)}"
    return likeliest if utterance.label else f"{UNCERTAIN} ({likeliest})"
