"""One line of JSON per recording: its summary."""

from __future__ import annotations

import json
import os
from typing import TextIO

from rtser.events import EndEvent, Event, StartEvent, UtteranceEvent
from rtser.summary import Tally


class SummaryLines:
    """Sums up the utterances of each recording in turn (a `rtser.sinks.Sink`); `tell` writes its line.

    Args:
        out: the stream, flushed line by line.
    """

    kinds = (StartEvent, UtteranceEvent, EndEvent)

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tally, self._seconds = Tally(), 0.0

    def write(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, UtteranceEvent) and event.final:
            self._tally.add(event)
        elif isinstance(event, EndEvent):
            self._seconds = event.time

    def tell(self, file: str, problem: str | None) -> None:
        """Write the line of the recording that has ended, and start the next one.

        Args:
            file: name of the recording.
            problem: why it was not recognised, or not to its end; None if there was no problem.
        """
        figures = self._tally.summary(self._seconds).content()
        name = os.fsencode(file).decode(errors="backslashreplace")
        self._out.write(json.dumps({"file": name} | figures | {"problem": problem}) + "\n")
        self._out.flush()
        self._tally, self._seconds = Tally(), 0.0

    def close(self) -> None:
        """Do nothing; the stream belongs to the caller."""
