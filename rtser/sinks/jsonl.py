"""JSON lines."""

from __future__ import annotations

from typing import TextIO

from rtser.events import Event


class JsonLines:
    """One event a line on a text stream, flushed line by line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, event: Event) -> None:
        """Write one line."""
        self._out.write(event.to_json() + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing is held; the stream belongs to the caller."""
