"""JSON lines."""

from __future__ import annotations

from typing import TextIO

from rtser.events import Event, StartEvent, utc_now
from rtser.sinks.log_file import LogFile


class JsonLines:
    """Writes one event per line to a text stream, flushed line by line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, event: Event) -> None:
        """Write one line."""
        self._out.write(event.to_json() + "\n")
        self._out.flush()

    def close(self) -> None:
        """Do nothing; the stream belongs to the caller."""


class JsonLog:
    """Writes one event per line to a log file, each with ``utc``. A reopened file begins with the run's start."""

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self.close = log.close

    def write(self, event: Event) -> None:
        """Write one line."""
        if isinstance(event, StartEvent):
            self._log.opening = ""
        line = event.to_json(utc_now())
        try:
            self._log.write(line)
        finally:  # if it could not be written, it will be when the file is reopened
            if isinstance(event, StartEvent):
                self._log.opening = line
